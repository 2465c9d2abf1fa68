// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/migrate.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/migration_files.h"

namespace bedplate::sql {
namespace {

constexpr std::string_view kTableExists[] = {
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'",
    "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() "
    "AND table_name = 'schema_migrations'"};
constexpr std::string_view kCreateTable[] = {
    "CREATE TABLE IF NOT EXISTS schema_migrations (module TEXT NOT NULL, version INTEGER NOT NULL, "
    "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL, PRIMARY KEY (module, version))",
    "CREATE TABLE IF NOT EXISTS schema_migrations (module text NOT NULL, version bigint NOT NULL, "
    "name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL, PRIMARY KEY (module, "
    "version))"};
constexpr std::string_view kApplied =
    "SELECT version, name, checksum, applied_at FROM schema_migrations WHERE module = $1 ORDER BY version";
constexpr std::string_view kInsert =
    "INSERT INTO schema_migrations (module, version, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)";
constexpr std::string_view kDelete = "DELETE FROM schema_migrations WHERE module = $1 AND version = $2";

struct AppliedRow {
  std::int64_t version = 0;
  std::string name;
  std::string checksum;
  Time applied_at;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<AppliedRow>("A migration that was applied", {
                                                                  field<&AppliedRow::version>(),
                                                                  field<&AppliedRow::name>(),
                                                                  field<&AppliedRow::checksum>(),
                                                                  field<&AppliedRow::applied_at>(),
                                                              });
  }
};

Async<std::vector<AppliedRow>> select_applied(Reader& reader, Dialect dialect, std::string_view module) {
  const std::int64_t tables =
      co_await ok(reader.value<std::int64_t>(kTableExists[static_cast<int>(dialect)]));
  if (tables == 0) co_return std::vector<AppliedRow>();
  std::vector<AppliedRow> rows = co_await ok(reader.all<AppliedRow>(kApplied, module));
  co_return rows;
}
Async<void> insert_applied(Transaction& tx, Dialect dialect, std::string_view module,
                           const Migration& migration) {
  co_await ok(tx.run(kCreateTable[static_cast<int>(dialect)]));
  const Time now = SystemClock().now();
  co_await ok(tx.run(kInsert, module, migration.version, migration.name, migration.checksum, now));
}
Async<void> delete_applied(Transaction& tx, std::string_view module, std::int64_t version) {
  co_await ok(tx.run(kDelete, module, version));
}

/// A module's migrations, beside what the database says was applied.
struct Module {
  std::string_view name;
  std::vector<Migration> known;
  std::vector<AppliedRow> applied;
};

std::unexpected<Error> refuse(std::string_view code, std::string sentence) {
  return fail(Category::conflict, code, std::move(sentence));
}

Result<std::vector<Module>> read_modules(Maintenance& connection, std::span<const MigrationSource> sources) {
  std::vector<Module> modules;
  for (const MigrationSource& source : sources) {
    Result<std::vector<Migration>> known = read_migrations(source, connection.dialect());
    if (!known) return std::unexpected(std::move(known.error()));
    modules.push_back({source.module, std::move(*known), {}});
  }
  return modules;
}

Result<void> read_applied(Maintenance& connection, Module& module) {
  Transaction tx(connection.session());
  Result<std::vector<AppliedRow>> rows =
      select_applied(tx, connection.dialect(), module.name).run_without_waiting();
  if (!rows) return std::unexpected(std::move(rows.error()));
  module.applied = std::move(*rows);
  return {};
}

// Applied versions are those of this program, in order, with the same text.
Result<void> verify(const Module& module) {
  const std::string name(module.name);
  for (std::size_t i = 0; i < module.applied.size(); ++i) {
    const AppliedRow& applied = module.applied[i];
    if (i >= module.known.size())
      return refuse("schema_newer",
                    "The schema of " + name + " is at version " +
                        std::to_string(module.applied.back().version) + ", this program knows up to " +
                        std::to_string(module.known.size()) +
                        ": it is older than the one that migrated the database. Run a newer one.");
    const Migration& known = module.known[i];
    if (applied.version != known.version)
      return refuse("migration_gap", "The schema of " + name + " has version " +
                                         std::to_string(applied.version) + " but not version " +
                                         std::to_string(known.version) +
                                         ": migrations are applied in order.");
    if (applied.checksum != known.checksum)
      return refuse("migration_changed",
                    "The migration " + std::string(known.up_file) + " of " + name +
                        " was changed after it had been applied. Restore its text and add a new "
                        "migration for the change.");
  }
  return {};
}

Error file_failed(std::string_view module, std::string_view file, const Error& cause) {
  return Error(Category::internal, "migration_failed",
               "The migration " + std::string(file) + " of " + std::string(module) + " failed" +
                   (cause.subject().empty() ? ": " + cause.detail() : ", " + cause.subject() + "."))
      .with_subject(std::string(file));
}

MigrationStep step_of(const Module& module, const Migration& migration) {
  return {.module = std::string(module.name), .version = migration.version, .name = migration.name};
}

Result<void> apply(Maintenance& connection, const Module& module, const Migration& migration) {
  Result<void> ran = connection.run_script(migration.up);
  if (!ran) return std::unexpected(file_failed(module.name, migration.up_file, ran.error()));
  Transaction tx(connection.session());
  return insert_applied(tx, connection.dialect(), module.name, migration).run_without_waiting();
}

Result<void> take_back(Maintenance& connection, const Module& module, const Migration& migration) {
  if (migration.down_file.empty())
    return refuse("migration_one_way",
                  std::string(migration.up_file) + " of " + std::string(module.name) + " has no .down.sql.");
  Result<void> ran = connection.run_script(migration.down);
  if (!ran) return std::unexpected(file_failed(module.name, migration.down_file, ran.error()));
  Transaction tx(connection.session());
  return delete_applied(tx, module.name, migration.version).run_without_waiting();
}

/// Begins, looks at the schema as it is now (another runner may have been at work), and does one step. Each
/// step is a transaction; in a dry run all of them are one, which is never committed.
class Runner {
 public:
  Runner(Maintenance& connection, bool dry_run) : connection_(connection), dry_run_(dry_run) {}
  ~Runner() { connection_.rollback(); }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  Result<void> begin(Module& module) {
    if (!dry_run_ || !begun_) {
      if (Result<void> begun = connection_.begin(); !begun) return begun;
    }
    begun_ = true;
    if (Result<void> read = read_applied(connection_, module); !read) return read;
    return verify(module);
  }
  Result<void> end(const Module& module, std::string_view file) {
    if (dry_run_) return {};
    Result<void> committed = connection_.commit();
    if (!committed) return std::unexpected(file_failed(module.name, file, committed.error()));
    return {};
  }
  void nothing_to_do() {
    if (!dry_run_) connection_.rollback();
  }

