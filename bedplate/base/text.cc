// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "bedplate/base/buffer.h"

namespace bedplate {

// ---- Numbers

namespace detail {

namespace {
constexpr std::array<std::uint64_t, 20> kPowersOfTen = [] {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t power = 1;
  for (auto& slot : powers) {
    slot = power;
    power *= 10;
  }
  return powers;
}();
}  // namespace

#define BEDPLATE_TEN(d) d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9"
extern constinit const char kDigitPairs[201] =
    BEDPLATE_TEN("0") BEDPLATE_TEN("1") BEDPLATE_TEN("2") BEDPLATE_TEN("3") BEDPLATE_TEN("4")
        BEDPLATE_TEN("5") BEDPLATE_TEN("6") BEDPLATE_TEN("7") BEDPLATE_TEN("8") BEDPLATE_TEN("9");
#undef BEDPLATE_TEN

char* write_large_uint(char* out, std::uint64_t value) {
  // 1233 / 4096 is log10(2) from above for 64 bits, so the guess is right or one too large.
  const auto guess = static_cast<unsigned>(std::bit_width(value)) * 1233U >> 12U;
  const unsigned digits = guess + (value >= kPowersOfTen[guess] ? 1 : 0);
  char* p = out + digits;
  // Eight digits at a time: their four pairs do not wait for each other.
  while (value >= 100'000'000) {
    const auto low = static_cast<std::uint32_t>(value % 100'000'000);
    value /= 100'000'000;
    const std::uint32_t high_half = low / 10'000;
    const std::uint32_t low_half = low % 10'000;
    p -= 8;
    std::memcpy(p, kDigitPairs + 2 * (high_half / 100), 2);
    std::memcpy(p + 2, kDigitPairs + 2 * (high_half % 100), 2);
    std::memcpy(p + 4, kDigitPairs + 2 * (low_half / 100), 2);
    std::memcpy(p + 6, kDigitPairs + 2 * (low_half % 100), 2);
  }
  auto rest = static_cast<std::uint32_t>(value);
  while (rest >= 100) {
    p -= 2;
    std::memcpy(p, kDigitPairs + 2 * (rest % 100), 2);
    rest /= 100;
  }
  if (rest >= 10) {
    std::memcpy(p - 2, kDigitPairs + 2 * rest, 2);
  } else {
    p[-1] = static_cast<char>('0' + rest);
  }
  return out + digits;
}

}  // namespace detail

namespace {

/// Numbers with up to three decimals, such as prices and ratings, are most of what is written. No two decimals of at
/// most 15 digits are the same double, so that the one which reads back is the shortest. Null when it is not like that.
char* write_thousandths(char* out, double value) {
  constexpr double kScaledMax = 1e15;
  const double scaled = std::fabs(value) * 1000;
  if (scaled >= kScaledMax || scaled < 1) return nullptr;
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): a wrong one is found out below
  const auto thousandths = static_cast<std::uint64_t>(scaled + 0.5);
  if (static_cast<double>(thousandths) / 1000 != std::fabs(value)) return nullptr;
  if (value < 0) *out++ = '-';
  out = write_uint(out, thousandths / 1000);
  const auto rest = static_cast<unsigned>(thousandths % 1000);
  *out++ = '.';
  *out++ = static_cast<char>('0' + rest / 100);
  if (rest % 100 == 0) return out;
  *out++ = static_cast<char>('0' + rest / 10 % 10);
  if (rest % 10 != 0) *out++ = static_cast<char>('0' + rest % 10);
  return out;
}

}  // namespace

char* write_double(char* out, double value) {
  constexpr double kPlainMax = 1e15;
  if (value > -kPlainMax && value < kPlainMax) {
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) == value && (whole != 0 || !std::signbit(value)))
      return write_int(out, whole);
    if (char* const end = write_thousandths(out, value)) return end;
  }
  return std::to_chars(out, out + kDoubleSizeMax, value).ptr;
}

