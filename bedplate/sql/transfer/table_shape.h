// SPDX-License-Identifier: Apache-2.0
// What tables look like, read from the catalogue of either engine: for code that copies, compares or moves rows of
// tables that it was not compiled with.
//
//   std::vector<TableShape> tables = co_await ok(read_tables(db, Dialect::sqlite));   // referred-to tables first
//   SelectText text = ...                                                             // row_text.h
//
// Search indexes (SQLite's virtual tables and their shadows) and generated columns are left out: they follow from
// the rest. Names come from the catalogue and are quoted in every text; values never stand in one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/session.h"

namespace bedplate::sql {

/// What a column holds, in the words of the richer engine. SQLite says integer, real, text or blob; the other side of
/// a copy may know more (see unite_types()).
enum class ColumnType : std::uint8_t { integer, real, text, blob, uuid, time, boolean, json, decimal, date };

struct ColumnShape {
  std::string name;
  ColumnType type = ColumnType::text;
  bool required = false;  ///< NOT NULL and without a default: an insert has to name it
  bool identity = false;  ///< numbered by a sequence of the database (PostgreSQL)
};

struct TableShape {
  std::string name;
  std::vector<ColumnShape> columns;      ///< in the order of the catalogue
  std::vector<std::string> primary_key;  ///< in key order; empty: none
  std::vector<std::string> references;   ///< tables that its foreign keys name, without itself
  /// Row-level security hides rows from this role, which the session has: what it copied would not be all. It needs
  /// BYPASSRLS. Empty: nothing is hidden.
  std::string rows_hidden_from;
  /// A column that must have a value and is of a type without a portable form (tsvector, numeric): such a table cannot
  /// be copied. Other columns of such types are left out. Empty: none.
  std::string unknown_column;

  const ColumnShape* find(std::string_view column) const;
};

/// One table. Category::not_found `no_table` when there is none of that name.
Async<TableShape> read_table(Reader& db, Dialect dialect, std::string_view name);

/// Every table of the database (PostgreSQL: of the current schema), in an order in which a table comes after those it
/// refers to. Category::invalid `reference_cycle` when there is no such order.
Async<std::vector<TableShape>> read_tables(Reader& db, Dialect dialect);

/// Sorts tables so that each comes after those it refers to; by name where that leaves a choice.
Result<std::vector<TableShape>> in_reference_order(std::vector<TableShape> tables);

/// `"name"`, for a text.
std::string quoted(std::string_view name);

}  // namespace bedplate::sql
