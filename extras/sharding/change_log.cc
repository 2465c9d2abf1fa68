// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/change_log.h"

#include <fmt/format.h>

#include <span>
#include <string_view>

#include "bedplate/sql/params.h"
#include "bedplate/sql/transfer/row_text.h"

namespace bedplate::sharding {
namespace {

using sql::ColumnType;
using sql::Dialect;
using sql::Params;
using sql::quoted;
using sql::TableShape;

constexpr std::size_t kDeleteMax = 256;

std::string literal(std::string_view text) {
  std::string quoted_text = "'";
  for (const char c : text) {
    if (c == '\'') quoted_text += '\'';
    quoted_text += c;
  }
  return quoted_text + "'";
}

/// A row's key as sql::write_key() writes it. `row` is NEW or OLD. A value that no key has becomes one that
/// sql::read_key() refuses, so that the move fails and not the application's write.
std::string sqlite_key(const TableShape& table, std::string_view row) {
  std::string text;
  for (const std::string& column : table.primary_key) {
    const std::string value = fmt::format("{}.{}", row, quoted(column));
    text += fmt::format(
        "{0}CASE typeof({1}) WHEN 'integer' THEN 'i' || {1} WHEN 'text' THEN 't' || lower(hex({1})) "
        "WHEN 'blob' THEN 'b' || lower(hex({1})) ELSE '?' END",
        text.empty() ? "" : " || '|' || ", value);
  }
  return text;
}

std::string sqlite_trigger_name(const TableShape& table, std::string_view event) {
  return fmt::format("sharding_changes_{}_{}", table.name, event);
}

std::vector<std::string> sqlite_triggers(const TableShape& table) {
  constexpr std::string_view kInsert = "INSERT INTO sharding_changes (bucket, row_table, row_key) SELECT ";
  const auto entry = [&](std::string_view row) {
    return fmt::format("{}.\"bucket\", {}, {}", row, literal(table.name), sqlite_key(table, row));
  };
  const auto trigger = [&](std::string_view event, std::string_view buckets, const std::string& entries) {
    return fmt::format(
        "CREATE TRIGGER {} AFTER {} ON {} WHEN EXISTS (SELECT 1 FROM sharding_owned WHERE bucket IN ({}) AND "
        "logged = 1) BEGIN {}{}; END",
        quoted(sqlite_trigger_name(table, event)), event, quoted(table.name), buckets, kInsert, entries);
  };
  return {
      trigger("insert", "NEW.\"bucket\"", entry("NEW")), trigger("delete", "OLD.\"bucket\"", entry("OLD")),
      trigger("update", "OLD.\"bucket\", NEW.\"bucket\"", entry("OLD") + " UNION SELECT " + entry("NEW"))};
}

std::string_view key_type(ColumnType type) {
  switch (type) {
    case ColumnType::integer:
      return "integer";
    case ColumnType::boolean:
      return "boolean";
    case ColumnType::time:
      return "time";
    case ColumnType::uuid:
      return "uuid";
    case ColumnType::blob:
      return "blob";
    default:
      return "text";
  }
}

std::vector<std::string> postgresql_arguments(const TableShape& table) {
  std::vector<std::string> arguments = {table.name};
  for (const std::string& column : table.primary_key) {
    arguments.push_back(column);
    arguments.emplace_back(key_type(table.find(column)->type));
  }
  return arguments;
}

std::vector<std::string> postgresql_triggers(const TableShape& table) {
  std::string arguments;
  for (const std::string& argument : postgresql_arguments(table))
    arguments += (arguments.empty() ? "" : ", ") + literal(argument);
  return {
      fmt::format(
          "CREATE OR REPLACE TRIGGER sharding_changes AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW "
          "EXECUTE FUNCTION sharding_log_change({})",
          quoted(table.name), arguments),
      fmt::format("CREATE OR REPLACE TRIGGER sharding_truncate BEFORE TRUNCATE ON {} FOR EACH STATEMENT "
                  "EXECUTE FUNCTION sharding_refuse_truncate()",
                  quoted(table.name))};
}

}  // namespace

std::vector<std::string> change_log_triggers(const TableShape& table, Dialect dialect) {
  if (dialect == Dialect::postgresql) return postgresql_triggers(table);
  std::vector<std::string> statements;
  for (const std::string_view event : {"insert", "delete", "update"})
    statements.push_back("DROP TRIGGER IF EXISTS " + quoted(sqlite_trigger_name(table, event)));
  for (std::string& trigger : sqlite_triggers(table)) statements.push_back(std::move(trigger));
  return statements;
}

Async<bool> has_change_log(sql::Reader& db, const TableShape& table, Dialect dialect) {
  if (dialect == Dialect::postgresql) {
    std::string arguments;  // as the catalogue has them: each with a zero behind it
    for (const std::string& argument : postgresql_arguments(table)) arguments += argument + '\0';
    const std::span<const std::byte> bytes = std::as_bytes(std::span(arguments));
    const std::int64_t found = co_await ok(db.value<std::int64_t>(
        "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgenabled <> 'D' "
        "AND c.relname = $1 AND c.relnamespace = current_schema()::regnamespace "
        "AND (t.tgname = 'sharding_truncate' OR (t.tgname = 'sharding_changes' AND t.tgargs = $2))",
        table.name, bytes));
    co_return found == 2;
  }
  for (const std::string& trigger : sqlite_triggers(table)) {
    const std::int64_t found = co_await ok(db.value<std::int64_t>(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND sql = $1", trigger));
    if (found != 1) co_return false;
  }
  co_return true;
}

Async<void> make_change_log(sql::Transaction& tx, const TableShape& table, Dialect dialect) {
  for (const std::string& statement : change_log_triggers(table, dialect)) co_await ok(tx.run(statement));
}

Async<std::vector<Change>> read_changes(sql::Reader& db, Bucket bucket, std::size_t changes_max) {
  const auto limit = static_cast<std::int64_t>(changes_max);
  std::vector<Change> changes = co_await ok(db.all<Change>(
      "SELECT id, row_table, row_key FROM sharding_changes WHERE bucket = $1 ORDER BY id LIMIT $2", bucket,
      limit));
  co_return changes;
}

Async<void> forget_changes(sql::Transaction& tx, const std::vector<Change>& changes) {
  std::size_t at = 0;
  for (const std::size_t size : sql::chunk_sizes(changes.size(), kDeleteMax)) {
    Params params;
    std::string text = "DELETE FROM sharding_changes WHERE id IN (";
    for (std::size_t i = 0; i < size; ++i) text += (i ? ", " : "") + params.add(changes[at + i].id);
    text += ")";
    at += size;
    co_await ok(tx.run(text, params));
  }
}

}  // namespace bedplate::sharding
