// SPDX-License-Identifier: Apache-2.0
// Opens a database by its URL: the scheme chooses the driver.
//
//   auto database = open_database("sqlite:/var/lib/notes/bedplate.db");
//   auto database = open_database("postgresql://app@db.internal/notes", options);
#pragma once

#include <memory>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/postgresql/postgresql.h"
#include "bedplate/sql/sqlite/sqlite.h"

namespace bedplate::sql {

/// The settings of every driver; those of the chosen one count. The place is taken from the URL.
struct DatabaseOptions {
  SqliteOptions sqlite;
  PostgresqlOptions postgresql;
};

/// The driver of a URL: `sqlite:PATH` (`sqlite:///abs/path` too; a file, neither :memory: nor file:PATH?mode=ro),
/// `postgresql://...` or `postgres://...`.
/// Another scheme is an error that lists what there is. No error holds any part of the URL, which may have a
/// password in it. `key` is the setting or the flag that has the URL, for the error.
Result<Dialect> dialect_of(std::string_view url, std::string_view key = "database.url");
/// The URL can be read, and names what its driver needs: Category::invalid `database_url` otherwise. Opens nothing.
Result<void> check_database_url(std::string_view url, std::string_view key);
Result<std::unique_ptr<Database>> open_database(std::string_view url, const DatabaseOptions& options = {});

}  // namespace bedplate::sql
