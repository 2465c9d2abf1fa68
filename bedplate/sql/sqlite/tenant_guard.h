// SPDX-License-Identifier: Apache-2.0
// Row-level security for SQLite, which has none: keeps each statement inside its tenant's rows. Private header of the
// driver; sql/tenants.h says what it promises.
//
// A table with a column `tenant` is a tenants' table. In each connection, each such table is hidden behind
//   - a temporary view of its name, which shows the rows of the present tenant: names without a schema mean
//     it, so every read goes through it, also within joins, subqueries and writes;
//   - temporary triggers: rows of others are passed over by UPDATE and DELETE, and a row that would belong to
//     another is refused (kTenantViolation).
// The target of a write is the one thing that must be the table itself: the guard writes "main." before it. The
// authorizer refuses every other way to the table: a view or trigger of the application's own, an external
// content table of FTS5, a table that appeared since the guard last looked (it looks again, and the statement
// is compiled again). A statement that writes "main." itself, or REPLACE, which deletes without triggers, is
// refused.
//
// What the views and triggers compare with is a function of the connection that returns the present tenant;
// without one it is NULL, which equals nothing.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "bedplate/base/id.h"
#include "bedplate/base/result.h"

struct sqlite3;
struct sqlite3_context;
struct sqlite3_value;

namespace bedplate::sql {

class TenantGuard {
 public:
  TenantGuard() = default;
  TenantGuard(const TenantGuard&) = delete;
  TenantGuard& operator=(const TenantGuard&) = delete;

  /// Adds its function to the connection.
  int attach(sqlite3* db);

  /// On whose behalf statements run from here on.
  void set_tenant(const std::optional<Uuid>& tenant) { tenant_ = tenant; }

  /// A statement as SQLite is to see it.
  struct Rewritten {
    std::string text;    ///< empty: as it was written
    std::string target;  ///< the tenants' table that it writes to; empty: none
  };
  /// Fails with kSqlError for a statement that goes round the guard.
  Result<Rewritten> rewrite(std::string_view sql) const;

  /// For the authorizer, while a statement with that target is compiled: may it touch this table? The arguments are
  /// those of SQLITE_READ, INSERT, UPDATE and DELETE.
  bool allows(std::string_view target, const char* table, const char* schema, const char* inside);
  /// allows() said no to a table that was not there when the guard last looked, or whose view is gone: setup() may
  /// help.
  bool is_behind() const { return !unknown_.empty() || stale_; }
  /// Looks at the schema and makes views and triggers. Runs statements that its own authorizer must let pass.
  int setup(sqlite3* db);

  // Views made within a transaction go with it.
  void transaction_began() { stale_ = stale_ || unsaved_; }
  void transaction_committed() { unsaved_ = false; }
  void transaction_undone() { stale_ = stale_ || unsaved_; }
  /// setup() is needed before the next statement.
  bool stale() const { return stale_; }

 private:
  enum class Kind : unsigned char { free, tenants, refused };
  struct IgnoreCase {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
  };

  static void tenant_function(sqlite3_context* context, int, sqlite3_value**);
  bool knows(std::string_view name);
  int read_schema(sqlite3* db);
  int hide(sqlite3* db, const std::string& table);

  std::map<std::string, Kind, IgnoreCase> tables_;  ///< and views and triggers, which are free
  std::set<std::string, IgnoreCase>
      no_tables_;        ///< json_each and the like: not in any schema, so no tenants'
  std::string unknown_;  ///< what a statement named that the guard has not heard of
  bool any_ = false;     ///< there are tenants' tables
  bool stale_ = false;
  bool unsaved_ = false;  ///< views were made in the transaction that is open
  std::optional<Uuid> tenant_;
};

}  // namespace bedplate::sql
