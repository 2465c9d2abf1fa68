// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>

namespace bedplate {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t kEarliest = -62'135'596'800'000'000;  // 0001-01-01T00:00:00Z
constexpr std::int64_t kLatest = 253'402'300'799'999'999;    // 9999-12-31T23:59:59.999999Z

Time at(std::int64_t us) {
  return Time{microseconds{us}};
}

std::string again(std::string_view text) {
  const auto time = parse_rfc3339(text);
  return time ? to_rfc3339(*time) : "refused";
}

TEST(Rfc3339, WritesTheShortestFraction) {
  EXPECT_EQ(to_rfc3339(at(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(at(1'000)), "1970-01-01T00:00:00.001Z");
  EXPECT_EQ(to_rfc3339(at(1)), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(to_rfc3339(at(-1)), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_rfc3339(at(1'795'255'200'120'000)), "2026-11-21T10:00:00.120Z");
}

TEST(Rfc3339, WritesTheEndsOfTheRangeAndNothingBeyond) {
  EXPECT_EQ(to_rfc3339(at(kEarliest)), "0001-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(at(kLatest)), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_rfc3339(at(kEarliest - 1)), "");
  EXPECT_EQ(to_rfc3339(at(kLatest + 1)), "");
  EXPECT_EQ(to_rfc3339(Time::max()), "");
  EXPECT_EQ(to_rfc3339(Time::min()), "");
}

RC_GTEST_PROP(Rfc3339, ComesBack, ()) {
  const Time time = at(*rc::gen::inRange<std::int64_t>(kEarliest, kLatest));
  const std::string text = to_rfc3339(time);
  RC_ASSERT(text.size() <= kRfc3339SizeMax);
  RC_ASSERT(parse_rfc3339(text) == time);
}

RC_GTEST_PROP(Rfc3339, TextSortsAsTimeDoesWithinOneForm, ()) {
  const auto a = *rc::gen::inRange<std::int64_t>(kEarliest / 1'000'000, kLatest / 1'000'000);
  const auto b = *rc::gen::inRange<std::int64_t>(kEarliest / 1'000'000, kLatest / 1'000'000);
  RC_ASSERT((a < b) == (to_rfc3339(at(a * 1'000'000)) < to_rfc3339(at(b * 1'000'000))));
}

RC_GTEST_PROP(Rfc3339, AnyBytesAreReadOrRefused, (const std::string& text)) {
  const auto time = parse_rfc3339(text);
  if (time) RC_ASSERT(!to_rfc3339(*time).empty());
}

RC_GTEST_PROP(Rfc3339, OneChangedByteIsReadOrRefused, (std::uint8_t byte)) {
  std::string text = "2026-11-21T10:00:00.123456+05:30";
  text[*rc::gen::inRange<std::size_t>(0, text.size())] = static_cast<char>(byte);
  const auto time = parse_rfc3339(text);
  if (time) RC_ASSERT(parse_rfc3339(to_rfc3339(*time)) == time);
}

TEST(Rfc3339, ReadsEveryFormOfTheStandard) {
  EXPECT_EQ(again("1985-04-12T23:20:50.52Z"), "1985-04-12T23:20:50.520Z");  // the examples of section 5.8
  EXPECT_EQ(again("1996-12-19T16:39:57-08:00"), "1996-12-20T00:39:57Z");
  EXPECT_EQ(again("1937-01-01T12:00:27.87+00:20"), "1937-01-01T11:40:27.870Z");
  EXPECT_EQ(again("2026-11-21t10:00:00z"), "2026-11-21T10:00:00Z");
  EXPECT_EQ(again("2026-11-21T10:00:00-00:00"), "2026-11-21T10:00:00Z");
  EXPECT_EQ(again("2026-11-21T10:00:00.1234567Z"), "2026-11-21T10:00:00.123456Z");
  EXPECT_EQ(again("2026-11-21T10:00:00.123456789Z"), "2026-11-21T10:00:00.123456Z");
  EXPECT_EQ(again("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00Z");
  EXPECT_EQ(again("2000-02-29T23:59:59+23:59"), "2000-02-29T00:00:59Z");
}

TEST(Rfc3339, ReadsLeapSecondsWhereTheyCanBe) {
  EXPECT_EQ(again("1990-12-31T23:59:60Z"), "1990-12-31T23:59:59.999999Z");
  EXPECT_EQ(again("1990-12-31T15:59:60-08:00"), "1990-12-31T23:59:59.999999Z");
  EXPECT_EQ(again("2016-12-31T23:59:60.5Z"), "2016-12-31T23:59:59.999999Z");
  EXPECT_EQ(again("1990-12-31T23:58:60Z"), "refused");
  EXPECT_EQ(again("1990-12-31T22:59:60Z"), "refused");
  EXPECT_EQ(again("1990-12-31T23:59:61Z"), "refused");
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-21",
                           "2026-11-21T10:00Z",
                           "2026-11-21T10:00:00",
                           "2026-11-21 10:00:00Z",
                           "2026-11-21T10:00:00.Z",
                           "2026-11-21T10:00:00.1234567890Z",
                           "2026-11-21T10:00:00,5Z",
                           "2026-11-21T24:00:00Z",
                           "2026-11-21T10:60:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-02-29T00:00:00Z",
                           "2100-02-29T00:00:00Z",
                           "2026-04-31T00:00:00Z",
                           "2026-11-21T10:00:00+24:00",
                           "2026-11-21T10:00:00+05:60",
                           "2026-11-21T10:00:00+0530",
                           "2026-11-21T10:00:00+05",
                           "2026-11-21T10:00:00Zx",
                           "2026-11-21T10:00:00Z ",
                           " 2026-11-21T10:00:00Z",
                           "+2026-11-21T10:00:00Z",
                           "-001-11-21T10:00:00Z",
                           "0000-12-31T00:00:00Z",
                           "0001-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01",
                           "20261-11-21T10:00:00Z",
                           "2026-1-21T10:00:00Z",
                           "2026-11-21T1:00:00Z",
                           "2026-11-21T10:00:00x05:30",
                           "2026-11-21T-1:00:00Z",
                           "2026-11-21T10:00:00 Z",
                           "\xD9\xA2\xD9\xA0-11-21T10:00:00Z"}) {
    EXPECT_EQ(again(text), "refused") << text;
  }
  EXPECT_FALSE(parse_rfc3339(std::string_view("2026-11-21T10:00:00Z\0", 21)));
}

TEST(Rfc3339, TellsWhatNoTimeHoldsFromWhatIsNone) {
  for (auto text : {"9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01", "0000-12-31T00:00:00Z"})
    EXPECT_TRUE(is_rfc3339(text)) << text;
  for (auto text : {"", "9999-12-32T23:59:59-00:01", "0001-01-01T00:00:00", "2023-02-29T00:00:00Z"})
    EXPECT_FALSE(is_rfc3339(text)) << text;
}

TEST(SystemClock, IsNow) {
  const auto before = std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
  const Time now = SystemClock().now();
  EXPECT_GE(now, before);
  EXPECT_LE(now, before + std::chrono::minutes{1});
}

}  // namespace
}  // namespace bedplate
