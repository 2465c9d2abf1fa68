// SPDX-License-Identifier: Apache-2.0
// Money: whole minor units (cents) of a currency. No fraction, no floating point.
//
//   const Money price(1250, *Currency::parse("EUR"));                // 12.50 EUR
//   Result<Money> total = price.times(3);                            // 37.50 EUR
//   Result<Money> wrong = price.plus(Money(1, *Currency::parse("JPY")));   // fails: currencies differ
//
// In JSON {"amount_minor": 1250, "currency": "EUR"}. A struct, so in a table it is JSON in one column, or two columns
// where a projection spreads it; sums in SQL group by currency.
//
// Values; no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/describe/describe.h"

namespace bedplate {

/// A code of ISO 4217. Default: the code of "no currency", three X.
class Currency {
 public:
  Currency() = default;
  /// One of the codes in use (ISO 4217 list one), in capitals.
  static std::optional<Currency> parse(std::string_view code);

  std::string_view code() const { return {code_.data(), code_.size()}; }
  /// Decimals of the minor unit: 2 of EUR, 0 of JPY, 3 of KWD.
  int decimals() const;

  bool operator==(const Currency&) const = default;

 private:
  std::array<char, 3> code_ = {'X', 'X', 'X'};
};

struct Money {
  std::int64_t amount_minor = 0;
  Currency currency;

  Money() = default;
  Money(std::int64_t minor, Currency of) : amount_minor(minor), currency(of) {}

  /// Category::invalid: `currency_mismatch` when the currencies differ, `money_overflow` past 64 bits.
  Result<Money> plus(const Money& other) const;
  Result<Money> minus(const Money& other) const;
  Result<Money> times(std::int64_t factor) const;
  /// For people: "12.50 EUR".
  std::string to_string() const;

  bool operator==(const Money&) const = default;

  static consteval auto describe() {
    using namespace schema;
    return object<Money>(
        "An amount of money.",
        {
            field<&Money::amount_minor>(example("1250"), "Whole minor units of the currency, such as cents."),
            field<&Money::currency>(example("EUR"), "ISO 4217 code."),
        });
  }
};

}  // namespace bedplate
