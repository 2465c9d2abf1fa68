// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/writer.h"

#include <pthread.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/failed_statement.h"
#include "bedplate/sql/sqlite/checkpointer.h"
#include "bedplate/sql/sqlite/error.h"
#include "bedplate/sql/sqlite/statement.h"

namespace bedplate::sql {
namespace {

using Control = SqliteConnection::Control;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Savepoint batches after an optimistic batch that had to be rolled back. Enough that commands which keep failing late
// cost little more than their savepoints; few enough that a single late failure costs nothing noticeable.
constexpr int kSavepointBatches = 32;

// It failed for what the rows are, and SQLite took back what the statement had written. Other failures, of a search
// index above all, may leave a part that no count of rows shows.
bool is_about_rows(const Error& error) {
  return error.code() == kUniqueViolation || error.code() == kForeignKeyViolation;
}

// One writer, so a relaxed load and store is enough.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t n = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

}  // namespace

/// What a command's Transaction talks to. Statements are done when start() returns: the command never waits.
class SqliteWriter::CommandSession final : public Session {
 public:
  CommandSession(SqliteConnection& connection, Undo by) : connection_(connection), by_(by) {}

  bool start(Statement& statement) override {
    if (failed_) {
      statement.error.emplace(Category::internal, kTransactionFailed, "The server met an unexpected fault.");
      return true;
    }
    run(statement);
    failed_ = statement.error.has_value();
    if (failed_) failure_.note(*statement.error, statement.sql);
    return true;
  }
  Dialect dialect() const override { return Dialect::sqlite; }
  /// A statement failed: the transaction can only roll back, as it would on every engine.
  bool failed() const { return failed_; }
  const FailedStatement& failure() const { return failure_; }
  bool savepoint() const { return savepoint_; }
  /// There may be something to undo.
  bool written() const { return written_; }

 private:
  void run(Statement& statement) {
    Result<SqliteStatement*> prepared = connection_.prepare(statement.sql);
    if (!prepared) {
      statement.error.emplace(std::move(prepared.error()));
      return;
    }
    if ((*prepared)->read_only()) return connection_.execute(**prepared, statement);
    if (!savepoint_ && by_ == Undo::savepoint) {
      const int code = connection_.control(Control::savepoint);
      if (code != SQLITE_OK) {
        statement.error.emplace(sqlite_error(connection_.handle(), code, "SAVEPOINT"));
        return;
      }
      savepoint_ = true;
    }
    const std::int64_t changes = sqlite3_total_changes64(connection_.handle());
    connection_.execute(**prepared, statement);
    // INSERT OR FAIL keeps the rows before the one that it failed at.
    const bool kept_rows = sqlite3_total_changes64(connection_.handle()) != changes;
    if (!statement.error || !is_about_rows(*statement.error) || kept_rows) written_ = true;
  }

  SqliteConnection& connection_;
  const Undo by_;
  bool savepoint_ = false;
  bool written_ = false;
  bool failed_ = false;
  FailedStatement failure_;
};

SqliteWriter::SqliteWriter(SqliteShared& shared, std::unique_ptr<SqliteConnection> connection)
    : shared_(shared), connection_(std::move(connection)), queue_(shared.options.queue_max) {
  sqlite3_wal_hook(
      connection_->handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<SqliteShared*>(self)->wal_pages.store(static_cast<std::uint64_t>(pages),
                                                          std::memory_order_relaxed);
        return SQLITE_OK;
      },
      &shared_);
  batch_.reserve(shared_.options.batch_max);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "sql-writer");
}

void SqliteWriter::close() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
  connection_.reset();  // the last one out copies the log into the database and removes it
}

SqliteWriter::Stats SqliteWriter::stats() const {
  return {.commits = commits_.load(std::memory_order_relaxed),
          .commands = commands_.load(std::memory_order_relaxed),
          .failed = failed_.load(std::memory_order_relaxed),
          .retried = retried_.load(std::memory_order_relaxed),
          .batch_max = batch_max_.load(std::memory_order_relaxed)};
}

void SqliteWriter::run() {
  while (queue_.wait_and_take(batch_, shared_.options.batch_max)) {
    run_batch();
    answer_all();
    limit_wal();
  }
}

void SqliteWriter::run_batch() {
  if (shared_.options.batch_max == 1) return run_alone(at(0));
  while (!run_transaction()) {
  }
}

// True: every command of the batch has its answer.
bool SqliteWriter::run_transaction() {
  if (std::ranges::all_of(batch_, [](SqliteJob* job) { return static_cast<SqliteCommand*>(job)->settled; }))
    return true;
  if (const int code = begin(); code != SQLITE_OK) {
    fail_open(code);
    return true;
  }
  if (!run_commands()) return false;
  if (savepoint_batches_ > 0) --savepoint_batches_;
  const int code = commit();
  if (code == SQLITE_OK) return true;
  log_warn("a group commit failed; its commands run again one by one",
           {{"code", code}, {"error", sqlite3_errmsg(connection_->handle())}, {"commands", batch_.size()}});
  add(retried_);
  if (connection_->in_transaction()) connection_->control(Control::rollback);
  for (std::size_t i = 0; i < batch_.size(); ++i)
    if (!at(i).settled) run_alone(at(i));
  return true;
}

// False: the transaction is gone, and with it what all of them wrote.
bool SqliteWriter::run_commands() {
  const Undo by = savepoint_batches_ > 0 ? Undo::savepoint : Undo::batch;
  written_ = false;
  for (std::size_t i = 0;; ++i) {
    if (i == batch_.size()) queue_.take(batch_, shared_.options.batch_max - batch_.size());
    if (i == batch_.size()) return true;
    if (at(i).settled) continue;
    switch (run_command(at(i), by)) {
      case Outcome::kept:
      case Outcome::undone:
        break;
      case Outcome::transaction_lost:
        at(i).settled = true;
        add(retried_);
        return false;
      case Outcome::needs_batch_rollback:
        end_optimistic_batch(at(i));
        return false;
    }
  }
}

