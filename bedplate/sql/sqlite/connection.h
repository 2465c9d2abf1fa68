// SPDX-License-Identifier: Apache-2.0
// One SQLite connection: prepared statements kept by their text, `$n` parameters, rows into described
// structs, limits of time and steps, slow statements logged. Private header of the driver; one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bedplate/async/cancel.h"
#include "bedplate/base/result.h"
#include "bedplate/sql/session.h"
#include "bedplate/sql/sqlite/coalescing_wal_vfs.h"
#include "bedplate/sql/sqlite/handle.h"
#include "bedplate/sql/sqlite/sqlite.h"
#include "bedplate/sql/sqlite/tenant_guard.h"
#include "bedplate/sql/statement_counters.h"

namespace bedplate::sql {

/// What is shared by the connections of one database.
struct SqliteShared {
  explicit SqliteShared(const SqliteOptions& settings) : options(settings) {}

  const SqliteOptions options;
  /// Moves after each commit is on disk and before it is answered: a snapshot that is older than it may miss
  /// what someone was told already.
  alignas(64) std::atomic<std::uint64_t> commits{0};
  alignas(64) std::atomic<std::uint64_t> slow_queries{0};
  std::atomic<std::int64_t> slow_log_next_ms{0};
  StatementCounters statements;
  std::atomic<std::uint64_t> wal_pages{0};
  std::atomic<std::uint64_t> checkpoints{0};
  std::atomic<std::uint64_t> wal_fallbacks{0};
  std::mutex checkpointing;  ///< SQLite refuses two at once, without waiting
};

/// How far a statement may go. The progress handler looks at it every kGuardSteps virtual machine steps.
struct SqliteGuard {
  enum class Stop : std::uint8_t { none, budget, deadline, cancelled };
  static constexpr int kGuardSteps = 1000;

  std::int64_t budget = -1;  ///< calls left; negative: no such limit
  Scope::TimePoint deadline = Scope::TimePoint::max();
  const Scope* scope = nullptr;  ///< polled for cancellation when set
  Stop stop = Stop::none;        ///< why a statement was stopped

  std::uint32_t calls = 0;

  bool exceeded();
};

class SqliteStatement;

class SqliteConnection {
 public:
  /// Maintenance sees the rows of every tenant; the others are guarded (tenant_guard.h).
  enum class Role : std::uint8_t { writer, reader, maintenance };

  static Result<std::unique_ptr<SqliteConnection>> open(SqliteShared& shared, Role role);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection();

  /// The prepared form of `sql`, from the cache or new. It stays valid until the next prepare().
  Result<SqliteStatement*> prepare(std::string_view sql);
  /// Runs it. The answer stands in `statement`; guard().stop says whether a limit ended it.
  void execute(SqliteStatement& prepared, Statement& statement);

  /// Runs a statement of the driver's own (BEGIN, COMMIT, ...), which nobody else may run: SQLITE_OK, or the
  /// code.
  enum class Control : std::uint8_t {
    begin_read,
    begin_write,
    commit,
    rollback,
    savepoint,
    release,
    rollback_to
  };
  int control(Control what);

  /// The same for any text; `on_row` sees each row. Not for anything that came from outside.
  Result<void> run_own(const char* sql, const std::function<void(sqlite3_stmt*)>& on_row = nullptr);

  bool in_transaction() const;
  SqliteGuard& guard() { return guard_; }
  /// Whose rows statements see from here on.
  void set_tenant(const std::optional<Uuid>& tenant) { tenants_.set_tenant(tenant); }
  sqlite3* handle() const { return db_.get(); }

 private:
  struct Cache;
  SqliteConnection(SqliteShared& shared, std::unique_ptr<CoalescingWalVfs> wal, SqliteHandle db, Role role);

  Result<void> configure();
  Result<std::unique_ptr<SqliteStatement>> compile(std::string_view sql);
  Result<std::unique_ptr<SqliteStatement>> compile_guarded(std::string_view sql);
  int setup_tenants();
  void note_transaction(Control what);
  int bind(SqliteStatement& prepared, std::span<const Param> params);
  void step(SqliteStatement& prepared, Statement& statement);
  void note_slow(const Statement& statement, std::int64_t took_ms);
  static int authorize(void* self, int action, const char*, const char*, const char*, const char*);
  static int on_progress(void* self);

  SqliteShared& shared_;
  std::unique_ptr<CoalescingWalVfs> wal_;  ///< of the writer
  SqliteHandle db_;
  const Role role_;
  bool own_statement_ = false;  ///< transaction control is allowed
  SqliteGuard guard_;
  TenantGuard tenants_;
  std::string_view target_;  ///< the tenants' table that the statement at hand writes to
  SqliteStatementHandle controls_[7];
  std::unique_ptr<Cache> cache_;
};

}  // namespace bedplate::sql
