// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/tenants.h"

#include <memory>
#include <utility>
#include <vector>

#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/session.h"

namespace bedplate::sql {
namespace {

// Tables with the column and without forced row-level security under a policy that looks at the setting.
constexpr std::string_view kUnguarded =
    "SELECT c.oid::regclass::text FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' "
    "AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT 1 FROM pg_policy p "
    "WHERE p.polrelid = c.oid AND pg_get_expr(p.polqual, p.polrelid) LIKE '%bedplate.tenant%')) "
    "ORDER BY 1";
constexpr std::string_view kTenantTables =
    "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE a.attname = 'tenant' AND NOT a.attisdropped AND c.relkind IN ('r', 'p') "
    "AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'";
constexpr std::string_view kBypasses =
    "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";

Async<void> check(Reader& db) {
  std::int64_t tables = co_await ok(db.value<std::int64_t>(kTenantTables));
  if (tables == 0) co_return;
  bool bypasses = co_await ok(db.value<bool>(kBypasses));
  if (bypasses)
    co_await fail(
        Category::conflict, "tenants_unguarded",
        "The database's role is a superuser or has BYPASSRLS, so nothing keeps tenants apart. Serve as "
        "a role without: CREATE ROLE app LOGIN NOSUPERUSER NOBYPASSRLS.");
  std::vector<std::string> unguarded = co_await ok(db.all<std::string>(kUnguarded));
  if (unguarded.empty()) co_return;
  std::string names;
  for (const std::string& name : unguarded) names += (names.empty() ? "" : ", ") + name;
  co_await fail(Category::conflict, "tenants_unguarded",
                "These tables have a column `tenant` and no forced row-level security with a policy on "
                "bedplate.tenant: " +
                    names + ".");
}

}  // namespace

Result<void> check_tenants(Database& database) {
  if (database.dialect() == Dialect::sqlite) return {};  // the driver guards by itself
  Result<std::unique_ptr<Maintenance>> maintenance = database.maintenance();
  if (!maintenance) return std::unexpected(std::move(maintenance.error()));
  Reader reader((*maintenance)->session());
  return check(reader).run_without_waiting();
}

std::string tenant_policy(std::string_view table) {
  const std::string name(table);
  return "ALTER TABLE " + name + " ENABLE ROW LEVEL SECURITY;\nALTER TABLE " + name +
         " FORCE ROW LEVEL SECURITY;\nCREATE POLICY tenant ON " + name +
         " USING (tenant = nullif(current_setting('bedplate.tenant', true), '')::uuid);\n";
}

}  // namespace bedplate::sql
