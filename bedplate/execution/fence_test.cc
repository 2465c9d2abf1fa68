// SPDX-License-Identifier: Apache-2.0
// Late holders of a lock, on both engines: with the locks of one process on SQLite, with those of Redis on PostgreSQL.
#include "bedplate/execution/fence.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <semaphore>
#include <thread>

#include "bedplate/async/loop_group.h"
#include "bedplate/sql/migrate.h"
#include "tests/kits/engine_kit.h"
#include "tests/servers/redis_server.h"

namespace bedplate::api {
namespace {

using namespace std::chrono_literals;
using testing::EngineKit;
using testing::PostgresSession;

class FenceTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  FenceTest() : kit_(GetParam(), "") {
    loops_.start();
    sql::MigrationSource source{"fences", fence_migrations()};
    EXPECT_TRUE(sql::migrate_up(kit_.database(), std::span(&source, 1)));
    kit_.script(
        "CREATE TABLE reports (id bigint, body text, fence bigint); INSERT INTO reports VALUES (1, '', 0)");
    if (GetParam() == sql::Dialect::sqlite) {
      locks_ = std::make_unique<cache::MemoryLocks>();
      return;
    }
    redis::Options options = *redis::Options::from_url(testing::shared_redis().new_url());
    options.call_timeout = options.connect_timeout = 10s;
    client_ = std::move(*redis::Client::make(std::move(options)));
    locks_ = std::make_unique<cache::RedisLocks>(*client_);
  }

  /// Of the locks, on their loop.
  template <class T>
  Result<T> ask(Async<T> question) {
    std::optional<Result<T>> answer;
    std::binary_semaphore done{0};
    loops_.loop(0).spawn(finish(std::move(question), answer, done));
    done.acquire();
    return std::move(*answer);
  }
  template <class T>
  static Async<void> finish(Async<T> question, std::optional<Result<T>>& answer,
                            std::binary_semaphore& done) {
    answer.emplace(co_await std::move(question));
    done.release();
  }
  /// Its time is over as good as at once.
  cache::Lock acquire_for_a_moment() { return *ask(locks_->acquire("report", 1ms)); }
  cache::Lock acquire_next() { return *ask(locks_->wait_for("report", 1min, testing::kPatience)); }

  std::string write(const cache::Lock& lock, std::string_view body) {
    Result<void> done = kit_.run(kit_.database().transact(&FenceTest::write_fenced, lock, body));
    return done ? "written" : done.error().code();
  }
  std::int64_t write_row(const cache::Lock& lock, std::string_view body) {
    return kit_.get(kit_.database().transact(&FenceTest::write_fenced_row, lock, body));
  }
  std::string body() { return kit_.get(kit_.database().read(&FenceTest::read_body)); }

  static Async<void> write_fenced(sql::Transaction& tx, const cache::Lock& lock, std::string_view body) {
    co_await ok(pass_fence(tx, lock));
    co_await ok(tx.run("UPDATE reports SET body = $1 WHERE id = 1", body));
  }
  static Async<std::int64_t> write_fenced_row(sql::Transaction& tx, const cache::Lock& lock,
                                              std::string_view body) {
    const std::int64_t changed =
        co_await ok(tx.run("UPDATE reports SET body = $2, fence = $3 WHERE id = $1 AND fence <= $3",
                           std::int64_t{1}, body, lock.token));
    co_return changed;
  }
  static Async<std::string> read_body(sql::Reader& db) {
    std::string body = co_await ok(db.value<std::string>("SELECT body FROM reports WHERE id = 1"));
    co_return body;
  }

