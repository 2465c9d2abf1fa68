// SPDX-License-Identifier: Apache-2.0
// Reads: on the loop that asks, or on a few threads for those that take long. Private header of the driver.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/sqlite/connection.h"
#include "bedplate/sql/sqlite/queue.h"

namespace bedplate::sql {

/// One loop's connection. Reads of one tick share a read transaction, which spares each the locks; it ends
/// with the tick, or when someone has committed meanwhile, so that no read misses what was acknowledged
/// before it began.
class SqliteLoopReader {
 public:
  static Result<std::unique_ptr<SqliteLoopReader>> open(SqliteShared& shared);

  /// Runs the body to its end here. Nothing: a statement exceeded its budget, and everything that the body
  /// had done was dropped; it is to start again elsewhere.
  std::optional<Result<void>> run(Loop& loop, const CallContext& context, ReadBody& body);

  std::uint64_t reads() const { return reads_.load(std::memory_order_relaxed); }
  std::uint64_t moved() const { return moved_.load(std::memory_order_relaxed); }

 private:
  class ReadSession;
  struct TickEnd : Work {
    explicit TickEnd(SqliteLoopReader& owner) : reader(owner) {}
    SqliteLoopReader& reader;
  };

  SqliteLoopReader(SqliteShared& shared, std::unique_ptr<SqliteConnection> connection);
  Result<void> refresh(Loop& loop);
  void end();

  SqliteShared& shared_;
  std::unique_ptr<SqliteConnection> connection_;
  TickEnd tick_end_;
  bool ends_with_tick_ = false;  ///< tick_end_ is on the loop's list
  std::uint64_t seen_ = 0;       ///< SqliteShared::commits, just before it began
  int depth_ = 0;  ///< bodies running; more than one when a body reads through another database handle
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<std::uint64_t> moved_{0};
};

/// A read on its way to a reader thread.
class SqliteLongRead final : public SqliteJob {
 public:
  SqliteLongRead(SqliteQueue& queue, const CallContext& of, ReadBody& todo)
      : SqliteJob(queue), context(of), body(todo) {}

  const CallContext& context;
  ReadBody& body;
};

/// The readers of one database.
class SqliteReaders {
 public:
  explicit SqliteReaders(SqliteShared& shared);
  ~SqliteReaders() { close(); }

  /// The reader of this thread's loop, opened at first use.
  Result<SqliteLoopReader*> of(Loop& loop);
  SqliteQueue& queue() { return queue_; }
  const SqliteQueue& queue() const { return queue_; }
  /// Starts the threads.
  Result<void> start();
  /// Answers what is queued, ends the threads, closes all connections. Idempotent.
  void close();

  struct Stats {
    std::uint64_t reads, moved;
  };
  Stats stats() const;

 private:
  void serve(SqliteConnection& connection);
  void run(SqliteConnection& connection, SqliteLongRead& read);

  SqliteShared& shared_;
  const std::uint64_t id_;  ///< tells databases apart, also after one is gone
  SqliteQueue queue_;
  std::atomic<bool> closed_{false};
  mutable std::mutex mutex_;
  std::unordered_map<Loop*, std::unique_ptr<SqliteLoopReader>> of_loop_;
  std::vector<std::unique_ptr<SqliteConnection>> connections_;
  std::vector<std::thread> threads_;
};

}  // namespace bedplate::sql
