// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/migration_draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "bedplate/base/time.h"
#include "bedplate/describe/any_value.h"
#include "bedplate/describe/rows.h"
#include "bedplate/sql/schema_check.h"

namespace bedplate::sql {
namespace {

std::string quoted_text(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

/// A value as both engines read it.
std::string literal_of(const TypeInfo& type, const void* value) {
  std::string storage;
  const Result<SqlValue> sql = to_sql_value(type, value, storage);
  if (!sql) return "NULL";
  switch (sql->kind) {
    case SqlValue::Kind::null:
      return "NULL";
    case SqlValue::Kind::boolean:
      return sql->integer != 0 ? "true" : "false";
    case SqlValue::Kind::integer:
      return fmt::format("{}", sql->integer);
    case SqlValue::Kind::real:
      return fmt::format("{}", sql->real);
    case SqlValue::Kind::text:
      return quoted_text(sql->text);
    case SqlValue::Kind::blob:
      // Defaults of new columns are of default-constructed values: no bytes.
      return "{sqlite}x''{end}{postgresql}''{end}";
    case SqlValue::Kind::uuid: {
      Uuid id;
      std::copy_n(sql->uuid, id.bytes.size(), id.bytes.begin());
      return fmt::format("{{uuid:{}}}", id.to_string());
    }
    case SqlValue::Kind::time:
      return fmt::format("{{time:{}}}", to_rfc3339(Time(std::chrono::microseconds(sql->integer))));
  }
  return "NULL";
}

/// What a default-constructed row has in this column.
std::string default_of(const TableInfo& table, const DescribedColumn& column) {
  if (column.field) {
    const AnyValue row(table.row());
    return literal_of(*column.type, column.field->in(row.data()));
  }
  const AnyValue value(*column.type);
  return literal_of(*column.type, value.data());
}

std::string type_of_column(const DescribedColumn& column) {
  return fmt::format("{{{}}}{}", column.word, column.nullable ? "" : " NOT NULL");
}

std::string comment(std::string_view text) {
  return fmt::format("-- {}\n", text);
}

/// Statements up, and the same backwards.
class Draft {
 public:
  void create(const TableInfo& table) {
    const std::vector<DescribedColumn> columns = columns_of(table);
    const std::vector<std::string> key = primary_key_of(table);
    const bool numbered = is_numbered(columns, key);
    std::size_t width = 0;
    for (const DescribedColumn& column : columns) width = std::max(width, column.name.size());
    std::vector<std::string> lines;
    std::string notes;
    for (const DescribedColumn& column : columns) {
      if (column.generated) {
        notes += comment(generated_note(table, column));
        continue;
      }
      const bool is_number = numbered && column.name == key.front();
      lines.push_back(
          fmt::format("  {:{}} {}", column.name, width, is_number ? "{identity}" : type_of_column(column)));
    }
    if (!numbered) lines.push_back(fmt::format("  PRIMARY KEY ({})", fmt::join(key, ", ")));
    add(fmt::format("{}CREATE TABLE {} (\n{}\n){};\n", notes, table.name(), fmt::join(lines, ",\n"),
                    numbered ? "{strict}" : "{clustered}"),
        fmt::format("DROP TABLE {};\n", table.name()));
    for (const IndexInfo& index : table.indexes()) create(table, index, false);
  }

  void change(const TableInfo& table, const CatalogueTable& found,
              const std::vector<SchemaFinding>& findings) {
    const std::vector<DescribedColumn> columns = columns_of(table);
    for (const SchemaFinding& finding : findings) {
      const auto column = std::ranges::find(columns, finding.column, &DescribedColumn::name);
      switch (finding.kind) {
        case SchemaFinding::Kind::missing_column:
          add_column(table, *column, found, findings);
          break;
        case SchemaFinding::Kind::extra_column:
          up_ += comment(fmt::format("ALTER TABLE {} DROP COLUMN {};   is not described any more: {}",
                                     table.name(), finding.column, finding.found));
          break;
        case SchemaFinding::Kind::index:
          for (const IndexInfo& index : table.indexes())
            if (index.name == finding.column) create(table, index, finding.found != "nothing");
          break;
        case SchemaFinding::Kind::no_table:
        case SchemaFinding::Kind::type:
        case SchemaFinding::Kind::null:
        case SchemaFinding::Kind::generated:
        case SchemaFinding::Kind::key:
          up_ += comment(finding.text() + " (on SQLite). Make a new table, copy the rows, rename it.");
          break;
      }
    }
  }

  MigrationDraft take() { return {std::move(up_), std::move(down_)}; }

 private:
  void add(const std::string& up, const std::string& down) {
    up_ += up;
    down_ = down + down_;
  }
  static bool is_numbered(const std::vector<DescribedColumn>& columns, const std::vector<std::string>& key) {
    const auto first = std::ranges::find(columns, key.front(), &DescribedColumn::name);
    return key.size() == 1 && first->given && first->word == "integer";
  }
  static std::string generated_note(const TableInfo& table, const DescribedColumn& column) {
    return fmt::format(
        "The database computes {0}.{1}; give its expression: {1} {2} GENERATED ALWAYS AS (...) {{computed}}",
        table.name(), column.name, type_of_column(column));
  }
  void create(const TableInfo& table, const IndexInfo& index, bool another_is_there) {
    const std::string drop = fmt::format("DROP INDEX {};\n", index.name);
    const std::string create = fmt::format("CREATE {}INDEX {} ON {} ({});\n", index.unique ? "UNIQUE " : "",
                                           index.name, table.name(), index.columns);
    if (!another_is_there) return add(create, drop);
    up_ += comment(
        fmt::format("The index {} has other columns: drop it first, then make it again.", index.name));
    up_ += "-- " + drop + "-- " + create;
  }
  void add_column(const TableInfo& table, const DescribedColumn& column, const CatalogueTable& found,
                  const std::vector<SchemaFinding>& findings) {
    if (column.generated) {
      up_ += comment(generated_note(table, column));
      return;
    }
    for (const SchemaFinding& gone : findings) {
      const CatalogueColumn* old = found.find(gone.column);
      if (gone.kind == SchemaFinding::Kind::extra_column &&
          type_fits(column.word, old->type, Dialect::sqlite))
        up_ += comment(
            fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {};   in place of the next line, if it is "
                        "the same column",
                        table.name(), gone.column, column.name));
    }
    const std::string value = column.nullable ? "" : " DEFAULT " + default_of(table, column);
    if (column.is_computed)
      up_ += comment(fmt::format("Rows that are there have this in {} until the program writes them again.",
                                 column.name));
    add(fmt::format("ALTER TABLE {} ADD COLUMN {} {}{};\n", table.name(), column.name, type_of_column(column),
                    value),
        fmt::format("ALTER TABLE {} DROP COLUMN {};\n", table.name(), column.name));
  }

  std::string up_;
  std::string down_;
};

}  // namespace

Async<MigrationDraft> draft_migration(Reader& db, std::span<const TableInfo* const> tables) {
  Draft draft;
  for (const TableInfo* table : tables) {
    const std::optional<CatalogueTable> found = co_await ok(read_catalogue(db, table->name()));
    if (found)
      draft.change(*table, *found, compare(*table, &*found, db.dialect()));
    else
      draft.create(*table);
  }
  co_return draft.take();
}

}  // namespace bedplate::sql
