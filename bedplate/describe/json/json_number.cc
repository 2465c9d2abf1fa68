// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/json/json_number.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <optional>

#include "bedplate/base/text.h"

namespace bedplate::detail {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The exponent part, clamped to what no number of digits in memory can outweigh.
std::int64_t parse_exponent(std::string_view text) {
  constexpr std::int64_t kClamp = std::int64_t{1} << 40;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  for (char c : text) exponent = std::min(exponent * 10 + (c - '0'), kClamp);
  return negative ? -exponent : exponent;
}

/// Multiplies and adds; false when it does not fit.
bool append_digit(std::uint64_t& value, unsigned digit) {
  return !__builtin_mul_overflow(value, std::uint64_t{10}, &value) &&
         !__builtin_add_overflow(value, std::uint64_t{digit}, &value);
}

}  // namespace

WholeNumber parse_whole(std::string_view text, std::uint64_t& magnitude) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t e = text.find_first_of("eE");
  std::int64_t exponent = e == std::string_view::npos ? 0 : parse_exponent(text.substr(e + 1));
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t point = mantissa.find('.');
  const auto fraction_size = point == std::string_view::npos
                                 ? std::int64_t{0}
                                 : static_cast<std::int64_t>(mantissa.size() - point - 1);

  // The value is digits * 10^exponent, where digits is the mantissa without its point, up to its last nonzero
  // digit.
  exponent -= fraction_size;
  const std::size_t last = mantissa.find_last_not_of("0.");
  magnitude = 0;
  if (last == std::string_view::npos) return WholeNumber::fits;  // zero, however it is written
  for (std::size_t i = last + 1; i < mantissa.size(); ++i) exponent += mantissa[i] != '.';
  if (exponent < 0) return WholeNumber::fractional;

  for (std::size_t i = 0; i <= last; ++i)
    if (is_digit(mantissa[i]) && !append_digit(magnitude, static_cast<unsigned>(mantissa[i] - '0')))
      return WholeNumber::too_large;
  for (; exponent > 0; --exponent)
    if (!append_digit(magnitude, 0)) return WholeNumber::too_large;
  return WholeNumber::fits;
}

bool parse_eight_digits(const char* from, std::uint64_t& value) {
  std::uint64_t chunk;
  std::memcpy(&chunk, from, sizeof chunk);
  constexpr std::uint64_t kHigh = 0xF0F0F0F0F0F0F0F0;
  constexpr std::uint64_t kZeros = 0x3030303030303030;
  // A byte is a digit when its high half is 3, and still is after adding 6.
  if ((chunk & kHigh) != kZeros || ((chunk + 0x0606060606060606) & kHigh) != kZeros) return false;
  if constexpr (std::endian::native == std::endian::little) {
    chunk -= kZeros;
    chunk = chunk * 10 + (chunk >> 8);  // pairs
    value = (((chunk & 0x000000FF000000FF) * 0x000F424000000064) +
             (((chunk >> 16) & 0x000000FF000000FF) * 0x0000271000000001)) >>
            32;
  } else {
    value = 0;
    for (int i = 0; i < 8; ++i) value = value * 10 + static_cast<std::uint64_t>(from[i] - '0');
  }
  return true;
}

bool parse_real(std::string_view text, double& value) {
  // At most 15 digits and a power of ten up to 10^15 are both exact in a double, so that one division is
  // correctly rounded (Clinger 1990). Most numbers that people send are like this.
  constexpr int kExactDigits = 15;
  constexpr double kPowers[kExactDigits + 1] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const bool negative = text.starts_with('-');
  std::uint64_t digits = 0;
  int count = 0;
  int after_point = 0;
  bool point = false;
  for (char c : text.substr(negative ? 1 : 0)) {
    if (c == '.') {
      point = true;
      continue;
    }
    if (!is_digit(c) || ++count > kExactDigits) {
      const std::optional<double> parsed = parse_double(text);
      if (parsed) value = *parsed;
      return parsed.has_value();
    }
    digits = digits * 10 + static_cast<unsigned>(c - '0');
    after_point += point;
  }
  const double magnitude = static_cast<double>(digits) / kPowers[after_point];
  value = negative ? -magnitude : magnitude;
  return true;
}

}  // namespace bedplate::detail
