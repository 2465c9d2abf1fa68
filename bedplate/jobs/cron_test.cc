// SPDX-License-Identifier: Apache-2.0
// Cron jobs on both engines: what is enqueued when, with time passing as the test says.
#include "bedplate/jobs/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/async/gather.h"
#include "bedplate/jobs/enqueue.h"
#include "bedplate/jobs/store.h"
#include "bedplate/schedule/zones.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/testing/fake_clock.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::jobs {
namespace {

using namespace std::chrono_literals;
using sql::Dialect;
using ::testing::ElementsAre;
using testing::EngineKit;
using ::testing::IsEmpty;

Time at(std::string_view text) {
  return *parse_rfc3339(text);
}

class CronTest : public ::testing::TestWithParam<Dialect> {
 protected:
  CronTest() : kit_(GetParam(), "") {
    const sql::MigrationSource source{"jobs", jobs_migrations()};
    EXPECT_TRUE(sql::migrate_up(kit_.database(), std::span(&source, 1)));
    clock_.set(at("2026-12-01T12:00:00Z"));
  }

  std::unique_ptr<Cron> make(const Schedule& when, Missed missed = latest) {
    const CronDeclaration declaration{"notes.digest", when, missed};
    return Cron::make(kit_.database(), clock_, zones_, std::span(&declaration, 1)).value();
  }
  std::int64_t run(const Cron& cron, std::string_view now) {
    clock_.set(at(now));
    return kit_.get(cron.run_due());
  }
  static Async<std::vector<std::string>> read_inputs(sql::Reader& db) {
    std::vector<std::string> inputs = co_await ok(db.all<std::string>("SELECT input FROM jobs ORDER BY id"));
    co_return inputs;
  }
  std::vector<std::string> inputs() { return kit_.get(kit_.database().read(&CronTest::read_inputs)); }

