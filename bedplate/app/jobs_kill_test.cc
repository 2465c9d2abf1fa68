// SPDX-License-Identifier: Apache-2.0
// A process that works is killed again and again, wherever it is: claiming, running, completing. What a command job
// writes is there exactly once, what a procedure does at least once, and nothing is lost. `./dev test soak` does it
// with many more kills.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/app/module.h"
#include "bedplate/base/embedded.h"
#include "bedplate/base/random.h"
#include "bedplate/jobs/administration.h"
#include "bedplate/jobs/workers.h"
#include "bedplate/testing/database_suite.h"
#include "bedplate/testing/process.h"
#include "bedplate/testing/test_app.h"
#include "tests/kits/patience_kit.h"
#include "tests/kits/postgresql_url_kit.h"

namespace bedplate::testing {
namespace {

constexpr const char* kChildDatabase = "TEST_JOBS_DATABASE";  // set: this process is the one that is killed

struct Effect {
  std::string text;
  static consteval auto describe() {
    using namespace schema;
    return object<Effect>("What to note", {field<&Effect::text>("The text")});
  }
};

constexpr jobs::Job<Effect> kCommand{"kill.command"};
constexpr jobs::Job<Effect> kProcedure{"kill.procedure"};

class Killed {
 public:
  Async<void> command(sql::Transaction& tx, const Effect& input) {
    std::ignore = co_await ok(tx.run("INSERT INTO effects (text) VALUES ($1)", input.text));
  }
  Async<void> procedure(sql::Database& db, const Effect& input) {
    co_await ok(db.transact(&Killed::command, *this, input));
  }
};

constexpr EmbeddedFile kTables[] = {
    {"0001_effects.up.sql", "CREATE TABLE effects (text {text} NOT NULL){strict};"},
    {"0001_effects.down.sql", "DROP TABLE effects;"}};

app::Module kill_module() {
  return app::Module("kill", "Work that is interrupted")
      .migrations(kTables)
      .service<Killed>()
      .job<&Killed::command>(kCommand)
      .job<&Killed::procedure>(kProcedure);
}

Settings settings(const std::string& url, bool works) {
  return {{"database.url", url},         {"jobs.enabled", works ? "true" : "false"},
          {"jobs.poll_ms", "20"},        {"jobs.beat_ms", "50"},
          {"jobs.dead_after_ms", "300"}, {"jobs.concurrency", "4"},
          {"server.worker_threads", "1"}};
}

/// In the process that is killed: works until then, and runs no test.
class WorksUntilKilled : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* url = std::getenv(kChildDatabase);
    if (!url) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // it does not outlive the test
    TestApp app(kill_module(), settings(url, true));
    std::printf("works\n");
    std::fflush(stdout);
    for (;;) pause();
  }
};
const ::testing::Environment* const kEnvironment = ::testing::AddGlobalTestEnvironment(new WorksUntilKilled);

