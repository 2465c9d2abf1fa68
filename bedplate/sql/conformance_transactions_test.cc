// SPDX-License-Identifier: Apache-2.0
// What every driver gives alike, second part: transactions, snapshots, limits of time, many callers.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "bedplate/async/timer.h"
#include "bedplate/sql/database.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::dialect_name;
using bedplate::testing::EngineKit;
using bedplate::testing::every_dialect;

std::string schema_of(Dialect dialect) {
  const std::string schema =
      "CREATE TABLE accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0));"
      "CREATE TABLE doctors (id BIGINT PRIMARY KEY, on_call BIGINT NOT NULL);";
  if (dialect == Dialect::sqlite)
    return schema + "CREATE TABLE moves (id INTEGER PRIMARY KEY, amount BIGINT);";
  return schema + "CREATE TABLE moves (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount BIGINT);";
}

class Transactions : public ::testing::TestWithParam<Dialect> {
 protected:
  EngineKit& kit(DatabaseOptions options = {}) {
    return kit_.emplace(GetParam(), schema_of(GetParam()), std::move(options));
  }
  bool on_postgresql() const { return GetParam() == Dialect::postgresql; }

 private:
  std::optional<EngineKit> kit_;
};
INSTANTIATE_TEST_SUITE_P(Engine, Transactions, every_dialect(), dialect_name);

Async<void> insert(Transaction& tx, std::int64_t id, std::int64_t balance) {
  co_await ok(tx.run("INSERT INTO accounts (id, balance) VALUES ($1, $2)", id, balance));
}
Async<std::int64_t> count(Reader& db) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM accounts"));
  co_return n;
}
Async<std::int64_t> balance(Reader& db, std::int64_t id) {
  const std::int64_t n =
      co_await ok(db.value<std::int64_t>("SELECT balance FROM accounts WHERE id = $1", id));
  co_return n;
}

/// Starts many coroutines on the kit's loop and runs them to their ends.
class Crowd {
 public:
  explicit Crowd(Loop& loop) : loop_(loop) {}
  void add(Async<void> coroutine, Scope* scope = nullptr) {
    ++running_;
    loop_.spawn(count_down(std::move(coroutine)), scope);
  }
  void run() {
    if (running_ > 0) loop_.run();
  }

 private:
  Async<void> count_down(Async<void> coroutine) {
    std::ignore = co_await std::move(coroutine);
    if (--running_ == 0) loop_.stop();
  }
  Loop& loop_;
  int running_ = 0;
};

// ---- failing

Async<void> insert_then_fail(Transaction& tx, std::int64_t id) {
  co_await ok(insert(tx, id, 0));
  co_await fail(Category::conflict, "no", "No.");
}
Async<void> insert_then_refuse(Transaction& tx, std::int64_t id) {
  co_await ok(insert(tx, id, 0));
  co_await refuse_and_commit(Error(Category::forbidden, "revoked", "Revoked."));
}
Async<void> go_on_after_a_failure(Transaction& tx) {
  co_await ok(insert(tx, 1, 0));
  Result<void> twice = co_await insert(tx, 1, 0);
  Result<std::int64_t> later = co_await tx.run("DELETE FROM accounts");
  if (!twice && !later && later.error().code() == kTransactionFailed) co_return;
  co_await fail(Category::internal, "unexpected", "Unexpected.");
}
Async<void> write_through_a_reader(Reader& db) {
  co_await ok(db.maybe<std::int64_t>("DELETE FROM accounts RETURNING 1"));
}

TEST_P(Transactions, AFailureRollsBackAndARefusalMayKeepItsWrites) {
  EngineKit& on = kit();
  EXPECT_EQ(on.run(on.database().transact(&insert_then_fail, 1)).error().code(), "no");
  EXPECT_EQ(on.get(on.database().read(&count)), 0);
  EXPECT_EQ(on.run(on.database().transact(&insert_then_refuse, 1)).error().code(), "revoked");
  EXPECT_EQ(on.get(on.database().read(&count)), 1);
}

TEST_P(Transactions, NoneSurvivesAFailedStatement) {
  EngineKit& on = kit();
  Result<void> r = on.run(on.database().transact(&go_on_after_a_failure));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code(), kTransactionFailed);
  EXPECT_EQ(on.get(on.database().read(&count)), 0);
}

