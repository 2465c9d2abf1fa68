// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/catalogue.h"

#include <algorithm>
#include <utility>

#include "bedplate/describe/describe.h"

namespace bedplate::sql {
namespace {

struct ColumnRow {
  std::string name;
  std::string type;
  bool not_null = false;
  bool generated = false;
  bool has_default = false;
  std::int64_t key_place = 0;  // 1, 2, ... in the primary key; 0: not in it

  static consteval auto describe() {
    using namespace bedplate::schema;
    using R = ColumnRow;
    return object<R>("A column in the catalogue",
                     {field<&R::name>(), field<&R::type>(), field<&R::not_null>(), field<&R::generated>(),
                      field<&R::has_default>(), field<&R::key_place>()});
  }
};
struct IndexRow {
  std::string name;
  std::string column;
  bool is_unique = false;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using R = IndexRow;
    return object<R>("A column of an index",
                     {field<&R::name>(), field<&R::column>(), field<&R::is_unique>()});
  }
};

constexpr std::string_view kColumns[] = {
    "SELECT name, type, \"notnull\" = 1 AS not_null, hidden IN (2, 3) AS generated, "
    "dflt_value IS NOT NULL AS has_default, pk AS key_place "
    "FROM pragma_table_xinfo($1) WHERE hidden <> 1 ORDER BY cid",
    "SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AS not_null, "
    "a.attgenerated <> '' AS generated, "
    "(a.atthasdef AND a.attgenerated = '' OR a.attidentity <> '') AS has_default, "
    "coalesce(array_position(k.conkey, a.attnum), 0)::bigint AS key_place "
    "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
    "LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p' "
    "WHERE c.relname = $1 AND c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') "
    "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"};
constexpr std::string_view kIndexes[] = {
    "SELECT l.name AS name, coalesce(i.name, '') AS \"column\", l.\"unique\" = 1 AS is_unique "
    "FROM pragma_index_list($1) l, pragma_index_info(l.name) i WHERE l.origin = 'c' ORDER BY l.name, i.seqno",
    "SELECT i.relname::text AS name, coalesce(a.attname::text, '') AS \"column\", x.indisunique AS is_unique "
    "FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid "
    "CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) "
    "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum "
    "WHERE c.relname = $1 AND c.relnamespace = current_schema()::regnamespace AND NOT x.indisprimary "
    "AND NOT EXISTS (SELECT 1 FROM pg_constraint t WHERE t.conindid = x.indexrelid) "
    "ORDER BY i.relname, k.place"};

}  // namespace

const CatalogueColumn* CatalogueTable::find(std::string_view column) const {
  const auto at = std::ranges::find(columns, column, &CatalogueColumn::name);
  return at == columns.end() ? nullptr : &*at;
}

const CatalogueIndex* CatalogueTable::find_index(std::string_view index) const {
  const auto at = std::ranges::find(indexes, index, &CatalogueIndex::name);
  return at == indexes.end() ? nullptr : &*at;
}

Async<std::optional<CatalogueTable>> read_catalogue(Reader& db, std::string_view name) {
  const auto engine = static_cast<std::size_t>(db.dialect());
  const std::vector<ColumnRow> rows = co_await ok(db.all<ColumnRow>(kColumns[engine], name));
  if (rows.empty()) co_return std::nullopt;
  CatalogueTable table;
  table.name = name;
  std::vector<std::pair<std::int64_t, std::string>> key;
  for (const ColumnRow& row : rows) {
    table.columns.push_back({row.name, row.type, row.not_null, row.generated, row.has_default});
    if (row.key_place > 0) key.emplace_back(row.key_place, row.name);
  }
  std::ranges::sort(key);
  for (auto& [place, column] : key) table.primary_key.push_back(std::move(column));
  if (db.dialect() == Dialect::sqlite && table.primary_key.size() == 1)
    for (CatalogueColumn& column : table.columns)
      if (column.name == table.primary_key.front() && column.type == "INTEGER")
        column.not_null = column.has_default = true;  // the row's number
  const std::vector<IndexRow> indexes = co_await ok(db.all<IndexRow>(kIndexes[engine], name));
  for (const IndexRow& row : indexes) {
    if (table.indexes.empty() || table.indexes.back().name != row.name)
      table.indexes.push_back({row.name, {}, row.is_unique});
    table.indexes.back().columns.push_back(row.column);
  }
  co_return std::move(table);
}

}  // namespace bedplate::sql
