// SPDX-License-Identifier: Apache-2.0
// A connection that belongs to one transaction at a time, and the session of that transaction. Inside the
// driver only; on its loop's thread.
//
// Its life: idle in its pool, lent to a transaction, and then, unless that was committed cleanly,
// recovering: what still runs on the server is stopped, the transaction is rolled back, and only then it is
// idle again. Nobody waits for that.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "bedplate/async/timer.h"
#include "bedplate/sql/call_context.h"
#include "bedplate/sql/failed_statement.h"
#include "bedplate/sql/postgresql/cancel.h"
#include "bedplate/sql/postgresql/connection.h"
#include "bedplate/sql/session.h"

namespace bedplate::sql {

class PostgresqlPool;

class PostgresqlSession final : public Session, private PostgresqlUser, private PostgresqlCall {
 public:
  enum class Access : std::uint8_t { write, read };
  class EndOp;

  PostgresqlSession(PostgresqlPool& pool, PostgresqlHandle handle);
  /// False: the system has no room for it.
  bool start_listening() { return connection_.start(); }

  /// Begins a transaction; the server hears of it with its first statement.
  void begin(Access access, const CallContext& context, std::chrono::milliseconds time_max);

  // Session
  bool start(Statement& statement) override;
  void withdraw(Statement& statement) override;
  Dialect dialect() const override { return Dialect::postgresql; }

  /// Commits: `co_await ok(session.end())`. The connection is given back however it ends. An error means that
  /// nothing was committed, but for `commit_unknown`.
  EndOp end();
  /// Ends it without a commit, and gives the connection back when that is done.
  void abandon();

  /// A statement failed: nothing more can come of the transaction.
  bool failed() const { return failed_; }
  const FailedStatement& failure() const { return failure_; }
  /// What has ended the transaction between two statements, or after the last: no statement had it for its error.
  std::optional<Error> take_fault() { return std::exchange(control_error_, std::nullopt); }
  /// It failed for a reason that may be gone when it is run again: nothing was committed.
  bool may_run_again() const { return may_run_again_; }
  int statements() const { return statements_; }
  CommitPosition mark() const { return mark_; }

 private:
  friend class PostgresqlPool;  // makes, lends, closes and discards it
  enum class Phase : std::uint8_t { idle, open, ending, recovering, gone };
  class Timer final : public CoarseTimer {
   public:
    Timer(Loop& loop, PostgresqlSession& of);
    PostgresqlSession& session;
  };

  void on_rows(PostgresqlCall& call, const PGresult* result) override;
  void on_failed(PostgresqlCall& call, const PGresult* result) override;
  void on_too_large(PostgresqlCall& call) override;
  void on_skipped(PostgresqlCall& call) override;
  void on_described(PostgresqlCall& call) override;
  void on_control(PostgresqlControl what, const PGresult* result) override;
  void on_synced() override;
  void on_unanswered(PostgresqlCall& call) override;
  void on_lost() override;

  bool send_begin();
  bool send_statement();
  void finish(std::optional<Error> error);
  void expire();
  void stop_server();
  void on_cancel_sent();
  void recover();
  void send_end(EndOp& op);
  void settle_end();
  void fail_end(Error error);
  void unpin();

  PostgresqlPool& pool_;
  Timer timer_;
  Phase phase_ = Phase::idle;
  Access access_ = Access::write;
  const CallContext* context_ = nullptr;
  bool begun_ = false;  ///< BEGIN was sent
  bool failed_ = false;
  bool may_run_again_ = false;
  bool cancelled_ = false;  ///< the server was asked to stop it, once
  bool rolling_back_ = false;
  bool committed_ = false;
  bool lent_ = false;  ///< the pool's
  int statements_ = 0;
  EndOp* ending_ = nullptr;
  std::optional<Error> control_error_;
  FailedStatement failure_;
  CommitPosition mark_;
  PostgresqlCancel cancel_;          ///< until it has arrived it could hit the next transaction
  PostgresqlConnection connection_;  // last: it tells the rest
};

/// What PostgresqlSession::end() gives: await it. It cannot be cancelled: the answer to COMMIT is waited for.
class [[nodiscard]] PostgresqlSession::EndOp : public Op {
 public:
  using Value = void;

  explicit EndOp(PostgresqlSession& session) : session_(&session) {}
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) {
      session_->abandon();
      return false;
    }
    session_->send_end(*this);
    return true;
  }
  [[nodiscard]] Result<void> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }

 private:
  PostgresqlSession* session_;
};

/// "0/16B3740", the server's way to write a position in its log; nothing for another text.
std::optional<std::uint64_t> read_postgresql_lsn(std::string_view text);

inline PostgresqlSession::EndOp PostgresqlSession::end() {
  return EndOp(*this);
}

}  // namespace bedplate::sql