  EngineKit kit_;
  LoopGroup loops_{1};  // of the locks
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<cache::Locks> locks_;
};

TEST_P(FenceTest, AHolderThatWakesUpLateIsRefused) {
  const cache::Lock paused = acquire_for_a_moment();
  EXPECT_EQ(write(paused, "begun by the first"), "written");
  // The first holder is stopped here for longer than its lock lives, and another takes over.
  const cache::Lock next = acquire_next();
  EXPECT_EQ(write(next, "done by the second"), "written");
  // It wakes up, knows nothing of all that, and writes.
  EXPECT_EQ(write(paused, "half done by the first"), "lock_lost");
  EXPECT_EQ(body(), "done by the second");
  EXPECT_EQ(write(next, "the holder may go on"), "written") << "as often as it likes";
  EXPECT_EQ(ask(locks_->extend(paused, 1min)).error().code(), "lock_lost") << "the lock says so too";
}

TEST_P(FenceTest, ALateOneThatIsFirstToWriteIsStillBeforeTheNext) {
  const cache::Lock paused = acquire_for_a_moment();
  const cache::Lock next = acquire_next();
  EXPECT_EQ(write(paused, "late, but nothing was written since"), "written");
  EXPECT_EQ(write(next, "from the state that it finds"), "written");
  EXPECT_EQ(write(paused, "late"), "lock_lost");
  EXPECT_EQ(body(), "from the state that it finds");
}

TEST_P(FenceTest, AColumnOfTheRowDoesTheSame) {
  const cache::Lock paused = acquire_for_a_moment();
  EXPECT_EQ(write_row(paused, "begun by the first"), 1);
  const cache::Lock next = acquire_next();
  EXPECT_EQ(write_row(next, "done by the second"), 1);
  EXPECT_EQ(write_row(paused, "half done by the first"), 0);
  EXPECT_EQ(body(), "done by the second");
  EXPECT_EQ(write_row(next, "the holder may go on"), 1);
}

TEST_P(FenceTest, FencesOfOtherNamesDoNotMind) {
  cache::Lock older = acquire_for_a_moment();
  const cache::Lock newer = acquire_next();
  EXPECT_EQ(write(newer, "a"), "written");
  older.name = "another";
  EXPECT_EQ(write(older, "b"), "written");
}

INSTANTIATE_TEST_SUITE_P(, FenceTest, testing::every_dialect(), testing::dialect_name);

// The first has passed the fence and is stopped before its commit; the second comes meanwhile.
TEST(FenceOnPostgresql, TheSecondWaitsForTheFirstAndHasTheLastWord) {
  EngineKit kit(sql::Dialect::postgresql,
                "CREATE TABLE reports (body text); INSERT INTO reports VALUES ('')");
  sql::MigrationSource source{"fences", fence_migrations()};
  ASSERT_TRUE(sql::migrate_up(kit.database(), std::span(&source, 1)));
  cache::MemoryLocks locks;
  const cache::Lock first = kit.get(locks.acquire("report", 1ms));
  const cache::Lock second = kit.get(locks.wait_for("report", 1min, testing::kPatience));

  auto write = [](sql::Transaction& tx, const cache::Lock& lock, std::string_view body,
                  std::int64_t gate) -> Async<void> {
    co_await ok(pass_fence(tx, lock));
    // The first waits here until the test lets it go on; the second's gate is open.
    co_await ok(tx.maybe<std::int64_t>("SELECT 1::bigint FROM pg_advisory_xact_lock($1)", gate));
    co_await ok(tx.run("UPDATE reports SET body = $1", body));
  };
  auto run = [](sql::Database& db, auto body, const cache::Lock& lock, std::string_view text,
                std::int64_t gate, int& left) -> Async<void> {
    Result<void> done = co_await db.transact(body, lock, text, gate);
    EXPECT_TRUE(done) << done.error().code();
    if (--left == 0) Loop::current()->stop();
  };
  PostgresSession gate(kit.server_database().admin_url());
  gate.rows("SELECT pg_advisory_lock(1)");
  PostgresSession look(kit.server_database().admin_url());
  // Of this database: others are used by other tests at the same time.
  auto waiting = [&](std::string_view what) {
    const std::string found =
        "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = "
        "current_database() AND " +
        std::string(what);
    EXPECT_TRUE(testing::wait_until([&] { return !look.rows(found).empty(); })) << what;
  };
  int left = 2;
  kit.loop().spawn(run(kit.database(), write, first, "by the first", 1, left));
  std::thread test([&] {
    waiting("locktype = 'advisory'");
    kit.loop().post_callable(
        [&] { kit.loop().spawn(run(kit.database(), write, second, "by the second", 2, left)); });
    waiting("locktype = 'transactionid'");
    gate.rows("SELECT pg_advisory_unlock(1)");
  });
  kit.loop().run();
  test.join();
  auto body = [](sql::Reader& db) -> Async<std::string> {
    std::string text = co_await ok(db.value<std::string>("SELECT body FROM reports"));
    co_return text;
  };
  EXPECT_EQ(kit.get(kit.database().read(body)), "by the second");
}

}  // namespace
}  // namespace bedplate::api
