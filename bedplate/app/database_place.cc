// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/database_place.h"

#include <filesystem>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include "bedplate/app/application.h"
#include "bedplate/search/fts5_tokenizer.h"
#include "bedplate/sql/error.h"

namespace bedplate::app {

std::string database_url(const Application& application) {
  const HostSettings& settings = application.host_settings();
  if (!settings.database.url.empty()) return settings.database.url;
  return "sqlite:" + settings.data.directory + "/bedplate.db";
}

std::optional<std::string> sqlite_path(const std::string& url) {
  constexpr std::string_view kScheme = "sqlite:";
  if (!url.starts_with(kScheme)) return std::nullopt;
  std::string path = url.substr(kScheme.size());
  if (path.starts_with("//")) path = path.substr(2);
  return path;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

Result<void> check_database_exists(const Application& application) {
  const std::optional<std::string> path = sqlite_path(database_url(application));
  if (!path) return {};
  std::error_code error;
  const std::filesystem::path file = std::filesystem::absolute(*path, error);
  const std::filesystem::file_status found = std::filesystem::status(file, error);
  if (std::filesystem::exists(found)) return {};
  if (found.type() == std::filesystem::file_type::none)
    return fail(Category::unavailable, "storage_error",
                "Cannot look for the database at " + file.string() + ": " + error.message() + ".");
  const bool configured = !application.host_settings().database.url.empty();
  const bool folder = std::filesystem::is_directory(file.parent_path(), error);
  return fail(Category::not_found, "no_database",
              "There is no database at " + file.string() + (folder ? "" : ", and no such directory") +
                  ". Is " + (configured ? "database.url" : "--data (data.directory)") +
                  " right? `serve` and `migrate up` make what is missing; other commands do not.");
}

std::vector<sql::SqliteExtension> sqlite_extensions() {
  return {&search::register_fts5_tokenizer};
}

Result<std::unique_ptr<sql::Database>> open_for_operator(const std::string& url, std::string_view key,
                                                         sql::DatabaseOptions options) {
  options.sqlite.extensions = sqlite_extensions();
  auto database = sql::open_database(url, options);
  if (database || database.error().code() != sql::kDatabaseUnavailable) return database;
  return fail(Category::unavailable, sql::kDatabaseUnavailable,
              "The database of " + std::string(key) + " cannot be reached: " + database.error().subject());
}

}  // namespace bedplate::app
