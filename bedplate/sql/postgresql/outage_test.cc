// SPDX-License-Identifier: Apache-2.0
// A server that is killed, restarted, hangs or is far away, while callers go on.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/postgresql/postgresql.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::PostgresDatabase;
using bedplate::testing::PostgresServer;
using bedplate::testing::PostgresSession;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

Async<void> insert(Transaction& tx, std::int64_t id) {
  co_await ok(tx.run("INSERT INTO entries (id) VALUES ($1)", id));
}
Async<std::int64_t> count(Reader& db) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM entries"));
  co_return n;
}

/// What callers were told, by entry: each is asked for once.
struct Ledger {
  std::map<std::int64_t, std::string> answers;  ///< "" or the error's code
  std::int64_t next = 0;
  int reads_failed = 0;
  int reads = 0;
  int unclear = 0;  ///< errors that are neither unavailable nor a time-out, or do not say when to come back
};

/// Callers on a loop of their own, and a server to harm meanwhile.
class Outage : public ::testing::Test {
 protected:
  Outage() : server_({.durable = true}), place_(server_.create_database()) {
    place_.rows("CREATE TABLE entries (id bigint NOT NULL); GRANT ALL ON entries TO bedplate");
    PostgresqlOptions options;
    options.command_time_max_ms = 3000;
    options.read_time_max_ms = 3000;
    open(options);
  }
  ~Outage() override { stop(); }

  /// Connecting has time: what a test is about is no machine that is too busy for it.
  void open(PostgresqlOptions options) {
    options.url = place_.url();
    options.connect_timeout_ms = milliseconds(bedplate::testing::kPatience).count();
    database_ = std::move(*open_postgresql(options));
  }

  void start(int callers) {
    thread_ = std::thread([this, callers] {
      running_ = callers;
      for (int i = 0; i < callers; ++i) loop_.spawn(call());
      loop_.run();
    });
  }
  void stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void wait_for_answers(int more) { wait_for(acknowledged_, more); }
  void wait_for_failures(int more) { wait_for(failed_, more); }

  PostgresServer server_;
  PostgresDatabase place_;
  Loop loop_;
  std::unique_ptr<Database> database_;
  Ledger ledger_;
  std::atomic<int> acknowledged_{0};
  std::atomic<int> failed_{0};

 private:
  static void wait_for(std::atomic<int>& counter, int more) {
    const int until = counter.load() + more;
    for (int seen = counter.load(); seen < until; seen = counter.load()) counter.wait(seen);
  }
  static void add_one(std::atomic<int>& counter) {
    counter.fetch_add(1);
    counter.notify_all();
  }
  void note(const Error& error) {
    add_one(failed_);
    const bool clear =
        error.category() == Category::timeout ||
        (error.category() == Category::unavailable && error.retry_after() > std::chrono::seconds(0));
    if (!clear) ++ledger_.unclear;
  }
  Async<void> call() {
    while (!over_) {
      const std::int64_t id = ledger_.next++;
      Result<void> done = co_await database_->transact(&insert, id);
      ledger_.answers[id] = done ? "" : done.error().code();
      if (done)
        add_one(acknowledged_);
      else
        note(done.error());
      Result<std::int64_t> seen = co_await database_->read(&count);
      ++ledger_.reads;
      if (!seen) {
        ++ledger_.reads_failed;
        note(seen.error());
      }
      if (!done || !seen) std::ignore = co_await sleep_for(10ms);  // as a client that was told to wait
    }
    if (--running_ == 0) loop_.stop();
  }

  std::thread thread_;
  std::atomic<bool> over_{false};
  int running_ = 0;
};

TEST_F(Outage, KilledUnderLoadNothingAcknowledgedIsLostAndNothingAppliedTwice) {
  start(50);
  for (int round = 0; round < 3; ++round) {
    wait_for_answers(200);
    server_.kill();
    wait_for_failures(20);
    server_.start();
    wait_for_answers(50);  // without a restart of ours
  }
  stop();
  std::map<std::int64_t, int> stored;
  for (const std::string& id : place_.rows("SELECT id FROM entries")) ++stored[std::stoll(id)];
  for (const auto& [id, code] : ledger_.answers) {
    const auto found = stored.find(id);
    const int times = found == stored.end() ? 0 : found->second;
    if (code.empty())
      EXPECT_EQ(times, 1) << "acknowledged: " << id;
    else if (code == kCommitUnknown)
      EXPECT_LE(times, 1) << "unknown: " << id;
    else
      EXPECT_EQ(times, 0) << code << ": " << id;
  }
  EXPECT_EQ(ledger_.unclear, 0);
  EXPECT_GT(database_->stats().connections_lost, 0u);
}