 private:
  Maintenance& connection_;
  const bool dry_run_;
  bool begun_ = false;
};

Result<std::vector<MigrationStep>> bring_up(Maintenance& connection, std::vector<Module>& modules,
                                            bool dry_run) {
  std::vector<MigrationStep> done;
  Runner runner(connection, dry_run);
  for (Module& module : modules) {
    for (;;) {
      if (Result<void> begun = runner.begin(module); !begun) return std::unexpected(std::move(begun.error()));
      if (module.applied.size() == module.known.size()) break;
      const Migration& next = module.known[module.applied.size()];
      if (Result<void> applied = apply(connection, module, next); !applied)
        return std::unexpected(std::move(applied.error()));
      if (Result<void> ended = runner.end(module, next.up_file); !ended)
        return std::unexpected(std::move(ended.error()));
      if (!dry_run)
        log_info("migrated", {{"module", module.name}, {"version", next.version}, {"file", next.up_file}});
      done.push_back(step_of(module, next));
    }
    runner.nothing_to_do();
  }
  return done;
}

// Before anything is changed: every module is as this program expects it.
Result<void> verify_all(Maintenance& connection, std::vector<Module>& modules) {
  for (Module& module : modules) {
    if (Result<void> read = read_applied(connection, module); !read) return read;
    if (Result<void> fits = verify(module); !fits) return fits;
  }
  return {};
}

std::vector<MigrationStep> status_of(const Module& module) {
  std::vector<MigrationStep> steps;
  std::size_t next = 0;  // both lists are in order
  for (const Migration& known : module.known) {
    MigrationStep step = step_of(module, known);
    if (next < module.applied.size() && module.applied[next].version == known.version) {
      step.applied_at = module.applied[next].applied_at;
      step.changed = module.applied[next].checksum != known.checksum;
      ++next;
    }
    steps.push_back(std::move(step));
  }
  for (; next < module.applied.size(); ++next) {
    const AppliedRow& applied = module.applied[next];
    steps.push_back({.module = std::string(module.name),
                     .version = applied.version,
                     .name = applied.name,
                     .applied_at = applied.applied_at,
                     .unknown = true});
  }
  return steps;
}

}  // namespace

