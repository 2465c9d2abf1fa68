// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/builtin_commands.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "bedplate/app/application.h"
#include "bedplate/app/data_commands.h"
#include "bedplate/app/database_place.h"
#include "bedplate/app/operations_commands.h"
#include "bedplate/app/process.h"
#include "bedplate/app/progress.h"
#include "bedplate/app/schema_commands.h"
#include "bedplate/app/signals.h"
#include "bedplate/base/log.h"
#include "bedplate/sql/drivers/open.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/sql/sqlite/backup.h"
#include "bedplate/sql/sqlite/data_lock.h"

namespace bedplate::app {
namespace {

constexpr std::string_view kSqliteScheme = "sqlite:";

void print(const std::string& text) {
  print_line(text);
}

std::string describe_step(const sql::MigrationStep& step) {
  char version[32];
  std::snprintf(version, sizeof version, "%04lld", static_cast<long long>(step.version));
  std::string line = step.module + " " + version + " " + step.name + ": ";
  if (!step.applied_at) return line + "pending";
  line += "applied " + to_rfc3339(*step.applied_at);
  if (step.changed) line += ", CHANGED since";
  if (step.unknown) line += ", UNKNOWN to this program";
  return line;
}

/// The first line has the URL to use; the second leads a person on.
void print_ready_lines(const Application& application, const Host& host) {
  for (const std::string& url : host.urls())
    print(application.program().name + " " + application.program().version + " is ready at " + url);
  const auto browsable =
      std::ranges::find_if(host.urls(), [](const std::string& url) { return url.starts_with("http://"); });
  if (application.host_settings().rest.docs && browsable != host.urls().end())
    print("documentation: " + *browsable + "/docs");
  // It serves all the same.
  if (auto written = finish_output(); !written)
    log_warn("the ready line could not be written", {{"reason", written.error().detail()}});
}

Result<void> serve(Application& application) {
  // Before any thread is made, so that all of them leave these signals to the main thread.
  StopSignals signals;
  auto host = Host::open(application, HostPurpose::serve);
  if (!host) return std::unexpected(std::move(host.error()));
  if (auto serving = (*host)->serve(); !serving) return serving;
  print_ready_lines(application, **host);
  int signal = signals.wait();
  log_info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : signal == SIGINT ? "SIGINT" : "SIGHUP"}});
  signals.end_process_on_the_next();
  bool whole = (*host)->stop();
  log_info("stopped", {{"requests_cut_off", !whole}});
  return {};
}

Result<void> migrate_status(Application& application) {
  if (auto there = check_database_exists(application); !there) return there;
  auto database = open_for_operator(database_url(application), "database.url");
  if (!database) return std::unexpected(std::move(database.error()));
  auto steps = sql::migration_status(**database, application.migration_sources());
  if (!steps) return std::unexpected(std::move(steps.error()));
  for (const sql::MigrationStep& step : *steps) print(describe_step(step));
  return {};
}

struct Verb {
  const char* did;
  const char* would;
};

/// The lock of the data directory, if the database is in it: PostgreSQL has locks of its own for migrations.
Result<std::optional<sql::DataLock>> lock_for(const Application& application, std::string_view url) {
  if (!url.starts_with(kSqliteScheme)) return std::nullopt;
  auto lock = sql::DataLock::acquire(application.host_settings().data.directory);
  if (!lock) return std::unexpected(std::move(lock.error()));
  return std::move(*lock);
}

/// Runs a migration under the lock, and prints what it did.
template <class Migrate>
Result<void> migrate_locked(Application& application, bool dry_run, Verb verb, Migrate migrate) {
  const std::string url = database_url(application);
  auto lock = lock_for(application, url);
  if (!lock) return std::unexpected(std::move(lock.error()));
  auto database = open_for_operator(url, "database.url");
  if (!database) return std::unexpected(std::move(database.error()));
  Result<std::vector<sql::MigrationStep>> steps = migrate(**database);
  if (!steps) return std::unexpected(std::move(steps.error()));
  for (const sql::MigrationStep& step : *steps)
    print(std::string(dry_run ? verb.would : verb.did) + " " + step.module + " " +
          std::to_string(step.version) + " " + step.name);
  if (steps->empty()) print("nothing to do");
  return {};
}

Result<void> migrate_up(Application& application, const Invocation& invocation) {
  if (invocation.dry_run)
    if (auto there = check_database_exists(application); !there) return there;
  return migrate_locked(
      application, invocation.dry_run, {"applied", "would apply"}, [&](sql::Database& database) {
        return sql::migrate_up(database, application.migration_sources(), {.dry_run = invocation.dry_run});
      });
}

