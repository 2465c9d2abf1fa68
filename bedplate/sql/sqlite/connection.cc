// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/connection.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/sqlite/error.h"
#include "bedplate/sql/sqlite/statement.h"

namespace bedplate::sql {
namespace {

constexpr int kTenantLooksMax = 64;  // of the tenant guard at the schema, for one statement
constexpr int kDeadlineEvery = 8;    // guard calls between looks at the clock

// Milliseconds of the kernel's coarse clock: a few nanoseconds to read, a few milliseconds behind.
std::int64_t coarse_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

// Made here, so that it and the files that SQLite puts beside it (with the same mode) are the owner's alone.
Result<void> create_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    return {};
  }
  if (errno == EEXIST) return {};
  return fail(Category::unavailable, kStorageError,
              "The database " + path + " cannot be created: " + std::strerror(errno) + ".");
}

Error open_error(sqlite3* db, int code, const std::string& path) {
  if (code == SQLITE_NOTADB)
    return Error(Category::unavailable, kStorageError, path + " is not a SQLite database.");
  return sqlite_error(db, code, "open " + path, path);
}

std::string pragmas(const SqliteOptions& options, bool writer) {
  std::string text;
  if (writer) text += "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;";
  // A log that starts over keeps its file: writing over it is cheaper than to grow it again, and so is the sync.
  if (writer) text += "PRAGMA journal_size_limit=" + std::to_string(options.wal_size_max_mib << 20) + ";";
  // The writer trusts the schema, which only migrations make: triggers that keep a full-text index need it
  // (SQLite 3.40 does not count FTS5 among what is harmless there).
  if (!writer) text += "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF;";
  // REPLACE runs the triggers of the rows that it displaces, as every other way to delete a row does.
  if (writer) text += "PRAGMA recursive_triggers=ON;";
  text += "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;";
  // The writer changes pages all over the database; one that left its cache is read from the log again.
  text += "PRAGMA cache_size=-" + std::to_string(options.cache_size_kib * (writer ? 4 : 1)) + ";";
  text += "PRAGMA mmap_size=" + std::to_string(options.mmap_size_mib << 20) + ";";
  return text;
}

constexpr const char* kControlText[] = {
    "BEGIN",           "BEGIN IMMEDIATE",    "COMMIT", "ROLLBACK", "SAVEPOINT command",
    "RELEASE command", "ROLLBACK TO command"};

// One line of SQLite's plan a step, without values: statements hold none.
std::string plan_of(sqlite3* db, std::string_view sql) {
  const std::string text = "EXPLAIN QUERY PLAN " + std::string(sql);
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, text.c_str(), -1, &raw, nullptr) != SQLITE_OK) return "unknown";
  SqliteStatementHandle explain(raw);
  std::string plan;
  while (sqlite3_step(raw) == SQLITE_ROW) {
    if (!plan.empty()) plan += "; ";
    plan += reinterpret_cast<const char*>(sqlite3_column_text(raw, 3));
  }
  return plan;
}

}  // namespace

bool SqliteGuard::exceeded() {
  if (budget >= 0 && --budget < 0) {
    stop = Stop::budget;
    return true;
  }
  if (scope && scope->cancelled()) {
    stop = Stop::cancelled;
    return true;
  }
  if (deadline == Scope::TimePoint::max()) return false;
  if (++calls % kDeadlineEvery != 0 || std::chrono::steady_clock::now() < deadline) return false;
  stop = Stop::deadline;
  return true;
}

// ---- the cache of prepared statements

// By text, the least recently used leaves. In front of it a small table by the address of the text:
// statements are mostly literals, and comparing a text costs less than hashing it.
struct SqliteConnection::Cache {
  using List = std::list<std::unique_ptr<SqliteStatement>>;
  struct Slot {
    const char* address = nullptr;
    SqliteStatement* statement = nullptr;
  };
  static constexpr std::size_t kSlots = 256;

  static std::size_t slot_of(std::string_view sql) {
    const auto address = reinterpret_cast<std::uintptr_t>(sql.data());
    return (address ^ (address >> 8) ^ sql.size()) % kSlots;
  }
  SqliteStatement* find(std::string_view sql) {
    Slot& slot = slots[slot_of(sql)];
    if (slot.address == sql.data() && slot.statement->sql() == sql) return slot.statement;
    auto found = by_text.find(sql);
    if (found == by_text.end()) return nullptr;
    recent.splice(recent.begin(), recent, found->second);
    slot = {sql.data(), found->second->get()};
    return slot.statement;
  }
  SqliteStatement* add(std::unique_ptr<SqliteStatement> statement, std::size_t statements_max) {
    while (recent.size() >= statements_max && !recent.empty()) {
      SqliteStatement* oldest = recent.back().get();
      for (Slot& slot : slots)
        if (slot.statement == oldest) slot = {};
      by_text.erase(oldest->sql());
      recent.pop_back();
    }
    recent.push_front(std::move(statement));
    by_text.emplace(recent.front()->sql(), recent.begin());
    return recent.front().get();
  }