  EngineKit kit_;
  testing::FakeClock clock_;
  schedule::Zones zones_{""};
};

TEST_P(CronTest, J8_ANewOneBeginsWithItsNextOccurrence) {
  const auto cron = make(daily("08:00", zone("Europe/Berlin")));
  EXPECT_EQ(run(*cron, "2026-12-01T12:00:00Z"), 0);
  EXPECT_EQ(cron->next_due(), at("2026-12-02T07:00:00Z"));
  EXPECT_EQ(run(*cron, "2026-12-02T06:59:59Z"), 0);
  EXPECT_EQ(run(*cron, "2026-12-02T07:00:00Z"), 1);
  EXPECT_EQ(run(*cron, "2026-12-02T07:00:00Z"), 0);
  EXPECT_EQ(run(*cron, "2026-12-02T18:00:00Z"), 0);
  EXPECT_EQ(run(*cron, "2026-12-03T07:00:01Z"), 1);
  EXPECT_THAT(inputs(),
              ElementsAre(R"({"due":"2026-12-02T07:00:00Z"})", R"({"due":"2026-12-03T07:00:00Z"})"));
}

TEST_P(CronTest, J8_TheLastMissedOneIsMadeUpForOnce) {
  const auto cron = make(daily("08:00", utc()));
  run(*cron, "2026-12-01T12:00:00Z");
  EXPECT_EQ(run(*cron, "2026-12-09T09:00:00Z"), 1);
  EXPECT_THAT(inputs(), ElementsAre(R"({"due":"2026-12-09T08:00:00Z"})"));
  EXPECT_EQ(run(*cron, "2026-12-09T09:00:00Z"), 0);
}

TEST_P(CronTest, J8_MissedOnesAreSkippedWhereThatIsSaid) {
  const auto cron = make(daily("08:00", utc()), missed(skip));
  run(*cron, "2026-12-01T12:00:00Z");
  EXPECT_EQ(run(*cron, "2026-12-09T09:00:00Z"), 0);
  EXPECT_EQ(run(*cron, "2026-12-10T08:00:30Z"), 1) << "a little late is not missed";
  EXPECT_THAT(inputs(), ElementsAre(R"({"due":"2026-12-10T08:00:00Z"})"));
}

TEST_P(CronTest, J8_AllMissedOnesUpToANumber) {
  const auto cron = make(daily("08:00", utc()), missed(all(3)));
  run(*cron, "2026-12-01T12:00:00Z");
  EXPECT_EQ(run(*cron, "2026-12-03T09:00:00Z"), 2);
  EXPECT_EQ(run(*cron, "2026-12-31T09:00:00Z"), 3);
  EXPECT_THAT(inputs(), ElementsAre(R"({"due":"2026-12-02T08:00:00Z"})", R"({"due":"2026-12-03T08:00:00Z"})",
                                    R"({"due":"2026-12-29T08:00:00Z"})", R"({"due":"2026-12-30T08:00:00Z"})",
                                    R"({"due":"2026-12-31T08:00:00Z"})"));
}

TEST_P(CronTest, J8_ReplicasMakeOneRun) {
  const auto cron = make(every(1min));
  run(*cron, "2026-12-01T12:00:30Z");
  for (int minute = 1; minute <= 5; ++minute) {
    clock_.set(at("2026-12-01T12:00:00Z") + std::chrono::minutes(minute));
    std::vector<Async<std::int64_t>> replicas;
    for (int replica = 0; replica < 4; ++replica) replicas.push_back(cron->run_due());
    std::int64_t enqueued = 0;
    for (const std::int64_t one : kit_.get(gather(std::move(replicas)))) enqueued += one;
    EXPECT_EQ(enqueued, 1);
  }
  EXPECT_EQ(inputs().size(), 5u);
}

TEST_P(CronTest, J8_ClocksThatJump) {
  const auto cron = make(every(10min));
  run(*cron, "2026-12-01T12:00:00Z");
  EXPECT_EQ(run(*cron, "2026-12-01T12:10:00Z"), 1);
  EXPECT_EQ(run(*cron, "2026-12-01T12:01:00Z"), 0) << "back a little";
  EXPECT_EQ(run(*cron, "2026-12-01T12:10:30Z"), 0) << "what has run does not run again";
  EXPECT_EQ(run(*cron, "2030-01-01T00:00:00Z"), 1) << "years ahead";
  EXPECT_EQ(run(*cron, "2026-12-01T12:15:00Z"), 0) << "and back";
  EXPECT_EQ(run(*cron, "2026-12-01T12:20:00Z"), 1) << "it is not quiet for years";
}

TEST_P(CronTest, J8_WhatCannotBeEnqueuedIsNotPassed) {
  const auto cron = make(daily("08:00", utc()));
  run(*cron, "2026-12-01T12:00:00Z");
  kit_.script("ALTER TABLE jobs RENAME TO jobs_away");
  clock_.set(at("2026-12-02T08:00:00Z"));
  EXPECT_FALSE(kit_.run(cron->run_due()));
  kit_.script("ALTER TABLE jobs_away RENAME TO jobs");
  EXPECT_EQ(run(*cron, "2026-12-02T08:00:05Z"), 1);
}

INSTANTIATE_TEST_SUITE_P(, CronTest, testing::every_dialect(), testing::dialect_name);

TEST(CronDeclarationTest, J8_AWrongScheduleNamesItsJob) {
  EngineKit kit(Dialect::sqlite, "");
  testing::FakeClock clock;
  schedule::Zones zones("");
  const auto error = [&](const Schedule& when) {
    const CronDeclaration declaration{"notes.digest", when, latest};
    const auto made = Cron::make(kit.database(), clock, zones, std::span(&declaration, 1));
    return made ? "" : made.error().detail();
  };
  EXPECT_EQ(error(jobs::cron("0 0 30 2 *", utc())),
            "The schedule of the job notes.digest: Cron `0 0 30 2 *`: no month that it names has such a day, "
            "so it would "
            "never run.");
  EXPECT_EQ(error(daily("08:00", zone("Europe/Berlim"))),
            "The schedule of the job notes.digest: There is no time zone `Europe/Berlim`. Did you mean "
            "Europe/Berlin?");
  const CronDeclaration declaration{"notes.digest",
                                    weekly(std::chrono::Monday, "08:00", zone("Europe/Berlin")), latest};
  const auto made = Cron::make(kit.database(), clock, zones, std::span(&declaration, 1));
  ASSERT_TRUE(made);
  EXPECT_THAT((*made)->words(), ElementsAre("notes.digest: at 08:00 Europe/Berlin every Monday"));
}

}  // namespace
}  // namespace bedplate::jobs
