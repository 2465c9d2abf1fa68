// SPDX-License-Identifier: Apache-2.0
// A number of a JSON text, exact whatever its size: what JSON Schema compares are values, not the nearest doubles.
// Not for callers.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bedplate::detail {

/// digits * 10^exponent, with neither leading nor trailing zeros in the digits: one form for every value. Zero has
/// none. Immutable.
class Decimal {
 public:
  Decimal() = default;
  /// `text` is a number by JSON's grammar. Exponents beyond 10^15 count as that.
  explicit Decimal(std::string_view text);

  bool is_whole() const { return exponent_ >= 0; }
  /// When it is whole, not negative and below 2^53.
  std::optional<std::uint64_t> count() const;
  std::size_t digits() const { return digits_.size(); }
  /// Behind the point.
  std::int64_t places() const { return exponent_ < 0 ? -exponent_ : 0; }
  bool is_positive() const { return !negative_ && !digits_.empty(); }
  /// Exact. `unit` is positive and has at most 18 digits.
  bool is_multiple_of(const Decimal& unit) const;
  /// The same text for the same value.
  std::string to_string() const;

  std::strong_ordering operator<=>(const Decimal& other) const;
  bool operator==(const Decimal& other) const = default;

 private:
  std::strong_ordering compare_magnitude(const Decimal& other) const;

  bool negative_ = false;
  std::int64_t exponent_ = 0;
  std::string digits_;
};

}  // namespace bedplate::detail
