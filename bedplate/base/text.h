// SPDX-License-Identifier: Apache-2.0
// Text and numbers: what every writer and reader of bytes needs, once. The JSON codec, the logs and the
// metrics share the escaping and the number forms that stand here.
//
//   char* p = out.need(kIntSizeMax);
//   out.advance_to(write_int(p, -42));
//   append_json_string(out, title);              // "quoted \"and\" escaped"
//   if (auto n = parse_int(text)) ...            // the whole text, or nothing
//
// Functions named write_* take a pointer with enough room (the constant beside them says how much) and return
// the end of what they wrote; append_* grow their target. Nothing here throws for its input, depends on the
// locale, or keeps state, so all of it is safe from any thread. Case means ASCII case.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bedplate {

class Buffer;

// ---- Numbers

inline constexpr std::size_t kIntSizeMax = 20;     ///< "-9223372036854775808", "18446744073709551615"
inline constexpr std::size_t kDoubleSizeMax = 32;  ///< "-2.2250738585072014e-308" and a little room

namespace detail {
extern const char kDigitPairs[201];  ///< "00", "01", ... "99"
char* write_large_uint(char* out, std::uint64_t value);
}  // namespace detail

/// Decimal. Room: kIntSizeMax.
inline char* write_uint(char* out, std::uint64_t value) {
  if (value < 10) {
    *out = static_cast<char>('0' + value);
    return out + 1;
  }
  if (value < 100) {
    std::memcpy(out, detail::kDigitPairs + 2 * value, 2);
    return out + 2;
  }
  return detail::write_large_uint(out, value);
}
inline char* write_int(char* out, std::int64_t value) {
  if (value >= 0) return write_uint(out, static_cast<std::uint64_t>(value));
  *out = '-';
  return write_uint(out + 1, 0 - static_cast<std::uint64_t>(value));
}

/// The shortest text that reads back as the same double (whole numbers below 1e15 in full: "100000", not
/// "1e+05"); a JSON number (RFC 8259) for every finite value. NaN and the infinities become "nan", "inf" and
/// "-inf": a JSON writer tests for them before. Room: kDoubleSizeMax.
char* write_double(char* out, double value);

/// The whole text as a decimal integer: an optional "-", then digits; no "+", no spaces. Nothing when it is
/// anything else or does not fit.
std::optional<std::int64_t> parse_int(std::string_view text);
std::optional<std::uint64_t> parse_uint(std::string_view text);
/// The whole text as a finite number in the grammar of JSON numbers, leading zeros allowed. Too large is
/// nothing; too small to tell from zero is zero.
std::optional<double> parse_double(std::string_view text);

// ---- UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF)

/// The size (1 to 4) of the well-formed sequence that starts at `p`, or 0. `p` must be before `end`.
unsigned utf8_sequence_size(const char* p, const char* end);
/// The offset of the first byte that is not part of well-formed UTF-8; std::string_view::npos when all of it
/// is.
std::size_t find_invalid_utf8(std::string_view text);
inline bool is_valid_utf8(std::string_view text) {
  return find_invalid_utf8(text) == std::string_view::npos;
}
/// How many code points there are in well-formed text.
std::size_t count_code_points(std::string_view text);
/// Whether well-formed text has white space only, or nothing: what \s of ECMA-262 matches (section 22.2.2.9: Unicode's
/// spaces, the line ends and U+FEFF).
bool is_blank(std::string_view text);
/// Writes one code point (U+FFFD for what is not one). Room: 4.
char* write_utf8(char* out, char32_t code_point);
/// The largest prefix of at most `size_max` bytes that does not cut a code point of well-formed text in two.
std::string_view utf8_prefix(std::string_view text, std::size_t size_max);

// ---- JSON strings (RFC 8259 section 7)

/// What append_json_string() may need for `size` bytes: every byte a "\u00xx", two quotes, and room for the
/// blocks of 16 bytes that it copies.
constexpr std::size_t json_string_size_max(std::size_t size) {
  return 6 * size + 18;
}

/// Writes the text without quotes, escaped: the quote, the backslash and everything below U+0020. Bytes that
/// are not UTF-8 become U+FFFD, so the answer is valid JSON whatever was put in. Room:
/// json_string_size_max().
char* write_json_escaped(char* out, std::string_view text);
/// Appends the text, quoted and escaped as above. About 1 ns for 16 bytes of text that needs no escape.
void append_json_string(Buffer& out, std::string_view text);
void append_json_string(std::string& out, std::string_view text);

struct BoundedWrite {
  char* end;  ///< Where the writing stopped.
  std::size_t
      read;  ///< How much of the text was written; less than all of it when there was no room for more.
};
/// As write_json_escaped(), but never past `limit`, and never half an escape or half a code point. For eyes and
/// terminals: what a display obeys instead of showing it is escaped too, so that it neither hides nor reorders what
/// stands around it (DEL, the C1 controls, U+2028, U+2029, and the marks of the bidirectional algorithm, UAX #9).
BoundedWrite write_visible_escaped(char* out, char* limit, std::string_view text);

/// Where plain text of a JSON string ends: the first quote, backslash, control character or byte above 0x7f
/// in [p, end), or `end`. The inner loop of the JSON reader.
const char* find_json_special(const char* p, const char* end);

// ---- Hexadecimal and base64url

namespace detail {
extern const char kHexPairs[513];                      ///< "00", "01", ... "ff"
extern const std::array<signed char, 256> kHexValues;  ///< 0 to 15, or -1
}  // namespace detail

/// One byte, lower case. Room: 2.
inline char* write_hex_byte(char* out, std::uint8_t byte) {
  std::memcpy(out, detail::kHexPairs + std::size_t{2} * byte, 2);
  return out + 2;
}
/// Lower case. Room: 2 * size.
char* write_hex(char* out, const void* bytes, std::size_t size);
std::string to_hex(std::string_view bytes);
/// Either case, an even number of digits; nothing otherwise.
std::optional<std::string> from_hex(std::string_view text);
/// 0 to 15, or -1.
inline int hex_digit_value(char c) {
  return detail::kHexValues[static_cast<unsigned char>(c)];
}

/// RFC 4648 section 5, without padding, as JOSE and cursors use it.
std::string to_base64url(std::string_view bytes);
/// Strict: no padding, no other characters, no stray bits at the end (each byte string has one text form
/// only).
std::optional<std::string> from_base64url(std::string_view text);

// ---- Comparing

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr char to_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
/// For secrets: the time it takes depends on the sizes only.
bool equal_in_constant_time(std::string_view a, std::string_view b);
/// Without the spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// How many insertions, deletions, replacements and swaps of neighbours turn one into the other. Time and
/// memory are the product of the sizes; texts beyond 128 bytes count as far apart.
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate that a person who typed `text` most likely meant, for "did you mean": nothing when none is
/// near (more than a third of the characters differ).
std::optional<std::string_view> find_nearest(std::string_view text,
                                             std::span<const std::string_view> candidates);

}  // namespace bedplate
