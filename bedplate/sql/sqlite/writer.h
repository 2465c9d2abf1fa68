// SPDX-License-Identifier: Apache-2.0
// The one thread that writes, and group commit. Private header of the driver.
//
// A batch: begin, run every command that waits (late arrivals join, up to batch_max), commit, answer all.
// Nothing is answered, not even a failure, before the batch that it saw is on disk: a unique violation may be
// against a row of another command.
//
// A command that fails is rolled back without the others. Savepoints cost more than the statement that opens them
// (FTS5 writes out its pending entries at each), and few commands fail after their first write. So there are two kinds
// of batches:
//   - an optimistic batch has no savepoints. If a command fails after it has written, the whole batch is rolled back
//     and its commands run again in a savepoint batch;
//   - in a savepoint batch the first write of each command opens a savepoint, which a failure rolls back to. After a
//     late failure the next 32 batches are savepoint batches; then they are optimistic again.
//
// Two failures affect more than one command:
//   - one that made SQLite roll back everything (disk full, I/O error, out of memory, interrupted write) keeps
//     its error, and the others run again in a new batch;
//   - a commit that fails is rolled back, and its commands run again one by one, each in a transaction of its
//   own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "bedplate/sql/database.h"
#include "bedplate/sql/sqlite/connection.h"
#include "bedplate/sql/sqlite/queue.h"

namespace bedplate::sql {

/// A command on its way to the writer.
class SqliteCommand final : public SqliteJob {
 public:
  SqliteCommand(SqliteQueue& queue, const CallContext& of, TransactionBody& todo)
      : SqliteJob(queue), context(of), body(todo) {}

  const CallContext& context;
  TransactionBody& body;
  bool settled = false;  ///< writer: its error stands, it does not run again
};

class SqliteWriter {
 public:
  SqliteWriter(SqliteShared& shared, std::unique_ptr<SqliteConnection> connection);
  ~SqliteWriter() { close(); }

  SqliteQueue& queue() { return queue_; }
  const SqliteQueue& queue() const { return queue_; }
  /// Answers what is queued, then ends the thread. Idempotent.
  void close();

  struct Stats {
    std::uint64_t commits, commands, failed, retried, batch_max;
  };
  Stats stats() const;

 private:
  class CommandSession;
  /// What rolls a failed command back: its savepoint, the whole batch, or its own transaction.
  enum class Undo : std::uint8_t { savepoint, batch, transaction };
  enum class Outcome : std::uint8_t {
    kept,
    undone,
    transaction_lost,      ///< its error stands; the writes of the whole batch are gone
    needs_batch_rollback,  ///< only a rollback of the whole batch undoes it
  };

  void run();
  void run_batch();
  bool run_transaction();
  bool run_commands();
  void end_optimistic_batch(SqliteCommand& failed);
  void run_alone(SqliteCommand& command);
  Outcome run_command(SqliteCommand& command, Undo by);
  Outcome undo(const CommandSession* session, Undo by);
  int begin();
  int commit();
  void answer_all();
  void fail_open(int code);
  void limit_wal();
  SqliteCommand& at(std::size_t i) { return static_cast<SqliteCommand&>(*batch_[i]); }

  SqliteShared& shared_;
  std::unique_ptr<SqliteConnection> connection_;
  SqliteQueue queue_;
  std::vector<SqliteJob*> batch_;
  int savepoint_batches_ = 0;          ///< left, before batches are optimistic again
  bool written_ = false;               ///< by a command of this batch
  std::uint64_t wal_pages_tried_ = 0;  ///< when it last tried to empty the log
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> commands_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> retried_{0};
  std::atomic<std::uint64_t> batch_max_{0};
  std::thread thread_;  // last: it uses the rest
};

}  // namespace bedplate::sql
