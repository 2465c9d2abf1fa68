// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace bedplate {

void random_bytes(void* out, std::size_t size) {
  char* p = static_cast<char*>(out);
  while (size != 0) {
    const ssize_t got = ::getrandom(p, size, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::fputs("bedplate: the operating system has no random numbers (getrandom failed)\n", stderr);
      std::abort();
    }
    p += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::uint64_t random_u64() {
  struct Block {
    std::array<std::uint64_t, 64> words;
    std::size_t used;
  };
  thread_local Block block{{}, std::tuple_size_v<decltype(Block::words)>};
  if (block.used == block.words.size()) {
    random_bytes(block.words.data(), sizeof block.words);
    block.used = 0;
  }
  return std::exchange(block.words[block.used++], 0);  // wiped: what was handed out cannot be read back later
}

}  // namespace bedplate