Result<void> migrate_down(Application& application, const Invocation& invocation) {
  for (const sql::MigrationSource& source : application.migration_sources()) {
    if (source.module != invocation.module) continue;
    if (auto there = check_database_exists(application); !there) return there;
    return migrate_locked(
        application, invocation.dry_run, {"rolled back", "would roll back"}, [&](sql::Database& database) {
          return sql::migrate_down(database, source, invocation.steps, {.dry_run = invocation.dry_run});
        });
  }
  std::string known;
  for (const sql::MigrationSource& source : application.migration_sources())
    known += (known.empty() ? "" : ", ") + std::string(source.module);
  return fail(Category::invalid, kWrongCall,
              "There is no module '" + invocation.module + "'. The modules are: " + known + ".");
}

Result<void> openapi(Application& application) {
  auto host = Host::open(application, HostPurpose::describe);
  if (!host) return std::unexpected(std::move(host.error()));
  auto document = (*host)->openapi();
  if (!document) return std::unexpected(std::move(document.error()));
  print(*document);
  return {};
}

Result<sql::BackupReport> back_up_shown(const std::string& from, const std::string& to) {
  ProgressLine progress;
  return sql::back_up_sqlite(from, to,
                             [&](const sql::BackupProgress& done) { progress.show("backing up", done); });
}

Result<void> backup(Application& application, const Invocation& invocation) {
  if (auto there = check_database_exists(application); !there) return there;
  const std::string url = database_url(application);
  const std::optional<std::string> path = sqlite_path(url);
  if (!path) return back_up_by_copy(application, url, invocation.arguments.at(0));
  auto report = back_up_shown(*path, invocation.arguments.at(0));
  if (!report) return std::unexpected(std::move(report.error()));
  print("backed up " + std::to_string(report->size_bytes) + " bytes to " + invocation.arguments.at(0));
  return {};
}

Result<sql::BackupReport> restore_locked(Application& application, const std::string& from,
                                         const std::string& to) {
  auto lock = sql::DataLock::acquire(application.host_settings().data.directory);
  if (!lock) return std::unexpected(std::move(lock.error()));
  ProgressLine progress;
  sql::RestoreOptions options;
  options.accept = [&](const std::string& copy) { return check_restorable(application, copy, from); };
  options.watch = [&](const sql::BackupProgress& done) { progress.show("restoring", done); };
  return sql::restore_sqlite(from, to, options);
}

Result<void> restore(Application& application, const Invocation& invocation) {
  const std::string& file = invocation.arguments.at(0);
  // Before the data directory is made: either of the two may be a slip.
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    return fail(Category::not_found, "no_backup",
                "There is no backup at " + file + (error ? ": " + error.message() + "." : "."));
  const std::string url = database_url(application);
  const std::optional<std::string> path = sqlite_path(url);
  if (!path) return restore_by_copy(application, url, file);
  const bool replaces = std::filesystem::exists(*path);
  const std::string& directory = application.host_settings().data.directory;
  const bool is_new = !std::filesystem::exists(directory, error);
  auto report = restore_locked(application, file, *path);
  if (!report) {
    // What was made for it goes again; a directory that holds anything else stays.
    if (is_new) {
      std::filesystem::remove(directory + "/lock", error);
      std::filesystem::remove(directory, error);
    }
    return std::unexpected(std::move(report.error()));
  }
  if (!application.restore_hooks().empty()) {
    // Not `command`: what was restored may be what keeps the services from starting (a lost key file).
    auto host = Host::open(application, HostPurpose::repair);
    if (!host) return std::unexpected(std::move(host.error()));
    for (const auto& hook : application.restore_hooks())
      if (auto done = hook(**host); !done) return done;
  }
  std::string said = "restored " + std::to_string(report->size_bytes) + " bytes from " + file;
  if (replaces) said += "; the database it replaced is " + *path + ".before-restore";
  print(said);
  return {};
}

}  // namespace

Result<void> run_builtin_command(Application& application, const Invocation& invocation) {
  const std::string& command = invocation.command;
  if (command == "serve") return serve(application);
  if (command == "migrate status") return migrate_status(application);
  if (command == "migrate up") return migrate_up(application, invocation);
  if (command == "migrate check") return migrate_check(application);
  if (command == "migrate new") return migrate_new(application, invocation);
  if (command == "sql") return print_sql(application, invocation);
  if (command == "migrate data") return migrate_data(application, invocation);
  if (command == "migrate down") return migrate_down(application, invocation);
  if (command == "config") return print(application.config().print_effective()), Result<void>();
  if (command == "config reference") return print(application.config().print_reference()), Result<void>();
  if (command == "openapi") return openapi(application);
  if (command == "health") return print_health(application);
  if (command == "metrics") return print_metrics(application);
  if (command == "backup") return backup(application, invocation);
  if (command == "restore") return restore(application, invocation);
  return fail(Category::internal, "unknown_command", "There is no command '" + command + "'.");
}

}  // namespace bedplate::app
