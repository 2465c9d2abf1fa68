// SPDX-License-Identifier: Apache-2.0
// Compares described tables (table.h) with those of a database, on either engine.
//
//   const TableInfo* tables[] = {&kNotes, &kTags};
//   std::vector<SchemaFinding> findings = co_await ok(check_tables(db, tables));
//   for (const SchemaFinding& finding : findings) print(finding.text());
//   // table notes, column title: expected text NOT NULL, found bigint NOT NULL
//
// Compared are columns (missing, extra, type, NULL), the primary key, and the indexes that the description names. A
// type fits when the driver can store the field in it: text takes JSON too, an integer of any width an integer.
// Tables that are not described, and further indexes, are nobody's business here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/sql/catalogue.h"
#include "bedplate/sql/session.h"
#include "bedplate/sql/table_info.h"

namespace bedplate::sql {

/// A column that a described table has.
struct DescribedColumn {
  std::string_view name;
  const TypeInfo* type = nullptr;
  std::string_view word;             ///< of migration_words.h, without its braces
  bool nullable = false;             ///< an optional
  bool generated = false;            ///< computed by the database
  bool given = false;                ///< by the database, when a row is inserted
  bool is_computed = false;          ///< computed by the program
  const FieldInfo* field = nullptr;  ///< null: it is no field of the row type
};

/// Outer keys, then fields, then the other columns.
std::vector<DescribedColumn> columns_of(const TableInfo& table);
/// The names of the key's columns, in its order.
std::vector<std::string> primary_key_of(const TableInfo& table);
/// Whether a column of this type, in the engine's words, can hold what the word in braces stands for.
bool type_fits(std::string_view word, std::string_view type, Dialect dialect);

struct SchemaFinding {
  enum class Kind : std::uint8_t {
    no_table,
    missing_column,
    extra_column,
    type,
    null,
    generated,
    key,
    index
  };
  Kind kind = Kind::no_table;
  std::string table;
  std::string column;    ///< or the index; empty: the table itself
  std::string expected;  ///< "text NOT NULL", in the database's words; "nothing"
  std::string found;

  std::string text() const;
};

/// Of one table; null: the database has none of this name.
std::vector<SchemaFinding> compare(const TableInfo& described, const CatalogueTable* found, Dialect dialect);

/// In the order of the tables. Nothing: all is as described.
Async<std::vector<SchemaFinding>> check_tables(Reader& db, std::span<const TableInfo* const> tables);

}  // namespace bedplate::sql
