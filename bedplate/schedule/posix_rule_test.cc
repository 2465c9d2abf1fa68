// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/posix_rule.h"

#include <gtest/gtest.h>

#include <chrono>

namespace bedplate::schedule {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

std::int64_t seconds_of(int y, unsigned month, unsigned day, std::int64_t hours, std::int64_t minutes = 0) {
  return std::int64_t{
             sys_days(year(y) / static_cast<int>(month) / static_cast<int>(day)).time_since_epoch().count()} *
             86'400 +
         hours * 3600 + minutes * 60;
}

TEST(PosixRuleTest, CountsDaysAsTheCalendarDoes) {
  for (int y : {1, 4, 100, 400, 1583, 1900, 1969, 1970, 2000, 2024, 2100, 9999})
    for (unsigned month = 1; month <= 12; ++month) {
      const auto days = days_from_civil(y, month, 1);
      EXPECT_EQ(days, sys_days(year(y) / static_cast<int>(month) / 1).time_since_epoch().count());
      EXPECT_EQ(year_of_day(days), y);
    }
  EXPECT_EQ(year_of_day(days_from_civil(2024, 12, 31)), 2024);
  EXPECT_EQ(year_of_day(days_from_civil(0, 12, 31)), 0);
  EXPECT_EQ(year_of_day(days_from_civil(-399, 1, 1)), -399);
}

TEST(PosixRuleTest, ReadsWhatZoneFilesHave) {
  const auto berlin = parse_posix_rule("CET-1CEST,M3.5.0,M10.5.0/3");
  ASSERT_TRUE(berlin && berlin->daylight);
  EXPECT_EQ(berlin->standard.abbreviation, "CET");
  EXPECT_EQ(berlin->standard.offset_s, 3600);
  EXPECT_EQ(berlin->daylight->offset_s, 7200);
  EXPECT_EQ(berlin->start.local_s(2026), seconds_of(2026, 3, 29, 2));
  EXPECT_EQ(berlin->end.local_s(2026), seconds_of(2026, 10, 25, 3));

  const auto lord_howe = parse_posix_rule("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
  ASSERT_TRUE(lord_howe && lord_howe->daylight);
  EXPECT_EQ(lord_howe->standard.abbreviation, "+1030");
  EXPECT_EQ(lord_howe->standard.offset_s, 37'800);
  EXPECT_EQ(lord_howe->daylight->offset_s, 39'600);

  const auto fixed = parse_posix_rule("<-03>3");
  ASSERT_TRUE(fixed);
  EXPECT_FALSE(fixed->daylight);
  EXPECT_EQ(fixed->standard.offset_s, -10'800);
}

// RFC 9636 section 3.3.1: hours from -167 to 167.
TEST(PosixRuleTest, ChangesMayLieOutsideTheirDay) {
  const auto nuuk = parse_posix_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
  ASSERT_TRUE(nuuk);
  EXPECT_EQ(nuuk->start.local_s(2026), seconds_of(2026, 3, 28, 23));
  const auto santiago = parse_posix_rule("<-04>4<-03>,M9.1.6/24,M4.1.6/24");
  ASSERT_TRUE(santiago);
  EXPECT_EQ(santiago->start.local_s(2026), seconds_of(2026, 9, 6, 0));
  EXPECT_TRUE(parse_posix_rule("AAA0BBB,0/-167,365/167:59:59"));
}

TEST(PosixRuleTest, DaysOfTheYear) {
  const auto julian = parse_posix_rule("AAA0BBB,J60/0,60/0");
  ASSERT_TRUE(julian);
  EXPECT_EQ(julian->start.local_s(2023), seconds_of(2023, 3, 1, 0)) << "29 February is not counted";
  EXPECT_EQ(julian->start.local_s(2024), seconds_of(2024, 3, 1, 0));
  EXPECT_EQ(julian->end.local_s(2023), seconds_of(2023, 3, 2, 0));
  EXPECT_EQ(julian->end.local_s(2024), seconds_of(2024, 3, 1, 0));
}

TEST(PosixRuleTest, RefusesEverythingElse) {
  for (const char* text : {"",
                           "CE-1",
                           "CET",
                           "CET-25",
                           "CET-1CEST",
                           "CET-1CEST,M3.5.0",
                           "CET-1CEST,M3.5.0,",
                           "CET-1CEST,M13.5.0,M10.5.0",
                           "CET-1CEST,M3.6.0,M10.5.0",
                           "CET-1CEST,M3.5.7,M10.5.0",
                           "CET-1CEST,M3.5.0/168,M10.5.0",
                           "CET-1CEST,J0,J365",
                           "CET-1CEST,366,1",
                           "<+03-3",
                           "<>0",
                           "CET-1:60",
                           "CET-1CEST,M3.5.0,M10.5.0 ",
                           "C1T-1",
                           "CET--1",
                           "CET-0001",
                           "CET-1CEST,M3.5.0,M10.5.0/3x"})
    EXPECT_FALSE(parse_posix_rule(text)) << text;
}

}  // namespace
}  // namespace bedplate::schedule