  Slot slots[kSlots];
  List recent;
  std::unordered_map<std::string_view, List::iterator> by_text;
};

// ---- opening

SqliteConnection::SqliteConnection(SqliteShared& shared, std::unique_ptr<CoalescingWalVfs> wal,
                                   SqliteHandle db, Role role)
    : shared_(shared),
      wal_(std::move(wal)),
      db_(std::move(db)),
      role_(role),
      cache_(std::make_unique<Cache>()) {}

SqliteConnection::~SqliteConnection() = default;

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(SqliteShared& shared, Role role) {
  // Allocation counters cost a process-wide lock an allocation. Too late (and harmless) if SQLite is in use
  // already.
  static const int counters_off = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(counters_off);

  const SqliteOptions& options = shared.options;
  if (role != Role::reader) {
    Result<void> created = create_private(options.path);
    if (!created) return std::unexpected(std::move(created.error()));
  }
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (role != Role::reader ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
  const bool coalesces = role == Role::writer && options.wal_coalescing;
  auto wal = coalesces ? std::make_unique<CoalescingWalVfs>(options.vfs, shared.wal_fallbacks) : nullptr;
  const char* own = options.vfs.empty() ? nullptr : options.vfs.c_str();
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(options.path.c_str(), &raw, flags, wal && wal->name() ? wal->name() : own);
  SqliteHandle db(raw);
  if (code != SQLITE_OK) return std::unexpected(open_error(raw, code, options.path));
  if (role != Role::reader && sqlite3_db_readonly(raw, "main") == 1)
    return fail(Category::unavailable, kStorageError, "The database " + options.path + " cannot be written.");
  std::unique_ptr<SqliteConnection> connection(
      new SqliteConnection(shared, std::move(wal), std::move(db), role));
  Result<void> configured = connection->configure();
  if (!configured) return std::unexpected(std::move(configured.error()));
  return connection;
}

Result<void> SqliteConnection::configure() {
  sqlite3* db = db_.get();
  const SqliteOptions& options = shared_.options;
  sqlite3_busy_timeout(db, static_cast<int>(options.busy_timeout_ms));
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  const std::string text = pragmas(options, role_ != Role::reader);
  int code = sqlite3_exec(db, text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(open_error(db, code, options.path));
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH,
                static_cast<int>(std::min<std::size_t>(options.value_size_max_bytes, 1 << 30)));
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  code = tenants_.attach(db);
  for (SqliteExtension extension : options.extensions)
    if (code == SQLITE_OK) code = extension(db);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(db, code, "register functions"));
  for (std::size_t i = 0; i < std::size(kControlText); ++i) {
    sqlite3_stmt* raw = nullptr;
    code = sqlite3_prepare_v3(db, kControlText[i], -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    controls_[i].reset(raw);
    if (code != SQLITE_OK) return std::unexpected(sqlite_error(db, code, kControlText[i]));
  }
  sqlite3_set_authorizer(db, &SqliteConnection::authorize, this);
  sqlite3_progress_handler(db, SqliteGuard::kGuardSteps, &SqliteConnection::on_progress, this);
  return {};
}

int SqliteConnection::authorize(void* self, int action, const char* name, const char* argument,
                                const char* schema, const char* inside) {
  auto& connection = *static_cast<SqliteConnection*>(self);
  if (connection.own_statement_) return SQLITE_OK;
  switch (action) {
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
      if (connection.role_ == Role::maintenance) return SQLITE_OK;
      return connection.tenants_.allows(connection.target_, name, schema, inside) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_CREATE_TEMP_VIEW:  // what guards the rows of tenants is temporary
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_DROP_TEMP_VIEW:
    case SQLITE_DROP_TEMP_TRIGGER:
      return connection.role_ == Role::maintenance ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_TRANSACTION:  // transactions are the driver's: a COMMIT in a statement would commit its
                              // neighbours
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return SQLITE_DENY;
    case SQLITE_PRAGMA: {
      const std::string_view pragma = name;
      // The catalogue: what tables look like, for who copies or compares them.
      if (pragma == "table_xinfo" || pragma == "table_list" || pragma == "foreign_key_list" ||
          pragma == "index_list" || pragma == "index_info")
        return SQLITE_OK;
      return !argument /* FTS5 asks these two */ && (pragma == "data_version" || pragma == "page_size")
                 ? SQLITE_OK
                 : SQLITE_DENY;
    }
    default:
      return SQLITE_OK;
  }
}

int SqliteConnection::on_progress(void* self) {
  auto& connection = *static_cast<SqliteConnection*>(self);
  return !connection.own_statement_ && connection.guard_.exceeded() ? 1 : 0;
}

int SqliteConnection::control(Control what) {
  sqlite3_stmt* statement = controls_[static_cast<std::size_t>(what)].get();
  own_statement_ = true;
  int code = sqlite3_step(statement);
  const int after = sqlite3_reset(statement);
  own_statement_ = false;
  if (code == SQLITE_DONE) {
    note_transaction(what);
    return SQLITE_OK;
  }
  return after != SQLITE_OK ? after : code;
}

void SqliteConnection::note_transaction(Control what) {
  switch (what) {
    case Control::begin_read:
    case Control::begin_write:
      return tenants_.transaction_began();
    case Control::commit:
      return tenants_.transaction_committed();
    case Control::rollback:
    case Control::rollback_to:
      return tenants_.transaction_undone();
    case Control::savepoint:
    case Control::release:
      return;
  }
}

Result<void> SqliteConnection::run_own(const char* sql, const std::function<void(sqlite3_stmt*)>& on_row) {
  sqlite3_stmt* raw = nullptr;
  own_statement_ = true;
  int code = sqlite3_prepare_v2(db_.get(), sql, -1, &raw, nullptr);
  SqliteStatementHandle statement(raw);
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(raw);
    if (code == SQLITE_ROW && on_row) on_row(raw);
  }
  own_statement_ = false;
  if (code != SQLITE_DONE) return std::unexpected(sqlite_error(db_.get(), code, sql));
  return {};
}

