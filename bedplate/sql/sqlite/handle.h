// SPDX-License-Identifier: Apache-2.0
// Owners of SQLite's C objects. Private header of the driver.
#pragma once

#include <sqlite3.h>

#include <memory>

namespace bedplate::sql {

struct CloseSqlite {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using SqliteHandle = std::unique_ptr<sqlite3, CloseSqlite>;

struct FinalizeSqlite {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using SqliteStatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeSqlite>;

}  // namespace bedplate::sql
