// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/decimal.h"

#include <algorithm>
#include <limits>

namespace bedplate {
namespace {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

/// 10^exponent; at most 38.
Wide power_of_ten(int exponent) {
  Wide power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

bool has_too_many_digits(Wide value) {
  static const Wide kLimit = power_of_ten(Decimal::kDigitsMax);
  return value >= kLimit || value <= -kLimit;
}

/// `value` with `zeros` more digits; false when that is too large.
bool shift(Wide& value, int zeros) {
  for (; zeros > 0; --zeros)
    if (__builtin_mul_overflow(value, Wide{10}, &value)) return false;
  return !has_too_many_digits(value);
}

std::unexpected<Error> overflow() {
  return fail(Category::invalid, "decimal_overflow", "A decimal number would need more than 38 digits.");
}

}  // namespace

Decimal::Decimal(Wide coefficient, int places) : coefficient_(coefficient), places_(places) {
  for (; places_ > 0 && coefficient_ % 10 == 0; --places_) coefficient_ /= 10;
}

std::optional<Decimal> Decimal::parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  std::string_view fraction = point == text.npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || (point != text.npos && fraction.empty())) return std::nullopt;
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  if (fraction.size() > kDigitsMax) return std::nullopt;
  Wide value = 0;
  for (const std::string_view part : {whole, fraction}) {
    for (const char c : part) {
      if (c < '0' || c > '9') return std::nullopt;
      if (!shift(value, 1)) return std::nullopt;
      value += c - '0';
    }
  }
  return Decimal(negative ? -value : value, static_cast<int>(fraction.size()));
}

std::string Decimal::to_string(int places) const {
  UnsignedWide magnitude =
      coefficient_ < 0 ? -static_cast<UnsignedWide>(coefficient_) : static_cast<UnsignedWide>(coefficient_);
  std::string text;  // backwards
  for (int i = places_; i < std::min(places, kDigitsMax); ++i) text += '0';
  for (int i = 0; i < places_ || magnitude != 0 || i == places_; ++i) {
    if (i == places_ && !text.empty()) text += '.';
    text += static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  }
  if (coefficient_ < 0) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

Result<Decimal> Decimal::plus(const Decimal& other) const {
  const int places = std::max(places_, other.places_);
  Wide a = coefficient_;
  Wide b = other.coefficient_;
  if (!shift(a, places - places_) || !shift(b, places - other.places_)) return overflow();
  Wide sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return overflow();
  const Decimal result(sum, places);
  if (has_too_many_digits(result.coefficient_)) return overflow();
  return result;
}

Result<Decimal> Decimal::times(const Decimal& other) const {
  Wide product = 0;
  if (__builtin_mul_overflow(coefficient_, other.coefficient_, &product)) return overflow();
  const Decimal result(product, places_ + other.places_);
  if (has_too_many_digits(result.coefficient_) || result.places_ > kDigitsMax) return overflow();
  return result;
}

Decimal Decimal::negated() const {
  Decimal result = *this;
  result.coefficient_ = -coefficient_;
  return result;
}

Decimal Decimal::rounded(int places) const {
  if (places_ <= places) return *this;
  const Wide unit = power_of_ten(places_ - std::max(places, 0));
  Wide whole = coefficient_ / unit;
  const Wide rest = coefficient_ % unit < 0 ? -(coefficient_ % unit) : coefficient_ % unit;
  const Wide half = unit / 2;
  if (rest > half || (rest == half && whole % 2 != 0)) whole += coefficient_ < 0 ? -1 : 1;
  return Decimal(whole, std::max(places, 0));
}

std::optional<std::int64_t> Decimal::to_int64() const {
  if (places_ != 0 || coefficient_ > std::numeric_limits<std::int64_t>::max() ||
      coefficient_ < std::numeric_limits<std::int64_t>::min())
    return std::nullopt;
  return static_cast<std::int64_t>(coefficient_);
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
  const Wide unit = power_of_ten(places_);
  const Wide other_unit = power_of_ten(other.places_);
  const Wide whole = coefficient_ / unit;
  const Wide other_whole = other.coefficient_ / other_unit;
  if (whole != other_whole)
    return whole < other_whole ? std::strong_ordering::less : std::strong_ordering::greater;
  // The rests are below their units, so that they fit with the other's decimals.
  const int places = std::max(places_, other.places_);
  const Wide rest = coefficient_ % unit * power_of_ten(places - places_);
  const Wide other_rest = other.coefficient_ % other_unit * power_of_ten(places - other.places_);
  if (rest == other_rest) return std::strong_ordering::equal;
  return rest < other_rest ? std::strong_ordering::less : std::strong_ordering::greater;
}

}  // namespace bedplate