Result<std::vector<MigrationStep>> migration_status(Database& database,
                                                    std::span<const MigrationSource> sources) {
  Result<std::unique_ptr<Maintenance>> connection = database.maintenance();
  if (!connection) return std::unexpected(std::move(connection.error()));
  Result<std::vector<Module>> modules = read_modules(**connection, sources);
  if (!modules) return std::unexpected(std::move(modules.error()));
  std::vector<MigrationStep> steps;
  for (Module& module : *modules) {
    if (Result<void> read = read_applied(**connection, module); !read)
      return std::unexpected(std::move(read.error()));
    std::ranges::move(status_of(module), std::back_inserter(steps));
  }
  return steps;
}

Result<std::vector<MigrationStep>> migrate_up(Database& database, std::span<const MigrationSource> sources,
                                              MigrateOptions options) {
  Result<std::unique_ptr<Maintenance>> connection = database.maintenance();
  if (!connection) return std::unexpected(std::move(connection.error()));
  Result<std::vector<Module>> modules = read_modules(**connection, sources);
  if (!modules) return std::unexpected(std::move(modules.error()));
  if (Result<void> fits = verify_all(**connection, *modules); !fits)
    return std::unexpected(std::move(fits.error()));
  return bring_up(**connection, *modules, options.dry_run);
}

Result<std::vector<MigrationStep>> migrate_down(Database& database, const MigrationSource& source,
                                                std::int64_t steps, MigrateOptions options) {
  Result<std::unique_ptr<Maintenance>> connection = database.maintenance();
  if (!connection) return std::unexpected(std::move(connection.error()));
  Result<std::vector<Module>> modules = read_modules(**connection, {&source, 1});
  if (!modules) return std::unexpected(std::move(modules.error()));
  Module& module = modules->front();
  std::vector<MigrationStep> done;
  Runner runner(**connection, options.dry_run);
  for (; steps > 0; --steps) {
    if (Result<void> begun = runner.begin(module); !begun) return std::unexpected(std::move(begun.error()));
    if (module.applied.empty()) break;
    const Migration& last = module.known[module.applied.size() - 1];
    if (Result<void> taken = take_back(**connection, module, last); !taken)
      return std::unexpected(std::move(taken.error()));
    if (Result<void> ended = runner.end(module, last.down_file); !ended)
      return std::unexpected(std::move(ended.error()));
    done.push_back(step_of(module, last));
  }
  return done;
}

Result<void> check_migrated(Database& database, std::span<const MigrationSource> sources) {
  Result<std::unique_ptr<Maintenance>> connection = database.maintenance();
  if (!connection) return std::unexpected(std::move(connection.error()));
  Result<std::vector<Module>> modules = read_modules(**connection, sources);
  if (!modules) return std::unexpected(std::move(modules.error()));
  if (Result<void> fits = verify_all(**connection, *modules); !fits) return fits;
  for (const Module& module : *modules) {
    if (module.applied.size() < module.known.size())
      return refuse("schema_older", "The schema of " + std::string(module.name) + " is at version " +
                                        std::to_string(module.applied.size()) + ", this program needs " +
                                        std::to_string(module.known.size()) + ". Run: migrate up");
  }
  return {};
}

}  // namespace bedplate::sql
