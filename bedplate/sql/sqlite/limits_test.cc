// SPDX-License-Identifier: Apache-2.0
// Time, steps, queues and locks: what happens at each limit, and that the rest goes on.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "bedplate/base/log.h"
#include "bedplate/sql/database.h"
#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

using namespace std::chrono_literals;

constexpr const char* kSchema = "CREATE TABLE items (id INTEGER PRIMARY KEY, value TEXT NOT NULL)";
constexpr const char* kCountTo =
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < $1) SELECT count(*) FROM c";
constexpr std::int64_t kForEver = 1'000'000'000'000;

Async<void> insert(Transaction& tx, std::int64_t id, std::string_view value) {
  co_await ok(tx.run("INSERT INTO items (id, value) VALUES ($1, $2)", id, value));
}
Async<std::int64_t> count(Reader& db) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM items"));
  co_return n;
}
Async<std::int64_t> count_to(Reader& db, std::int64_t n, int& starts) {
  ++starts;
  const std::int64_t rows = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM items"));
  const std::int64_t counted = co_await ok(db.value<std::int64_t>(kCountTo, n));
  co_return rows + counted;
}
Async<void> count_for_ever(Transaction& tx) {
  co_await ok(tx.run("INSERT INTO items (value) VALUES ('lost')"));
  co_await ok(tx.value<std::int64_t>(kCountTo, kForEver));
}
Async<void> insert_for_ever(Transaction& tx) {
  co_await ok(
      tx.run("INSERT INTO items (value) WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
             "SELECT 'v' FROM c"));
}
/// Holds the writer until it is let go, so that a test decides what waits behind it. It may run again with its batch,
/// and then passes.
struct Gate {
  struct Signal {
    std::atomic<bool> given{false};
    void release() {
      given = true;
      given.notify_all();
    }
    void acquire() { given.wait(false); }
  };
  Signal entered;
  Signal open;
  Async<void> hold(Transaction& tx) {
    entered.release();
    open.acquire();
    co_await ok(tx.run("INSERT INTO items (value) VALUES ('gate')"));
  }
};

class SqliteLimitsTest : public testing::Test, public SqliteKit {
 protected:
  SqliteLimitsTest() : SqliteKit(kSchema) {}

  Async<void> insert_into(std::int64_t id, std::string& code) {
    Result<void> done = co_await database().transact(&insert, id, std::string_view("v"));
    code = done ? "ok" : done.error().code();
  }
  Async<void> hold(Gate& gate) { co_await ok(database().transact(&Gate::hold, gate)); }
};

// ---- reads

