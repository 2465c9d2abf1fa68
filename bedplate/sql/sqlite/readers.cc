// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/readers.h"

#include <pthread.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "bedplate/sql/error.h"
#include "bedplate/sql/sqlite/error.h"
#include "bedplate/sql/sqlite/statement.h"

namespace bedplate::sql {
namespace {

using Control = SqliteConnection::Control;

// A reader meets a lock only in the moments in which a log is recovered or removed: a loop does not stand still for it.
constexpr int kLoopBusyTimeoutMs = 20;

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What a loop remembers of the database that it read last: spares the lock and the map.
struct LastReader {
  std::uint64_t database = 0;
  Loop* loop = nullptr;
  SqliteLoopReader* reader = nullptr;
};
constinit thread_local LastReader last_reader;

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> ids{0};
  return ids.fetch_add(1, std::memory_order_relaxed) + 1;
}

// Why a limit ended a statement on a reader thread.
Error stopped_error(const SqliteGuard& guard) {
  if (guard.stop == SqliteGuard::Stop::cancelled) return guard.scope->error();
  return Error(Category::timeout, kQueryTimeout, "The database took longer than it may.");
}

}  // namespace

// ---- on a loop

class SqliteLoopReader::ReadSession final : public Session {
 public:
  ReadSession(SqliteConnection& connection, const CallContext& context, std::int64_t budget)
      : connection_(connection), context_(context), budget_(budget) {}

  bool start(Statement& statement) override {
    connection_.set_tenant(context_.tenant);  // bodies that run within one another share the connection
    Result<SqliteStatement*> prepared = connection_.prepare(statement.sql);
    if (!prepared) {
      statement.error.emplace(std::move(prepared.error()));
      return true;
    }
    SqliteGuard& guard = connection_.guard();
    guard.budget = budget_;
    connection_.execute(**prepared, statement);
    exceeded_ = guard.stop == SqliteGuard::Stop::budget;
    return !exceeded_;  // false: it never goes on here
  }
  Dialect dialect() const override { return Dialect::sqlite; }
  bool exceeded() const { return exceeded_; }

 private:
  SqliteConnection& connection_;
  const CallContext& context_;
  const std::int64_t budget_;
  bool exceeded_ = false;
};

SqliteLoopReader::SqliteLoopReader(SqliteShared& shared, std::unique_ptr<SqliteConnection> connection)
    : shared_(shared), connection_(std::move(connection)), tick_end_(*this) {
  tick_end_.run = [](Work* work) {
    SqliteLoopReader& reader = static_cast<TickEnd*>(work)->reader;
    reader.ends_with_tick_ = false;
    reader.end();
  };
}

Result<std::unique_ptr<SqliteLoopReader>> SqliteLoopReader::open(SqliteShared& shared) {
  Result<std::unique_ptr<SqliteConnection>> connection =
      SqliteConnection::open(shared, SqliteConnection::Role::reader);
  if (!connection) return std::unexpected(std::move(connection.error()));
  sqlite3_busy_timeout((*connection)->handle(), kLoopBusyTimeoutMs);
  return std::unique_ptr<SqliteLoopReader>(new SqliteLoopReader(shared, std::move(*connection)));
}

void SqliteLoopReader::end() {
  if (connection_->in_transaction()) connection_->control(Control::commit);
}

// The snapshot is taken at the first statement after this, so it is never older than `seen_`.
Result<void> SqliteLoopReader::refresh(Loop& loop) {
  const std::uint64_t commits = shared_.commits.load(std::memory_order_acquire);
  const bool open = connection_->in_transaction();
  if (open && commits == seen_) return {};
  if (open) end();
  if (const int code = connection_->control(Control::begin_read); code != SQLITE_OK)
    return std::unexpected(sqlite_error(connection_->handle(), code, "BEGIN"));
  if (!ends_with_tick_) loop.on_tick_end(tick_end_);
  ends_with_tick_ = true;
  seen_ = commits;
  return {};
}

