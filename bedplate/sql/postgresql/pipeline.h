// SPDX-License-Identifier: Apache-2.0
// Reads that share a connection. Private header of the driver; on its loop's thread.
//
// The statements that reads send in one tick of the loop are one batch, with one sync at the tick's end. If a statement
// fails, PostgreSQL skips the rest of the batch; those are sent again, and their callers do not notice. A read has one
// statement here. With a second one, or when the first takes long, the read starts again on a connection of its own,
// where all its statements see one snapshot.
#pragma once

#include <memory>
#include <optional>

#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "bedplate/sql/call_context.h"
#include "bedplate/sql/postgresql/connection.h"
#include "bedplate/sql/session.h"

namespace bedplate::sql {

class PostgresqlPool;
struct PostgresqlLoopState;

/// The session of a read that begins on a shared connection.
class PostgresqlPipelinedRead final : public Session, public PostgresqlCall {
 public:
  PostgresqlPipelinedRead(PostgresqlLoopState& state, PostgresqlPool& pool, const CallContext& context);
  PostgresqlPipelinedRead(const PostgresqlPipelinedRead&) = delete;
  PostgresqlPipelinedRead& operator=(const PostgresqlPipelinedRead&) = delete;
  ~PostgresqlPipelinedRead();

  bool start(Statement& statement) override;
  void withdraw(Statement& statement) override;
  Dialect dialect() const override { return Dialect::postgresql; }

  /// The body is to start again with a connection of its own; what it answered does not count.
  bool moved() const { return moved_; }
  /// Tells what was learned of its first statement: how many followed it, and whether it was quick.
  void learn(int statements, bool quick);

  /// The statement has its answer: its coroutine goes on later in the loop's turn.
  void finish();
  void finish(Error error);
  void move();

 private:
  PostgresqlLoopState& state_;
  PostgresqlPool& pool_;
  bool used_ = false;
  bool moved_ = false;
};

/// One shared connection, while there is one.
class PostgresqlPipelinedConnection final : private PostgresqlUser {
 public:
  explicit PostgresqlPipelinedConnection(PostgresqlPool& pool);

  bool live() const { return connection_ && !connection_->broken(); }
  std::size_t load() const { return connection_->in_flight(); }
  bool attach(PostgresqlHandle handle);
  void close() {
    if (connection_) connection_->close();
  }
  std::unique_ptr<PostgresqlConnection> take_connection() { return std::move(connection_); }
  PostgresqlConnection::Sent send(PostgresqlPipelinedRead& read);
  void detach(PostgresqlPipelinedRead& read) {
    if (connection_) connection_->detach(read);
  }

  bool dialing = false;

 private:
  struct TickEnd : Work {
    explicit TickEnd(PostgresqlPipelinedConnection& of) : pipeline(of) {}
    PostgresqlPipelinedConnection& pipeline;
  };
  /// A server that hangs, or is cut off without a word, ends no statement by itself.
  class Watchdog final : public CoarseTimer {
   public:
    explicit Watchdog(PostgresqlPipelinedConnection& of);
    PostgresqlPipelinedConnection& pipeline;
  };
  void look_for_life();
  void on_rows(PostgresqlCall& call, const PGresult* result) override;
  void on_failed(PostgresqlCall& call, const PGresult* result) override;
  void on_too_large(PostgresqlCall& call) override;
  void on_skipped(PostgresqlCall& call) override;
  void on_described(PostgresqlCall& call) override;
  void on_control(PostgresqlControl what, const PGresult* result) override;
  void on_synced() override {}
  void on_unanswered(PostgresqlCall& call) override;
  void on_lost() override;
  void end_group();
  void send_again(PostgresqlCall& call);

  PostgresqlPool& pool_;
  std::unique_ptr<PostgresqlConnection> connection_;
  TickEnd tick_end_;
  Watchdog watchdog_;
  bool group_open_ = false;
};

}  // namespace bedplate::sql
