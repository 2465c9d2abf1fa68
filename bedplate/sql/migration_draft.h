// SPDX-License-Identifier: Apache-2.0
// Writes the migration that brings tables to what their descriptions say, with the words of migration_words.h, so that
// one file suits both engines.
//
//   MigrationDraft draft = co_await ok(draft_migration(db, tables));    // db: a SQLite database after all migrations
//   if (draft.empty()) print("nothing has changed");
//
// CREATE TABLE, ADD COLUMN and CREATE INDEX are statements. What may lose rows or needs a decision is a comment:
// columns that are no longer described, renames (a column that is new beside one that is gone), other types, NULL,
// keys, and what the database computes. A new column that must have a value gets the one of a default-constructed
// row.
#pragma once

#include <span>
#include <string>

#include "bedplate/async/async.h"
#include "bedplate/sql/session.h"
#include "bedplate/sql/table_info.h"

namespace bedplate::sql {

struct MigrationDraft {
  std::string up;    ///< empty: the database is as described
  std::string down;  ///< the same backwards

  bool empty() const { return up.empty(); }
};

Async<MigrationDraft> draft_migration(Reader& db, std::span<const TableInfo* const> tables);

}  // namespace bedplate::sql