namespace {

template <class Int>
std::optional<Int> parse_whole(std::string_view text) {
  Int value{};
  const char* end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A number's text taken apart, as far as its size is concerned.
struct NumberShape {
  bool well_formed = false;
  /// The decimal exponent of the first digit that is not zero; meaningless when all are.
  std::int64_t magnitude = 0;
};

NumberShape shape_of_number(std::string_view text) {
  std::size_t at = 0;
  auto digits = [&] {
    const std::size_t start = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return text.substr(start, at - start);
  };
  if (at < text.size() && text[at] == '-') ++at;
  const std::string_view whole = digits();
  if (whole.empty()) return {};
  std::string_view fraction;
  if (at < text.size() && text[at] == '.') {
    ++at;
    fraction = digits();
    if (fraction.empty()) return {};
  }
  std::int64_t exponent = 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const bool negative = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const std::string_view shown = digits();
    if (shown.empty()) return {};
    exponent = parse_whole<std::int64_t>(shown).value_or(INT64_MAX / 2);
    if (negative) exponent = -exponent;
  }
  if (at != text.size()) return {};
  const std::size_t first_whole = whole.find_first_not_of('0');
  const std::size_t first_fraction = fraction.find_first_not_of('0');
  const auto lead =
      first_whole != std::string_view::npos
          ? static_cast<std::int64_t>(whole.size() - first_whole)
          : -static_cast<std::int64_t>(first_fraction == std::string_view::npos ? 0 : first_fraction);
  return {.well_formed = true, .magnitude = exponent + lead};
}

}  // namespace

std::optional<std::int64_t> parse_int(std::string_view text) {
  return parse_whole<std::int64_t>(text);
}
std::optional<std::uint64_t> parse_uint(std::string_view text) {
  return parse_whole<std::uint64_t>(text);
}

std::optional<double> parse_double(std::string_view text) {
  const NumberShape shape = shape_of_number(text);
  if (!shape.well_formed) return std::nullopt;
  double value = 0;
  const auto failure = std::from_chars(text.data(), text.data() + text.size(), value).ec;
  // Both ends of the range report the same error: the magnitude tells them apart.
  if (failure == std::errc::result_out_of_range && shape.magnitude < 0) return text[0] == '-' ? -0.0 : 0.0;
  if (failure != std::errc{} || !std::isfinite(value)) return std::nullopt;
  return value;
}

// ---- UTF-8

unsigned utf8_sequence_size(const char* p, const char* end) {
  auto byte = [p](int i) { return static_cast<unsigned char>(p[i]); };
  auto continues = [&byte](int i) { return (byte(i) & 0xC0U) == 0x80; };
  const unsigned lead = byte(0);
  const auto left = end - p;
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;  // a continuation, or an overlong form of two bytes
  if (lead < 0xE0) return left >= 2 && continues(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (left < 3 || !continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && byte(1) > 0x9F) return 0;  // a surrogate
    return 3;
  }
  if (lead > 0xF4 || left < 4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;  // overlong
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;  // above U+10FFFF
  return 4;
}

namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighBits = 0x8080808080808080U;

std::uint64_t load_word(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

/// A high bit in the lowest byte that a JSON string cannot hold as it is: quote, backslash, control, not
/// ASCII. Bytes above that one may be marked wrongly: only the first is looked at.
std::uint64_t special_bits(std::uint64_t word) {
  const std::uint64_t quote = word ^ (kOnes * '"');
  const std::uint64_t backslash = word ^ (kOnes * '\\');
  const std::uint64_t found = ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) |
                              ((word - kOnes * 0x20) & ~word) | word;
  return found & kHighBits;
}

bool is_special(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x80 || c == '"' || c == '\\';
}

#if defined(__SSE2__)
unsigned special_mask(__m128i block) {
  const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  const __m128i low = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));  // signed: true for 0x80 and above too
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), low)));
}
#endif

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    if (end - p >= 8 && (load_word(p) & kHighBits) == 0) {
      p += 8;
      continue;
    }
    const unsigned size = utf8_sequence_size(p, end);
    if (size == 0) return static_cast<std::size_t>(p - text.data());
    p += size;
  }
  return std::string_view::npos;
}

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

namespace {

/// The white space that stands first in well-formed text: its size in bytes, or 0.
std::size_t white_space_size(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return first == ' ' || (first >= '\t' && first <= '\r') ? 1 : 0;
  constexpr std::string_view kOthers[] = {
      "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007",
      "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000", "\uFEFF"};
  for (std::string_view space : kOthers)
    if (text.starts_with(space)) return space.size();
  return 0;
}

}  // namespace

