// SPDX-License-Identifier: Apache-2.0
// Reads from replicas, and what a client that carries its commit mark sees there.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/postgresql/postgresql.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::PostgresDatabase;
using bedplate::testing::PostgresServer;

Async<void> insert(Transaction& tx, std::int64_t id) {
  co_await ok(tx.run("INSERT INTO entries (id) VALUES ($1)", id));
}
Async<std::int64_t> count(Reader& db) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM entries"));
  co_return n;
}
Async<bool> on_replica(Reader& db) {
  const bool is = co_await ok(db.value<bool>("SELECT pg_is_in_recovery()"));
  co_return is;
}

constexpr std::int64_t kPatientMs = std::chrono::milliseconds(bedplate::testing::kPatience).count();

class Replicas : public ::testing::Test {
 protected:
  Replicas() : place_(primary_.create_database()) {
    place_.rows("CREATE TABLE entries (id bigint NOT NULL); GRANT ALL ON entries TO bedplate");
    replica_ = primary_.replica();
    replica_->catch_up_with(primary_);
    options_.url = place_.url();
    options_.replica_urls = {replica_->url(place_.name())};
    // A replica that the machine is too busy for is not one that is away.
    options_.connect_timeout_ms = options_.read_time_max_ms = options_.command_time_max_ms = kPatientMs;
    database_ = std::move(*open_postgresql(options_));
    may_lag_.from_replica = true;
  }
  template <class T>
  Result<T> run(Async<T> coroutine) {
    return run_to_end(loop_, std::move(coroutine));
  }

  PostgresServer primary_;
  PostgresDatabase place_;
  std::unique_ptr<PostgresServer> replica_;
  PostgresqlOptions options_;
  Loop loop_;
  std::unique_ptr<Database> database_;
  CallContext may_lag_;
};

TEST_F(Replicas, AnswerReadsThatMayLagAndNoOthers) {
  EXPECT_EQ(run(database_->read(may_lag_, &on_replica)), true);
  EXPECT_EQ(run(database_->read(&on_replica)), false);
  EXPECT_EQ(database_->stats().reads_on_replicas, 1u);
}

TEST_F(Replicas, WhoCarriesTheMarkReadsWhatItWrote) {
  options_.replica_wait_ms = kPatientMs;
  database_ = std::move(*open_postgresql(options_));
  CommitPosition seen;
  for (std::int64_t i = 1; i <= 30; ++i) {
    CallContext writing;
    CommitPosition mark;
    writing.committed = &mark;
    ASSERT_TRUE(run(database_->transact(writing, &insert, i)));
    ASSERT_FALSE(mark.empty());
    EXPECT_GT(mark, seen);
    seen = mark;
    may_lag_.after = mark;
    EXPECT_EQ(run(database_->read(may_lag_, &count)), i);
  }
  EXPECT_GT(database_->stats().reads_on_replicas, 0u);
}

TEST_F(Replicas, OneThatLagsIsWaitedForAndThenThePrimaryAnswers) {
  testing::run_sql(replica_->admin_url(), "SELECT pg_wal_replay_pause()");
  CallContext writing;
  CommitPosition mark;
  writing.committed = &mark;
  ASSERT_TRUE(run(database_->transact(writing, &insert, 1)));
  may_lag_.after = mark;
  EXPECT_EQ(run(database_->read(may_lag_, &count)), 1);
  EXPECT_EQ(database_->stats().reads_on_replicas, 0u);
  may_lag_.after = CommitPosition();
  EXPECT_EQ(run(database_->read(may_lag_, &count)), 0);  // it said that it does not mind
  testing::run_sql(replica_->admin_url(), "SELECT pg_wal_replay_resume()");
}

TEST_F(Replicas, OneThatIsDownIsLeftOutAndTriedAgain) {
  EXPECT_EQ(run(database_->read(may_lag_, &on_replica)), true);
  replica_->kill();
  EXPECT_EQ(run(database_->read(may_lag_, &on_replica)), false);
  EXPECT_EQ(run(database_->read(may_lag_, &count)), 0);
  replica_->start();
  EXPECT_TRUE(bedplate::testing::wait_until(
      [this] { return run(database_->read(may_lag_, &on_replica)).value_or(false); }));
}

}  // namespace
}  // namespace bedplate::sql