class JobsKilled : public DatabaseTest {
 protected:
  static Async<void> put(sql::Transaction& tx, int from, int count) {
    for (int i = from; i < from + count; ++i) {
      const Effect input{std::to_string(i)};
      if (i % 2 == 0)
        std::ignore = co_await ok(jobs::enqueue(tx, kCommand, input));
      else
        std::ignore = co_await ok(jobs::enqueue(tx, kProcedure, input));
    }
  }
  /// What a job did other than asked: a command's effect not once, a procedure's never.
  static Async<std::vector<std::string>> wrong_effects(sql::Reader& db, int enqueued) {
    std::vector<std::string> wrong;
    for (int from = 0; from < enqueued; from += 1000) {
      const int to = std::min(from + 1000, enqueued);
      std::map<int, int> times;
      const auto done = co_await ok(db.all<std::string>(
          "SELECT text FROM effects WHERE CAST(text AS INTEGER) >= $1 AND CAST(text AS INTEGER) < $2", from,
          to));
      for (const std::string& text : done) ++times[std::stoi(text)];
      for (int i = from; i < to; ++i) {
        const bool right = i % 2 == 0 ? times[i] == 1 : times[i] >= 1;
        if (!right) wrong.push_back(std::to_string(i) + " was done " + std::to_string(times[i]) + " times");
      }
    }
    co_return wrong;
  }
  static Async<std::int64_t> left(sql::Reader& db) {
    const std::int64_t count =
        co_await ok(db.value<std::int64_t>("SELECT count(*) FROM jobs WHERE state <> 'dead'"));
    co_return count;
  }
  static Async<std::int64_t> running(sql::Reader& db) {
    const std::int64_t count =
        co_await ok(db.value<std::int64_t>("SELECT count(*) FROM jobs WHERE state = 'running'"));
    co_return count;
  }
  // Crashes end a job that was in three of them, which is right, and not what this is about.
  static Async<void> revive(sql::Transaction& tx) {
    std::ignore =
        co_await ok(tx.run("UPDATE jobs SET state = 'available', crashes = 0 WHERE state = 'dead'"));
    std::ignore = co_await ok(tx.run("UPDATE jobs SET crashes = 0 WHERE crashes > 0 AND state <> 'running'"));
  }
  template <class T>
  static T get(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().code() + ": " + result.error().detail());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }

  void kill_again_and_again(int kills) {
    constexpr int kJobsWaiting = 200;  // at the start of each process; more than it does in its time
    int enqueued = 0;
    int interrupted = 0;  // kills that met a job that ran
    for (int i = 0; i < kills; ++i) {
      {
        TestApp app(kill_module(), settings(database_url(), false));
        if (get(app.host().wait_for(app.database().read(&running))) > 0) ++interrupted;
        get(app.host().wait_for(app.database().transact(&revive)));
        int from = enqueued;
        int count = std::max(
            0, kJobsWaiting - static_cast<int>(get(app.host().wait_for(app.database().read(&left)))));
        sql::CallContext context;
        context.clock = &app.clock();
        get(app.host().wait_for(app.database().transact(context, &put, from, count)));
        enqueued += count;
      }
      Process child({"/proc/self/exe", "--gtest_filter=JobsKilled.*"}, {{kChildDatabase, database_url()}});
      for (std::string line; line != "works";) {
        line = child.read_line();
        ASSERT_FALSE(line.empty()) << child.err();
      }
      const auto wait = std::chrono::microseconds(random_u64() % 40'000);
      std::this_thread::sleep_for(wait);  // tidy: sleep because the place of the kill is left to chance
      child.kill(SIGKILL);
      child.wait();
    }
    RecordProperty("interrupted", interrupted);
    EXPECT_GE(interrupted, kills / 5) << "kills that met a job that ran";
    finish(enqueued);
  }

  void finish(int enqueued) {
    TestApp app(kill_module(), settings(database_url(), true));
    EXPECT_TRUE(wait_until([&] {
      std::ignore =
          app.host().wait_for(app.database().transact(&revive));  // again if a worker was in the way
      return get(app.host().wait_for(app.database().read(&left))) == 0;
    }));
    RecordProperty("jobs", enqueued);
    EXPECT_THAT(get(app.host().wait_for(app.database().read(&wrong_effects, enqueued))),
                ::testing::IsEmpty());
  }
};

TEST_P(JobsKilled, J1_J3_EffectsAreCountedWhereverTheProcessDies) {
  kill_again_and_again(15);
}

INSTANTIATE_TEST_SUITE_P(, JobsKilled, every_database(), database_name);

class JobsKilledSoak : public JobsKilled {};
TEST_P(JobsKilledSoak, J1_J3_AThousandKills) {
  kill_again_and_again(500);
}
INSTANTIATE_TEST_SUITE_P(, JobsKilledSoak, every_database(), database_name);

}  // namespace
}  // namespace bedplate::testing
