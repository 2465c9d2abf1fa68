// SPDX-License-Identifier: Apache-2.0
// The readers of base take bytes from anybody: numbers, encodings, ids, times. What they accept comes back
// the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/buffer.h"
#include "bedplate/base/id.h"
#include "bedplate/base/text.h"
#include "bedplate/base/time.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto n = parse_int(text)) expect(parse_int(std::to_string(*n)) == n);
  if (const auto n = parse_uint(text)) expect(parse_uint(std::to_string(*n)) == n);
  if (const auto n = parse_double(text)) {
    char out[kDoubleSizeMax];
    expect(parse_double({out, write_double(out, *n)}) == n);
  }
  if (const auto uuid = Uuid::parse(text)) expect(Uuid::parse(uuid->to_string()) == uuid);
  if (const auto time = parse_rfc3339(text)) expect(parse_rfc3339(to_rfc3339(*time)) == time);
  if (const auto bytes = from_base64url(text)) expect(to_base64url(*bytes) == text);
  if (const auto bytes = from_hex(text)) expect(from_hex(to_hex(*bytes)) == bytes);
  expect(from_base64url(to_base64url(text)) == text);

  Buffer json;
  append_json_string(json, text);
  expect(is_valid_utf8(json.view()));
  std::vector<char> room(json_string_size_max(size));
  const std::string_view escaped(room.data(), write_json_escaped(room.data(), text));
  expect(json.view().substr(1, json.size() - 2) == escaped);
  const BoundedWrite bounded = write_visible_escaped(room.data(), room.data() + size / 2, text);
  expect(bounded.end <= room.data() + size / 2);
  expect(edit_distance(text, "server.threads") <= std::max<std::size_t>(size, 14));
  return 0;
}
