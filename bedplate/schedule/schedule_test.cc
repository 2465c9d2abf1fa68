// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/schedule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bedplate/schedule/time_zone.h"
#include "bedplate/schedule/zones.h"

namespace bedplate::schedule {
namespace {

using namespace std::chrono_literals;

Time at(std::string_view text) {
  return *parse_rfc3339(text);
}

Zones& zones() {
  static Zones known("");  // the program's own, so that the machine's make no difference
  return known;
}

Recurrence resolved(const Schedule& schedule) {
  auto recurrence = resolve(schedule, zones());
  EXPECT_TRUE(recurrence) << (recurrence ? "" : recurrence.error().detail());
  return std::move(*recurrence);
}

/// The occurrences in (from, until].
std::vector<std::string> due(const Schedule& schedule, std::string_view from, std::string_view until) {
  const Recurrence recurrence = resolved(schedule);
  std::vector<std::string> times;
  for (auto next = recurrence.next_after(at(from)); next && *next <= at(until);
       next = recurrence.next_after(*next))
    times.push_back(to_rfc3339(*next));
  return times;
}
using Times = std::vector<std::string>;

const ZoneName kBerlin = zone("Europe/Berlin");

TEST(ScheduleTest, J9_FixedTimesInAGapHappenAtTheFirstInstantAfterIt) {
  EXPECT_EQ(due(daily("02:30", kBerlin), "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"),
            (Times{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}));
  // Two in one gap, and the time at which it ends, are one run.
  EXPECT_EQ(due(cron("15,45 2 * * *", kBerlin), "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"),
            (Times{"2026-03-29T01:00:00Z"}));
  EXPECT_EQ(due(cron("0 2-3 * * *", kBerlin), "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"),
            (Times{"2026-03-29T01:00:00Z"}));
}

TEST(ScheduleTest, J9_FixedTimesInAnOverlapHappenTheFirstTime) {
  EXPECT_EQ(due(daily("02:30", kBerlin), "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"),
            (Times{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}));
  EXPECT_EQ(due(cron("0,30 1-3 * * *", kBerlin), "2026-10-24T22:00:00Z", "2026-10-25T12:00:00Z"),
            (Times{"2026-10-24T23:00:00Z", "2026-10-24T23:30:00Z", "2026-10-25T00:00:00Z",
                   "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:30:00Z"}));
}

TEST(ScheduleTest, J9_StarsFollowRealTime) {
  EXPECT_EQ(due(cron("30 * * * *", kBerlin), "2026-10-24T23:00:00Z", "2026-10-25T02:00:00Z"),
            (Times{"2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}));
  EXPECT_EQ(due(cron("*/30 2 * * *", kBerlin), "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"),
            (Times{"2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z",
                   "2026-10-25T01:30:00Z"}));
  EXPECT_EQ(due(cron("*/30 2 * * *", kBerlin), "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), Times{});
  EXPECT_EQ(due(cron("0 */2 * * *", kBerlin), "2026-03-28T22:30:00Z", "2026-03-29T05:00:00Z"),
            (Times{"2026-03-28T23:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T04:00:00Z"}));
}

TEST(ScheduleTest, J9_NewYork) {
  const ZoneName new_york = zone("America/New_York");
  EXPECT_EQ(due(daily("02:00", new_york), "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z"),
            (Times{"2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z"}));
  EXPECT_EQ(due(daily("01:30", new_york), "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z"),
            (Times{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}));
}

TEST(ScheduleTest, J9_SantiagoHasNoMidnightInSpring) {
  const ZoneName santiago = zone("America/Santiago");
  EXPECT_EQ(due(cron("@daily", santiago), "2026-09-04T12:00:00Z", "2026-09-07T12:00:00Z"),
            (Times{"2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"}));
  // 23:30 comes twice on Saturday; the day is over only then.
  EXPECT_EQ(due(daily("23:30", santiago), "2026-04-04T12:00:00Z", "2026-04-06T12:00:00Z"),
            (Times{"2026-04-05T02:30:00Z", "2026-04-06T03:30:00Z"}));
}

TEST(ScheduleTest, J9_LordHoweChangesByHalfAnHour) {
  const ZoneName lord_howe = zone("Australia/Lord_Howe");
  EXPECT_EQ(due(daily("02:15", lord_howe), "2026-10-03T00:00:00Z", "2026-10-05T00:00:00Z"),
            (Times{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}));
  EXPECT_EQ(due(cron("*/20 1 * * *", lord_howe), "2026-04-04T12:00:00Z", "2026-04-05T12:00:00Z"),
            (Times{"2026-04-04T14:00:00Z", "2026-04-04T14:20:00Z", "2026-04-04T14:40:00Z",
                   "2026-04-04T15:10:00Z"}));
}

TEST(ScheduleTest, J9_ApiaSkippedADay) {
  const ZoneName apia = zone("Pacific/Apia");
  EXPECT_EQ(due(daily("08:00", apia), "2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z"),
            (Times{"2011-12-29T18:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T18:00:00Z"}));
  EXPECT_EQ(due(cron("0 * 30 12 *", apia), "2011-12-29T00:00:00Z", "2012-01-02T00:00:00Z"), Times{});
}

TEST(ScheduleTest, J9_EveryIsElapsedTime) {
  EXPECT_EQ(due(every(1h), "2026-10-24T23:30:00Z", "2026-10-25T03:00:00Z"),
            (Times{"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z",
                   "2026-10-25T03:00:00Z"}));
  EXPECT_EQ(due(every(7s), "1969-12-31T23:59:50Z", "1970-01-01T00:00:07Z"),
            (Times{"1969-12-31T23:59:53Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:07Z"}));
}

TEST(ScheduleTest, DaysOfTheMonthAndOfTheWeek) {
  EXPECT_EQ(due(weekly(std::chrono::Monday, "08:00", utc()), "2026-11-30T08:00:00Z", "2026-12-15T00:00:00Z"),
            (Times{"2026-12-07T08:00:00Z", "2026-12-14T08:00:00Z"}));
  EXPECT_EQ(due(monthly(31, "08:00", utc()), "2028-01-01T00:00:00Z", "2028-05-01T00:00:00Z"),
            (Times{"2028-01-31T08:00:00Z", "2028-02-29T08:00:00Z", "2028-03-31T08:00:00Z",
                   "2028-04-30T08:00:00Z"}));
  EXPECT_EQ(due(monthly(29, "08:00", utc()), "2026-02-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            (Times{"2026-02-28T08:00:00Z", "2026-03-29T08:00:00Z"}));
  EXPECT_EQ(due(cron("0 8 31 * *", utc()), "2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z"),
            (Times{"2026-01-31T08:00:00Z", "2026-03-31T08:00:00Z"}));
  EXPECT_EQ(due(cron("0 0 13 * fri", utc()), "2026-12-01T00:00:00Z", "2026-12-20T00:00:00Z"),
            (Times{"2026-12-04T00:00:00Z", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z",
                   "2026-12-18T00:00:00Z"}));
  EXPECT_EQ(due(cron("0 0 29 2 *", utc()), "2096-03-01T00:00:00Z", "2108-12-31T00:00:00Z"),
            (Times{"2104-02-29T00:00:00Z", "2108-02-29T00:00:00Z"}));
}

TEST(ScheduleTest, SaysWhatIsWrong) {
  const auto error = [](const Schedule& schedule) {
    const auto recurrence = resolve(schedule, zones());
    return recurrence ? "" : recurrence.error().detail();
  };
  for (const char* time : {"8:00", "24:00", "08:60", "08-00", "", "08:00:00", "+8:00"})
    EXPECT_EQ(error(daily(time, kBerlin)), "A time of day is written like 08:00, from 00:00 to 23:59.")
        << time;
  EXPECT_EQ(error(daily("08:00", zone("Europe/Berlim"))),
            "There is no time zone `Europe/Berlim`. Did you mean Europe/Berlin?");
  EXPECT_EQ(error(monthly(32, "08:00", kBerlin)), "A day of the month is 1 to 31, not 32.");
  EXPECT_EQ(error(weekly(std::chrono::weekday(9), "08:00", kBerlin)),
            "A weekday is std::chrono::Sunday to Saturday.");
  EXPECT_EQ(error(every(0s)), "A period is 1 second to 366 days, not 0 seconds.");
  EXPECT_EQ(error(every(std::chrono::days(367))), "A period is 1 second to 366 days, not 31708800 seconds.");
  EXPECT_EQ(error(cron("0 0 30 2 *", kBerlin)),
            "Cron `0 0 30 2 *`: no month that it names has such a day, so it would never run.");
  EXPECT_EQ(error(Schedule()), "The schedule is empty: say daily(), cron(), every() or another.");
}

TEST(ScheduleTest, Words) {
  const auto words = [](const Schedule& schedule) { return resolved(schedule).words(); };
  EXPECT_EQ(words(daily("08:00", kBerlin)), "at 08:00 Europe/Berlin every day");
  EXPECT_EQ(words(weekly(std::chrono::Monday, "08:00", kBerlin)), "at 08:00 Europe/Berlin every Monday");
  EXPECT_EQ(words(monthly(1, "08:00", utc())), "at 08:00 UTC on day 1 of every month");
  EXPECT_EQ(words(monthly(31, "08:00", utc())),
            "at 08:00 UTC on day 31 of every month, or its last day if it is shorter");
  EXPECT_EQ(words(every(5min)), "every 5 minutes");
  EXPECT_EQ(words(every(1h)), "every hour");
  EXPECT_EQ(words(every(90s)), "every 90 seconds");
  EXPECT_EQ(words(cron("0 0 13 * fri", utc())),
            "at 00:00 UTC on day 13 of every month and on every Friday (either is enough)");
  EXPECT_EQ(words(cron("0 0 */10 1,7 mon", utc())),
            "at 00:00 UTC on days 1, 11, 21 and 31 of January and July that are Mondays");
  EXPECT_EQ(words(cron("30 8,20 * * mon-fri", utc())), "at 08:30 and 20:30 UTC every Monday to Friday");
  EXPECT_EQ(words(cron("0 8 * * sat,sun", utc())), "at 08:00 UTC every Saturday and Sunday");
  EXPECT_EQ(words(cron("* * * * *", utc())), "every minute UTC every day");
  EXPECT_EQ(words(cron("*/15 8-18 * * *", utc())), "every 15 minutes of hours 8 to 18 UTC every day");
  EXPECT_EQ(words(cron("30 * * * *", utc())), "at minute 30 of every hour UTC every day");
  EXPECT_EQ(words(cron("0 */4 * 12 *", utc())),
            "at 00:00, 04:00, 08:00, 12:00, 16:00 and 20:00 UTC every day in December");
  EXPECT_EQ(words(cron("0 */2 * * *", utc())), "at minute 0 of every second hour UTC every day");
  EXPECT_EQ(words(cron("*/7 3 1-5 * *", utc())),
            "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of hour 3 UTC on days 1 to 5 of every month");
}

TEST(ScheduleTest, LatestIsTheLastOne) {
  const Recurrence daily_run = resolved(daily("08:00", utc()));
  EXPECT_EQ(daily_run.latest(at("2020-01-01T00:00:00Z"), at("2026-12-01T07:59:59Z")),
            at("2026-11-30T08:00:00Z"));
  EXPECT_EQ(daily_run.latest(at("2020-01-01T00:00:00Z"), at("2026-12-01T08:00:00Z")),
            at("2026-12-01T08:00:00Z"));
  EXPECT_EQ(daily_run.latest(at("2026-12-01T08:00:00Z"), at("2026-12-02T07:00:00Z")), std::nullopt);
  EXPECT_EQ(daily_run.latest(at("2026-12-02T00:00:00Z"), at("2026-12-01T00:00:00Z")), std::nullopt);
  EXPECT_EQ(resolved(every(1s)).latest(Time::min(), at("2026-12-01T00:00:00.5Z")),
            at("2026-12-01T00:00:00Z"));
}

TEST(ScheduleTest, EndsWithTheYear9999) {
  for (const Schedule& schedule : {daily("08:00", kBerlin), cron("* * * * *", kBerlin), every(1h)}) {
    const Recurrence recurrence = resolved(schedule);
    EXPECT_EQ(recurrence.next_after(Time::max()), std::nullopt);
    EXPECT_TRUE(recurrence.next_after(Time::min()));
    EXPECT_TRUE(recurrence.next_after(at("9999-12-30T00:00:00Z")));
    recurrence.next_after(at("9999-12-31T23:59:59Z"));
  }
}

// ---- Against a scan of every minute.

/// A list of one to three numbers, a range, or `*` with a step or without.
rc::Gen<std::string> field(int min, int max) {
  const auto value = rc::gen::inRange(min, max + 1);
  return rc::gen::oneOf(
      rc::gen::just(std::string("*")),
      rc::gen::map(rc::gen::inRange(1, 20), [](int step) { return fmt::format("*/{}", step); }),
      rc::gen::map(rc::gen::pair(value, value),
                   [](const auto& ends) {
                     return fmt::format("{}-{}", std::min(ends.first, ends.second),
                                        std::max(ends.first, ends.second));
                   }),
      rc::gen::map(rc::gen::container<std::vector<int>>(2, value),
                   [](const auto& list) { return fmt::format("{},{}", list[0], list[1]); }),
      rc::gen::map(value, [](int one) { return std::to_string(one); }));
}

bool matches(const CronFields& fields, LocalTime local) {
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const auto minute = (local - day) / 1min;
  return (fields.minutes >> minute % 60 & 1) != 0 && (fields.hours >> minute / 60 & 1) != 0 &&
         (fields.months >> static_cast<unsigned>(date.month()) & 1) != 0 &&
         fields.matches_day(static_cast<unsigned>(date.day()), std::chrono::weekday(day).c_encoding());
}

/// What J9 says, minute by minute. A fixed time is due when clocks first show it, or more.
std::vector<Time> scanned(const CronFields& fields, const TimeZone& zone, Time from, Time until) {
  std::vector<Time> times;
  LocalTime most = zone.to_local(from - std::chrono::days(2)).time;
  for (Time time = from - std::chrono::days(2); time <= until; time += 1min) {
    const LocalTime local = zone.to_local(time).time;
    bool is_due = fields.follows_real_time && matches(fields, local);
    for (; most < local; most += 1min) is_due |= !fields.follows_real_time && matches(fields, most + 1min);
    if (is_due && time > from) times.push_back(time);
  }
  return times;
}

// Around changes of zones whose offsets are whole minutes.
RC_GTEST_PROP(ScheduleProperties, J9_EqualsAScanOfEveryMinute, ()) {
  struct Place {
    const char* zone;
    const char* around;
  };
  static const std::vector<Place> kPlaces = {
      {"Europe/Berlin", "2026-03-29T01:00:00Z"},       {"Europe/Berlin", "2026-10-25T01:00:00Z"},
      {"America/New_York", "2040-03-11T07:00:00Z"},    {"America/Santiago", "2026-04-05T03:00:00Z"},
      {"America/Santiago", "2026-09-06T04:00:00Z"},    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
      {"Australia/Lord_Howe", "2026-10-03T15:30:00Z"}, {"Pacific/Apia", "2011-12-30T10:00:00Z"},
      {"Pacific/Kwajalein", "1969-09-30T13:00:00Z"},   {"Pacific/Kwajalein", "1993-08-21T12:00:00Z"},
      {"Africa/Casablanca", "2026-02-15T02:00:00Z"},   {"America/Nuuk", "2026-03-29T01:00:00Z"}};
  const Place place = *rc::gen::elementOf(kPlaces);
  const std::string text =
      fmt::format("{} {} {} * {}", *field(0, 59), *field(0, 23), *field(1, 31), *field(0, 7));
  const auto fields = parse_cron(text);
  RC_PRE(fields.has_value());
  const Recurrence recurrence = resolved(cron(text, zone(place.zone)));
  const Time from = at(place.around) - std::chrono::hours(*rc::gen::inRange(0, 40)) -
                    std::chrono::minutes(*rc::gen::inRange(0, 60));
  const Time until = from + std::chrono::days(2);
  const std::vector<Time> expected = scanned(*fields, *zones().find(place.zone).value(), from, until);
  std::vector<Time> got;
  for (auto next = recurrence.next_after(from); next && *next <= until; next = recurrence.next_after(*next))
    got.push_back(*next);
  RC_LOG() << text << " in " << place.zone << " from " << to_rfc3339(from);
  RC_ASSERT(got == expected);
  RC_ASSERT(recurrence.latest(from, until) ==
            (expected.empty() ? std::nullopt : std::optional<Time>(expected.back())));
}

}  // namespace
}  // namespace bedplate::schedule
