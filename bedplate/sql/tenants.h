// SPDX-License-Identifier: Apache-2.0
// Tenants: rows that belong to one of many customers, kept apart below the application.
//
//   CallContext context(caller.tenant());
//   co_await ok(db.read(context, &Store::list, store, filter));        // sees the rows of this tenant, no others
//
// A table with a column `tenant` (NOT NULL; BLOB(16) / uuid) is a tenants' table. Statements are written as ever;
// whatever they forget to say, they reach rows of the call's tenant only (CallContext::tenant), and a call
// without a tenant reaches none:
//   - SELECT, also within joins, subqueries and views, does not see others' rows;
//   - UPDATE and DELETE pass over them, and count what they changed;
//   - INSERT, and an UPDATE of the column, fail with kTenantViolation when the row would be another's.
//
// On PostgreSQL a policy does it, which the migration makes beside the table (tenant_policy() prints it):
//
//   ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
//   ALTER TABLE notes FORCE ROW LEVEL SECURITY;
//   CREATE POLICY tenant ON notes USING (tenant = nullif(current_setting('bedplate.tenant', true), '')::uuid);
//
// It does not hold for superusers and roles with BYPASSRLS: check_tenants() refuses to serve as one, or with a
// tenants' table that has no such policy. A migration that changes rows of tenants begins with
// `ALTER TABLE notes NO FORCE ROW LEVEL SECURITY`, and ends with FORCE.
//
// On SQLite the driver does it, with nothing to add to the migration (sqlite/tenant_guard.h). What differs there:
//   - keys and indexes should begin with the tenant, and writes should name it in WHERE: the driver cannot add it
//     to the plan of a write, so one that does not looks at everybody's rows, if only to pass over them;
//   - REPLACE, and texts that name a schema ("main.notes"), are refused; rowid is not seen;
//   - views, triggers and external-content FTS5 tables of the application over tenants' tables are refused.
// Migrations, backups and the sqlite3 shell see everything.
//
// Values that are not rows need their tenant in the key: see search/index.h for partitions.
#pragma once

#include <string>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/sql/database.h"

namespace bedplate::sql {

/// The tenants' tables are guarded, and for this role too. Fails with Category::conflict `tenants_unguarded` and a
/// sentence for the operator. Blocks; once, after migrating and before serving.
Result<void> check_tenants(Database& database);

/// What a migration for PostgreSQL says about a tenants' table.
std::string tenant_policy(std::string_view table);

}  // namespace bedplate::sql
