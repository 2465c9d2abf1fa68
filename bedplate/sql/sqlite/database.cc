// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/sqlite.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/sql/sqlite/checkpointer.h"
#include "bedplate/sql/sqlite/connection.h"
#include "bedplate/sql/sqlite/files.h"
#include "bedplate/sql/sqlite/maintenance.h"
#include "bedplate/sql/sqlite/readers.h"
#include "bedplate/sql/sqlite/writer.h"

namespace bedplate::sql {
namespace {

class SqliteDatabase final : public Database {
 public:
  static Result<std::unique_ptr<Database>> open(const SqliteOptions& options);

  explicit SqliteDatabase(const SqliteOptions& options) : shared_(options), readers_(shared_) {}
  ~SqliteDatabase() override { close(); }

  Async<void> transact(const CallContext& context, TransactionBody& body) override;
  Async<void> read(const CallContext& context, ReadBody& body) override;
  Dialect dialect() const override { return Dialect::sqlite; }
  DatabaseStats stats() const override;
  std::vector<StatementStats> statement_stats() const override { return shared_.statements.stats(); }
  void close() override;
  Result<std::unique_ptr<Maintenance>> maintenance() override {
    return open_sqlite_maintenance(shared_.options);
  }

 private:
  SqliteShared shared_;
  SqliteReaders readers_;
  std::optional<SqliteWriter> writer_;
  std::optional<SqliteCheckpointer> checkpointer_;
};

Result<std::unique_ptr<Database>> SqliteDatabase::open(const SqliteOptions& options) {
  auto database = std::make_unique<SqliteDatabase>(options);
  // The writer first: it makes the file, and what readers need beside it.
  Result<std::unique_ptr<SqliteConnection>> writer =
      SqliteConnection::open(database->shared_, SqliteConnection::Role::writer);
  if (!writer) return std::unexpected(std::move(writer.error()));
  Result<std::unique_ptr<SqliteConnection>> checkpointer =
      SqliteConnection::open(database->shared_, SqliteConnection::Role::writer);
  if (!checkpointer) return std::unexpected(std::move(checkpointer.error()));
  Result<void> started = database->readers_.start();
  if (!started) return std::unexpected(std::move(started.error()));
  database->writer_.emplace(database->shared_, std::move(*writer));
  database->checkpointer_.emplace(database->shared_, std::move(*checkpointer));
  return database;
}

Async<void> SqliteDatabase::transact(const CallContext& context, TransactionBody& body) {
  SqliteCommand command(writer_->queue(), context, body);
  Result<void> done = co_await command;
  if (!done) co_await std::unexpected(std::move(done.error()));
}

Async<void> SqliteDatabase::read(const CallContext& context, ReadBody& body) {
  Loop& loop = *Loop::current();
  SqliteLoopReader* reader = co_await ok(readers_.of(loop));
  if (std::optional<Result<void>> done = reader->run(loop, context, body)) {
    if (!*done) co_await std::unexpected(std::move(done->error()));
    co_return;
  }
  SqliteLongRead again(readers_.queue(), context, body);
  Result<void> done = co_await again;
  if (!done) co_await std::unexpected(std::move(done.error()));
}

DatabaseStats SqliteDatabase::stats() const {
  const SqliteWriter::Stats writes = writer_->stats();
  const SqliteReaders::Stats reads = readers_.stats();
  return {.commits = writes.commits,
          .commands = writes.commands,
          .commands_failed = writes.failed,
          .commands_rejected = writer_->queue().rejected(),
          .batches_retried = writes.retried,
          .batch_max = writes.batch_max,
          .queue_depth = writer_->queue().size(),
          .reads = reads.reads,
          .reads_moved = reads.moved,
          .reads_waiting = readers_.queue().size(),
          .slow_queries = shared_.slow_queries.load(std::memory_order_relaxed),
          .checkpoints = shared_.checkpoints.load(std::memory_order_relaxed),
          .wal_size_bytes = shared_.wal_pages.load(std::memory_order_relaxed) * kSqlitePageSizeBytes,
          .wal_coalescing_fallbacks = shared_.wal_fallbacks.load(std::memory_order_relaxed)};
}

void SqliteDatabase::close() {
  readers_.close();
  if (checkpointer_) checkpointer_->close();
  if (writer_) writer_->close();
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const SqliteOptions& options) {
  Result<void> folder = make_private_directory(std::filesystem::path(options.path).parent_path());
  if (!folder) return std::unexpected(std::move(folder.error()));
  // SQLite opens a file that it may not write as one to be read; every write would fail.
  for (const char* suffix : {"", "-wal", "-shm"})
    if (Result<void> writable = check_writable(options.path + suffix); !writable)
      return std::unexpected(std::move(writable.error()));
  return SqliteDatabase::open(options);
}

}  // namespace bedplate::sql
