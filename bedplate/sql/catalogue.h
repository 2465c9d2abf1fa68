// SPDX-License-Identifier: Apache-2.0
// What a database says of one table: its columns, key and indexes, in the engine's own words. For comparing it with a
// description (schema_check.h). Rows are copied by another reading of it: transfer/table_shape.h.
//
//   std::optional<CatalogueTable> table = co_await ok(read_catalogue(db, "notes"));
//   if (!table) ...                                     // it does not exist
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/sql/session.h"

namespace bedplate::sql {

struct CatalogueColumn {
  std::string name;
  std::string type;          ///< "BLOB", "timestamp with time zone"
  bool not_null = false;     ///< also a key that cannot be NULL otherwise (SQLite's INTEGER PRIMARY KEY)
  bool generated = false;    ///< computed by the database
  bool has_default = false;  ///< an insert may leave it out
};

struct CatalogueIndex {
  std::string name;
  std::vector<std::string> columns;  ///< an expression is an empty name
  bool unique = false;
};

struct CatalogueTable {
  std::string name;
  std::vector<CatalogueColumn> columns;  ///< in the order of the table
  std::vector<std::string> primary_key;  ///< in key order
  std::vector<CatalogueIndex> indexes;   ///< made by CREATE INDEX; by name

  const CatalogueColumn* find(std::string_view column) const;
  const CatalogueIndex* find_index(std::string_view index) const;
};

/// Nothing: there is no table of that name (PostgreSQL: in the current schema).
Async<std::optional<CatalogueTable>> read_catalogue(Reader& db, std::string_view table);

}  // namespace bedplate::sql