bool is_blank(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = white_space_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

char* write_utf8(char* out, char32_t code_point) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) code_point = 0xFFFD;
  auto tail = [code_point](unsigned shift) {
    return static_cast<char>(0x80U | ((code_point >> shift) & 0x3FU));
  };
  if (code_point < 0x80) {
    *out++ = static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    *out++ = static_cast<char>(0xC0U | code_point >> 6U);
    *out++ = tail(0);
  } else if (code_point < 0x10000) {
    *out++ = static_cast<char>(0xE0U | code_point >> 12U);
    *out++ = tail(6);
    *out++ = tail(0);
  } else {
    *out++ = static_cast<char>(0xF0U | code_point >> 18U);
    *out++ = tail(12);
    *out++ = tail(6);
    *out++ = tail(0);
  }
  return out;
}

std::string_view utf8_prefix(std::string_view text, std::size_t size_max) {
  if (text.size() <= size_max) return text;
  std::size_t size = size_max;
  for (int back = 0; back < 3 && size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80; ++back)
    --size;
  return text.substr(0, size);
}

// ---- JSON strings

const char* find_json_special(const char* p, const char* end) {
#if defined(__SSE2__)
  for (; end - p >= 16; p += 16) {
    const unsigned mask = special_mask(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    if (mask != 0) return p + std::countr_zero(mask);
  }
#endif
  for (; end - p >= 8; p += 8) {
    const std::uint64_t bits = special_bits(load_word(p));
    if (bits != 0) return p + std::countr_zero(bits) / 8;
  }
  while (p != end && !is_special(*p)) ++p;
  return p;
}

namespace {

/// Copies what needs no escape; the target has room for all of [from, end). One pass: it looks at what it
/// copies.
void copy_plain(const char*& from, const char* end, char*& out) {
  const char* p = from;
  char* to = out;
  auto stop_at = [&](std::ptrdiff_t size) {
    from = p + size;
    out = to + size;
  };
#if defined(__SSE2__)
  const auto copy_block = [](const char* source, char* target) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(source));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(target), block);
    return special_mask(block);
  };
  for (; end - p >= 16; p += 16, to += 16)
    if (const unsigned mask = copy_block(p, to); mask != 0) return stop_at(std::countr_zero(mask));
  // The rest, once more together with the end of what was copied.
  if (const std::ptrdiff_t again = 16 - (end - p); p - from >= again) {
    const unsigned mask = copy_block(p - again, to - again) >> again;
    return stop_at(mask != 0 ? std::countr_zero(mask) : end - p);
  }
#endif
  const auto copy_word = [](const char* source, char* target) {
    const std::uint64_t word = load_word(source);
    std::memcpy(target, &word, sizeof word);
    return special_bits(word);
  };
  for (; end - p >= 8; p += 8, to += 8)
    if (const std::uint64_t bits = copy_word(p, to); bits != 0) return stop_at(std::countr_zero(bits) / 8);
  if (const std::ptrdiff_t again = 8 - (end - p); p - from >= again) {
    const std::uint64_t bits = again == 8 ? 0 : copy_word(p - again, to - again) >> (8 * again);
    return stop_at(bits != 0 ? std::countr_zero(bits) / 8 : end - p);
  }
  std::ptrdiff_t size = 0;
  for (; p + size != end && !is_special(p[size]); ++size) to[size] = p[size];
  stop_at(size);
}

constexpr std::size_t kUnitSizeMax = 6;  // "\u001f"

/// Writes the escape or the code point that begins at `from`, at most kUnitSizeMax bytes, and steps over it.
char* write_unit(const char*& from, const char* end, char* out) {
  const char c = *from;
  if (static_cast<signed char>(c) < 0) {
    const unsigned size = utf8_sequence_size(from, end);
    if (size == 0) {
      ++from;
      return write_utf8(out, 0xFFFD);
    }
    std::memcpy(out, from, size);
    from += size;
    return out + size;
  }
  ++from;
  auto pair = [out](char letter) {
    out[0] = '\\';
    out[1] = letter;
    return out + 2;
  };
  switch (c) {
    case '"':
    case '\\':
      return pair(c);
    case '\n':
      return pair('n');
    case '\r':
      return pair('r');
    case '\t':
      return pair('t');
    case '\b':
      return pair('b');
    case '\f':
      return pair('f');
    default:
      if (static_cast<unsigned char>(c) >= 0x20) {
        *out = c;
        return out + 1;
      }
      std::memcpy(out, "\\u00", 4);
      return write_hex(out + 4, &c, 1);
  }
}

