// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/schema_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "bedplate/app/application.h"
#include "bedplate/app/database_place.h"
#include "bedplate/app/process.h"
#include "bedplate/base/log.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/sql/migration_draft.h"
#include "bedplate/sql/schema_check.h"

namespace bedplate::app {
namespace {

namespace fs = std::filesystem;

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

std::string modules_with_tables(const Application& application) {
  std::string names;
  for (const sql::ModuleTables& module : application.module_tables())
    names += (names.empty() ? "" : ", ") + module.module;
  return names.empty() ? "none" : names;
}

std::unexpected<Error> wrong_call(std::string why) {
  return fail(Category::invalid, kWrongCall, std::move(why));
}

Result<const sql::ModuleTables*> find_module(const Application& application, const std::string& name) {
  const auto& modules = application.module_tables();
  if (name.empty() && modules.size() == 1) return &modules.front();
  const auto found = std::ranges::find(modules, name, &sql::ModuleTables::module);
  if (found != modules.end()) return &*found;
  const std::string known = modules_with_tables(application);
  if (name.empty())
    return wrong_call("Say which module with --module. Modules with described tables: " + known + ".");
  return wrong_call("There is no module '" + name + "' with described tables. There are: " + known + ".");
}

Result<std::unique_ptr<sql::Maintenance>> connect(sql::Database& database) {
  auto connection = database.maintenance();
  if (!connection) return connection;
  if (auto begun = (*connection)->begin_read(); !begun) return std::unexpected(std::move(begun.error()));
  return connection;
}

/// A directory of its own, which goes with everything in it.
class ScratchDirectory {
 public:
  Result<void> make() {
    std::string name = (fs::temp_directory_path() / "bedplate-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return fail(Category::unavailable, "scratch_directory",
                  "No scratch directory can be made at " + name + ": " + std::strerror(errno) + ".");
    path_ = name;
    return {};
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// What is to be written so that a database after all migrations is as the tables of the module are described.
Result<sql::MigrationDraft> draft(Application& application, const sql::ModuleTables& module) {
  ScratchDirectory scratch;
  if (auto made = scratch.make(); !made) return std::unexpected(std::move(made.error()));
  auto database =
      open_for_operator("sqlite:" + (scratch.path() / "scratch.db").string(), "the scratch database");
  if (!database) return std::unexpected(std::move(database.error()));
  if (auto migrated = sql::migrate_up(**database, application.migration_sources()); !migrated)
    return std::unexpected(std::move(migrated.error()));
  auto connection = connect(**database);
  if (!connection) return std::unexpected(std::move(connection.error()));
  sql::Reader reader((*connection)->session());
  return sql::draft_migration(reader, module.tables).run_without_waiting();
}

std::span<const EmbeddedFile> migrations_of(const Application& application, std::string_view module) {
  for (const sql::MigrationSource& source : application.migration_sources())
    if (source.module == module) return source.files;
  return {};
}

/// Whether these are the migrations that are in the program.
bool holds(const fs::path& directory, std::span<const EmbeddedFile> files) {
  std::error_code ignored;
  return !files.empty() && std::ranges::all_of(files, [&](const EmbeddedFile& file) {
    return fs::exists(directory / fs::path(std::string(file.name)).filename(), ignored);
  });
}

/// The directory of a module's migrations, below the current one.
Result<fs::path> find_directory(const Invocation& invocation, std::string_view module,
                                std::span<const EmbeddedFile> files) {
  std::error_code ignored;
  if (!invocation.directory.empty()) {
    if (fs::is_directory(invocation.directory, ignored)) return fs::path(invocation.directory);
    return wrong_call("There is no directory " + invocation.directory + ".");
  }
  std::string tried;
  for (const std::string& place :
       {fmt::format("apps/{}/migrations", module), fmt::format("services/{}/migrations", module),
        fmt::format("{}/migrations", module), std::string("migrations")}) {
    if (holds(place, files)) return fs::path(place);
    tried += (tried.empty() ? "" : ", ") + place;
  }
  return wrong_call(
      fmt::format("The migrations of {} are in none of {} below the current directory. Say where with --dir.",
                  module, tried));
}

bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// The version after the newest that is in the program or in the directory: one that was written and not built yet.
int next_version(std::span<const EmbeddedFile> files, const fs::path& directory) {
  int newest = 0;
  const auto see = [&newest](const std::string& name) {
    if (name.size() > 5 && name[4] == '_') newest = std::max(newest, std::atoi(name.substr(0, 4).c_str()));
  };
  for (const EmbeddedFile& file : files) see(fs::path(std::string(file.name)).filename().string());
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored))
    see(entry.path().filename().string());
  return newest + 1;
}

Result<void> write_file(const fs::path& path, const std::string& text) {
  std::error_code ignored;
  if (fs::exists(path, ignored))
    return fail(Category::conflict, "file_exists", "There is a file " + path.string() + " already.");
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return fail(Category::unavailable, "file_not_written", path.string() + " could not be written.");
  print("wrote " + path.string() + "\n");
  return {};
}

}  // namespace

Result<void> print_sql(Application& application, const Invocation& invocation) {
  if (!invocation.module.empty()) {
    auto module = find_module(application, invocation.module);
    if (!module) return std::unexpected(std::move(module.error()));
    print(sql::statements_text(**module));
    return {};
  }
  bool first = true;
  for (const sql::ModuleTables& module : application.module_tables())
    print((std::exchange(first, false) ? "" : "\n") + sql::statements_text(module));
  return {};
}

Result<void> migrate_check(Application& application) {
  if (auto there = check_database_exists(application); !there) return there;
  auto database = open_for_operator(database_url(application), "database.url");
  if (!database) return std::unexpected(std::move(database.error()));
  auto connection = connect(**database);
  if (!connection) return std::unexpected(std::move(connection.error()));
  sql::Reader reader((*connection)->session());
  std::size_t tables = 0;
  std::size_t wrong = 0;
  for (const sql::ModuleTables& module : application.module_tables()) {
    auto findings = sql::check_tables(reader, module.tables).run_without_waiting();
    if (!findings) return std::unexpected(std::move(findings.error()));
    for (const sql::SchemaFinding& finding : *findings) print(module.module + ": " + finding.text() + "\n");
    tables += module.tables.size();
    wrong += findings->size();
  }
  if (wrong == 0)
    return print(fmt::format("as described: {} {}\n", tables, tables == 1 ? "table" : "tables")),
           Result<void>();
  return fail(
      Category::conflict, "schema_differs",
      fmt::format("The database differs from what this program describes in {} {}. After a change of a "
                  "description: migrate new NAME, build, migrate up.",
                  wrong, wrong == 1 ? "place" : "places"));
}

Result<void> migrate_new(Application& application, const Invocation& invocation) {
  const std::string& name = invocation.arguments.at(0);
  if (!is_name(name))
    return wrong_call("'" + name +
                      "' is no name of a migration: lower case letters, digits and underscores.");
  auto module = find_module(application, invocation.module);
  if (!module) return std::unexpected(std::move(module.error()));
  const std::span<const EmbeddedFile> files = migrations_of(application, (*module)->module);
  auto directory = find_directory(invocation, (*module)->module, files);
  if (!directory) return std::unexpected(std::move(directory.error()));
  const int version = next_version(files, *directory);
  if (!files.empty() && !holds(*directory, files))
    return wrong_call(directory->string() + " does not hold the migrations of " + (*module)->module + ".");
  auto text = draft(application, **module);
  if (!text) return std::unexpected(std::move(text.error()));
  if (text->empty())
    return print("The tables of " + (*module)->module + " are as described: nothing to write.\n"),
           Result<void>();
  const std::string base = fmt::format("{:04}_{}", version, name);
  if (auto up = write_file(*directory / (base + ".up.sql"), text->up); !up) return up;
  if (auto down = write_file(*directory / (base + ".down.sql"), text->down); !down) return down;
  print("Read them before you build: comments are left to you.\n");
  return {};
}

}  // namespace bedplate::app
