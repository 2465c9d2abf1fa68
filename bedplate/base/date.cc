// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/date.h"

#include <cstdint>
#include <cstdio>

namespace bedplate {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDayUs = 86'400 * kSecondUs;

/// Takes digits off the front; how many there were, 0 also when their number overflows.
std::size_t take_number(std::string_view& text, std::int64_t& number) {
  std::size_t digits = 0;
  number = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (__builtin_mul_overflow(number, std::int64_t{10}, &number) ||
        __builtin_add_overflow(number, std::int64_t{text[digits] - '0'}, &number))
      return 0;
  }
  text.remove_prefix(digits);
  return digits;
}

/// ".25" as microseconds; nothing when it is no fraction of up to six digits.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  std::int64_t number = 0;
  std::size_t digits = take_number(text, number);
  if (digits == 0 || digits > 6) return std::nullopt;
  for (; digits < 6; ++digits) number *= 10;
  return number;
}

/// Adds `number` units and a fraction.
bool add(std::int64_t& total, std::int64_t number, std::int64_t unit_us, std::int64_t fraction) {
  std::int64_t part = 0;
  return !__builtin_mul_overflow(number, unit_us, &part) && !__builtin_add_overflow(total, part, &total) &&
         !__builtin_add_overflow(total, fraction, &total);
}

struct Unit {
  char letter;
  std::int64_t us;
};
constexpr Unit kDateUnits[] = {{'W', 7 * kDayUs}, {'D', kDayUs}};
constexpr Unit kTimeUnits[] = {{'H', 3600 * kSecondUs}, {'M', 60 * kSecondUs}, {'S', kSecondUs}};

}  // namespace

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  int parts[3] = {0, 0, 0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 4 || i == 7) continue;
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    int& part = parts[i < 4 ? 0 : i < 7 ? 1 : 2];
    part = part * 10 + (text[i] - '0');
  }
  const std::chrono::year_month_day day{std::chrono::year(parts[0]),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok() || parts[0] == 0) return std::nullopt;
  return Date(day);
}

std::string to_date_text(Date date) {
  constexpr std::int32_t kFirst = -719'162;  // 0001-01-01
  constexpr std::int32_t kLast = 2'932'896;  // 9999-12-31
  const auto days = date.time_since_epoch().count();
  if (days < kFirst || days > kLast) return {};
  const std::chrono::year_month_day day{date};
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()),
                                 static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return {text, static_cast<std::size_t>(size)};
}

std::optional<Duration> parse_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (!text.starts_with('P')) return std::nullopt;
  text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  bool in_time = false;
  std::size_t next_unit = 0;  // units come in their order
  while (!text.empty()) {
    if (!in_time && text.starts_with('T')) {
      in_time = true;
      next_unit = 0;
      text.remove_prefix(1);
      if (text.empty()) return std::nullopt;
    }
    std::int64_t number = 0;
    if (take_number(text, number) == 0) return std::nullopt;
    const bool has_fraction = text.starts_with('.');
    const std::optional<std::int64_t> fraction = take_fraction(text);
    if (!fraction || text.empty()) return std::nullopt;
    const Unit* const units = in_time ? kTimeUnits : kDateUnits;
    const std::size_t count = in_time ? std::size(kTimeUnits) : std::size(kDateUnits);
    while (next_unit < count && units[next_unit].letter != text.front()) ++next_unit;
    if (next_unit == count) return std::nullopt;
    const Unit& unit = units[next_unit++];
    text.remove_prefix(1);
    if (has_fraction && unit.letter != 'S') return std::nullopt;
    if (unit.letter == 'W') {  // stands alone
      if (!text.empty()) return std::nullopt;
    }
    if (!add(total, number, unit.us, *fraction)) return std::nullopt;
  }
  return Duration(negative ? -total : total);
}

std::string to_iso8601(Duration duration) {
  const std::int64_t count = duration.count();
  std::uint64_t rest = count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  std::string text = count < 0 ? "-PT" : "PT";
  const std::uint64_t microseconds = rest % kSecondUs;
  rest /= kSecondUs;
  const std::uint64_t seconds = rest % 60;
  const std::uint64_t minutes = rest / 60 % 60;
  const std::uint64_t hours = rest / 3600;
  if (hours != 0) text += std::to_string(hours) + "H";
  if (minutes != 0) text += std::to_string(minutes) + "M";
  if (seconds == 0 && microseconds == 0 && (hours != 0 || minutes != 0)) return text;
  text += std::to_string(seconds);
  if (microseconds != 0) {
    std::string fraction = std::to_string(kSecondUs + static_cast<std::int64_t>(microseconds)).substr(1);
    while (fraction.back() == '0') fraction.pop_back();
    text += "." + fraction;
  }
  return text + "S";
}

}  // namespace bedplate