TEST_P(Transactions, AReaderDoesNotWrite) {
  EngineKit& on = kit();
  on.get(on.database().transact(&insert, 1, 5));
  EXPECT_EQ(on.run(on.database().read(&write_through_a_reader)).error().code(), kReadOnly);
  EXPECT_EQ(on.get(on.database().read(&count)), 1);
}

Async<std::vector<std::int64_t>> returning(Transaction& tx) {
  auto rows = co_await ok(
      tx.all<std::int64_t>("INSERT INTO accounts (id, balance) VALUES (1, 10), (2, 20) RETURNING balance"));
  const std::int64_t first = co_await ok(
      tx.value<std::int64_t>("INSERT INTO accounts (id, balance) VALUES (3, 30), (4, 40) RETURNING balance"));
  rows.push_back(first);
  co_return rows;
}

TEST_P(Transactions, ReturningGivesRowsAndWritesAll) {
  EngineKit& on = kit();
  EXPECT_EQ(on.get(on.database().transact(&returning)), (std::vector<std::int64_t>{10, 20, 30}));
  EXPECT_EQ(on.get(on.database().read(&count)), 4);
}

Async<void> nothing(Transaction&) {
  co_return;
}

TEST_P(Transactions, OneWithoutStatementsIsWell) {
  EngineKit& on = kit();
  EXPECT_TRUE(on.run(on.database().transact(&nothing)));
}

// ---- at the same time

Async<void> add_one(Transaction& tx, std::int64_t id) {
  const std::int64_t now = co_await ok(balance(tx, id));
  co_await ok(tx.run("UPDATE accounts SET balance = $2 WHERE id = $1", id, now + 1));
}
Async<void> add_many(Database& db, int rounds, int& failed) {
  for (int i = 0; i < rounds; ++i) {
    Result<void> done = co_await db.transact(&add_one, 1);
    if (!done) ++failed;
  }
}

TEST_P(Transactions, WhatWasReadHoldsUntilItIsWritten) {
  EngineKit& on = kit();
  on.get(on.database().transact(&insert, 1, 0));
  constexpr int kCallers = 40, kRounds = 5;
  Crowd crowd(on.loop());
  int failed = 0;
  for (int i = 0; i < kCallers; ++i) crowd.add(add_many(on.database(), kRounds, failed));
  crowd.run();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(on.get(on.database().read(&balance, 1)), kCallers * kRounds);
}

// Each looks at both and takes itself off: at least one stays, if they run as if one after another.
Async<void> go_home(Transaction& tx, std::int64_t self) {
  const std::int64_t on_call =
      co_await ok(tx.value<std::int64_t>("SELECT count(*) FROM doctors WHERE on_call = 1"));
  if (on_call < 2) co_await fail(Category::conflict, "alone", "Somebody must stay.");
  co_await ok(tx.run("UPDATE doctors SET on_call = 0 WHERE id = $1", self));
}
Async<void> come_back(Transaction& tx) {
  co_await ok(tx.run("DELETE FROM doctors"));
  co_await ok(tx.run("INSERT INTO doctors (id, on_call) VALUES (1, 1), (2, 1)"));
}
Async<std::int64_t> staying(Reader& db) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>("SELECT sum(on_call) FROM doctors"));
  co_return n;
}
Async<void> try_to_go_home(Database& db, std::int64_t self) {
  std::ignore = co_await db.transact(&go_home, self);
}

TEST_P(Transactions, RunAsIfOneAfterAnother) {
  EngineKit& on = kit();
  for (int round = 0; round < 20; ++round) {
    on.get(on.database().transact(&come_back));
    Crowd crowd(on.loop());
    crowd.add(try_to_go_home(on.database(), 1));
    crowd.add(try_to_go_home(on.database(), 2));
    crowd.run();
    EXPECT_EQ(on.get(on.database().read(&staying)), 1);
  }
}

Async<std::int64_t> difference(Reader& db) {
  const std::int64_t before = co_await ok(count(db));
  const std::int64_t after = co_await ok(count(db));
  co_return after - before;
}
Async<void> insert_some(Database& db, std::int64_t from, int& wrong) {
  for (std::int64_t id = from; id < from + 20; ++id) {
    Result<void> done = co_await db.transact(&insert, id, 0);
    if (!done) ++wrong;
  }
}
Async<void> look_often(Database& db, int& wrong) {
  for (int i = 0; i < 40; ++i) {
    Result<std::int64_t> moved = co_await db.read(&difference);
    if (!moved || *moved != 0) ++wrong;
  }
}