std::optional<Result<void>> SqliteLoopReader::run(Loop& loop, const CallContext& context, ReadBody& body) {
  reads_.store(reads_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (depth_ == 0) {
    if (Result<void> fresh = refresh(loop); !fresh) return fresh;
  }
  ReadSession session(*connection_, context, shared_.options.loop_steps_max / SqliteGuard::kGuardSteps);
  Reader reader(session, context);
  ++depth_;
  // Without a scope: a body that is dropped leaves no wait behind.
  std::optional<Result<void>> done = body.run(reader).run_unless_waiting();
  --depth_;
  if (session.exceeded()) {
    moved_.store(moved_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return std::nullopt;
  }
  if (!done) bedplate::detail::coroutine_waited_where_it_may_not();
  return done;
}

// ---- on a thread of their own

namespace {

class LongReadSession final : public Session {
 public:
  explicit LongReadSession(SqliteConnection& connection) : connection_(connection) {}

  bool start(Statement& statement) override {
    Result<SqliteStatement*> prepared = connection_.prepare(statement.sql);
    if (!prepared) {
      statement.error.emplace(std::move(prepared.error()));
      return true;
    }
    connection_.execute(**prepared, statement);
    if (connection_.guard().stop != SqliteGuard::Stop::none)
      statement.error.emplace(stopped_error(connection_.guard()));
    return true;
  }
  Dialect dialect() const override { return Dialect::sqlite; }

 private:
  SqliteConnection& connection_;
};

}  // namespace

SqliteReaders::SqliteReaders(SqliteShared& shared)
    : shared_(shared), id_(next_id()), queue_(shared.options.reader_queue_max) {}

Result<void> SqliteReaders::start() {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, shared_.options.reader_threads); ++i) {
    Result<std::unique_ptr<SqliteConnection>> connection =
        SqliteConnection::open(shared_, SqliteConnection::Role::reader);
    if (!connection) return std::unexpected(std::move(connection.error()));
    connections_.push_back(std::move(*connection));
  }
  for (auto& connection : connections_) {
    threads_.emplace_back([this, &connection] { serve(*connection); });
    pthread_setname_np(threads_.back().native_handle(), "sql-reader");
  }
  return {};
}

Result<SqliteLoopReader*> SqliteReaders::of(Loop& loop) {
  if (closed_.load(std::memory_order_relaxed)) [[unlikely]]
    return fail(Category::unavailable, kDatabaseClosed, "The server is shutting down.");
  LastReader& last = last_reader;
  if (last.database == id_ && last.loop == &loop) [[likely]]
    return last.reader;
  std::lock_guard lock(mutex_);
  std::unique_ptr<SqliteLoopReader>& reader = of_loop_[&loop];
  if (!reader) {
    Result<std::unique_ptr<SqliteLoopReader>> opened = SqliteLoopReader::open(shared_);
    if (!opened) {
      of_loop_.erase(&loop);
      return std::unexpected(std::move(opened.error()));
    }
    reader = std::move(*opened);
  }
  last = {id_, &loop, reader.get()};
  return reader.get();
}

void SqliteReaders::serve(SqliteConnection& connection) {
  std::vector<SqliteJob*> jobs;
  while (queue_.wait_and_take(jobs, 1)) {
    auto& read = static_cast<SqliteLongRead&>(*jobs.front());
    jobs.clear();
    run(connection, read);
    read.answer();
  }
}

void SqliteReaders::run(SqliteConnection& connection, SqliteLongRead& read) {
  SqliteGuard& guard = connection.guard();
  guard.scope = read.scope;
  guard.deadline =
      std::min(read.deadline(), steady_clock::now() + milliseconds(shared_.options.read_time_max_ms));
  if (const int code = connection.control(Control::begin_read); code != SQLITE_OK) {
    read.error.emplace(sqlite_error(connection.handle(), code, "BEGIN"));
  } else {
    connection.set_tenant(read.context.tenant);
    LongReadSession session(connection);
    Reader reader(session, read.context);
    Result<void> done = read.body.run(reader).run_without_waiting();
    if (!done) read.error.emplace(std::move(done.error()));
  }
  guard.scope = nullptr;
  guard.deadline = Scope::TimePoint::max();
  if (connection.in_transaction()) connection.control(Control::commit);
}

void SqliteReaders::close() {
  closed_.store(true, std::memory_order_relaxed);
  queue_.close();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  connections_.clear();
  std::lock_guard lock(mutex_);
  of_loop_.clear();
}

SqliteReaders::Stats SqliteReaders::stats() const {
  Stats total{};
  std::lock_guard lock(mutex_);
  for (const auto& [loop, reader] : of_loop_) {
    total.reads += reader->reads();
    total.moved += reader->moved();
  }
  return total;
}

}  // namespace bedplate::sql
