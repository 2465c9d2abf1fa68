// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/date.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace bedplate {
namespace {

TEST(DateTest, ReadsAndWritesDaysThatExist) {
  for (const char* text : {"0001-01-01", "1970-01-01", "2024-02-29", "2026-11-30", "9999-12-31"}) {
    const std::optional<Date> date = parse_date(text);
    ASSERT_TRUE(date) << text;
    EXPECT_EQ(to_date_text(*date), text);
  }
  for (const char* text : {"", "2026-02-29", "2026-13-01", "2026-00-10", "0000-01-01", "2026-1-1",
                           "2026-11-30Z", "20261130", "2026/11/30", "+026-11-30"})
    EXPECT_FALSE(parse_date(text)) << text;
}

TEST(DateTest, HasNoTextOutsideTheYearsThatTextHas) {
  EXPECT_EQ(to_date_text(*parse_date("0001-01-01") - std::chrono::days(1)), "");
  EXPECT_EQ(to_date_text(*parse_date("9999-12-31") + std::chrono::days(1)), "");
  EXPECT_EQ(to_date_text(Date(std::chrono::days(INT32_MAX))), "");
}

TEST(DurationTest, ReadsIso8601) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_duration("PT1H30M"), 90min);
  EXPECT_EQ(parse_duration("P1DT2H"), 26h);
  EXPECT_EQ(parse_duration("P2W"), 14 * 24h);
  EXPECT_EQ(parse_duration("-PT0.25S"), -250ms);
  EXPECT_EQ(parse_duration("PT0S"), 0s);
  EXPECT_EQ(parse_duration("PT90M"), 90min);
  for (const char* text : {"",
                           "P",
                           "PT",
                           "1H",
                           "PT1H1H",
                           "PT1M1H",
                           "P1Y",
                           "P1M",
                           "PT1.5M",
                           "P1W1D",
                           "P1DT",
                           "PT1",
                           "PT.5S",
                           "PT1.S",
                           "PT1.0000001S",
                           "PT+1S",
                           "PT99999999999999999999S",
                           "PT9223372036855S",
                           "P1H",
                           "PT1D"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(DurationTest, WritesWhatItReads) {
  using namespace std::chrono_literals;
  EXPECT_EQ(to_iso8601(0s), "PT0S");
  EXPECT_EQ(to_iso8601(36h), "PT36H");
  EXPECT_EQ(to_iso8601(1h + 5s), "PT1H5S");
  EXPECT_EQ(to_iso8601(-90min), "-PT1H30M");
  EXPECT_EQ(to_iso8601(1500us), "PT0.0015S");
  for (const Duration duration :
       {Duration(INT64_MAX), Duration(-INT64_MAX), Duration(-1), Duration(61'000'001)})
    EXPECT_EQ(parse_duration(to_iso8601(duration)), duration) << to_iso8601(duration);
}

}  // namespace
}  // namespace bedplate
