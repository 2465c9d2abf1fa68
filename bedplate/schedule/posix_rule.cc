// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/posix_rule.h"

#include <algorithm>
#include <array>

namespace bedplate::schedule {
namespace {

constexpr std::int64_t kDayS = 86'400;
constexpr std::array<std::uint16_t, 13> kDaysBefore = {0,   31,  59,  90,  120, 151, 181,
                                                       212, 243, 273, 304, 334, 365};

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/// Days from 0001-01-01 to the beginning of a year.
std::int64_t days_before_year(std::int64_t year) {
  const std::int64_t whole = year - 1;
  return 365 * whole + floor_div(whole, 4) - floor_div(whole, 100) + floor_div(whole, 400);
}

constexpr std::int64_t kEpoch = 719'162;  // days from 0001-01-01 to 1970-01-01

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// One to three digits.
std::optional<std::int32_t> take_number(std::string_view& text, std::int32_t min, std::int32_t max) {
  std::int32_t number = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && is_digit(text[digits]) && digits < 4; ++digits)
    number = number * 10 + (text[digits] - '0');
  if (digits == 0 || digits > 3 || number < min || number > max) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

/// [+|-]hh[:mm[:ss]]
std::optional<std::int32_t> take_time(std::string_view& text, std::int32_t hours_max) {
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  const auto hours = take_number(text, 0, hours_max);
  if (!hours) return std::nullopt;
  std::int32_t seconds = *hours * 3600;
  for (std::int32_t unit : {60, 1}) {
    if (!take(text, ':')) break;
    const auto part = take_number(text, 0, 59);
    if (!part) return std::nullopt;
    seconds += *part * unit;
  }
  return negative ? -seconds : seconds;
}

/// "CET", or "<+0330>" for what has other characters than letters.
std::optional<std::string> take_abbreviation(std::string_view& text) {
  const bool quoted = take(text, '<');
  std::size_t size = 0;
  while (size < text.size() && (is_letter(text[size]) ||
                                (quoted && (is_digit(text[size]) || text[size] == '+' || text[size] == '-'))))
    ++size;
  if (size < 3 || size > 32) return std::nullopt;
  std::string name(text.substr(0, size));
  text.remove_prefix(size);
  if (quoted && !take(text, '>')) return std::nullopt;
  return name;
}

std::optional<PosixChange> take_change(std::string_view& text) {
  PosixChange change;
  if (take(text, 'M')) {
    change.kind = PosixChange::Kind::week_of_month;
    const auto month = take_number(text, 1, 12);
    if (!month || !take(text, '.')) return std::nullopt;
    const auto week = take_number(text, 1, 5);
    if (!week || !take(text, '.')) return std::nullopt;
    const auto day = take_number(text, 0, 6);
    if (!day) return std::nullopt;
    change.month = static_cast<std::uint8_t>(*month);
    change.week = static_cast<std::uint8_t>(*week);
    change.day = static_cast<std::uint16_t>(*day);
  } else {
    const bool without_leap_day = take(text, 'J');
    if (without_leap_day) change.kind = PosixChange::Kind::day_of_year_without_leap_day;
    const auto day = take_number(text, without_leap_day ? 1 : 0, 365);
    if (!day) return std::nullopt;
    change.day = static_cast<std::uint16_t>(*day);
  }
  change.time_s = 2 * 3600;
  if (take(text, '/')) {
    const auto time = take_time(text, 167);
    if (!time) return std::nullopt;
    change.time_s = *time;
  }
  return change;
}

}  // namespace

std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  return days_before_year(year) - kEpoch + kDaysBefore[month - 1] + (month > 2 && is_leap(year) ? 1 : 0) +
         day - 1;
}

std::int64_t year_of_day(std::int64_t days) {
  const std::int64_t since_year_one = days + kEpoch;
  std::int64_t year = floor_div(since_year_one * 400, 146'097) + 1;  // at most one off
  while (days_before_year(year) > since_year_one) --year;
  while (days_before_year(year + 1) <= since_year_one) ++year;
  return year;
}

std::int64_t PosixChange::local_s(std::int64_t year) const {
  const std::int64_t january = days_from_civil(year, 1, 1);
  std::int64_t on = january;
  switch (kind) {
    case Kind::day_of_year_without_leap_day:
      on += day - 1 + (day > 59 && is_leap(year) ? 1 : 0);
      break;
    case Kind::day_of_year:
      on += day;
      break;
    case Kind::week_of_month: {
      const std::int64_t first = days_from_civil(year, month, 1);
      const std::int64_t first_weekday =
          floor_div(first + 4, 7) * -7 + first + 4;  // 1970-01-01 was a Thursday
      on = first + (day - first_weekday + 7) % 7 + 7 * (week - 1);
      const std::int64_t next_month =
          month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month + 1u, 1);
      if (on >= next_month) on -= 7;
      break;
    }
  }
  return on * kDayS + time_s;
}

std::optional<PosixRule> parse_posix_rule(std::string_view text) {
  PosixRule rule;
  auto name = take_abbreviation(text);
  if (!name) return std::nullopt;
  auto west = take_time(text, 24);
  if (!west) return std::nullopt;
  rule.standard = {std::move(*name), -*west};
  if (text.empty()) return rule;
  name = take_abbreviation(text);
  if (!name) return std::nullopt;
  rule.daylight = {std::move(*name), rule.standard.offset_s + 3600};
  if (!text.starts_with(',')) {
    west = take_time(text, 24);
    if (!west) return std::nullopt;
    rule.daylight->offset_s = -*west;
  }
  if (!take(text, ',')) return std::nullopt;
  const auto start = take_change(text);
  if (!start || !take(text, ',')) return std::nullopt;
  const auto end = take_change(text);
  if (!end || !text.empty()) return std::nullopt;
  rule.start = *start;
  rule.end = *end;
  return rule;
}

}  // namespace bedplate::schedule
