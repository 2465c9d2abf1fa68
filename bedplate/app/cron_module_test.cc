// SPDX-License-Identifier: Apache-2.0
// Cron jobs in a whole program, on both engines: declared, enqueued, run.
#include "bedplate/app/cron_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "bedplate/base/embedded.h"
#include "bedplate/jobs/workers.h"
#include "bedplate/testing/database_suite.h"
#include "bedplate/testing/test_app.h"
#include "tests/kits/patience_kit.h"
#include "tests/kits/postgresql_url_kit.h"

namespace bedplate::testing {
namespace {

using namespace std::chrono_literals;

/// Notes when it was due.
struct Reminders {
  Async<void> digest(sql::Transaction& tx, const jobs::Occurrence& occurrence) const {
    std::ignore = co_await ok(tx.run("INSERT INTO digests (due) VALUES ($1)", occurrence.due));
  }
};

constexpr EmbeddedFile kTables[] = {
    {"0001_digests.up.sql", "CREATE TABLE digests (due {time} NOT NULL){strict};"},
    {"0001_digests.down.sql", "DROP TABLE digests;"}};

app::Module reminders(jobs::Schedule when) {
  return app::Module("reminders", "Reminders")
      .migrations(kTables)
      .service<Reminders>()
      .cron<&Reminders::digest>("digest", std::move(when), jobs::missed(jobs::latest), jobs::attempts(3));
}

Async<std::vector<Time>> read_digests(sql::Reader& db) {
  std::vector<Time> due = co_await ok(db.all<Time>("SELECT due FROM digests ORDER BY due"));
  co_return due;
}

class CronModuleTest : public DatabaseTest {
 protected:
  void open(jobs::Schedule when, const char* enabled) {
    app_.emplace(reminders(std::move(when)),
                 Settings{{"database.url", database_url()}, {"jobs.enabled", enabled}});
  }
  std::vector<Time> digests() { return app_->host().wait_for(app_->database().read(&read_digests)).value(); }
  std::int64_t enqueue() { return app_->host().wait_for(app_->host().cron()->run_due()).value(); }
  std::int64_t work() { return app_->host().wait_for(app_->host().job_workers().run_due()).value(); }

  std::optional<TestApp> app_;
};

TEST_P(CronModuleTest, J8_AScheduleEnqueuesAJobOfTheModule) {
  open(jobs::daily("08:00", jobs::zone("Europe/Berlin")), "false");
  EXPECT_EQ(enqueue(), 0);
  app_->clock().set(*app_->host().cron()->next_due() + 30min);
  EXPECT_EQ(enqueue(), 1);
  EXPECT_EQ(work(), 1);
  EXPECT_THAT(digests(), ::testing::ElementsAre(*parse_rfc3339("2026-01-01T07:00:00Z")));
  EXPECT_EQ(enqueue(), 0);
}

TEST_P(CronModuleTest, J8_WhileItServesNobodyHasToAsk) {
  open(jobs::every(1s), "true");
  // Time passes until the first has run: only from the first look on is anything due.
  EXPECT_TRUE(wait_until([&] {
    app_->clock().advance(1s);
    return !digests().empty();
  }));
}

INSTANTIATE_TEST_SUITE_P(, CronModuleTest, every_database(), database_name);

TEST(CronModuleStartTest, J8_AWrongScheduleRefusesTheStart) {
  TempDir directory;
  app::Application application({"notes", "1.0.0", "Notes."});
  application.add(reminders(jobs::cron("0 0 30 2 *", jobs::utc())));
  app::CommonOptions options;
  options.data_directory = directory.path();
  options.listen = {"127.0.0.1:0"};
  ASSERT_TRUE(application.configure(options));
  const auto host = app::Host::open(application, app::HostPurpose::serve);
  ASSERT_FALSE(host);
  EXPECT_THAT(host.error().detail(),
              ::testing::StartsWith("The schedule of the job reminders.digest: Cron `0 0 30 2 *`"));
}

}  // namespace
}  // namespace bedplate::testing