TEST_P(Transactions, StatementsOfOneReadSeeOneSnapshot) {
  EngineKit& on = kit();
  Crowd crowd(on.loop());
  int wrong = 0;
  for (int i = 0; i < 4; ++i) {
    crowd.add(insert_some(on.database(), i * 100, wrong));
    crowd.add(look_often(on.database(), wrong));
  }
  crowd.run();
  EXPECT_EQ(wrong, 0);
}

// ---- neighbours

Async<std::int64_t> maybe_bad(Reader& db, bool bad) {
  const std::string_view sql = bad ? "SELECT id, nothing FROM nowhere" : "SELECT count(*) FROM accounts";
  const std::int64_t n = co_await ok(db.value<std::int64_t>(sql));
  co_return n;
}
Async<void> read_one(Database& db, bool bad, int& wrong) {
  for (int i = 0; i < 3; ++i) {
    Result<std::int64_t> n = co_await db.read(&maybe_bad, bad);
    if (bad ? n.has_value() || n.error().code() != kSqlError : !n || *n != 1) ++wrong;
  }
}

TEST_P(Transactions, AReadThatFailsHarmsNoNeighbour) {
  EngineKit& on = kit();
  on.get(on.database().transact(&insert, 1, 5));
  Crowd crowd(on.loop());
  int wrong = 0;
  for (int i = 0; i < 1000; ++i) crowd.add(read_one(on.database(), i % 100 == 50, wrong));
  crowd.run();
  EXPECT_EQ(wrong, 0);
  if (on_postgresql()) {
    EXPECT_GT(on.database().stats().reads_resent, 0u);
  }
}

// ---- limits of time

// Long enough on any machine; `steps` rows are made one from the other.
Async<std::int64_t> count_up(Reader& db, std::int64_t steps) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>(
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < $1) SELECT max(x) FROM c",
      steps));
  co_return n;
}
Async<std::int64_t> count_up_in(Transaction& tx, std::int64_t steps) {
  return count_up(tx, steps);
}
constexpr std::int64_t kForever = 2'000'000'000;

DatabaseOptions impatient() {
  DatabaseOptions options;
  options.sqlite.read_time_max_ms = options.postgresql.read_time_max_ms = 300;
  options.sqlite.command_time_max_ms = options.postgresql.command_time_max_ms = 300;
  options.postgresql.shared_read_time_max_ms = 50;
  return options;
}

TEST_P(Transactions, WhatTakesTooLongIsEnded) {
  EngineKit& on = kit(impatient());
  Result<std::int64_t> read = on.run(on.database().read(&count_up, kForever));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), kQueryTimeout);
  EXPECT_EQ(read.error().category(), Category::timeout);
  Result<std::int64_t> command = on.run(on.database().transact(&count_up_in, kForever));
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().code(), kQueryTimeout);
  // What takes no time is answered as before; on a busy machine at one of the next tries.
  EXPECT_TRUE(bedplate::testing::wait_until(
      [&, id = 0]() mutable { return on.run(on.database().transact(&insert, ++id, 5)).has_value(); }));
  EXPECT_TRUE(bedplate::testing::wait_until([&] {
    Result<std::int64_t> rows = on.run(on.database().read(&count));
    return rows && *rows >= 1;
  }));
}

