// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/cron_fields.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace bedplate::schedule {
namespace {

std::uint64_t bits(std::initializer_list<unsigned> values) {
  std::uint64_t set = 0;
  for (unsigned value : values) set |= std::uint64_t{1} << value;
  return set;
}

CronFields fields(std::string_view text) {
  auto parsed = parse_cron(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().detail());
  return parsed.value_or(CronFields());
}

std::string error(std::string_view text) {
  const auto parsed = parse_cron(text);
  return parsed ? "" : parsed.error().detail();
}

TEST(CronFieldsTest, NumbersRangesStepsListsAndNames) {
  const CronFields all = fields("* * * * *");
  EXPECT_EQ(all.minutes, (std::uint64_t{1} << 60) - 1);
  EXPECT_EQ(all.hours, 0xFF'FFFFu);
  EXPECT_EQ(all.days, 0xFFFF'FFFEu);
  EXPECT_EQ(all.months, 0x1FFEu);
  EXPECT_EQ(all.weekdays, 0x7Fu);
  EXPECT_TRUE(all.follows_real_time && all.any_day && all.any_weekday);

  const CronFields some = fields("5,10-12,40-59/10\t*/8  1 FEB,11 Mon-Wed,sat");
  EXPECT_EQ(some.minutes, bits({5, 10, 11, 12, 40, 50}));
  EXPECT_EQ(some.hours, bits({0, 8, 16}));
  EXPECT_EQ(some.days, bits({1}));
  EXPECT_EQ(some.months, bits({2, 11}));
  EXPECT_EQ(some.weekdays, bits({1, 2, 3, 6}));
  EXPECT_TRUE(some.follows_real_time);
  EXPECT_FALSE(some.any_day || some.any_weekday);

  EXPECT_EQ(fields("0 0 * * 7").weekdays, bits({0}));
  EXPECT_EQ(fields("0 0 * * 5-7").weekdays, bits({0, 5, 6}));
  EXPECT_EQ(fields("0 0 * * fri-sun").weekdays, bits({0, 5, 6}));
  EXPECT_EQ(fields("0 0 * * 0-7").weekdays, 0x7Fu);
  EXPECT_FALSE(fields("0-59 0-23 * * *").follows_real_time) << "ranges are fixed times";
  EXPECT_TRUE(fields("0 0,*/6 * * *").follows_real_time);
}

TEST(CronFieldsTest, Nicknames) {
  EXPECT_EQ(fields("@daily"), fields("0 0 * * *"));
  EXPECT_EQ(fields(" @Midnight "), fields("0 0 * * *"));
  EXPECT_EQ(fields("@hourly"), fields("0 * * * *"));
  EXPECT_EQ(fields("@weekly"), fields("0 0 * * 0"));
  EXPECT_EQ(fields("@monthly"), fields("0 0 1 * *"));
  EXPECT_EQ(fields("@yearly"), fields("0 0 1 1 *"));
  EXPECT_EQ(fields("@annually"), fields("0 0 1 1 *"));
  EXPECT_EQ(error("@reboot"), "Cron `@reboot`: there are @yearly, @monthly, @weekly, @daily and @hourly.");
}

TEST(CronFieldsTest, EitherFieldOfDaysIsEnoughUnlessOneBeginsWithAStar) {
  const CronFields either = fields("0 0 13 * fri");
  EXPECT_TRUE(either.matches_day(13, 1));
  EXPECT_TRUE(either.matches_day(14, 5));
  EXPECT_FALSE(either.matches_day(14, 1));
  const CronFields both = fields("0 0 */2 * mon");
  EXPECT_TRUE(both.matches_day(3, 1));
  EXPECT_FALSE(both.matches_day(4, 1));
  EXPECT_FALSE(both.matches_day(3, 2));
}

TEST(CronFieldsTest, SaysWhichFieldIsWrong) {
  EXPECT_EQ(error("60 * * * *"), "Cron `60 * * * *`: minute `60` is not 0 to 59.");
  EXPECT_EQ(error("0 24 * * *"), "Cron `0 24 * * *`: hour `24` is not 0 to 23.");
  EXPECT_EQ(error("0 0 0 * *"), "Cron `0 0 0 * *`: day of month `0` is not 1 to 31.");
  EXPECT_EQ(error("0 0 * may-foo *"),
            "Cron `0 0 * may-foo *`: month `may-foo` is not within 1 to 12, nor a name like feb.");
  EXPECT_EQ(error("0 0 * * 8"), "Cron `0 0 * * 8`: day of week `8` is not 0 to 7, nor a name like mon.");
  EXPECT_EQ(error("5/10 * * * *"),
            "Cron `5/10 * * * *`: minute `5/10` has a step, which needs `*` or a range: 5-59/10.");
  EXPECT_EQ(error("*/0 * * * *"),
            "Cron `*/0 * * * *`: minute `*/0` has a step that is not a number from 1 to 99.");
  EXPECT_EQ(error("0 22-4 * * *"),
            "Cron `0 22-4 * * *`: hour `22-4` runs backwards; a list can say it: 22-23,0-4.");
  EXPECT_EQ(
      error("0 0 * *"),
      "Cron `0 0 * *`: it has 4 fields instead of five: minute, hour, day of month, month, day of week.");
  EXPECT_EQ(error("0 0 0 * * *").substr(0, 30), "Cron `0 0 0 * * *`: it has 6 f");
  for (const char* text :
       {"", " ", ",0 * * * *", "0, * * * *", "1-2-3 * * * *", "-1 * * * *", "*-5 * * * *", "** * * * *",
        "*/ * * * *", "0 0 L * *", "0 0 15W * *", "0 0 ? * 1", "0 0 * * 1#2", "0 0 * janu *", "+1 * * * *",
        "0x1 * * * *", "001 * * * *", "*/5/2 * * * *", "\x1b[2J"})
    EXPECT_NE(error(text), "") << text;
  EXPECT_NE(error("\x1b").find("\\u001b"), std::string::npos);
  EXPECT_NE(error(std::string(300, '*')), "");
}

TEST(CronFieldsTest, RefusesWhatNeverMatches) {
  EXPECT_EQ(error("0 0 30 2 *"),
            "Cron `0 0 30 2 *`: no month that it names has such a day, so it would never run.");
  EXPECT_NE(error("0 0 31 2,4,6,9,11 *"), "");
  EXPECT_EQ(error("0 0 29 2 *"), "");
  EXPECT_EQ(error("0 0 31 4,5 *"), "");
  EXPECT_EQ(error("0 0 30 2 mon"), "") << "the Mondays match";
}

}  // namespace
}  // namespace bedplate::schedule