TEST_F(Outage, WhileItIsDownAnswersComeAtOnce) {
  constexpr milliseconds kTimeMax = 20s;
  PostgresqlOptions options;
  options.command_time_max_ms = options.read_time_max_ms = kTimeMax.count();
  open(options);
  start(1);
  wait_for_answers(5);
  server_.stop();
  wait_for_failures(4);
  const auto began = steady_clock::now();
  wait_for_failures(20);
  EXPECT_LT(steady_clock::now() - began, 2 * kTimeMax) << "none of them waits until its time is over";
  server_.start();
  wait_for_answers(5);
  stop();
  EXPECT_EQ(ledger_.unclear, 0);
}

TEST_F(Outage, ASmoothRestartIsHardlySeen) {
  start(20);
  for (int round = 0; round < 2; ++round) {
    wait_for_answers(100);
    server_.restart();
    wait_for_answers(100);
  }
  stop();
  EXPECT_EQ(ledger_.unclear, 0);
}

/// A command that is between its statement and its end when something happens to its connection.
struct Between {
  const PostgresDatabase& place;
  Database& database;
  int runs = 0;

  static Async<void> lose_the_connection(Transaction& tx, Between* between) {
    co_await ok(tx.run("INSERT INTO entries (id) VALUES (1)"));
    if (++between->runs > 1) co_return;
    between->place.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'");
    while (between->database.stats().connections_lost == 0) co_await ok(sleep_for(1ms));
  }
  static Async<void> lose_it_and_go_on(Transaction& tx, Between* between) {
    co_await ok(lose_the_connection(tx, between));
    co_await ok(tx.run("INSERT INTO entries (id) VALUES (2)"));
  }
  static Async<void> take_too_long(Transaction& tx) {
    co_await ok(tx.run("INSERT INTO entries (id) VALUES (3)"));
    co_await ok(sleep_for(500ms));
  }
};

TEST_F(Outage, AConnectionThatIsLostBeforeTheCommitIsNoFaultOfTheCommand) {
  Between before_the_end{.place = place_, .database = *database_};
  EXPECT_TRUE(run_to_end(loop_, database_->transact(&Between::lose_the_connection, &before_the_end)));
  EXPECT_EQ(before_the_end.runs, 2);
  EXPECT_EQ(place_.count("SELECT count(*) FROM entries"), 1);
}

TEST_F(Outage, AConnectionThatIsLostBetweenTwoStatementsIsNoFaultOfTheCommand) {
  Between before_the_next{.place = place_, .database = *database_};
  EXPECT_TRUE(run_to_end(loop_, database_->transact(&Between::lose_it_and_go_on, &before_the_next)));
  EXPECT_EQ(before_the_next.runs, 2);
  EXPECT_EQ(place_.count("SELECT count(*) FROM entries"), 2);
}

TEST_F(Outage, ACommandWhoseTimeIsOverAfterItsLastStatementHasAClearError) {
  PostgresqlOptions options;
  options.command_time_max_ms = 100;
  open(options);
  // So that it has a connection at once: making one can take longer than that.
  std::int64_t id = 10;
  ASSERT_TRUE(bedplate::testing::wait_until(
      [&] { return run_to_end(loop_, database_->transact(&insert, ++id)).has_value(); }));
  Result<void> done = run_to_end(loop_, database_->transact(&Between::take_too_long));
  ASSERT_FALSE(done);
  // PostgreSQL ends a transaction that has been idle for so long, too: whoever is first.
  const Category category = done.error().category();
  EXPECT_TRUE(category == Category::timeout || category == Category::unavailable) << done.error().code();
  EXPECT_EQ(place_.count("SELECT count(*) FROM entries WHERE id = 3"), 0);
}

