// SPDX-License-Identifier: Apache-2.0
// The five fields of a crontab line (crontab(5)): minute, hour, day of month, month, day of week.
//
//   parse_cron("*/15 8-18 * * mon-fri")
//   parse_cron("@daily")
#pragma once

#include <cstdint>
#include <string_view>

#include "bedplate/base/result.h"

namespace bedplate::schedule {

inline constexpr std::size_t kCronSizeMax = 256;

/// Which minutes, hours and days. Bit n stands for n.
struct CronFields {
  std::uint64_t minutes = 0;       ///< 0 to 59
  std::uint32_t hours = 0;         ///< 0 to 23
  std::uint32_t days = 0;          ///< of the month, 1 to 31
  std::uint32_t months = 0;        ///< 1 to 12
  std::uint32_t weekdays = 0;      ///< 0 (Sunday) to 6
  bool follows_real_time = false;  ///< `*` or `*/n` in minutes or hours: every hour that passes counts
  bool any_day = false;            ///< the day of month begins with `*`
  bool any_weekday = false;        ///< the day of week begins with `*`
  bool last_day_if_shorter =
      false;  ///< a day that a month does not have means its last one; not of crontab(5)

  /// By crontab(5): where both fields of days say which, either is enough; where one begins with `*`, both must match.
  bool matches_day(unsigned day_of_month, unsigned weekday) const {
    const bool by_day = (days >> day_of_month & 1) != 0;
    const bool by_weekday = (weekdays >> weekday & 1) != 0;
    return any_day || any_weekday ? by_day && by_weekday : by_day || by_weekday;
  }
  friend bool operator==(const CronFields&, const CronFields&) = default;
};

/// Fields are separated by spaces or tabs. Each is `*`, a number, a range `1-5`, a step (`*/2`, `8-18/2`), or a list of
/// these with commas. Months and days of the week have names too (`jan`, `mon`; any case); Sunday is 0 and 7.
/// In place of five fields: @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly.
///
/// Category::invalid, `cron_invalid`, with the field that is wrong; also where no day can ever match (30 February).
Result<CronFields> parse_cron(std::string_view text);

}  // namespace bedplate::schedule