/// Writes a run of well-formed sequences above ASCII at `from`: they are as long in as out.
void copy_beyond_ascii(const char*& from, const char* end, char*& out) {
  while (from != end && static_cast<signed char>(*from) < 0) {
    const unsigned size = utf8_sequence_size(from, end);
    if (size == 0) return;
    std::memcpy(out, from, size);
    from += size;
    out += size;
  }
}

}  // namespace

char* write_json_escaped(char* out, std::string_view text) {
  const char* from = text.data();
  const char* const end = from + text.size();
  while (true) {
    copy_plain(from, end, out);
    if (from == end) return out;
    out = write_unit(from, end, out);
  }
}

void append_json_string(Buffer& out, std::string_view text) {
  constexpr std::size_t kSlack = kUnitSizeMax + 2;
  const char* from = text.data();
  const char* const end = from + text.size();
  char* to = out.need(text.size() + kSlack);
  *to++ = '"';  // NOLINT(clang-analyzer-core.NullDereference): need() has made room
  while (true) {
    copy_plain(from, end, to);
    if (from == end) break;
    copy_beyond_ascii(from, end, to);
    if (from == end) break;
    to = write_unit(from, end, to);
    // Escapes are longer than what they stand for: room for the rest again, not six times all of it at the
    // start.
    out.advance_to(to);
    to = out.need(static_cast<std::size_t>(end - from) + kSlack);
  }
  *to++ = '"';
  out.advance_to(to);
}

void append_json_string(std::string& out, std::string_view text) {
  Buffer buffer;
  append_json_string(buffer, text);
  out.append(buffer.view());
}

namespace {

/// Whether a display obeys this well-formed sequence of two or three bytes instead of showing it.
bool is_display_control(const char* p, unsigned size) {
  const auto byte = [p](unsigned i) { return static_cast<unsigned char>(p[i]); };
  if (size == 2) return (byte(0) == 0xC2 && byte(1) < 0xA0) || (byte(0) == 0xD8 && byte(1) == 0x9C);
  if (size != 3 || byte(0) != 0xE2) return false;
  const unsigned last = byte(2);
  if (byte(1) == 0x80) return last == 0x8E || last == 0x8F || (last >= 0xA8 && last <= 0xAE);
  return byte(1) == 0x81 && last >= 0xA6 && last <= 0xA9;
}

/// As write_unit(), and escapes what a display obeys.
char* write_visible_unit(const char*& from, const char* end, char* out) {
  const bool ascii = static_cast<signed char>(*from) >= 0;
  const unsigned size = ascii ? 1 : utf8_sequence_size(from, end);
  if (ascii ? *from != '\x7f' : !is_display_control(from, size)) return write_unit(from, end, out);
  const auto bits = [from](unsigned i) { return static_cast<unsigned char>(from[i]) & 0x3FU; };
  unsigned point = 0x7F;
  if (size == 2) point = (static_cast<unsigned char>(from[0]) & 0x1FU) << 6 | bits(1);
  if (size == 3) point = 0x2000 | bits(1) << 6 | bits(2);  // 0xE2, for there is no other among them
  from += size;
  std::memcpy(out, "\\u", 2);
  write_hex_byte(out + 2, static_cast<std::uint8_t>(point >> 8));
  return write_hex_byte(out + 4, static_cast<std::uint8_t>(point & 0xFF));
}

}  // namespace

