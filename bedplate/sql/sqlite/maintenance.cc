// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/maintenance.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <utility>

#include "bedplate/sql/error.h"
#include "bedplate/sql/sqlite/connection.h"
#include "bedplate/sql/sqlite/error.h"
#include "bedplate/sql/sqlite/statement.h"

namespace bedplate::sql {
namespace {

using Control = SqliteConnection::Control;

class SqliteMaintenance final : public Maintenance, private Session {
 public:
  explicit SqliteMaintenance(const SqliteOptions& options) : shared_(options) {}
  ~SqliteMaintenance() override { rollback(); }

  Result<void> open();
  Dialect dialect() const override { return Dialect::sqlite; }
  Result<void> begin() override;
  Result<void> begin_read() override;
  Result<void> commit() override;
  void rollback() override {
    if (connection_ && connection_->in_transaction()) connection_->control(Control::rollback);
  }
  Result<void> run_script(std::string_view script) override;
  Result<std::unique_ptr<BulkInsert>> bulk_insert(std::string_view table,
                                                  std::span<const std::string_view> columns) override;
  Session& session() override { return *this; }

 private:
  bool start(Statement& statement) override;
  Result<void> check_foreign_keys();
  std::unexpected<Error> script_error(std::string_view script, const char* at);

  SqliteShared shared_;
  std::unique_ptr<SqliteConnection> connection_;
};

Result<void> SqliteMaintenance::open() {
  Result<std::unique_ptr<SqliteConnection>> connection =
      SqliteConnection::open(shared_, SqliteConnection::Role::maintenance);
  if (!connection) return std::unexpected(std::move(connection.error()));
  connection_ = std::move(*connection);
  // A table is changed by making a new one in its place; its references are checked at the end instead.
  return connection_->run_own("PRAGMA foreign_keys=OFF");
}

Result<void> SqliteMaintenance::begin() {
  const int code = connection_->control(Control::begin_write);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(connection_->handle(), code, "BEGIN IMMEDIATE"));
  return {};
}

Result<void> SqliteMaintenance::begin_read() {
  // BEGIN alone takes no snapshot: the first read does.
  if (Result<void> begun = connection_->run_own("BEGIN"); !begun) return begun;
  return connection_->run_own("SELECT count(*) FROM sqlite_schema", [](sqlite3_stmt*) {});
}

Result<void> SqliteMaintenance::commit() {
  if (Result<void> sound = check_foreign_keys(); !sound) return sound;
  const int code = connection_->control(Control::commit);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(connection_->handle(), code, "COMMIT"));
  return {};
}

Result<void> SqliteMaintenance::check_foreign_keys() {
  bool broken = false;
  std::string where;
  Result<void> ran = connection_->run_own("PRAGMA foreign_key_check", [&](sqlite3_stmt* row) {
    broken = true;
    if (!where.empty()) return;
    where = "a row of " + std::string(reinterpret_cast<const char*>(sqlite3_column_text(row, 0))) +
            " refers to a missing row of " + reinterpret_cast<const char*>(sqlite3_column_text(row, 2));
  });
  if (!ran) return ran;
  if (!broken) return {};
  return std::unexpected(
      Error(Category::conflict, kForeignKeyViolation, "A reference would be left without its row.")
          .with_subject(std::move(where)));
}

std::unexpected<Error> SqliteMaintenance::script_error(std::string_view script, const char* at) {
  const int offset = sqlite3_error_offset(connection_->handle());
  const char* place = offset > 0 ? at + offset : at;
  const auto line = 1 + std::count(script.data(), place, '\n');
  return std::unexpected(
      Error(Category::internal, kSqlError, "The script failed.")
          .with_subject("line " + std::to_string(line) + ": " + sqlite3_errmsg(connection_->handle())));
}

Result<void> SqliteMaintenance::run_script(std::string_view script) {
  sqlite3* db = connection_->handle();
  const char* at = script.data();
  const char* const end = at + script.size();
  while (at != end) {
    while (at != end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t' || *at == ';')) ++at;
    sqlite3_stmt* raw = nullptr;
    const char* tail = end;
    const int compiled = sqlite3_prepare_v2(db, at, static_cast<int>(end - at), &raw, &tail);
    SqliteStatementHandle statement(raw);
    if (compiled != SQLITE_OK) return script_error(script, at);
    if (!raw) return {};  // only spaces and comments were left
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW) code = sqlite3_step(raw);
    if (code != SQLITE_DONE) return script_error(script, at);
    at = tail;
  }
  return {};
}

/// One prepared INSERT, again and again.
class SqliteBulkInsert final : public BulkInsert {
 public:
  SqliteBulkInsert(Session& session, std::string sql) : session_(session), sql_(std::move(sql)) {}

  Result<void> add(std::span<const Param> row) override {
    Statement statement(sql_, {});
    statement.params = row;
    session_.start(statement);
    if (statement.failed()) return std::unexpected(std::move(*statement.error));
    ++rows_;
    return {};
  }
  Result<std::int64_t> finish() override { return rows_; }

 private:
  Session& session_;
  const std::string sql_;
  std::int64_t rows_ = 0;
};

Result<std::unique_ptr<BulkInsert>> SqliteMaintenance::bulk_insert(
    std::string_view table, std::span<const std::string_view> columns) {
  std::string sql = "INSERT INTO " + quoted_name(table) + " (";
  std::string values;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    sql += (i ? ", " : "") + quoted_name(columns[i]);
    values += (i ? ", $" : "$") + std::to_string(i + 1);
  }
  return std::make_unique<SqliteBulkInsert>(session(), sql + ") VALUES (" + values + ")");
}

bool SqliteMaintenance::start(Statement& statement) {
  Result<SqliteStatement*> prepared = connection_->prepare(statement.sql);
  if (prepared)
    connection_->execute(**prepared, statement);
  else
    statement.error.emplace(std::move(prepared.error()));
  return true;
}

}  // namespace

Result<std::unique_ptr<Maintenance>> open_sqlite_maintenance(const SqliteOptions& options) {
  auto maintenance = std::make_unique<SqliteMaintenance>(options);
  if (Result<void> opened = maintenance->open(); !opened) return std::unexpected(std::move(opened.error()));
  return maintenance;
}

}  // namespace bedplate::sql
