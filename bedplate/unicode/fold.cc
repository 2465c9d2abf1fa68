// SPDX-License-Identifier: Apache-2.0
#include "bedplate/unicode/fold.h"

#include <cstdint>

namespace bedplate::unicode {

char32_t moved(std::span<const Move> table, char32_t code) {
  const Move* move = find_range(table, code);
  if (!move || (code - move->first) % move->step != 0) return code;
  return static_cast<char32_t>(static_cast<std::int32_t>(code) + move->delta);
}

CodePoint decode(const char* p, const char* end) {
  CodePoint point{0, utf8_sequence_size(p, end)};
  if (point.size == 0) return point;
  constexpr unsigned char kLead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  point.value = static_cast<unsigned char>(*p) & kLead[point.size];
  for (unsigned i = 1; i < point.size; ++i)
    point.value = (point.value << 6) | (static_cast<unsigned char>(p[i]) & 0x3f);
  return point;
}

void append_utf8(std::string& to, char32_t code) {
  char bytes[4];
  to.append(bytes, write_utf8(bytes, code));
}

void append_folded(std::string& to, char32_t code) {
  const char32_t one = moved(kFold, code);
  if (one != code) return append_utf8(to, one);
  auto found = std::ranges::lower_bound(kExpansions, code, {}, &Expansion::from);
  if (found != kExpansions.end() && found->from == code)
    to += found->to;
  else
    append_utf8(to, code);
}

namespace {

// Appends what one character becomes; how many bytes it had.
std::size_t append_first_folded(std::string& to, std::string_view text) {
  const char c = text.front();
  if (is_ascii(c)) {
    to += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return 1;
  }
  const CodePoint point = decode(text.data(), text.data() + text.size());
  if (point.size == 0) return 1;
  append_folded(to, point.value);
  return point.size;
}

}  // namespace

void append_folded(std::string& to, std::string_view text) {
  while (!text.empty()) text.remove_prefix(append_first_folded(to, text));
}

std::string sort_key(std::string_view text) {
  std::string key;
  while (!text.empty()) {
    const std::size_t before = key.size();
    text.remove_prefix(append_first_folded(key, text));
    if (key.size() > kSortKeySizeMax) {
      key.resize(before);
      break;
    }
  }
  return key;
}

}  // namespace bedplate::unicode
