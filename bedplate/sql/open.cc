#include "bedplate/sql/open.h"

#include <string>
#include <utility>

namespace bedplate::sql {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

Result<std::unique_ptr<Database>> open_file(std::string_view url, SqliteOptions options) {
  std::string_view path = url.substr(kSqlite.size());
  if (path.starts_with("///")) path.remove_prefix(2);
  if (path.empty() || path.starts_with("//"))
    return fail(Category::invalid, "database_url", "database.url must name a file: sqlite:PATH.");
  options.path = path;
  return open_sqlite(options);
}

}  // namespace

Result<Dialect> dialect_of(std::string_view url) {
  if (url.starts_with(kSqlite)) return Dialect::sqlite;
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return Dialect::postgresql;
  return fail(Category::invalid, "database_url",
              "database.url must begin with sqlite: or with postgresql:// (postgres:// is the same).");
}

Result<std::unique_ptr<Database>> open_database(std::string_view url, const DatabaseOptions& options) {
  Result<Dialect> dialect = dialect_of(url);
  if (!dialect) return std::unexpected(std::move(dialect.error()));
  if (*dialect == Dialect::sqlite) return open_file(url, options.sqlite);
  PostgresqlOptions postgresql = options.postgresql;
  postgresql.url = url;
  return open_postgresql(postgresql);
}

}  // namespace bedplate::sql
