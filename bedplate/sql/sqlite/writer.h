// SPDX-License-Identifier: Apache-2.0
// The one thread that writes, and group commit. Inside the driver only.
//
// A round: begin, run every command that waits (late arrivals join, up to batch_max), commit, answer all.
// Nothing is answered, not even a failure, before the round that it saw is on disk: a unique violation may be
// against a neighbour's row.
//
// A command that fails takes nothing along, in one of two ways:
//   - a hopeful round has no savepoints, since nearly no command fails once it has written. When one does, the round
//   is undone and its commands run again, in careful rounds;
//   - in a careful round a command's first write opens a savepoint, which a failure rolls back to. Some rounds later
//   hope returns.
// (Savepoints cost more than the statement that opens them: FTS5 writes out what it has gathered at each.)
//
// Two failures are larger than a command:
//   - one that made SQLite roll back everything (disk full, I/O error, out of memory, interrupted write) keeps
//     its error, and the others run again in a new round;
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
  /// What undoes a command that fails: a savepoint, the end of the whole round, or of a transaction of its own.
  enum class Undo : std::uint8_t { savepoint, round, transaction };
  enum class Outcome : std::uint8_t {
    kept,
    undone,
    transaction_lost,  ///< its error stands; what its neighbours wrote is gone too
    entangled,         ///< to undo it, the round must go
  };

  void run();
  void run_batch();
  bool run_round();
  bool run_commands();
  void end_hopeful_round(SqliteCommand& guilty);
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
  int careful_rounds_ = 0;             ///< left until hope returns
  bool written_ = false;               ///< by a command of this round
  std::uint64_t wal_pages_tried_ = 0;  ///< when it last tried to empty the log
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> commands_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> retried_{0};
  std::atomic<std::uint64_t> batch_max_{0};
  std::thread thread_;  // last: it uses the rest
};

}  // namespace bedplate::sql
