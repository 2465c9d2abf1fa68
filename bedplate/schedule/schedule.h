// SPDX-License-Identifier: Apache-2.0
// When something happens again and again: at a time of day in a place, by crontab(5), or every so often.
//
//   using namespace bedplate::schedule;
//   Schedule digest = weekly(std::chrono::Monday, "08:00", zone("Europe/Berlin"));
//   Schedule sync   = cron("*/15 8-18 * * mon-fri", zone("America/New_York"));
//   Schedule purge  = every(5min);
//
//   Result<Recurrence> when = resolve(digest, zones);      // checks it; zones: zones.h
//   std::string said = when->words();                      // "at 08:00 Europe/Berlin every Monday"
//   std::optional<Time> due = when->next_after(now);       // the instant at which it is due next
//
// A Schedule is what was declared, a Recurrence what that means by the zone data of this machine. What is wrong with a
// declaration is said by resolve(), so that a program can refuse to start.
//
// **Daylight saving time.** A fixed time of day (minute and hour without `*`) happens once a day: where clocks skip it,
// at the first instant after the gap; where they show it twice, the first time. Forms with `*` or `*/n` in minute or
// hour follow real time: they happen in the hour that is repeated again, and not in the one that is missing. Ranges and
// lists are fixed times. Two occurrences at one instant are one. every() is elapsed time and knows no clocks.
//
// Safe from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/schedule/cron_fields.h"

namespace bedplate::schedule {

class TimeZone;
class Zones;

/// The name of a time zone of the IANA database; resolve() looks it up.
struct ZoneName {
  std::string name;
};
/// `zone("Europe/Berlin")`
ZoneName zone(std::string_view name);
/// Coordinated Universal Time: no daylight saving time.
ZoneName utc();

/// What was declared. Copies are cheap enough to pass around.
class Schedule {
 public:
  /// The shortest and the longest period of every().
  static constexpr std::chrono::seconds kPeriodMin{1};
  static constexpr std::chrono::seconds kPeriodMax{std::chrono::days(366)};

 private:
  friend Schedule daily(std::string_view at, ZoneName zone);
  friend Schedule weekly(std::chrono::weekday day, std::string_view at, ZoneName zone);
  friend Schedule monthly(int day, std::string_view at, ZoneName zone);
  friend Schedule cron(std::string_view text, ZoneName zone);
  friend Schedule every(std::chrono::seconds period);
  friend Result<class Recurrence> resolve(const Schedule& schedule, Zones& zones);

  std::string wrong_;  // what is wrong with it, or nothing
  std::optional<CronFields> fields_;
  std::string zone_;
  std::chrono::seconds period_{0};

  static Schedule at_time(std::string_view at, ZoneName zone);
};

/// Every day at a time of day, "08:00" (00:00 to 23:59).
Schedule daily(std::string_view at, ZoneName zone);
/// `weekly(std::chrono::Monday, "08:00", zone("Europe/Berlin"))`
Schedule weekly(std::chrono::weekday day, std::string_view at, ZoneName zone);
/// On a day of every month, 1 to 31; in a month that is shorter, on its last day. (crontab(5) leaves such a month out.)
Schedule monthly(int day, std::string_view at, ZoneName zone);
/// As parse_cron() reads it (cron_fields.h): five fields, or @daily and the like.
Schedule cron(std::string_view text, ZoneName zone);
/// At each multiple of `period` since 1970-01-01T00:00Z: `every(1h)` is on the hour. 1 s to 366 days. So all processes
/// agree on the instants, and a start again moves none.
Schedule every(std::chrono::seconds period);

/// A schedule with its zone. Immutable.
class Recurrence {
 public:
  /// The first occurrence later than `after`. Nothing: it never happens again (before the year 10000). Takes
  /// microseconds, whatever lies between.
  std::optional<Time> next_after(Time after) const;
  /// The last occurrence at or before `until` and after `after`; nothing when there was none. Costs about 60
  /// times as much as next_after().
  std::optional<Time> latest(Time after, Time until) const;
  /// "at 08:00 Europe/Berlin every Monday", "every 5 minutes".
  std::string words() const;

 private:
  friend Result<Recurrence> resolve(const Schedule& schedule, Zones& zones);
  Recurrence() = default;
  std::optional<Time> next_fixed(Time after) const;
  std::optional<Time> next_in_real_time(Time after) const;

  CronFields fields_;
  std::shared_ptr<const TimeZone> zone_;  // null: every(period_)
  std::chrono::seconds period_{0};
};

/// Category::invalid: `schedule_invalid`, `cron_invalid`, `time_zone_unknown`, `time_zone_unreadable`.
Result<Recurrence> resolve(const Schedule& schedule, Zones& zones);

// ---- For this folder.

/// What words() says of the fields: "at 08:00 Europe/Berlin every day".
std::string words_of(const CronFields& fields, std::string_view zone);
/// "every 5 minutes"
std::string words_of(std::chrono::seconds period);

}  // namespace bedplate::schedule