TEST_F(Outage, AServerThatHangsIsGivenUpInTime) {
  start(4);
  wait_for_answers(20);
  server_.pause();
  wait_for_failures(4);
  server_.resume();
  wait_for_answers(20);
  stop();
  EXPECT_EQ(ledger_.unclear, 0);
}

/// Twenty transactions whose statement runs on the server, which is frozen before their time is over, and
/// nobody answers the requests to stop them: more than may be on their way at once.
class FrozenOutage : public Outage {
 protected:
  static constexpr int kCalls = 20;

  FrozenOutage() {
    PostgresqlOptions options;
    options.command_time_max_ms = 3000;
    options.transaction_connections = kCalls;
    open(options);
  }
  ~FrozenOutage() override { server_.resume(); }

  /// Returns when every caller has its answer, which is what each must be: a time-out.
  void freeze_until_all_are_answered() {
    thread_ = std::thread([this] {
      for (int i = 0; i < kCalls; ++i) loop_.spawn(call());
      loop_.run();
    });
    {
      const PostgresSession look(place_.admin_url());
      EXPECT_TRUE(bedplate::testing::wait_until(
          [&] { return answered_ > 0 || look.rows(kRunning).at(0) == std::to_string(kCalls); }));
    }
    server_.pause();
    for (int seen = answered_; seen < kCalls; seen = answered_) answered_.wait(seen);
    loop_.post_callable([this] { loop_.stop(); });
    thread_.join();
    EXPECT_EQ(timeouts_, kCalls);
  }

 private:
  static constexpr const char* kRunning =
      "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT true FROM pg_sleep%' AND state = "
      "'active'";

  static Async<void> sleep_on_the_server(Transaction& tx) {
    co_await ok(tx.value<bool>("SELECT true FROM pg_sleep(600)"));
  }
  Async<void> call() {
    Result<void> done = co_await database_->transact(&sleep_on_the_server);
    if (!done && done.error().category() == Category::timeout) ++timeouts_;
    answered_.fetch_add(1);
    answered_.notify_all();
  }

  std::thread thread_;
  std::atomic<int> answered_{0};
  int timeouts_ = 0;
};

TEST_F(FrozenOutage, RequestsToStopThatNobodyTakesHoldNoCaller) {
  freeze_until_all_are_answered();
  server_.resume();
  std::int64_t id = 0;
  EXPECT_TRUE(bedplate::testing::wait_until(
      [&] { return run_to_end(loop_, database_->transact(&insert, ++id)).has_value(); }));
  EXPECT_EQ(place_.count("SELECT count(*) FROM entries WHERE id = " + std::to_string(id)), 1);
}

TEST_F(FrozenOutage, RequestsToStopThatNobodyTakesHoldNoShutdown) {
  freeze_until_all_are_answered();
  database_->close();  // the server is still frozen
  server_.resume();
  EXPECT_EQ(place_.count("SELECT count(*) FROM entries"), 0);
}

TEST(PostgresqlOpenTest, SaysThatItCannotBeReachedAndNothingOfTheUrl) {
  PostgresqlOptions options;
  options.url = "postgresql://somebody:hunter2@127.0.0.1:1/nothing";
  Result<std::unique_ptr<Database>> opened = open_postgresql(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().category(), Category::unavailable);
  EXPECT_EQ(opened.error().code(), kDatabaseUnavailable);
  EXPECT_GT(opened.error().retry_after(), 0s);
  for (const std::string& text : {opened.error().detail(), opened.error().subject()})
    EXPECT_EQ(text.find("hunter2"), std::string::npos);
}

TEST(PostgresqlOpenTest, TlsIsVerified) {
  PostgresServer server({.tls = true});
  PostgresDatabase place = server.create_database();
  PostgresqlOptions options;
  options.url = place.url();  // sslmode=verify-full with the server's authority
  ASSERT_TRUE(open_postgresql(options));
  const std::size_t authority = options.url.find("sslrootcert=");
  ASSERT_NE(authority, std::string::npos);
  options.url = options.url.substr(0, authority) + "sslrootcert=/dev/null";
  EXPECT_FALSE(open_postgresql(options));
}

}  // namespace
}  // namespace bedplate::sql
