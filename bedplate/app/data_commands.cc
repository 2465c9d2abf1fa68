// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/data_commands.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include "bedplate/app/application.h"
#include "bedplate/app/database_place.h"
#include "bedplate/app/process.h"
#include "bedplate/app/progress.h"
#include "bedplate/async/loop.h"
#include "bedplate/base/text.h"
#include "bedplate/sql/drivers/open.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/sql/sqlite/backup.h"
#include "bedplate/sql/sqlite/data_lock.h"
#include "bedplate/sql/transfer/data_copy.h"

namespace bedplate::app {
namespace {

void print(const std::string& text) {
  print_line(text);
  std::fflush(stdout);
}

/// A URL without its password, which stands before the last '@' or among the parameters: to tell one database from
/// another.
std::string without_password(const std::string& url) {
  std::string place = url.substr(0, url.find('?'));
  const std::size_t scheme = place.find("://");
  const std::size_t at = place.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos || at < scheme) return place;
  const std::string user = place.substr(scheme + 3, at - scheme - 3);
  return place.substr(0, scheme + 3) + user.substr(0, user.find(':')) + place.substr(at);
}

/// A database that exists and has this program's schema.
Result<std::unique_ptr<sql::Database>> open_source(Application& application, const std::string& url) {
  auto database = open_for_operator(url, "database.url");
  if (!database) return database;
  if (auto current = sql::check_migrated(**database, application.migration_sources()); !current)
    return std::unexpected(std::move(current.error()));
  if (auto whole = sql::check_copy_finished(**database); !whole)
    return std::unexpected(std::move(whole.error()));
  return database;
}

Result<std::unique_ptr<sql::Database>> open_target(Application& application, const std::string& url,
                                                   std::string_view key) {
  auto database = open_for_operator(url, key);
  if (!database) return database;
  if (auto migrated = sql::migrate_up(**database, application.migration_sources()); !migrated)
    return std::unexpected(std::move(migrated.error()));
  return database;
}

/// Tables that the copy leaves out, because the program makes them anew.
Result<std::vector<std::string>> derived_tables(Application& application) {
  auto host = Host::open(application, HostPurpose::describe);
  if (!host) return std::unexpected(std::move(host.error()));
  return (*host)->derived_tables();
}

Result<void> rebuild_at(Application& application, const std::string& url) {
  application.use_database(url);
  auto host = Host::open(application, HostPurpose::repair);
  if (!host) return std::unexpected(std::move(host.error()));
  return (*host)->rebuild_derived();
}

/// Where rows that were not copied are written down, one a line: {"table":"tasks","key":{"id":"..."},"column":"labels",
/// "reason":"..."}. Private, and only added to: a copy that goes on after an interruption names what it finds.
class SkippedRows {
 public:
  SkippedRows() = default;
  SkippedRows(const SkippedRows&) = delete;
  SkippedRows& operator=(const SkippedRows&) = delete;
  ~SkippedRows() {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<void> open(const std::string& path) {
    path_ = path;
    fd_ = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd_ < 0 || ::fchmod(fd_, 0600) != 0) return failed();
    return {};
  }
  /// On disk before the copy goes on without the row.
  Result<void> add(const sql::UnfitRow& row) {
    std::string line = R"({"table":)";
    append_json_string(line, row.table);
    line += R"(,"key":)" + row.key + R"(,"column":)";
    append_json_string(line, row.column);
    line += R"(,"reason":)";
    append_json_string(line, row.reason);
    line += "}\n";
    const auto size = static_cast<ssize_t>(line.size());
    if (::write(fd_, line.data(), line.size()) != size || ::fdatasync(fd_) != 0) return failed();
    return {};
  }