bool SqliteConnection::in_transaction() const {
  return sqlite3_get_autocommit(db_.get()) == 0;
}

// ---- running

int SqliteConnection::setup_tenants() {
  own_statement_ = true;
  const int code = tenants_.setup(db_.get());
  own_statement_ = false;
  return code;
}

Result<SqliteStatement*> SqliteConnection::prepare(std::string_view sql) {
  if (tenants_.stale()) [[unlikely]] {
    if (const int code = setup_tenants(); code != SQLITE_OK)
      return std::unexpected(sqlite_error(db_.get(), code, "guard the tenants' tables"));
  }
  if (SqliteStatement* known = cache_->find(sql)) return known;
  Result<std::unique_ptr<SqliteStatement>> made = compile(sql);
  if (!made) return std::unexpected(std::move(made.error()));
  return cache_->add(std::move(*made), shared_.options.statements_max);
}

Result<std::unique_ptr<SqliteStatement>> SqliteConnection::compile(std::string_view sql) {
  if (sql.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return fail(Category::too_large, kValueTooLarge, "The statement is too long.");
  Result<std::unique_ptr<SqliteStatement>> made = compile_guarded(sql);
  if (made && role_ == Role::reader && !(*made)->read_only()) {
    log_error("a statement writes through a Reader", {{"sql", sql}});
    return fail(Category::internal, kReadOnly, "The server met an unexpected fault.");
  }
  return made;
}

// The first statement that meets a table which the tenant guard does not know makes it look.
Result<std::unique_ptr<SqliteStatement>> SqliteConnection::compile_guarded(std::string_view sql) {
  for (int looks = 0;; ++looks) {
    Result<TenantGuard::Rewritten> rewritten = tenants_.rewrite(sql);
    if (!rewritten) return std::unexpected(std::move(rewritten.error()));
    const std::string_view text = rewritten->text.empty() ? sql : std::string_view(rewritten->text);
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    target_ = rewritten->target;
    int code = sqlite3_prepare_v3(db_.get(), text.data(), static_cast<int>(text.size()),
                                  SQLITE_PREPARE_PERSISTENT, &raw, &tail);
    target_ = {};
    SqliteStatementHandle handle(raw);
    if (code != SQLITE_OK && tenants_.is_behind() && looks < kTenantLooksMax) {
      code = setup_tenants();
      if (code == SQLITE_OK) continue;
    }
    if (code != SQLITE_OK) return std::unexpected(sqlite_error(db_.get(), code, sql));
    const std::string_view rest(tail, static_cast<std::size_t>(text.data() + text.size() - tail));
    if (!raw || rest.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
      log_error("a statement cannot be used", {{"error", "it is not exactly one statement"}, {"sql", sql}});
      return fail(Category::internal, kSqlError, "The server met an unexpected fault.");
    }
    Result<std::unique_ptr<SqliteStatement>> made = SqliteStatement::make(std::move(handle), sql);
    if (made) (*made)->set_target(std::move(rewritten->target));
    return made;
  }
}

void SqliteConnection::execute(SqliteStatement& prepared, Statement& statement) {
  if (statement.params.size() != prepared.parameter_count()) {
    log_error(
        "a statement was given a wrong number of parameters",
        {{"given", statement.params.size()}, {"needed", prepared.parameter_count()}, {"sql", statement.sql}});
    statement.error.emplace(Category::internal, kSqlError, "The server met an unexpected fault.");
    return;
  }
  for (const Param& param : statement.params) {
    if (param.kind() != Param::Kind::text || is_storable_text(param.bytes())) continue;
    statement.error.emplace(Category::invalid, kTextInvalid,
                            "A text holds characters that cannot be stored.");
    return;
  }
  if (const int code = prepared.bind(statement.params); code != SQLITE_OK) {
    statement.error.emplace(sqlite_error(db_.get(), code, statement.sql));
    return;
  }
  guard_.stop = SqliteGuard::Stop::none;
  target_ = prepared.target();  // it may be compiled again, when the schema has changed
  const std::int64_t began_ms = coarse_ms();
  step(prepared, statement);
  target_ = {};
  const std::int64_t took_ms = coarse_ms() - began_ms;
  const bool slow = shared_.options.slow_query_ms > 0 && took_ms >= shared_.options.slow_query_ms;
  shared_.statements.note(statement.name, {took_ms * 1'000, statement.error.has_value(), slow});
  if (slow) [[unlikely]]
    note_slow(statement, took_ms);
}

void SqliteConnection::step(SqliteStatement& prepared, Statement& statement) {
  sqlite3_stmt* handle = prepared.handle();
  const RowTarget& target = statement.target;
  const std::size_t rows_max = target.rows_max ? target.rows_max : shared_.options.rows_max;
  const SqliteColumns columns(handle);
  const RowMap* map = nullptr;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(handle)) == SQLITE_ROW) {
    if (!target.type) continue;
    if (static_cast<std::size_t>(statement.rows_read) == rows_max) {
      if (target.rows_max)
        continue;  // a write with RETURNING: it is stepped to its end, for its checks are there
      statement.error.emplace(Category::too_large, kTooManyRows,
                              "There are more rows than can be returned at once.");
      break;
    }
    if (!map) {
      Result<const RowMap*> found = prepared.row_map(*target.type);
      if (!found) {
        statement.error.emplace(std::move(found.error()));
        break;
      }
      map = *found;
    }
    if (Result<void> filled = map->read(columns, target.next(target.context)); !filled) {
      log_error("a row does not fit its type", {{"error", filled.error().detail()}, {"sql", statement.sql}});
      statement.error.emplace(Category::internal, kSqlError, "The server met an unexpected fault.");
      break;
    }
    ++statement.rows_read;
    if (target.rows_max && prepared.read_only()) {  // enough
      code = SQLITE_DONE;
      break;
    }
  }
  if (code == SQLITE_DONE && !prepared.read_only()) statement.rows_affected = sqlite3_changes64(db_.get());
  if (code != SQLITE_DONE && code != SQLITE_ROW)
    statement.error.emplace(sqlite_error(db_.get(), code, statement.sql));
  sqlite3_reset(handle);
}

void SqliteConnection::note_slow(const Statement& statement, std::int64_t took_ms) {
  shared_.slow_queries.fetch_add(1, std::memory_order_relaxed);
  // One line a second is enough to find them, and no load on top of load.
  const std::int64_t now = coarse_ms();
  std::int64_t next = shared_.slow_log_next_ms.load(std::memory_order_relaxed);
  if (now < next || !shared_.slow_log_next_ms.compare_exchange_strong(next, now + 1000)) return;
  guard_.budget = -1;
  const std::string plan = plan_of(db_.get(), statement.sql);
  log_warn("slow query",
           {{"ms", took_ms}, {"statement", statement.name}, {"sql", statement.sql}, {"plan", plan}});
}

}  // namespace bedplate::sql