TEST_P(Transactions, AReadThatTakesLongerThanMostIsAnsweredAllTheSame) {
  DatabaseOptions options;
  options.sqlite.loop_steps_max = 1000;
  options.postgresql.shared_read_time_max_ms = 1;
  EngineKit& on = kit(options);
  EXPECT_EQ(on.get(on.database().read(&count_up, 100'000)), 100'000);
  EXPECT_GE(on.database().stats().reads_moved, 1u);
}

Async<void> cancel_soon(Scope& scope) {
  co_await ok(sleep_for(std::chrono::milliseconds(30)));
  scope.cancel(Category::cancelled);
}
Async<void> read_forever(Database& db, std::string& code) {
  Result<std::int64_t> n = co_await db.read(&count_up, kForever);
  code = n ? "answered" : n.error().code();
}
Async<void> write_forever(Database& db, std::string& code) {
  Result<std::int64_t> n = co_await db.transact(&count_up_in, kForever);
  code = n ? "answered" : n.error().code();
}

TEST_P(Transactions, CancelledReadsEndAtOnceAndLeaveNoMark) {
  EngineKit& on = kit();
  for (int round = 0; round < 3; ++round) {
    Crowd crowd(on.loop());
    std::vector<std::unique_ptr<Scope>> scopes;
    std::vector<std::string> codes(4);
    for (std::string& code : codes) {
      scopes.push_back(std::make_unique<Scope>());
      crowd.add(read_forever(on.database(), code), scopes.back().get());
      crowd.add(cancel_soon(*scopes.back()));
    }
    crowd.run();
    for (const std::string& code : codes) EXPECT_EQ(code, "cancelled");
  }
  EXPECT_EQ(on.get(on.database().read(&count)), 0);
}

TEST_P(Transactions, CancelledCommandsLeaveNoMark) {
  DatabaseOptions options;
  options.sqlite.command_time_max_ms = 300;  // there, one that has begun runs on
  EngineKit& on = kit(options);
  Crowd crowd(on.loop());
  Scope scope;
  std::string code;
  crowd.add(write_forever(on.database(), code), &scope);
  crowd.add(cancel_soon(scope));
  crowd.run();
  EXPECT_TRUE(code == "cancelled" || (!on_postgresql() && code == kQueryTimeout)) << code;
  on.get(on.database().transact(&insert, 1, 5));
}

Async<void> read_cancelled(Database& db, Scope& scope, std::string& code) {
  scope.cancel(Category::cancelled);
  Result<std::int64_t> n = co_await db.read(&count);
  code = n ? "answered" : n.error().code();
}

TEST_P(Transactions, ACallerThatIsGoneAlreadyDoesNotWait) {
  EngineKit& on = kit();
  Crowd crowd(on.loop());
  Scope scope;
  std::string code;
  crowd.add(read_cancelled(on.database(), scope, code), &scope);
  crowd.run();
  EXPECT_TRUE(code == "cancelled" || code == "answered") << code;  // SQLite need not wait to answer
  EXPECT_EQ(on.get(on.database().read(&count)), 0);
}

// ---- thousands

Async<void> move(Transaction& tx, std::int64_t source, std::int64_t target) {
  co_await ok(tx.run("UPDATE accounts SET balance = balance + 7 WHERE id = $1", target));
  co_await ok(tx.run("UPDATE accounts SET balance = balance - 7 WHERE id = $1", source));
}
Async<std::int64_t> total(Reader& db) {
  const std::int64_t sum = co_await ok(db.value<std::int64_t>("SELECT sum(balance) FROM accounts"));
  co_return sum;
}
Async<void> move_and_look(Database& db, std::uint32_t seed, std::int64_t accounts, int& wrong, int& running,
                          Loop& loop) {
  const std::int64_t source = (seed * 2654435761u >> 8) % accounts;
  const std::int64_t target = (seed * 40503u >> 4) % accounts;
  Result<void> moved = co_await db.transact(&move, source, target);
  const bool expected = moved || moved.error().code() == kCheckViolation;
  if (!expected) ++wrong;
  Result<std::int64_t> sum = co_await db.read(&total);
  if (!sum || *sum != accounts * 50) ++wrong;
  if (--running == 0) loop.stop();
}

TEST_P(Transactions, ThousandsOfCallersNeitherMakeNorLoseMoney) {
  DatabaseOptions options;
  options.sqlite.command_time_max_ms = options.postgresql.command_time_max_ms = 60'000;
  EngineKit& on = kit(options);
  constexpr std::int64_t kAccounts = 200;
  constexpr int kLoops = 2, kCallers = 1000;
  for (std::int64_t i = 0; i < kAccounts; ++i) on.get(on.database().transact(&insert, i, 50));
  int wrong[kLoops] = {};
  int running[kLoops] = {};
  Loop loops[kLoops];
  std::vector<std::thread> threads;
  for (int t = 0; t < kLoops; ++t) {
    threads.emplace_back([&, t] {
      running[t] = kCallers;
      for (int i = 0; i < kCallers; ++i)
        loops[t].spawn(move_and_look(on.database(), static_cast<std::uint32_t>(t * kCallers + i), kAccounts,
                                     wrong[t], running[t], loops[t]));
      loops[t].run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong[0] + wrong[1], 0);
  EXPECT_EQ(on.get(on.database().read(&total)), kAccounts * 50);
  on.database().close();  // before the loops go
}

}  // namespace
}  // namespace bedplate::sql
