// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/time_zone.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <random>
#include <string>

#include "bedplate/schedule/zones.h"

namespace bedplate::schedule {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

Time at(std::string_view text) {
  return *parse_rfc3339(text);
}
LocalTime wall(std::string_view text) {
  return LocalTime(parse_rfc3339(std::string(text) + "Z")->time_since_epoch());
}
/// "2026-03-29T03:00:00", of a local time.
std::string shown(LocalTime local) {
  std::string text = to_rfc3339(Time(local.time_since_epoch()));
  text.pop_back();
  return text;
}

class TimeZoneTest : public testing::Test {
 protected:
  std::shared_ptr<const TimeZone> find(std::string_view name) { return zones_.find(name).value(); }
  Zones zones_{""};  // the program's own, so that the machine's make no difference
};

TEST_F(TimeZoneTest, Berlin) {
  const auto zone = find("Europe/Berlin");
  const LocalMoment summer = zone->to_local(at("2026-07-01T12:00:00.000001Z"));
  EXPECT_EQ(shown(summer.time), "2026-07-01T14:00:00.000001");
  EXPECT_EQ(summer.offset, seconds(7200));
  EXPECT_TRUE(summer.daylight);
  EXPECT_EQ(summer.abbreviation, "CEST");
  EXPECT_EQ(shown(zone->to_local(at("2026-03-29T00:59:59.999999Z")).time), "2026-03-29T01:59:59.999999");
  EXPECT_EQ(shown(zone->to_local(at("2026-03-29T01:00:00Z")).time), "2026-03-29T03:00:00");
  EXPECT_EQ(shown(zone->to_local(at("1880-01-01T00:00:00Z")).time), "1880-01-01T00:53:28") << "its sun";
  EXPECT_EQ(shown(zone->to_local(at("2500-07-01T12:00:00Z")).time), "2500-07-01T14:00:00") << "by the rule";

  const Instants gap = zone->to_instants(wall("2026-03-29T02:30:00"));
  EXPECT_EQ(gap.kind, Instants::Kind::gap);
  EXPECT_EQ(gap.first, at("2026-03-29T01:00:00Z"));
  const Instants overlap = zone->to_instants(wall("2026-10-25T02:30:00.5"));
  EXPECT_EQ(overlap.kind, Instants::Kind::overlap);
  EXPECT_EQ(overlap.first, at("2026-10-25T00:30:00.5Z"));
  EXPECT_EQ(overlap.last, at("2026-10-25T01:30:00.5Z"));
  const Instants unique = zone->to_instants(wall("2026-10-25T03:00:00"));
  EXPECT_EQ(unique.kind, Instants::Kind::unique);
  EXPECT_EQ(unique.first, at("2026-10-25T02:00:00Z"));
  EXPECT_EQ(zone->next_change(at("2026-01-01T00:00:00Z")), at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(zone->next_change(at("2100-06-01T00:00:00Z")), at("2100-10-31T01:00:00Z"));
}

TEST_F(TimeZoneTest, LordHoweChangesByHalfAnHour) {
  const auto zone = find("Australia/Lord_Howe");
  EXPECT_EQ(zone->to_instants(wall("2026-10-04T02:15:00")).kind, Instants::Kind::gap);
  EXPECT_EQ(zone->to_instants(wall("2026-10-04T02:15:00")).first, at("2026-10-03T15:30:00Z"));
  EXPECT_EQ(zone->to_instants(wall("2026-10-04T02:30:00")).kind, Instants::Kind::unique);
  const Instants overlap = zone->to_instants(wall("2026-04-05T01:45:00"));
  EXPECT_EQ(overlap.kind, Instants::Kind::overlap);
  EXPECT_EQ(overlap.last - overlap.first, std::chrono::minutes(30));
}

TEST_F(TimeZoneTest, SantiagoChangesAtMidnight) {
  const auto zone = find("America/Santiago");
  EXPECT_EQ(zone->to_instants(wall("2026-09-06T00:00:00")).kind, Instants::Kind::gap);
  EXPECT_EQ(shown(zone->to_local(zone->to_instants(wall("2026-09-06T00:00:00")).first).time),
            "2026-09-06T01:00:00");
  EXPECT_EQ(zone->to_instants(wall("2026-04-04T23:30:00")).kind, Instants::Kind::overlap);
}

TEST_F(TimeZoneTest, ApiaSkippedADay) {
  const auto zone = find("Pacific/Apia");
  const Instants skipped = zone->to_instants(wall("2011-12-30T08:00:00"));
  EXPECT_EQ(skipped.kind, Instants::Kind::gap);
  EXPECT_EQ(skipped.first, at("2011-12-30T10:00:00Z"));
  EXPECT_EQ(shown(zone->to_local(skipped.first).time), "2011-12-31T00:00:00");
}

TEST_F(TimeZoneTest, DaylightSavingTimeInWinterOrAllYear) {
  EXPECT_TRUE(find("Europe/Dublin")->to_local(at("2026-07-01T00:00:00Z")).offset == seconds(3600));
  EXPECT_EQ(find("Europe/Dublin")->to_local(at("2090-01-01T00:00:00Z")).offset, seconds(0));
  // RFC 9636 section 3.3.1: all year daylight saving time.
  const std::string block =
      "TZif3" + std::string(15, '\0') + std::string(12 + 4 + 3, '\0') + '\1' + std::string(3, '\0') + '\4';
  const std::string data = std::string(6, '\0') + "LMT" + std::string(1, '\0');
  const auto zone = TimeZone::from_tzif("Test", block + data + block + data + "\nXXX3EDT4,0/0,J365/23\n");
  ASSERT_TRUE(zone) << zone.error().detail();
  for (const char* time :
       {"2026-01-01T00:00:00Z", "2026-01-01T04:00:00Z", "2026-12-31T23:59:59Z", "2028-12-31T12:00:00Z"})
    EXPECT_EQ((*zone)->to_local(at(time)).offset, seconds(-4 * 3600)) << time;
}

TEST_F(TimeZoneTest, UtcNeedsNoFile) {
  const auto zone = TimeZone::utc();
  EXPECT_EQ(zone->to_local(at("2026-07-01T12:00:00Z")).offset, seconds(0));
  EXPECT_EQ(zone->next_change(at("2026-07-01T12:00:00Z")), std::nullopt);
  EXPECT_EQ(zone->to_instants(wall("2026-07-01T12:00:00")).first, at("2026-07-01T12:00:00Z"));
}

TEST_F(TimeZoneTest, InstantsOutOfBoundsCountAsTheNearest) {
  const auto zone = find("Europe/Berlin");
  for (Time far : {Time::min(), Time::max()}) {
    const LocalMoment local = zone->to_local(far);
    zone->to_instants(local.time);
    zone->to_instants(LocalTime(far.time_since_epoch()));
    EXPECT_EQ(zone->next_change(Time::max()), std::nullopt);
  }
}

/// The C library's answer, from the same machine's data.
LocalTime by_the_c_library(Time instant) {
  const std::time_t time = std::chrono::floor<seconds>(instant).time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&time, &local);
  return LocalTime(
      std::chrono::duration_cast<microseconds>(instant.time_since_epoch() + seconds(local.tm_gmtoff)));
}

TEST_F(TimeZoneTest, AgreesWithTheCLibraryOnEveryZone) {
  Zones machine;
  if (!machine.uses_directory()) GTEST_SKIP() << "this machine has no zoneinfo";
  std::mt19937_64 random(20'261'201);
  const std::int64_t first = at("1850-01-01T00:00:00Z").time_since_epoch() / seconds(1);
  const std::int64_t last = at("2200-01-01T00:00:00Z").time_since_epoch() / seconds(1);
  std::uniform_int_distribution<std::int64_t> some(first, last);
  const char* const before = std::getenv("TZ");
  for (const std::string& name : built_in_zone_names()) {
    auto zone = machine.find(name);
    ASSERT_TRUE(zone) << zone.error().detail();
    ::setenv("TZ", (":" + name).c_str(), 1);
    ::tzset();
    for (int i = 0; i < 20; ++i) {
      const Time instant(seconds(some(random)));
      // Its next change too, where mistakes are.
      const Time change = (*zone)->next_change(instant).value_or(instant);
      for (Time time : {instant, change - seconds(1), change}) {
        const LocalTime local = (*zone)->to_local(time).time;
        ASSERT_EQ(local, by_the_c_library(time)) << name << " at " << to_rfc3339(time);
        const Instants back = (*zone)->to_instants(local);
        ASSERT_NE(back.kind, Instants::Kind::gap);
        ASSERT_TRUE(back.first <= time && time <= back.last) << name << " at " << to_rfc3339(time);
        ASSERT_EQ((*zone)->to_local(back.first).time, local);
        ASSERT_EQ((*zone)->to_local(back.last).time, local);
      }
    }
  }
  before ? ::setenv("TZ", before, 1) : ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace bedplate::schedule