BoundedWrite write_visible_escaped(char* out, char* limit, std::string_view text) {
  const char* from = text.data();
  const char* const end = from + text.size();
  while (from != end) {
    // Graphic ASCII at once: most of a log consists of it.
    const char* plain = find_json_special(from, from + std::min(end - from, limit - out));
    if (const void* del = std::memchr(from, 0x7F, static_cast<std::size_t>(plain - from)))
      plain = static_cast<const char*>(del);
    out = std::copy(from, plain, out);
    from = plain;
    if (from == end) break;
    char unit[kUnitSizeMax];
    const char* next = from;
    const auto size = write_visible_unit(next, end, unit) - unit;
    if (limit - out < size) break;
    std::memcpy(out, unit, static_cast<std::size_t>(size));
    out += size;
    from = next;
  }
  return {out, static_cast<std::size_t>(from - text.data())};
}

// ---- Hexadecimal and base64url

namespace detail {

#define BEDPLATE_SIXTEEN(d) \
  d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9" d "a" d "b" d "c" d "d" d "e" d "f"
extern constinit const char kHexPairs[513] =
    BEDPLATE_SIXTEEN("0") BEDPLATE_SIXTEEN("1") BEDPLATE_SIXTEEN("2") BEDPLATE_SIXTEEN("3")
        BEDPLATE_SIXTEEN("4") BEDPLATE_SIXTEEN("5") BEDPLATE_SIXTEEN("6") BEDPLATE_SIXTEEN("7")
            BEDPLATE_SIXTEEN("8") BEDPLATE_SIXTEEN("9") BEDPLATE_SIXTEEN("a") BEDPLATE_SIXTEEN("b")
                BEDPLATE_SIXTEEN("c") BEDPLATE_SIXTEEN("d") BEDPLATE_SIXTEEN("e") BEDPLATE_SIXTEEN("f");
#undef BEDPLATE_SIXTEEN

extern constinit const std::array<signed char, 256> kHexValues = [] {
  std::array<signed char, 256> values{};
  values.fill(-1);
  for (signed char i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = i;
  for (signed char i = 10; i < 16; ++i) {
    values[static_cast<std::size_t>('a' + i - 10)] = i;
    values[static_cast<std::size_t>('A' + i - 10)] = i;
  }
  return values;
}();

}  // namespace detail

char* write_hex(char* out, const void* bytes, std::size_t size) {
  const auto* from = static_cast<const std::uint8_t*>(bytes);
  for (std::size_t i = 0; i < size; ++i) out = write_hex_byte(out, from[i]);
  return out;
}

std::string to_hex(std::string_view bytes) {
  std::string text(2 * bytes.size(), '\0');
  write_hex(text.data(), bytes.data(), bytes.size());
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes(text.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_digit_value(text[2 * i]);
    const int low = hex_digit_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<char>(high << 4 | low);
  }
  return bytes;
}

namespace {

constexpr std::string_view kBase64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<signed char, 256> kBase64urlValues = [] {
  std::array<signed char, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kBase64url.size(); ++i) {
    values[static_cast<unsigned char>(kBase64url[i])] = static_cast<signed char>(i);
  }
  return values;
}();

}  // namespace

std::string to_base64url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) text.push_back(kBase64url[bits >> (held - 6) & 0x3FU]);
  }
  if (held != 0) text.push_back(kBase64url[bits << (6 - held) & 0x3FU]);
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const int value = kBase64urlValues[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes.push_back(static_cast<char>(bits >> held & 0xFFU));
    }
  }
  if ((bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return bytes;
}

// ---- Comparing

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = to_lower(c);
  return lower;
}

std::string to_upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = to_upper(c);
  return upper;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  // volatile: the compiler may not stop at the first difference.
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(
        difference | (static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])));
  }
  return difference == 0;
}

std::string_view trim(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  constexpr std::size_t kSizeMax = 128;
  if (a.size() > kSizeMax || b.size() > kSizeMax) return a == b ? 0 : std::max(a.size(), b.size());
  // Optimal string alignment: three rows of the usual table, the third back for swaps.
  std::array<std::array<std::size_t, kSizeMax + 1>, 3> rows;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i - 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], rows[(i - 2) % 3][j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

std::optional<std::string_view> find_nearest(std::string_view text,
                                             std::span<const std::string_view> candidates) {
  std::optional<std::string_view> nearest;
  std::size_t least = SIZE_MAX;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(text, candidate);
    const std::size_t allowed = std::max<std::size_t>(1, std::max(text.size(), candidate.size()) / 3);
    if (distance < least && distance <= allowed && distance < std::max(text.size(), candidate.size())) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace bedplate
