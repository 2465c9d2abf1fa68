// SPDX-License-Identifier: Apache-2.0
// Many callers on several loops at once; ThreadSanitizer watches.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/sql/database.h"
#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

constexpr const char* kSchema =
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0));"
    "CREATE TABLE moves (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, target INTEGER NOT NULL);";
constexpr std::int64_t kAccounts = 20;
constexpr std::int64_t kStart = 50;

struct Bank {
  Async<void> open(Transaction& tx) {
    for (std::int64_t i = 0; i < kAccounts; ++i)
      co_await ok(tx.run("INSERT INTO accounts (id, balance) VALUES ($1, $2)", i, kStart));
  }
  // Writes first and may then fail: what was written must go, and nothing of the neighbours'.
  Async<std::int64_t> move(Transaction& tx, std::int64_t source, std::int64_t target) {
    co_await ok(tx.run("UPDATE accounts SET balance = balance + 7 WHERE id = $1", target));
    co_await ok(tx.run("UPDATE accounts SET balance = balance - 7 WHERE id = $1", source));
    const std::int64_t id = co_await ok(tx.value<std::int64_t>(
        "INSERT INTO moves (source, target) VALUES ($1, $2) RETURNING id", source, target));
    co_return id;
  }
  Async<std::int64_t> total(Reader& db) {
    const std::int64_t sum = co_await ok(db.value<std::int64_t>("SELECT sum(balance) FROM accounts"));
    co_return sum;
  }
  Async<std::int64_t> has(Reader& db, std::int64_t move) {
    const std::int64_t n =
        co_await ok(db.value<std::int64_t>("SELECT count(*) FROM moves WHERE id = $1", move));
    co_return n;
  }
};

/// The newest move that anybody was told of, by any loop.
std::atomic<std::int64_t> acknowledged{0};

struct Caller {
  Database& db;
  Bank& bank;
  Loop& loop;
  int& running;
  std::atomic<int>& wrong;
  std::atomic<int>& moved;

  Async<void> work(std::uint32_t seed, int rounds) {
    for (int i = 0; i < rounds; ++i) {
      seed = seed * 1664525 + 1013904223;
      const std::int64_t source = (seed >> 8) % kAccounts;
      const std::int64_t target = (seed >> 16) % kAccounts;
      Result<std::int64_t> id = co_await db.transact(&Bank::move, bank, source, target);
      if (id) {
        moved.fetch_add(1);
        std::int64_t seen = acknowledged.load();
        while (seen < *id && !acknowledged.compare_exchange_weak(seen, *id)) {
        }
      } else if (id.error().code() != kCheckViolation) {
        wrong.fetch_add(1);
      }
      // Whatever was acknowledged to anyone, on any loop, is there; and money is neither made nor lost.
      const std::int64_t newest = acknowledged.load();
      Result<std::int64_t> there = co_await db.read(&Bank::has, bank, newest);
      if (newest > 0 && (!there || *there != 1)) wrong.fetch_add(1);
      Result<std::int64_t> sum = co_await db.read(&Bank::total, bank);
      if (!sum || *sum != kAccounts * kStart) wrong.fetch_add(1);
    }
    if (--running == 0) loop.stop();
  }
};

void hammer(SqliteKit& kit, int loops, int callers, int rounds) {
  Bank bank;
  acknowledged = 0;
  get(kit.run(kit.database().transact(&Bank::open, bank)));
  std::atomic<int> wrong{0};
  std::atomic<int> moved{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < loops; ++t) {
    threads.emplace_back([&, t] {
      Loop loop;
      int running = callers;
      Caller caller{kit.database(), bank, loop, running, wrong, moved};
      for (int i = 0; i < callers; ++i)
        loop.spawn(caller.work(static_cast<std::uint32_t>(t * 1000 + i), rounds));
      loop.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(get(kit.run(kit.database().read(&Bank::total, bank))), kAccounts * kStart);
  EXPECT_EQ(get(kit.run(kit.database().read(&Bank::has, bank, acknowledged.load()))), 1);
  const DatabaseStats stats = kit.database().stats();
  EXPECT_EQ(stats.commands, static_cast<std::uint64_t>(loops * callers * rounds) + 1);
  EXPECT_EQ(stats.commands - stats.commands_failed, static_cast<std::uint64_t>(moved.load()) + 1);
  EXPECT_EQ(stats.queue_depth, 0u);
}

TEST(SqliteConcurrencyTest, EveryLoopReadsWhatAnyoneWasTold) {
  SqliteKit kit(kSchema);
  hammer(kit, 3, 1000, 2);
  EXPECT_GT(kit.database().stats().batch_max, 1u);
  EXPECT_LT(kit.database().stats().commits, kit.database().stats().commands);
}

TEST(SqliteConcurrencyTest, OneCommandACommitGivesTheSameAnswers) {
  SqliteOptions options;
  options.batch_max = 1;
  SqliteKit kit(kSchema, options);
  hammer(kit, 2, 50, 2);
  EXPECT_EQ(kit.database().stats().batch_max, 1u);
}

TEST(SqliteConcurrencyTest, LongReadsAndWritesGoOnTogether) {
  SqliteOptions options;
  options.loop_steps_max = 1000;  // nearly every read moves
  options.reader_queue_max = 5000;
  SqliteKit kit(kSchema, options);
  hammer(kit, 2, 100, 2);
}

}  // namespace
}  // namespace bedplate::sql