// Its error stands when it wrote before all others, and so saw nobody else's rows, or took too long, which it need
// not do twice. Otherwise it runs again like the rest.
void SqliteWriter::end_optimistic_batch(SqliteCommand& failed) {
  connection_->control(Control::rollback);
  failed.settled = !written_ || failed.error->code() == kQueryTimeout;
  if (!written_) return;
  savepoint_batches_ = kSavepointBatches;
  add(retried_);
}

void SqliteWriter::run_alone(SqliteCommand& command) {
  command.settled = true;
  if (const int code = begin(); code != SQLITE_OK) {
    command.error.emplace(sqlite_error(connection_->handle(), code, "BEGIN"));
    return;
  }
  if (run_command(command, Undo::transaction) != Outcome::kept) return;
  const int code = commit();
  if (code == SQLITE_OK) return;
  command.error.emplace(sqlite_error(connection_->handle(), code, "COMMIT"));
  if (connection_->in_transaction()) connection_->control(Control::rollback);
}

SqliteWriter::Outcome SqliteWriter::run_command(SqliteCommand& command, Undo by) {
  command.error.reset();
  const steady_clock::time_point now = steady_clock::now();
  if (command.deadline() <= now) {
    command.error.emplace(Category::timeout, kQueryTimeout, "The database took longer than it may.");
    return undo(nullptr, by);
  }
  SqliteGuard& guard = connection_->guard();
  guard.deadline = std::min(command.deadline(), now + milliseconds(shared_.options.command_time_max_ms));

  connection_->set_tenant(command.context.tenant);
  CommandSession session(*connection_, by);
  Transaction transaction(session, command.context);
  Result<void> done = command.body.run(transaction).run_without_waiting();
  guard.deadline = Scope::TimePoint::max();
  if (!done) command.error.emplace(std::move(done.error()));
  if (session.failed() && (!command.error || command.error->keeps_writes())) {
    session.failure().log_ignored();
    command.error.emplace(Category::internal, kTransactionFailed, "The server met an unexpected fault.");
  }
  if (command.error && !command.error->keeps_writes()) return undo(&session, by);
  written_ |= session.written();
  if (!session.savepoint()) return Outcome::kept;
  const int code = connection_->control(Control::release);
  if (code == SQLITE_OK) return Outcome::kept;
  command.error.emplace(sqlite_error(connection_->handle(), code, "RELEASE"));
  return undo(&session, by);
}

// Takes a command's writes back, and nothing else. `session`: null when it ran no statement.
SqliteWriter::Outcome SqliteWriter::undo(const CommandSession* session, Undo by) {
  // SQLite ends the whole transaction by itself after some errors.
  if (!connection_->in_transaction()) return Outcome::transaction_lost;
  if (by == Undo::batch)
    return session && session->written() ? Outcome::needs_batch_rollback : Outcome::undone;
  if (by == Undo::savepoint && !(session && session->savepoint())) return Outcome::undone;
  if (by == Undo::savepoint && connection_->control(Control::rollback_to) == SQLITE_OK &&
      connection_->control(Control::release) == SQLITE_OK)
    return Outcome::undone;
  connection_->control(Control::rollback);
  return Outcome::transaction_lost;
}

int SqliteWriter::begin() {
  return connection_->control(Control::begin_write);
}

int SqliteWriter::commit() {
  const int code = connection_->control(Control::commit);
  if (code != SQLITE_OK) return code;
  add(commits_);
  // Before any answer: whoever hears of this commit and reads anywhere finds it.
  shared_.commits.fetch_add(1, std::memory_order_release);
  return SQLITE_OK;
}

void SqliteWriter::fail_open(int code) {
  for (std::size_t i = 0; i < batch_.size(); ++i)
    if (!at(i).settled) at(i).error.emplace(sqlite_error(connection_->handle(), code, "BEGIN"));
}

void SqliteWriter::answer_all() {
  add(commands_, batch_.size());
  if (batch_.size() > batch_max_.load(std::memory_order_relaxed))
    batch_max_.store(batch_.size(), std::memory_order_relaxed);
  for (SqliteJob* job : batch_) {
    if (job->error) add(failed_);
    job->answer();
  }
  batch_.clear();
}

// The checkpointer copies the log into the database file in the background, but a log that is written all the time,
// or held by long readers, still grows. Past its limit the writer stops to let it start over.
void SqliteWriter::limit_wal() {
  const std::uint64_t pages = shared_.wal_pages.load(std::memory_order_relaxed);
  const std::uint64_t pages_max = (shared_.options.wal_size_max_mib << 20) / kSqlitePageSizeBytes;
  if (pages < pages_max) {
    wal_pages_tried_ = 0;
    return;
  }
  if (pages < wal_pages_tried_ + pages_max / 4) return;
  wal_pages_tried_ = pages;
  constexpr int kWaitMs = 1000;
  std::lock_guard only(shared_.checkpointing);
  sqlite3_busy_timeout(connection_->handle(), kWaitMs);
  const int code =
      sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
  sqlite3_busy_timeout(connection_->handle(), static_cast<int>(shared_.options.busy_timeout_ms));
  shared_.checkpoints.fetch_add(1, std::memory_order_relaxed);
  if (code != SQLITE_OK)
    log_warn("the write-ahead log is past its limit and cannot be emptied (a long read holds it)",
             {{"pages", pages}, {"code", code}});
}

}  // namespace bedplate::sql
