// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/money.h"

#include <fmt/format.h>

#include <algorithm>

namespace bedplate {
namespace {

/// ISO 4217 list one, by the decimals of the minor unit. In each, codes in order with a space behind.
constexpr std::string_view kNoDecimals =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ";
constexpr std::string_view kThreeDecimals = "BHD IQD JOD KWD LYD OMR TND ";
constexpr std::string_view kFourDecimals = "CLF UYW ";
constexpr std::string_view kTwoDecimals =
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY "
    "COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS "
    "INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
    "MXV MYR "
    "MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
    "SRD SSP "
    "STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW "
    "ZWG ";
/// Metals, units of account, tests, none.
constexpr std::string_view kWithoutMinorUnit =
    "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA X"
    "XX ";

bool lists(std::string_view codes, std::string_view code) {
  for (; !codes.empty(); codes.remove_prefix(4))
    if (codes.starts_with(code)) return true;
  return false;
}

std::unexpected<Error> overflow() {
  return fail(Category::invalid, "money_overflow", "An amount of money does not fit 64 bits.");
}

std::unexpected<Error> mismatch(const Money& a, const Money& b) {
  return fail(Category::invalid, "currency_mismatch",
              fmt::format("{} and {} are different currencies.", a.currency.code(), b.currency.code()));
}

}  // namespace

std::optional<Currency> Currency::parse(std::string_view code) {
  if (code.size() != 3) return std::nullopt;
  const std::string_view all[] = {kTwoDecimals, kNoDecimals, kThreeDecimals, kFourDecimals,
                                  kWithoutMinorUnit};
  if (!std::ranges::any_of(all, [code](std::string_view codes) { return lists(codes, code); }))
    return std::nullopt;
  Currency currency;
  std::ranges::copy(code, currency.code_.begin());
  return currency;
}

int Currency::decimals() const {
  if (lists(kTwoDecimals, code())) return 2;
  if (lists(kThreeDecimals, code())) return 3;
  return lists(kFourDecimals, code()) ? 4 : 0;
}

Result<Money> Money::plus(const Money& other) const {
  if (currency != other.currency) return mismatch(*this, other);
  Money sum(0, currency);
  if (__builtin_add_overflow(amount_minor, other.amount_minor, &sum.amount_minor)) return overflow();
  return sum;
}

Result<Money> Money::minus(const Money& other) const {
  if (currency != other.currency) return mismatch(*this, other);
  Money difference(0, currency);
  if (__builtin_sub_overflow(amount_minor, other.amount_minor, &difference.amount_minor)) return overflow();
  return difference;
}

Result<Money> Money::times(std::int64_t factor) const {
  Money product(0, currency);
  if (__builtin_mul_overflow(amount_minor, factor, &product.amount_minor)) return overflow();
  return product;
}

std::string Money::to_string() const {
  const int decimals = currency.decimals();
  const bool negative = amount_minor < 0;
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(amount_minor) : static_cast<std::uint64_t>(amount_minor);
  std::string digits = fmt::format("{:0{}}", magnitude, decimals + 1);
  if (decimals > 0) digits.insert(digits.size() - static_cast<std::size_t>(decimals), ".");
  return fmt::format("{}{} {}", negative ? "-" : "", digits, currency.code());
}

}  // namespace bedplate
