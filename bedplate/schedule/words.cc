// SPDX-License-Identifier: Apache-2.0
// Schedules in words.
#include <fmt/format.h>

#include <array>
#include <bit>
#include <string>
#include <vector>

#include "bedplate/schedule/schedule.h"

namespace bedplate::schedule {
namespace {

constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kWeekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};
constexpr std::uint64_t kAllMinutes = (std::uint64_t{1} << 60) - 1;
constexpr std::uint32_t kAllHours = 0xFF'FFFF;
constexpr std::uint32_t kAllDays = 0xFFFF'FFFE;
constexpr std::uint32_t kAllMonths = 0x1FFE;
constexpr std::uint32_t kAllWeekdays = 0x7F;

/// "a", "a and b", "a, b and c"
std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i)
    text += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return text;
}

/// The set bits, three or more in a row as a range.
template <class Name>
std::string listed(std::uint64_t bits, Name name) {
  std::vector<std::string> parts;
  for (unsigned first = 0; first < 64; ++first) {
    if ((bits >> first & 1) == 0) continue;
    unsigned last = first;
    while (last < 63 && (bits >> (last + 1) & 1) != 0) ++last;
    if (last - first >= 2) {
      parts.push_back(name(first) + " to " + name(last));
      first = last;
    } else {
      parts.push_back(name(first));
    }
  }
  return joined(parts);
}

std::string number(unsigned value) {
  return std::to_string(value);
}
std::string month_name(unsigned month) {
  return std::string(kMonths[month - 1]);
}

/// Weekdays, the week beginning with Monday.
std::string weekday_names(std::uint32_t weekdays, std::string_view plural) {
  return listed((weekdays >> 1) | (weekdays & 1) << 6,
                [&](unsigned day) { return std::string(kWeekdays[(day + 1) % 7]) + std::string(plural); });
}

/// n of `*/n`, where the steps of a whole hour or day are alike; 0 when there is none.
unsigned even_step(std::uint64_t bits, unsigned size) {
  for (unsigned step = 2; step < size; ++step) {
    if (size % step != 0) continue;
    std::uint64_t stepped = 0;
    for (unsigned value = 0; value < size; value += step) stepped |= std::uint64_t{1} << value;
    if (stepped == bits) return step;
  }
  return 0;
}

/// "at 08:00 and 20:30", while there are few.
std::string times_of_day(const CronFields& fields) {
  constexpr int kTimesMax = 6;
  if (std::popcount(fields.hours) * std::popcount(fields.minutes) > kTimesMax) return {};
  std::vector<std::string> times;
  for (unsigned hour = 0; hour < 24; ++hour)
    for (unsigned minute = 0; minute < 60; ++minute)
      if ((fields.hours >> hour & 1) != 0 && (fields.minutes >> minute & 1) != 0)
        times.push_back(fmt::format("{:02}:{:02}", hour, minute));
  return "at " + joined(times);
}

std::string minutes_words(std::uint64_t minutes) {
  if (minutes == kAllMinutes) return "every minute";
  if (const unsigned step = even_step(minutes, 60)) return fmt::format("every {} minutes", step);
  return (std::popcount(minutes) == 1 ? "at minute " : "at minutes ") + listed(minutes, number);
}

std::string hours_words(const CronFields& fields) {
  const bool often = fields.minutes == kAllMinutes || even_step(fields.minutes, 60) != 0;
  if (fields.hours == kAllHours) return often ? "" : " of every hour";
  if (const unsigned step = even_step(fields.hours, 24); step != 0 && fields.follows_real_time)
    return fmt::format(" of every {} hour", step == 2   ? "second"
                                            : step == 3 ? "third"
                                                        : std::to_string(step) + "th");
  return (std::popcount(fields.hours) == 1 ? " of hour " : " of hours ") + listed(fields.hours, number);
}

std::string days_words(const CronFields& fields) {
  const bool all_days = fields.days == kAllDays;
  const bool all_weekdays = fields.weekdays == kAllWeekdays;
  const std::string days =
      (std::popcount(fields.days) == 1 ? "on day " : "on days ") + listed(fields.days, number);
  const std::string months = fields.months == kAllMonths ? "" : " in " + listed(fields.months, month_name);
  const std::string of_months =
      fields.months == kAllMonths ? " of every month" : " of " + listed(fields.months, month_name);
  if (fields.last_day_if_shorter) return days + " of every month, or its last day if it is shorter";
  if (fields.any_day || fields.any_weekday) {
    if (all_days && all_weekdays) return "every day" + months;
    if (all_days) return "every " + weekday_names(fields.weekdays, "") + months;
    if (all_weekdays) return days + of_months;
    return days + of_months + " that are " + weekday_names(fields.weekdays, "s");
  }
  return days + of_months + " and on every " + weekday_names(fields.weekdays, "") + months +
         " (either is enough)";
}

}  // namespace

std::string words_of(const CronFields& fields, std::string_view zone) {
  std::string text = times_of_day(fields);
  if (text.empty()) text = minutes_words(fields.minutes) + hours_words(fields);
  return fmt::format("{} {} {}", text, zone, days_words(fields));
}

std::string words_of(std::chrono::seconds period) {
  struct Unit {
    std::int64_t size;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{86'400, "day"}, {3'600, "hour"}, {60, "minute"}, {1, "second"}};
  for (const Unit& unit : kUnits) {
    if (period.count() % unit.size != 0) continue;
    const std::int64_t count = period.count() / unit.size;
    return count == 1 ? fmt::format("every {}", unit.name) : fmt::format("every {} {}s", count, unit.name);
  }
  return {};
}

}  // namespace bedplate::schedule