 private:
  std::unexpected<Error> failed() const {
    return fail(Category::unavailable, "storage_error",
                "Cannot write " + path_ + ": " + std::generic_category().message(errno) + ".");
  }
  std::string path_;
  int fd_ = -1;
};

struct CopyPlan {
  std::string from;
  std::string to;
  std::string to_key = "database.url";  ///< the setting or flag that has `to`
  std::string source_name;
  bool one_snapshot = false;  ///< the source goes on being written
  SkippedRows* skipped = nullptr;
};

Result<sql::DataCopyReport> copy(Application& application, const CopyPlan& plan) {
  Loop loop;  // before the databases: it outlives what they register
  auto source = open_source(application, plan.from);
  if (!source) return std::unexpected(std::move(source.error()));
  auto target = open_target(application, plan.to, plan.to_key);
  if (!target) return std::unexpected(std::move(target.error()));
  auto reading = (*source)->maintenance();
  if (!reading) return std::unexpected(std::move(reading.error()));
  if (plan.one_snapshot)
    if (auto begun = (*reading)->begin_read(); !begun) return std::unexpected(std::move(begun.error()));
  auto derived = derived_tables(application);
  if (!derived) return std::unexpected(std::move(derived.error()));
  sql::DataCopyOptions options{.source_name = plan.source_name, .derived = std::move(*derived)};
  options.rebuild = [&] { return rebuild_at(application, plan.to); };
  ProgressLine progress;
  options.progress = [&](const sql::DataCopyProgress& done) { progress.show(done); };
  if (plan.skipped) options.skip = [&](const sql::UnfitRow& row) { return plan.skipped->add(row); };
  auto copied = sql::copy_data(**reading, **target, loop, options);
  if (copied || copied.error().category() != Category::unavailable || plan.one_snapshot) return copied;
  return fail(Category::unavailable, copied.error().code(),
              copied.error().detail() + " What was copied stays: the same command goes on there.");
}

void print_report(const sql::DataCopyReport& report) {
  for (const sql::TableCopied& table : report.tables)
    print(fmt::format("{}: {} rows, checksum {}", table.table, table.rows, table.checksum));
  for (const std::string& name : report.left_out) print("not copied, because one side alone has it: " + name);
}

// Of a copy that a row has ended.
Error how_to_go_on(Error error) {
  if (error.code() != sql::kRowUnfit) return error;
  return Error(
      error.category(), error.code(),
      error.detail() +
          " What was copied stays. Change the row or delete it and give the same command again, which goes "
          "on there; or add --skip-bad-rows FILE to leave out such rows and have them written down in FILE.");
}

/// An empty private file, gone at the end unless it got its name.
class PartFile {
 public:
  explicit PartFile(std::string path) : path_(std::move(path)) { remove(); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() { remove(); }

  Result<void> make() {
    const int fd = ::open(path_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
      return fail(Category::unavailable, "storage_error",
                  "Cannot create " + path_ + ": " + std::generic_category().message(errno) + ".");
    ::close(fd);
    return {};
  }
  const std::string& path() const { return path_; }

 private:
  void remove() {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((path_ + suffix).c_str());
  }
  std::string path_;
};

/// Copies a backup to where it can be opened.
Result<void> fetch(Application& application, const std::string& file, const std::string& to) {
  ProgressLine progress;
  auto fetched = sql::fetch_backup(
      file, to, [&](const sql::BackupProgress& done) { progress.show("reading the backup", done); });
  if (!fetched) return std::unexpected(std::move(fetched.error()));
  return check_restorable(application, to, file);
}

}  // namespace

Result<void> migrate_data(Application& application, const Invocation& invocation) {
  const std::string from = database_url(application);
  if (auto readable = sql::check_database_url(invocation.to, "--to"); !readable)
    return fail(Category::invalid, kWrongCall, readable.error().detail());
  if (from == invocation.to)
    return fail(Category::invalid, kWrongCall, "--to names the database that is configured already.");
  if (auto there = check_database_exists(application); !there) return there;
  std::optional<sql::DataLock> lock;
  if (sqlite_path(from)) {
    auto taken = sql::DataLock::acquire(application.host_settings().data.directory);
    if (!taken) return std::unexpected(std::move(taken.error()));
    lock.emplace(std::move(*taken));
  } else {
    print(
        "Nothing may write to the source meanwhile: stop every server of it. What was written would be found "
        "at the "
        "end, and this would fail.");
  }
  SkippedRows skipped;
  CopyPlan plan{.from = from, .to = invocation.to, .to_key = "--to", .source_name = without_password(from)};
  if (!invocation.skip_bad_rows.empty()) {
    if (auto opened = skipped.open(invocation.skip_bad_rows); !opened) return opened;
    plan.skipped = &skipped;
  }
  auto report = copy(application, plan);
  if (!report) return std::unexpected(how_to_go_on(std::move(report.error())));
  print_report(*report);
  if (report->rows_skipped > 0)
    print(fmt::format(
        "not copied: {} rows, which {} names with what is wrong with each", report->rows_skipped,
        invocation.skip_bad_rows.empty() ? "the file of the call before" : invocation.skip_bad_rows));
  print(fmt::format(
      "copied {} rows of {} tables{}; every value was compared. Set database.url to the new database.",
      report->rows, report->tables.size(), report->resumed ? ", going on after an interruption" : ""));
  return {};
}

Result<void> back_up_by_copy(Application& application, const std::string& url, const std::string& file) {
  if (std::filesystem::exists(file))
    return fail(Category::conflict, "file_exists", file + " exists already.");
  PartFile part(file + ".copying");
  if (auto made = part.make(); !made) return made;
  auto report = copy(application, {.from = url,
                                   .to = "sqlite:" + part.path(),
                                   .source_name = without_password(url),
                                   .one_snapshot = true});
  if (!report) return std::unexpected(std::move(report.error()));
  // Checked page by page, synced, and given its name only when whole.
  auto backup = sql::back_up_sqlite(part.path(), file);
  if (!backup) return std::unexpected(std::move(backup.error()));
  print(fmt::format("backed up {} rows, {} bytes to {}", report->rows, backup->size_bytes, file));
  return {};
}

Result<void> check_restorable(Application& application, const std::string& copy, const std::string& file) {
  sql::DatabaseOptions options;
  options.sqlite.extensions = sqlite_extensions();
  auto database = sql::open_database("sqlite:" + copy, options);
  if (!database) return std::unexpected(std::move(database.error()));
  auto steps = sql::migration_status(**database, application.migration_sources());
  if (!steps) return std::unexpected(std::move(steps.error()));
  if (std::ranges::none_of(*steps,
                           [](const sql::MigrationStep& step) { return step.applied_at.has_value(); }))
    return fail(Category::invalid, "not_a_backup",
                file + " is a SQLite database, but no backup of " + application.program().name + ".");
  auto migrates = sql::migrate_up(**database, application.migration_sources(), {.dry_run = true});
  if (!migrates) return std::unexpected(std::move(migrates.error()));
  return {};
}

Result<void> restore_by_copy(Application& application, const std::string& url, const std::string& file) {
  const std::string& directory = application.host_settings().data.directory;
  if (auto made = make_data_directory(directory); !made) return made;
  PartFile part(directory + "/restoring.db");
  // A copy: it is checked, and brought up to this program's schema, without touching the backup.
  if (auto fetched = fetch(application, file, part.path()); !fetched) return fetched;
  const std::string from = "sqlite:" + part.path();
  if (auto migrated = open_target(application, from, "the copy"); !migrated)
    return std::unexpected(std::move(migrated.error()));
  auto report = copy(application, {.from = from, .to = url, .source_name = "backup " + file});
  if (!report) return std::unexpected(std::move(report.error()));
  if (!application.restore_hooks().empty()) {
    auto host = Host::open(application, HostPurpose::repair);
    if (!host) return std::unexpected(std::move(host.error()));
    for (const auto& hook : application.restore_hooks())
      if (auto done = hook(**host); !done) return done;
  }
  print(fmt::format("restored {} rows from {}", report->rows, file));
  return {};
}

}  // namespace bedplate::app
