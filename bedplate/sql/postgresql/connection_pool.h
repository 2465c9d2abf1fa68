// SPDX-License-Identifier: Apache-2.0
// PostgresqlPool: the connections of one loop to one server (the primary or a replica), and whether that is there.
//
//   PostgresqlSession* session = co_await ok(pool.acquire());   // a transaction has a connection of its own
//   if (pool.submit(read)) ...                                  // queries share pipelined ones: pipeline.h
//
// Sessions are lent to transactions, at most options.transaction_connections; further transactions wait in order, at
// most options.queue_max. Reads are pipelined on options.read_connections. Private header of the driver; on the loop's
// thread.
//
// When the last connection of a kind is gone and none can be made, whoever waits for one or asks for it is
// answered at once that the database is unavailable, and it is tried again, after 100 ms at first and 5 s at
// last.
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bedplate/async/timer.h"
#include "bedplate/sql/postgresql/cancel.h"
#include "bedplate/sql/postgresql/dial.h"
#include "bedplate/sql/postgresql/pipeline.h"
#include "bedplate/sql/postgresql/session.h"
#include "bedplate/sql/postgresql/slow_log.h"

namespace bedplate::sql {

/// Numbers of the whole database. Any thread.
struct PostgresqlCounters {
  std::atomic<std::uint64_t> commits{0}, commands{0}, commands_failed{0}, rejected{0}, retried{0}, reads{0},
      reads_moved{0}, reads_resent{0}, reads_on_replicas{0}, connects{0}, connects_failed{0}, lost{0},
      commits_unknown{0};
  std::atomic<std::uint64_t> waiting{0}, connections{0}, busy{0};
};

/// What the pools of one loop have in common.
struct PostgresqlLoopState {
  PostgresqlLoopState(Loop& on, const PostgresqlOptions& settings, PostgresqlHelpers& dialing,
                      PostgresqlCancellers& cancelling, PostgresqlSlowLog& logging,
                      PostgresqlCounters& counting);

  Loop& loop;
  const PostgresqlOptions& options;
  PostgresqlHelpers& dialers;
  PostgresqlCancellers& cancellers;
  PostgresqlSlowLog& slow_log;
  PostgresqlCounters& counters;
  PostgresqlStatements statements;
  /// Tells the server on whose behalf the rest of a transaction runs.
  PostgresqlStatement& tenant_setter;
};

class PostgresqlPool {
 public:
  class AcquireOp;

  PostgresqlPool(PostgresqlLoopState& state, std::string url);
  PostgresqlPool(const PostgresqlPool&) = delete;
  PostgresqlPool& operator=(const PostgresqlPool&) = delete;

  /// Sends a read, or keeps it until there is a connection. True: it is done, with an error.
  bool submit(PostgresqlPipelinedRead& read);
  /// The same, and resumes whoever waits for it if it is done.
  void resubmit(PostgresqlPipelinedRead& read);
  /// It is not waited for any more.
  void withdraw(PostgresqlPipelinedRead& read);

  /// A connection of one's own: `PostgresqlSession* session = co_await ok(pool.acquire())`.
  AcquireOp acquire();

  /// Reads are turned away.
  bool down() const { return pipelines_down_; }
  Error down_error() const;
  /// Fails whoever waits, and takes nothing more. The loop does not run.
  void close();

  PostgresqlLoopState& state() { return state_; }
  Loop& loop() { return state_.loop; }

  // For its connections.
  void give_back(PostgresqlSession& session);
  void discard(PostgresqlSession& session);
  void on_pipeline_lost(PostgresqlPipelinedConnection& pipeline);
  void discard(std::unique_ptr<PostgresqlConnection> connection);

 private:
  class RetryTimer final : public CoarseTimer {
   public:
    RetryTimer(Loop& loop, PostgresqlPool& of);
    PostgresqlPool& pool;
  };
  struct DeferredDelete : Work {
    explicit DeferredDelete(PostgresqlPool& of) : pool(of) {}
    PostgresqlPool& pool;
  };

  PostgresqlPipelinedConnection* pick_pipeline();
  void fill_pipelines();
  void want_session();
  void dial(PostgresqlRole role, PostgresqlPipelinedConnection* pipeline);
  void on_dialed(PostgresqlRole role, PostgresqlPipelinedConnection* pipeline,
                 Result<PostgresqlHandle> dialed);
  void on_dial_failed(const Error& error);
  void try_again();
  void fail_parked(const Error& error);
  void fail_waiting(const Error& error);
  bool has_pipeline() const;
  void delete_discarded();
  void lend(AcquireOp& op, PostgresqlSession& session);

  PostgresqlLoopState& state_;
  const std::string url_;
  std::vector<std::unique_ptr<PostgresqlPipelinedConnection>> pipelines_;
  std::deque<PostgresqlPipelinedRead*> parked_;  ///< reads that wait for a connection
  std::vector<std::unique_ptr<PostgresqlSession>> sessions_;
  std::vector<PostgresqlSession*> idle_;
  std::size_t dialing_sessions_ = 0;
  AcquireOp* first_ = nullptr;  ///< transactions that wait for a connection
  AcquireOp* last_ = nullptr;
  bool pipelines_down_ = false;  ///< none, and the last attempt to make one failed
  bool sessions_down_ = false;
  bool closed_ = false;
  std::chrono::milliseconds backoff_;
  RetryTimer retry_;
  std::vector<std::unique_ptr<PostgresqlConnection>> discarded_connections_;
  std::vector<std::unique_ptr<PostgresqlSession>> discarded_sessions_;
  DeferredDelete deferred_delete_;
  bool delete_scheduled_ = false;
};

/// What PostgresqlPool::acquire() gives: await it.
class [[nodiscard]] PostgresqlPool::AcquireOp : public Op {
 public:
  using Value = PostgresqlSession*;

  explicit AcquireOp(PostgresqlPool& pool) : pool_(&pool) {}
  bool await_ready();
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    enqueue();
    return true;
  }
  [[nodiscard]] Result<PostgresqlSession*> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return session_;
  }

 private:
  friend class PostgresqlPool;
  void enqueue();
  void unlink();
  static void cancel(Op& op);

  PostgresqlPool* pool_;
  PostgresqlSession* session_ = nullptr;
  AcquireOp* before_ = nullptr;
  AcquireOp* after_ = nullptr;
};

inline PostgresqlPool::AcquireOp PostgresqlPool::acquire() {
  return AcquireOp(*this);
}

}  // namespace bedplate::sql
