// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/json_schema/decimal.h"

#include <algorithm>

#include "bedplate/base/text.h"

namespace bedplate::detail {

namespace {

constexpr std::int64_t kExponentMax = 1'000'000'000'000'000;

std::int64_t read_exponent(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  while (text.size() > 1 && text.front() == '0') text.remove_prefix(1);
  const std::int64_t magnitude =
      text.size() > 15 ? kExponentMax : std::min(parse_int(text).value_or(0), kExponentMax);
  return negative ? -magnitude : magnitude;
}

std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t modulus) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(Wide{a} * b % modulus);
}

}  // namespace

Decimal::Decimal(std::string_view text) {
  negative_ = text.starts_with('-');
  if (negative_) text.remove_prefix(1);
  if (const std::size_t at = text.find_first_of("eE"); at != std::string_view::npos) {
    exponent_ = read_exponent(text.substr(at + 1));
    text = text.substr(0, at);
  }
  const std::size_t point = text.find('.');
  digits_ = text.substr(0, point);
  if (point != std::string_view::npos) {
    digits_ += text.substr(point + 1);
    exponent_ -= static_cast<std::int64_t>(text.size() - point - 1);
  }
  digits_.erase(0, std::min(digits_.find_first_not_of('0'), digits_.size()));
  const std::size_t kept = digits_.find_last_not_of('0') + 1;
  exponent_ += static_cast<std::int64_t>(digits_.size() - kept);
  digits_.resize(kept);
  if (!digits_.empty()) return;
  exponent_ = 0;
  negative_ = false;
}

std::optional<std::uint64_t> Decimal::count() const {
  if (negative_ || exponent_ < 0 || digits_.size() + static_cast<std::size_t>(exponent_) > 16) return {};
  const std::uint64_t value =
      parse_uint(digits_ + std::string(static_cast<std::size_t>(exponent_), '0')).value_or(0);
  return value < (1ULL << 53) ? std::optional(value) : std::nullopt;
}

bool Decimal::is_multiple_of(const Decimal& unit) const {
  if (digits_.empty()) return true;
  const std::int64_t shift = exponent_ - unit.exponent_;
  // A shorter step of tens would have to divide digits that end in no zero.
  if (shift < 0) return false;
  const std::uint64_t modulus = parse_uint(unit.digits_).value_or(1);
  std::uint64_t rest = 0;
  for (const char digit : digits_)
    rest = (multiply(rest, 10, modulus) + static_cast<std::uint64_t>(digit - '0')) % modulus;
  std::uint64_t power = 10 % modulus;
  for (auto left = static_cast<std::uint64_t>(shift); left > 0; left /= 2) {
    if (left % 2 == 1) rest = multiply(rest, power, modulus);
    power = multiply(power, power, modulus);
  }
  return rest == 0;
}

std::string Decimal::to_string() const {
  if (digits_.empty()) return "0";
  return (negative_ ? "-" : "") + digits_ + (exponent_ == 0 ? "" : "e" + std::to_string(exponent_));
}

std::strong_ordering Decimal::compare_magnitude(const Decimal& other) const {
  if (digits_.empty() || other.digits_.empty()) return digits_.size() <=> other.digits_.size();
  const std::int64_t top = static_cast<std::int64_t>(digits_.size()) + exponent_;
  const std::int64_t other_top = static_cast<std::int64_t>(other.digits_.size()) + other.exponent_;
  if (top != other_top) return top <=> other_top;
  return digits_.compare(other.digits_) <=> 0;
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
  if (negative_ != other.negative_)
    return negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  return negative_ ? other.compare_magnitude(*this) : compare_magnitude(other);
}

}  // namespace bedplate::detail
