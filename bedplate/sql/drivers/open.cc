// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/drivers/open.h"

#include <string>
#include <utility>

namespace bedplate::sql {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

// Empty: the URL names no file.
std::string_view path_of(std::string_view url) {
  std::string_view path = url.substr(kSqlite.size());
  if (path.starts_with("///")) path.remove_prefix(2);
  return path.starts_with("//") ? std::string_view() : path;
}

}  // namespace

Result<Dialect> dialect_of(std::string_view url, std::string_view key) {
  if (url.starts_with(kSqlite)) return Dialect::sqlite;
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return Dialect::postgresql;
  return fail(Category::invalid, "database_url",
              std::string(key) + " must begin with sqlite: or with postgresql:// (postgres:// is the same).");
}

Result<void> check_database_url(std::string_view url, std::string_view key) {
  Result<Dialect> dialect = dialect_of(url, key);
  if (!dialect) return std::unexpected(std::move(dialect.error()));
  if (*dialect == Dialect::postgresql) return check_postgresql_url(std::string(url), key);
  const std::string_view path = path_of(url);
  if (path.empty())
    return fail(Category::invalid, "database_url", std::string(key) + " must name a file: sqlite:PATH.");
  if (path.front() == ':')
    return fail(Category::invalid, "database_url",
                std::string(key) +
                    " must name a file: sqlite:PATH. A database in memory (:memory:) would lose everything "
                    "at the end, "
                    "and is not offered.");
  if (path.starts_with("file:") || path.find('?') != std::string_view::npos)
    return fail(
        Category::invalid, "database_url",
        std::string(key) +
            " must name a file: sqlite:PATH. URIs of SQLite (file:PATH?mode=ro) are not read; write the path "
            "alone.");
  return {};
}

Result<std::unique_ptr<Database>> open_database(std::string_view url, const DatabaseOptions& options) {
  if (Result<void> readable = check_database_url(url, "database.url"); !readable)
    return std::unexpected(std::move(readable.error()));
  if (url.starts_with(kSqlite)) {
    SqliteOptions sqlite = options.sqlite;
    sqlite.path = path_of(url);
    return open_sqlite(sqlite);
  }
  PostgresqlOptions postgresql = options.postgresql;
  postgresql.url = url;
  return open_postgresql(postgresql);
}

}  // namespace bedplate::sql
