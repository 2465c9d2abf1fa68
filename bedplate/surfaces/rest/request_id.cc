// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/request_id.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "bedplate/base/random.h"
#include "bedplate/base/text.h"

namespace bedplate::api {
namespace {

constexpr std::size_t kPrefixSize = 16;
constexpr std::size_t kCounterSize = 8;

/// One block of 2^32 ids: a random prefix, spelt once, and a counter.
struct IdBlock {
  std::uint32_t next = 0;
  char prefix[kPrefixSize];
};
constinit thread_local IdBlock block{};

char* write_counter(char* out, std::uint32_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = 28; shift >= 0; shift -= 4) *out++ = kDigits[(value >> shift) & 15];
  return out;
}

bool is_id_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

}  // namespace

void RequestId::make() {
  if (block.next == 0) {
    std::uint64_t random = random_u64();
    write_hex(block.prefix, &random, sizeof random);
  }
  std::memcpy(text_, block.prefix, kPrefixSize);
  write_counter(text_ + kPrefixSize, ++block.next);
  size_ = kPrefixSize + kCounterSize;
}

bool RequestId::fit(std::string_view text) {
  return text.size() >= 8 && text.size() <= kSizeMax && std::ranges::all_of(text, is_id_char);
}

void RequestId::copy(std::string_view text) {
  std::memcpy(text_, text.data(), text.size());
  size_ = static_cast<unsigned char>(text.size());
}

}  // namespace bedplate::api
