// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/tenant_guard.h"

#include <sqlite3.h>

#include <algorithm>
#include <vector>

#include "bedplate/base/log.h"
#include "bedplate/base/text.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/sqlite/handle.h"
#include "bedplate/sql/sqlite/statement_shape.h"

namespace bedplate::sql {
namespace {

constexpr const char* kFunction = "bedplate_tenant";
constexpr std::string_view kTriggers = "bedplate_tenant_";  // how the names of ours begin

// As SQL writes a name.
std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (char c : name) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + "\"";
}

std::unexpected<Error> refused(std::string_view sql, const char* why) {
  log_error("a statement cannot be used", {{"error", why}, {"sql", sql}});
  return std::unexpected(
      Error(Category::internal, kSqlError, "The server met an unexpected fault.").with_subject(why));
}

}  // namespace

bool TenantGuard::IgnoreCase::operator()(std::string_view a, std::string_view b) const {
  return std::ranges::lexicographical_compare(
      a, b, {}, [](char c) { return to_lower(c); }, [](char c) { return to_lower(c); });
}

void TenantGuard::tenant_function(sqlite3_context* context, int, sqlite3_value**) {
  const auto& guard = *static_cast<const TenantGuard*>(sqlite3_user_data(context));
  if (guard.tenant_)
    sqlite3_result_blob(context, guard.tenant_->bytes.data(), static_cast<int>(guard.tenant_->bytes.size()),
                        SQLITE_TRANSIENT);
  else
    sqlite3_result_null(context);
}

int TenantGuard::attach(sqlite3* db) {
  // Deterministic within a statement, whose tenant does not change: it is asked once, and indexes serve it.
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  return sqlite3_create_function_v2(db, kFunction, 0, kFlags, this, &TenantGuard::tenant_function, nullptr,
                                    nullptr, nullptr);
}

Result<TenantGuard::Rewritten> TenantGuard::rewrite(std::string_view sql) const {
  Rewritten rewritten;
  if (!any_) return rewritten;
  const StatementShape shape = shape_of(sql);
  if (shape.names_schema)
    return refused(sql, "names a schema: tenants' tables are reached by their own names");
  const auto found = tables_.find(shape.target);
  if (found == tables_.end() || found->second == Kind::free) return rewritten;
  if (shape.replaces)
    return refused(sql, "replaces rows of a tenants' table: write ON CONFLICT ... DO UPDATE");
  rewritten.target = found->first;
  rewritten.text.append(sql.substr(0, shape.target_at)).append("main.").append(sql.substr(shape.target_at));
  return rewritten;
}

// Whether the guard has heard of the name; if not, it looks at the schema before the statement is compiled again.
bool TenantGuard::knows(std::string_view name) {
  if (tables_.contains(name) || name.starts_with("sqlite_") || no_tables_.contains(name)) return true;
  unknown_ = name;
  return false;
}

bool TenantGuard::allows(std::string_view target, const char* table, const char* schema, const char* inside) {
  if (!table || (schema && std::string_view(schema) != "main")) return true;
  if (!knows(table)) return false;
  const auto found = tables_.find(std::string_view(table));
  if (found == tables_.end() || found->second == Kind::free) return true;
  if (found->second != Kind::tenants) return false;
  // A table of which no column is asked for ("SELECT count(*)") comes with the schema that was written, so with none:
  // the name means the view, except inside a view or trigger of the application's.
  if (!schema)
    return !stale_ && (!inside || (knows(inside) && !tables_.contains(std::string_view(inside))) ||
                       equal_ignoring_case(table, inside));
  if (!inside) return equal_ignoring_case(table, target);
  // The view that hides it, or one of its triggers.
  return equal_ignoring_case(table, inside) || std::string_view(inside).starts_with(kTriggers);
}

int TenantGuard::setup(sqlite3* db) {
  const int read = read_schema(db);
  if (read != SQLITE_OK) return read;
  // A reader's connection refuses writes, also to what is temporary.
  int query_only = 0;
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, "PRAGMA query_only", -1, &raw, nullptr) == SQLITE_OK &&
      sqlite3_step(raw) == SQLITE_ROW)
    query_only = sqlite3_column_int(raw, 0);
  sqlite3_finalize(raw);
  if (query_only) sqlite3_exec(db, "PRAGMA query_only=OFF", nullptr, nullptr, nullptr);
  int code = SQLITE_OK;
  for (const auto& [table, kind] : tables_)
    if (kind == Kind::tenants && code == SQLITE_OK) code = hide(db, table);
  if (query_only) sqlite3_exec(db, "PRAGMA query_only=ON", nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return code;
  unsaved_ = any_ && sqlite3_get_autocommit(db) == 0;
  if (!unknown_.empty() && !tables_.contains(unknown_)) no_tables_.insert(unknown_);
  unknown_.clear();
  stale_ = false;
  return SQLITE_OK;
}

int TenantGuard::read_schema(sqlite3* db) {
  constexpr const char* kTables =
      "SELECT name, type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE lower(name) = "
      "'tenant'), "
      "sql LIKE '%CONFLICT%REPLACE%' OR sql LIKE 'CREATE VIRTUAL%' "
      "FROM main.sqlite_schema m WHERE type IN ('table', 'view', 'trigger')";
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(db, kTables, -1, &raw, nullptr);
  SqliteStatementHandle statement(raw);
  if (code != SQLITE_OK) return code;
  tables_.clear();
  any_ = false;
  while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
    std::string name = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
    Kind kind = sqlite3_column_int(raw, 1) ? Kind::tenants : Kind::free;
    if (kind == Kind::tenants && sqlite3_column_int(raw, 2)) {
      log_error(
          "a tenants' table is virtual or replaces rows on conflict, which cannot be guarded; it is out of "
          "bounds",
          {{"table", name}});
      kind = Kind::refused;
    }
    any_ = any_ || kind != Kind::free;
    tables_.emplace(std::move(name), kind);
  }
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

int TenantGuard::hide(sqlite3* db, const std::string& table) {
  const std::string name = quoted(table);
  const std::string trigger = std::string(kTriggers) + table;
  const std::string foreign = "(bedplate_tenant() IS NULL OR $.tenant IS NOT bedplate_tenant())";
  auto is_foreign = [&](const char* row) { return std::string(foreign).replace(foreign.find('$'), 1, row); };
  const std::string refuse = "SELECT RAISE(ABORT, 'tenant_violation')";
  auto make_trigger = [&](const char* what, const std::string& body) {
    const std::string trigger_name = quoted(trigger + "_" + what);
    return "DROP TRIGGER IF EXISTS temp." + trigger_name + "; CREATE TEMP TRIGGER " + trigger_name +
           " BEFORE " + what + " ON main." + name + " BEGIN " + body + " END;";
  };
  std::string script = "DROP VIEW IF EXISTS temp." + name + "; CREATE TEMP VIEW " + name +
                       " AS SELECT * FROM main." + name + " WHERE tenant = bedplate_tenant();";
  script += make_trigger("INSERT", refuse + " WHERE " + is_foreign("NEW") + ";");
  script += make_trigger("UPDATE", "SELECT RAISE(IGNORE) WHERE " + is_foreign("OLD") + "; " + refuse +
                                       " WHERE " + is_foreign("NEW") + ";");
  script += make_trigger("DELETE", "SELECT RAISE(IGNORE) WHERE " + is_foreign("OLD") + ";");
  return sqlite3_exec(db, script.c_str(), nullptr, nullptr, nullptr);
}

}  // namespace bedplate::sql
