// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/transfer/table_shape.h"

#include <algorithm>
#include <set>
#include <utility>

#include "bedplate/describe/describe.h"

namespace bedplate::sql {
namespace {

struct ColumnRow {
  std::string name;
  std::string type;
  bool required = false;
  bool identity = false;
  std::int64_t key_place = 0;  // 1, 2, ... in the primary key; 0: not in it

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ColumnRow>("A column in the catalogue", {
                                                              field<&ColumnRow::name>(),
                                                              field<&ColumnRow::type>(),
                                                              field<&ColumnRow::required>(),
                                                              field<&ColumnRow::identity>(),
                                                              field<&ColumnRow::key_place>(),
                                                          });
  }
};

// Generated columns (hidden 2, 3) follow from the others.
constexpr std::string_view kColumns[] = {
    "SELECT name, type, (\"notnull\" = 1 AND dflt_value IS NULL) AS required, 0 AS identity, pk AS key_place "
    "FROM pragma_table_xinfo($1) WHERE hidden = 0 ORDER BY cid",
    "SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type, "
    "(a.attnotnull AND NOT a.atthasdef AND a.attidentity = '') AS required, "
    "(a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false)) AS identity, "
    "coalesce(array_position(k.conkey, a.attnum), 0)::bigint AS key_place "
    "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
    "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
    "LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p' "
    "WHERE c.relname = $1 AND c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') "
    "AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum"};
constexpr std::string_view kReferences[] = {
    "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1) ORDER BY 1",
    "SELECT DISTINCT r.relname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
    "JOIN pg_class r ON r.oid = k.confrelid WHERE k.contype = 'f' AND c.relname = $1 "
    "AND c.relnamespace = current_schema()::regnamespace ORDER BY 1"};
constexpr std::string_view kRowsHiddenFrom =
    "SELECT CASE WHEN row_security_active(oid) THEN current_user::text ELSE '' END FROM pg_class WHERE "
    "relname = $1 "
    "AND relnamespace = current_schema()::regnamespace";
// 'shadow' and 'virtual' are search indexes.
constexpr std::string_view kTables[] = {
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
    "AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name",
    "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace "
    "AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"};

std::string_view text_for(const std::string_view (&texts)[2], Dialect dialect) {
  return texts[static_cast<std::size_t>(dialect)];
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

// SQLite's rules of affinity (https://sqlite.org/datatype3.html, section 3.1), as far as tables use them.
ColumnType sqlite_type(const std::string& declared) {
  const std::string type = upper(declared);
  const auto has = [&](const char* word) { return type.find(word) != std::string::npos; };
  if (has("INT") || has("BOOL")) return ColumnType::integer;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return ColumnType::text;
  if (has("REAL") || has("FLOA") || has("DOUB")) return ColumnType::real;
  return ColumnType::blob;
}

std::optional<ColumnType> postgresql_type(std::string_view type) {
  if (type == "bigint" || type == "integer" || type == "smallint") return ColumnType::integer;
  if (type == "double precision" || type == "real") return ColumnType::real;
  if (type == "text" || type == "character varying" || type == "character" || type == "name")
    return ColumnType::text;
  if (type == "bytea") return ColumnType::blob;
  if (type == "uuid") return ColumnType::uuid;
  if (type == "timestamp with time zone") return ColumnType::time;
  if (type == "boolean") return ColumnType::boolean;
  if (type == "jsonb" || type == "json") return ColumnType::json;
  if (type.starts_with("numeric")) return ColumnType::decimal;
  if (type == "date") return ColumnType::date;
  return std::nullopt;
}

TableShape shape_of(std::string_view name, Dialect dialect, const std::vector<ColumnRow>& rows) {
  TableShape table;
  table.name = name;
  std::vector<std::pair<std::int64_t, std::string>> key;
  for (const ColumnRow& row : rows) {
    const std::optional<ColumnType> type =
        dialect == Dialect::sqlite ? sqlite_type(row.type) : postgresql_type(row.type);
    if (!type && row.required) table.unknown_column = row.name;
    if (row.key_place > 0) key.emplace_back(row.key_place, row.name);
    // Of a type without a portable form (tsvector): an index of the rest.
    if (type) table.columns.push_back({row.name, *type, row.required, row.identity});
  }
  std::ranges::sort(key);
  for (auto& [place, column] : key) table.primary_key.push_back(std::move(column));
  return table;
}

}  // namespace

const ColumnShape* TableShape::find(std::string_view column) const {
  const auto at = std::ranges::find(columns, column, &ColumnShape::name);
  return at == columns.end() ? nullptr : &*at;
}

Async<TableShape> read_table(Reader& db, Dialect dialect, std::string_view name) {
  std::vector<ColumnRow> rows = co_await ok(db.all<ColumnRow>(text_for(kColumns, dialect), name));
  if (rows.empty())
    co_return fail(Category::not_found, "no_table", "There is no table " + std::string(name) + ".");
  TableShape table = shape_of(name, dialect, rows);
  table.references = co_await ok(db.all<std::string>(text_for(kReferences, dialect), name));
  std::erase(table.references, table.name);
  if (dialect == Dialect::postgresql)
    table.rows_hidden_from = co_await ok(db.value<std::string>(kRowsHiddenFrom, name));
  co_return table;
}

Async<std::vector<TableShape>> read_tables(Reader& db, Dialect dialect) {
  const std::vector<std::string> names = co_await ok(db.all<std::string>(text_for(kTables, dialect)));
  std::vector<TableShape> tables;
  for (const std::string& name : names) {
    TableShape table = co_await ok(read_table(db, dialect, name));
    tables.push_back(std::move(table));
  }
  co_return in_reference_order(std::move(tables));
}

Result<std::vector<TableShape>> in_reference_order(std::vector<TableShape> tables) {
  std::ranges::sort(tables, {}, &TableShape::name);
  std::set<std::string> waiting;
  for (const TableShape& table : tables) waiting.insert(table.name);
  std::vector<TableShape> ordered;
  while (!tables.empty()) {
    // The first whose references are all placed; one outside the list does not hold anybody up.
    const auto ready = std::ranges::find_if(tables, [&](const TableShape& table) {
      return std::ranges::none_of(table.references,
                                  [&](const std::string& name) { return waiting.contains(name); });
    });
    if (ready == tables.end())
      return fail(Category::invalid, "reference_cycle",
                  "The table " + tables.front().name + " refers to itself through other tables.");
    waiting.erase(ready->name);
    ordered.push_back(std::move(*ready));
    tables.erase(ready);
  }
  return ordered;
}

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

}  // namespace bedplate::sql
