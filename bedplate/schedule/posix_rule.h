// SPDX-License-Identifier: Apache-2.0
// The rule for all years to come at the end of a time zone's file: POSIX's TZ, "CET-1CEST,M3.5.0,M10.5.0/3"
// (POSIX.1-2017 section 8.3, with RFC 9636 section 3.3.1: hours of a change from -167 to 167).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bedplate::schedule {

/// Days since 1970-01-01 of a day of the Gregorian calendar; any year.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);
/// The year of a day.
std::int64_t year_of_day(std::int64_t days);

/// When the clocks change in a year.
struct PosixChange {
  enum class Kind : std::uint8_t {
    day_of_year_without_leap_day,  ///< J1 to J365; 29 February is never counted
    day_of_year,                   ///< 0 to 365
    week_of_month,                 ///< M3.5.0: the last (5) Sunday (0) of March
  };
  Kind kind = Kind::day_of_year;
  std::uint16_t day = 0;    ///< of the year, or of the week (0: Sunday)
  std::uint8_t month = 0;   ///< 1 to 12
  std::uint8_t week = 0;    ///< 1 to 5
  std::int32_t time_s = 0;  ///< after the beginning of the day; may be negative or more than a day

  /// Seconds from 1970-01-01 00:00 of the clock that stands before the change.
  std::int64_t local_s(std::int64_t year) const;
};

struct PosixHalf {
  std::string abbreviation;   ///< "CET"
  std::int32_t offset_s = 0;  ///< east of Greenwich
};

struct PosixRule {
  PosixHalf standard;
  std::optional<PosixHalf> daylight;
  PosixChange start;  ///< of daylight saving time, by the standard clock
  PosixChange end;    ///< by the daylight saving clock
};

/// The whole text, or nothing. A daylight saving time without the days on which it changes is nothing.
std::optional<PosixRule> parse_posix_rule(std::string_view text);

}  // namespace bedplate::schedule
