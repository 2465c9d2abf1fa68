// SPDX-License-Identifier: Apache-2.0
// Decimal: an exact decimal number of at most 38 digits, for amounts, rates and measures that no binary fraction holds.
//
//   std::optional<Decimal> price = Decimal::parse("12.50");
//   Result<Decimal> total = price->times(Decimal(3));          // 37.5; fails where 38 digits are not enough
//   std::string text = total->rounded(2).to_string(2);         // "37.50"
//
// 38 digits are what a signed 128-bit integer holds, and what most databases offer at most. A value has one form: zeros
// at the end of the fraction are dropped, so that equal values are equal texts, in JSON and in a database. How many
// decimals a reader sees is for the code that shows it: to_string(places).
//
// A value; no allocation.
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/base/result.h"

namespace bedplate {

class Decimal {
 public:
  static constexpr int kDigitsMax = 38;

  /// Zero.
  Decimal() = default;
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  explicit Decimal(I whole) : coefficient_(whole) {}

  /// `-?[0-9]+(\.[0-9]+)?`, at most 38 digits once zeros at both ends are dropped; nothing else, and no exponent.
  static std::optional<Decimal> parse(std::string_view text);
  /// As parse() takes it, with at least `places` decimals: "-0.05", "37.50".
  std::string to_string(int places = 0) const;

  /// Exact; Category::invalid, code `decimal_overflow`, when the result needs more than 38 digits.
  Result<Decimal> plus(const Decimal& other) const;
  Result<Decimal> minus(const Decimal& other) const { return plus(other.negated()); }
  Result<Decimal> times(const Decimal& other) const;
  Decimal negated() const;
  /// To `places` decimals (0 to 38); a half goes to the even neighbour, as IEEE 754 and accountants have it.
  Decimal rounded(int places) const;

  /// Decimals: 0 of a whole number.
  int places() const { return places_; }
  bool is_negative() const { return coefficient_ < 0; }
  bool is_zero() const { return coefficient_ == 0; }
  /// The whole number, when it is one and fits.
  std::optional<std::int64_t> to_int64() const;

  bool operator==(const Decimal&) const = default;
  std::strong_ordering operator<=>(const Decimal& other) const;

 private:
  __extension__ using Wide = __int128;
  Decimal(Wide coefficient, int places);

  Wide coefficient_ = 0;  // of 10^-places_; not a multiple of ten unless places_ is 0
  int places_ = 0;
};

}  // namespace bedplate
