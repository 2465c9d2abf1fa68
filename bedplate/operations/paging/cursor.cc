// SPDX-License-Identifier: Apache-2.0
#include "bedplate/operations/paging/cursor.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "bedplate/base/hash.h"
#include "bedplate/base/text.h"

namespace bedplate::api {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kHashSize = 8;
constexpr HashKey kHashKey{0x6265'6470'6c61'7465, 0x2063'7572'736f'7231};  // fixed: cursors outlive a process

void append_u32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}
void append_u64(std::string& out, std::uint64_t value) {
  append_u32(out, static_cast<std::uint32_t>(value >> 32));
  append_u32(out, static_cast<std::uint32_t>(value));
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::uint64_t hash_of(std::string_view scope, std::string_view values) {
  std::string all;
  append_u32(all, static_cast<std::uint32_t>(scope.size()));
  all.append(scope).append(values);
  return siphash24(all, kHashKey);
}

void append_value(std::string& out, const CursorValue& value) {
  out.push_back(static_cast<char>(value.index()));
  if (auto* integer = std::get_if<std::int64_t>(&value))
    append_u64(out, static_cast<std::uint64_t>(*integer));
  if (auto* real = std::get_if<double>(&value)) append_u64(out, std::bit_cast<std::uint64_t>(*real));
  if (auto* text = std::get_if<std::string>(&value)) {
    append_u32(out, static_cast<std::uint32_t>(text->size()));
    out += *text;
  }
  if (auto* id = std::get_if<Uuid>(&value))
    for (std::uint8_t byte : id->bytes) out.push_back(static_cast<char>(byte));
  if (auto* time = std::get_if<Time>(&value))
    append_u64(out, static_cast<std::uint64_t>(time->time_since_epoch().count()));
}

/// Takes values off the front of a text; each take fails when too little is left.
class ValueReader {
 public:
  explicit ValueReader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }

  std::optional<CursorValue> next() {
    std::optional<std::string_view> kind = take(1);
    if (!kind) return std::nullopt;
    switch ((*kind)[0]) {
      case 0:
        if (auto bytes = take(8)) return static_cast<std::int64_t>(read_big_endian(*bytes));
        break;
      case 1:
        if (auto bytes = take(8)) return std::bit_cast<double>(read_big_endian(*bytes));
        break;
      case 2:
        if (auto size = take(4))
          if (auto text = take(read_big_endian(*size))) return std::string(*text);
        break;
      case 3:
        if (auto bytes = take(16)) {
          Uuid id;
          std::memcpy(id.bytes.data(), bytes->data(), id.bytes.size());
          return id;
        }
        break;
      case 4:
        if (auto bytes = take(8))
          return Time(Time::duration(static_cast<std::int64_t>(read_big_endian(*bytes))));
        break;
      default:
        break;
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string_view> take(std::size_t size) {
    if (size > rest_.size()) return std::nullopt;
    std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

/// Version, values and hash; nothing for what is too long or too short for a cursor, or of another version.
std::optional<std::string> read_word(std::string_view word) {
  if (word.size() > kCursorSizeMax) return std::nullopt;
  std::optional<std::string> bytes = from_base64url(word);
  if (!bytes || bytes->size() < 1 + kHashSize || bytes->front() != kVersion) return std::nullopt;
  return bytes;
}

std::optional<CursorValues> read_values(std::string_view bytes) {
  CursorValues values;
  ValueReader reader(bytes);
  while (!reader.at_end()) {
    std::optional<CursorValue> value = reader.next();
    if (!value || values.size() == kCursorValuesMax) return std::nullopt;
    values.push_back(std::move(*value));
  }
  return values;
}

}  // namespace

std::string encode_cursor(std::string_view scope, std::span<const CursorValue> values) {
  std::string bytes(1, kVersion);
  for (const CursorValue& value : values) append_value(bytes, value);
  append_u64(bytes, hash_of(scope, bytes));
  return to_base64url(bytes);
}

std::optional<CursorValues> decode_cursor(std::string_view scope, std::string_view word) {
  std::optional<std::string> bytes = read_word(word);
  if (!bytes) return std::nullopt;
  std::string_view all = *bytes;
  std::string_view signed_part = all.substr(0, all.size() - kHashSize);
  if (read_big_endian(all.substr(signed_part.size())) != hash_of(scope, signed_part)) return std::nullopt;
  return read_values(signed_part.substr(1));
}

bool looks_like_cursor(std::string_view word) {
  std::optional<std::string> bytes = read_word(word);
  return bytes && read_values(std::string_view(*bytes).substr(1, bytes->size() - 1 - kHashSize));
}

}  // namespace bedplate::api
