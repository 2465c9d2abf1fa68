// SPDX-License-Identifier: Apache-2.0
// The reply parser on any bytes: it neither crashes nor takes more than its limits, and gives the same replies however
// the bytes are cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "bedplate/redis/reply.h"

namespace {

std::size_t count_items(const bedplate::redis::Reply& reply) {
  std::size_t count = 1;
  for (const auto& item : reply.items) count += count_items(item);
  return count;
}

/// Items of all replies; the sign bit says that the stream broke.
std::size_t read_all(const char* bytes, std::size_t size, std::size_t piece) {
  bedplate::redis::ReplyParser parser({.size_bytes_max = 4096, .items_max = 256, .depth_max = 8});
  std::size_t items = 0;
  while (size > 0) {
    const std::size_t now = std::min(piece, size);
    std::memcpy(parser.room(now).data(), bytes, now);
    parser.received(now);
    bytes += now;
    size -= now;
    for (;;) {
      auto reply = parser.next();
      if (!reply) return items | (std::size_t{1} << 63);
      if (!*reply) break;
      const std::size_t count = count_items(**reply);
      if (count > 257) std::abort();
      items += count;
    }
  }
  return items;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const char* bytes = reinterpret_cast<const char*>(data);
  if (read_all(bytes, size, size) != read_all(bytes, size, 3)) std::abort();
  return 0;
}
