// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/schedule/time_zone.h"
#include "bedplate/schedule/zones.h"

namespace bedplate::schedule {
namespace {

using LocalDays = std::chrono::local_days;
using LocalMinutes = std::chrono::local_time<std::chrono::minutes>;
using std::chrono::minutes;

constexpr int kYearMax = 9999;

/// Minutes since midnight of "08:00"; nothing when it is no time of day.
std::optional<unsigned> parse_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = parse_uint(text.substr(0, 2));
  const auto minute = parse_uint(text.substr(3));
  if (!hours || !minute || *hours > 23 || *minute > 59) return std::nullopt;
  return static_cast<unsigned>(*hours * 60 + *minute);
}

bool matches(const CronFields& fields, const std::chrono::year_month_day& date, LocalDays day) {
  const auto day_of_month = static_cast<unsigned>(date.day());
  const auto weekday = std::chrono::weekday(day).c_encoding();
  if (fields.matches_day(day_of_month, weekday)) return true;
  if (!fields.last_day_if_shorter) return false;
  const auto last = static_cast<unsigned>(
      std::chrono::year_month_day_last(date.year(), std::chrono::month_day_last(date.month())).day());
  return day_of_month == last && (std::uint64_t{fields.days} >> last) > 1;
}

/// The first day from `day` on that matches.
std::optional<LocalDays> next_day(const CronFields& fields, LocalDays day) {
  while (true) {
    const std::chrono::year_month_day date(day);
    if (static_cast<int>(date.year()) > kYearMax) return std::nullopt;
    if ((fields.months >> static_cast<unsigned>(date.month()) & 1) == 0) {
      const std::chrono::year_month next =
          std::chrono::year_month(date.year(), date.month()) + std::chrono::months(1);
      day = LocalDays(next / 1);
      continue;
    }
    if (matches(fields, date, day)) return day;
    day += std::chrono::days(1);
  }
}

/// The first bit from `from` on that is set; 64 when none is.
unsigned next_bit(std::uint64_t bits, unsigned from) {
  return from > 63 ? 64u : static_cast<unsigned>(std::countr_zero(bits >> from << from));
}

/// The first minute of the day from `from` on that matches.
std::optional<minutes> next_minute(const CronFields& fields, minutes from) {
  auto hour = static_cast<unsigned>(from.count() / 60);
  auto minute = static_cast<unsigned>(from.count() % 60);
  if ((std::uint64_t{fields.hours} >> hour & 1) == 0 || (minute = next_bit(fields.minutes, minute)) == 64) {
    hour = next_bit(fields.hours, hour + 1);
    minute = next_bit(fields.minutes, 0);
  }
  if (hour >= 24) return std::nullopt;
  return minutes(hour * 60 + minute);
}

/// The first minute from `from` on that matches, whether clocks ever show it or not.
std::optional<LocalMinutes> next_match(const CronFields& fields, LocalMinutes from) {
  const LocalDays today = std::chrono::floor<std::chrono::days>(from);
  auto day = next_day(fields, today);
  if (day == today) {
    if (const auto minute = next_minute(fields, from - today)) return today + *minute;
    day = next_day(fields, today + std::chrono::days(1));
  }
  if (!day) return std::nullopt;
  return *day + *next_minute(fields, minutes(0));
}

std::int64_t floor_seconds(Time instant) {
  return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

}  // namespace

ZoneName zone(std::string_view name) {
  return {std::string(name)};
}

ZoneName utc() {
  return {"UTC"};
}

Schedule Schedule::at_time(std::string_view at, ZoneName zone) {
  Schedule schedule;
  schedule.zone_ = std::move(zone.name);
  const auto time = parse_time_of_day(at);
  if (!time) {
    schedule.wrong_ = "A time of day is written like 08:00, from 00:00 to 23:59.";
    return schedule;
  }
  CronFields fields;
  fields.minutes = std::uint64_t{1} << *time % 60;
  fields.hours = std::uint32_t{1} << *time / 60;
  fields.days = 0xFFFF'FFFE;
  fields.months = 0x1FFE;
  fields.weekdays = 0x7F;
  fields.any_day = fields.any_weekday = true;
  schedule.fields_ = fields;
  return schedule;
}

Schedule daily(std::string_view at, ZoneName zone) {
  return Schedule::at_time(at, std::move(zone));
}

Schedule weekly(std::chrono::weekday day, std::string_view at, ZoneName zone) {
  Schedule schedule = Schedule::at_time(at, std::move(zone));
  if (!schedule.fields_) return schedule;
  if (!day.ok()) {
    schedule.wrong_ = "A weekday is std::chrono::Sunday to Saturday.";
    return schedule;
  }
  schedule.fields_->weekdays = 1u << day.c_encoding();
  schedule.fields_->any_weekday = false;
  return schedule;
}

Schedule monthly(int day, std::string_view at, ZoneName zone) {
  Schedule schedule = Schedule::at_time(at, std::move(zone));
  if (!schedule.fields_) return schedule;
  if (day < 1 || day > 31) {
    schedule.wrong_ = fmt::format("A day of the month is 1 to 31, not {}.", day);
    return schedule;
  }
  schedule.fields_->days = 1u << static_cast<unsigned>(day);
  schedule.fields_->any_day = false;
  schedule.fields_->last_day_if_shorter = day > 28;
  return schedule;
}

Schedule cron(std::string_view text, ZoneName zone) {
  Schedule schedule;
  schedule.zone_ = std::move(zone.name);
  if (auto fields = parse_cron(text))
    schedule.fields_ = *fields;
  else
    schedule.wrong_ = fields.error().detail();
  return schedule;
}

Schedule every(std::chrono::seconds period) {
  Schedule schedule;
  schedule.period_ = period;
  if (period < Schedule::kPeriodMin || period > Schedule::kPeriodMax)
    schedule.wrong_ = fmt::format("A period is 1 second to 366 days, not {} seconds.", period.count());
  return schedule;
}

Result<Recurrence> resolve(const Schedule& schedule, Zones& zones) {
  if (!schedule.wrong_.empty()) return fail(Category::invalid, "schedule_invalid", schedule.wrong_);
  Recurrence recurrence;
  if (!schedule.fields_) {
    if (schedule.period_ < Schedule::kPeriodMin)
      return fail(Category::invalid, "schedule_invalid",
                  "The schedule is empty: say daily(), cron(), every() or another.");
    recurrence.period_ = schedule.period_;
    return recurrence;
  }
  auto found = zones.find(schedule.zone_);
  if (!found) return std::unexpected(std::move(found.error()));
  recurrence.fields_ = *schedule.fields_;
  recurrence.zone_ = std::move(*found);
  return recurrence;
}

std::optional<Time> Recurrence::next_after(Time after) const {
  after = std::max(after, kFirstInstant);
  if (after >= kLastInstant) return std::nullopt;
  if (!zone_) {
    const auto period = std::chrono::microseconds(period_).count();
    const auto since = after.time_since_epoch().count();
    const auto begun = since / period - (since % period < 0 ? 1 : 0);
    return Time(std::chrono::microseconds((begun + 1) * period));
  }
  return fields_.follows_real_time ? next_in_real_time(after) : next_fixed(after);
}

// A fixed time of day is due at the first instant at which clocks show it or more: that is the end of a gap, and the
// first of two. What clocks have shown, or more, is in the past; so only what they have yet to show matters, and in the
// hour that they repeat, that is what lies beyond it.
std::optional<Time> Recurrence::next_fixed(Time after) const {
  LocalMinutes from = std::chrono::floor<minutes>(zone_->to_local(after).time) + minutes(1);
  while (true) {
    const auto local = next_match(fields_, from);
    if (!local) return std::nullopt;
    if (const Time due = zone_->to_instants(LocalTime(*local)).first; due > after) return due;
    from = *local + minutes(1);
  }
}

std::optional<Time> Recurrence::next_in_real_time(Time after) const {
  const std::int64_t first_s = floor_seconds(after) + 1;
  for (TimeZone::Span span = zone_->span_at(first_s);; span = zone_->span_at(span.end_s)) {
    const std::chrono::seconds offset(span.offset_s);
    const std::chrono::local_seconds from(std::chrono::seconds(std::max(span.begin_s, first_s)) + offset);
    const auto local = next_match(fields_, std::chrono::ceil<minutes>(from));
    if (!local) return std::nullopt;
    const std::chrono::seconds due = local->time_since_epoch() - offset;
    if (due.count() < span.end_s) return Time(due);
  }
}

std::optional<Time> Recurrence::latest(Time after, Time until) const {
  after = std::clamp(after, kFirstInstant, kLastInstant);
  until = std::clamp(until, kFirstInstant, kLastInstant);
  const auto is_due_by_then = [&](Time from) {
    const auto next = next_after(from);
    return next && *next <= until;
  };
  // How far back, doubled until an occurrence is between.
  Time begin = until;
  for (std::chrono::microseconds back = std::chrono::minutes(1); !is_due_by_then(begin); back *= 2) {
    if (begin <= after) return std::nullopt;
    begin = until - after <= back ? after : until - back;
  }
  // The last one is after `begin` and not after `end`. Occurrences are whole seconds, so one second has only one.
  Time end = until;
  while (end - begin > std::chrono::seconds(1)) {
    const Time middle = begin + (end - begin) / 2;
    (is_due_by_then(middle) ? begin : end) = middle;
  }
  return next_after(begin);
}

std::string Recurrence::words() const {
  return zone_ ? words_of(fields_, zone_->name()) : words_of(period_);
}

}  // namespace bedplate::schedule