TEST_F(SqliteLimitsTest, AReadThatTakesLongStartsAgainOnAThread) {
  ASSERT_TRUE(run(database().transact(&insert, 1, std::string_view("v"))));
  int starts = 0;
  EXPECT_EQ(get(run(database().read(&count_to, 1'000, starts))), 1'001);
  EXPECT_EQ(starts, 1);
  EXPECT_EQ(get(run(database().read(&count_to, 300'000, starts))), 300'001);
  EXPECT_EQ(starts, 3);
  EXPECT_EQ(database().stats().reads_moved, 1u);
  EXPECT_EQ(get(run(database().read(&count))), 1);
}

TEST_F(SqliteLimitsTest, ALongReadHasATimeLimit) {
  SqliteOptions options;
  options.read_time_max_ms = 50;
  open(options);
  int starts = 0;
  Result<std::int64_t> r = run(database().read(&count_to, kForEver, starts));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code(), kQueryTimeout);
  EXPECT_EQ(r.error().category(), Category::timeout);
  EXPECT_EQ(get(run(database().read(&count))), 0);
}

TEST_F(SqliteLimitsTest, TheDeadlineOfTheScopeEndsALongRead) {
  Scope scope;
  scope.set_deadline(std::chrono::steady_clock::now() + 50ms);
  int starts = 0;
  Result<std::int64_t> r = run(database().read(&count_to, kForEver, starts), &scope);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().category(), Category::timeout);
}

TEST_F(SqliteLimitsTest, CancellingEndsALongRead) {
  struct Ops {
    static Async<void> read(Database& db, std::atomic<bool>& running, std::string& code) {
      Result<std::int64_t> r = co_await db.read(&Ops::slow, running);
      code = r ? "ok" : r.error().code();
    }
    static Async<std::int64_t> slow(Reader& db, std::atomic<bool>& running) {
      running = Loop::current() == nullptr;  // on a thread of the driver's
      const std::int64_t n = co_await ok(db.value<std::int64_t>(kCountTo, kForEver));
      co_return n;
    }
  };
  Scope scope;
  std::atomic<bool> running = false;
  std::string code;
  start(Ops::read(database(), running, code), &scope);
  std::thread canceller([&] {
    while (!running) std::this_thread::yield();
    loop().post_callable([&scope] { scope.cancel(Category::cancelled); });
  });
  finish();
  canceller.join();
  EXPECT_EQ(code, "cancelled");
}

// ---- commands

TEST_F(SqliteLimitsTest, ACommandHasATimeLimitAndItsNeighboursDoNotPayForIt) {
  SqliteOptions options;
  options.command_time_max_ms = 50;
  open(options);
  struct Ops {
    static Async<void> endless(Database& db, bool writes, std::string& code) {
      Result<void> r = co_await db.transact(writes ? &insert_for_ever : &count_for_ever);
      code = r ? "ok" : r.error().code();
    }
  };
  for (bool writes : {false, true}) {
    Gate gate;
    std::string before, endless, after;
    start(hold(gate));
    const std::int64_t first = writes ? 100 : 200;
    start(insert_into(first, before));
    start(Ops::endless(database(), writes, endless));
    start(insert_into(first + 1, after));
    gate.open.release();
    finish();
    EXPECT_EQ(before, "ok");
    EXPECT_EQ(endless, kQueryTimeout);
    EXPECT_EQ(after, "ok");
  }
  EXPECT_EQ(get(run(database().read(&count))), 6);
}

TEST_F(SqliteLimitsTest, AFullQueueTurnsCommandsAwayAtOnce) {
  SqliteOptions options;
  options.queue_max = 2;
  open(options);
  Gate gate;
  start(hold(gate));
  std::string codes[4];
  std::thread opener([&] {
    gate.entered.acquire();  // the writer is held: what comes now stays in the queue
    loop().post_callable([&] {
      for (int i = 0; i < 4; ++i) start(insert_into(100 + i, codes[i]));
    });
    loop().post_callable([&] { gate.open.release(); });
  });
  finish();
  opener.join();
  EXPECT_EQ(codes[0], "ok");
  EXPECT_EQ(codes[1], "ok");
  EXPECT_EQ(codes[2], kDatabaseBusy);
  EXPECT_EQ(codes[3], kDatabaseBusy);
  EXPECT_EQ(database().stats().commands_rejected, 2u);
  EXPECT_EQ(get(run(database().read(&count))), 3);
}

TEST_F(SqliteLimitsTest, ACancelledCommandIsNotRunIfItStillWaited) {
  Gate gate;
  Scope scope;
  std::string cancelled, kept;
  start(hold(gate));
  std::thread opener([&] {
    gate.entered.acquire();
    loop().post_callable([&] {
      start(insert_into(1, cancelled), &scope);
      start(insert_into(2, kept));
      scope.cancel(Category::cancelled);
    });
    loop().post_callable([&] { gate.open.release(); });
  });
  finish();
  opener.join();
  EXPECT_EQ(cancelled, "cancelled");
  EXPECT_EQ(kept, "ok");
  EXPECT_EQ(get(run(database().read(&count))), 2);
}

TEST_F(SqliteLimitsTest, AnotherProcesssLockIsWaitedForAndThenReported) {
  SqliteOptions options;
  options.busy_timeout_ms = 30;
  open(options);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(directory().file("test.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  Result<void> r = run(database().transact(&insert, 1, std::string_view("v")));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code(), kDatabaseBusy);
  EXPECT_EQ(r.error().retry_after(), 1s);
  EXPECT_TRUE(run(database().read(&count)));
  sqlite3_close(other);
  EXPECT_TRUE(run(database().transact(&insert, 1, std::string_view("v"))));
}

TEST_F(SqliteLimitsTest, ACommitThatFailsIsRunAgainOneByOneAndOnlyTheGuiltyPays) {
  script(
      "CREATE TABLE parts (id INTEGER PRIMARY KEY, item INTEGER NOT NULL "
      "REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED)");
  struct Ops {
    // The missing item is noticed at the commit, which is that of the whole batch.
    static Async<void> orphan(Transaction& tx) {
      co_await ok(tx.run("INSERT INTO parts (item) VALUES (4711)"));
    }
    static Async<void> try_orphan(Database& db, std::string& code) {
      Result<void> r = co_await db.transact(&Ops::orphan);
      code = r ? "ok" : r.error().code();
    }
  };
  Gate gate;
  std::string before, guilty, after;
  start(hold(gate));
  std::thread opener([&] {
    gate.entered.acquire();
    loop().post_callable([&] {
      start(insert_into(100, before));
      start(Ops::try_orphan(database(), guilty));
      start(insert_into(101, after));
    });
    loop().post_callable([&] { gate.open.release(); });
  });
  finish();
  opener.join();
  EXPECT_EQ(before, "ok");
  EXPECT_EQ(guilty, kForeignKeyViolation);
  EXPECT_EQ(after, "ok");
  EXPECT_EQ(database().stats().batch_max, 4u);
  EXPECT_GE(database().stats().batches_retried, 1u);
  EXPECT_EQ(get(run(database().read(&count))), 3);
}

// ---- the log files

TEST_F(SqliteLimitsTest, TheWriteAheadLogStaysBounded) {
  SqliteOptions options;
  options.wal_checkpoint_mib = 1;
  options.wal_size_max_mib = 2;
  open(options);
  struct Ops {
    static Async<void> many(Database& db, const std::string& value) {
      for (std::int64_t i = 0; i < 300; ++i) co_await ok(db.transact(&insert, i, std::string_view(value)));
    }
  };
  const std::string value(50'000, 'v');  // 15 MB in all
  ASSERT_TRUE(run(Ops::many(database(), value)));
  EXPECT_LT(std::filesystem::file_size(directory().file("test.db-wal")), std::size_t{4} << 20);
  EXPECT_GT(database().stats().checkpoints, 0u);
  close();
  EXPECT_FALSE(std::filesystem::exists(directory().file("test.db-wal")));
}

TEST_F(SqliteLimitsTest, ASlowQueryIsLoggedWithItsPlanAndWithoutItsValues) {
  SqliteOptions options;
  options.slow_query_ms = 5;
  open(options);
  const std::string path = directory().file("log");
  const int log = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  const int before = set_log_output(log);
  int starts = 0;
  const std::int64_t secret = 314'159;
  EXPECT_TRUE(run(database().read(&count_to, secret, starts)));
  set_log_output(before);
  ::close(log);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_NE(text.str().find("slow query"), std::string::npos) << text.str();
  EXPECT_NE(text.str().find("SCAN c"), std::string::npos) << text.str();
  EXPECT_EQ(text.str().find("314159"), std::string::npos) << text.str();
  EXPECT_GE(database().stats().slow_queries, 1u);
}

}  // namespace
}  // namespace bedplate::sql
