// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/sql/error.h"
#include "bedplate/sql/sqlite/error.h"
#include "bedplate/sql/sqlite/files.h"
#include "bedplate/sql/sqlite/handle.h"

namespace bedplate::sql {
namespace {

constexpr int kBusyTimeoutMs = 10'000;
constexpr const char* kSuffixes[] = {"", "-journal", "-wal",
                                     "-shm"};  // of a database and what may be beside it

/// A file that is removed unless it is kept.
class PartFile {
 public:
  /// One that is there.
  static PartFile adopt(std::string path) { return PartFile(std::move(path)); }
  static Result<PartFile> make(std::string path) {
    for (const char* suffix : kSuffixes) ::unlink((path + suffix).c_str());  // of an attempt that was cut off
    const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) return std::unexpected(file_error("Cannot create", path, errno));
    ::close(fd);
    return PartFile(std::move(path));
  }
  PartFile(PartFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile() {
    if (path_.empty()) return;
    for (const char* suffix : kSuffixes) ::unlink((path_ + suffix).c_str());
  }
  const std::string& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  explicit PartFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

void tell(const BackupWatcher& watch, const BackupProgress& progress) {
  if (watch) watch(progress);
}

// What the system said about the last thing that went wrong there; SQLite's words when it said nothing.
std::unexpected<Error> open_error(const std::string& path, sqlite3* db, int code) {
  if (const int reason = db ? sqlite3_system_errno(db) : 0; reason != 0)
    return std::unexpected(file_error("Cannot open", path, reason));
  return fail(Category::unavailable, kStorageError,
              "Cannot open " + path + ": " + (db ? sqlite3_errmsg(db) : sqlite3_errstr(code)) + ".");
}

Result<SqliteHandle> open_file(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  SqliteHandle db(raw);
  if (code != SQLITE_OK) return open_error(path, raw, code);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return db;
}

// The text that a statement answers; `code` is not SQLITE_ROW: what went wrong.
std::string ask(sqlite3* db, const char* sql, int& code) {
  sqlite3_stmt* raw = nullptr;
  code = sqlite3_prepare_v2(db, sql, -1, &raw, nullptr);
  SqliteStatementHandle statement(raw);
  if (code == SQLITE_OK) code = sqlite3_step(raw);
  if (code != SQLITE_ROW) return sqlite3_errmsg(db);
  const unsigned char* text = sqlite3_column_text(raw, 0);
  return text ? reinterpret_cast<const char*>(text) : "";
}

// One snapshot, which writers do not disturb (WAL): the source's read transaction lasts from the first step to the
// last, so the steps in between are only there for whoever watches.
int copy_pages(sqlite3_backup* backup, const BackupWatcher& watch, std::int64_t page_bytes) {
  constexpr int kPagesAStep = 4096;
  int code = SQLITE_OK;
  do {
    code = sqlite3_backup_step(backup, kPagesAStep);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) sqlite3_sleep(50);
    const std::int64_t all = sqlite3_backup_pagecount(backup);
    tell(watch,
         {.bytes = (all - sqlite3_backup_remaining(backup)) * page_bytes, .bytes_total = all * page_bytes});
  } while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED);
  return code;
}

std::unexpected<Error> copy_error(const std::string& from, sqlite3* source, const std::string& to,
                                  sqlite3* target, int code) {
  if ((code & 0xff) == SQLITE_NOTADB)
    return fail(Category::invalid, "not_a_backup", from + " is not a SQLite database.");
  if (const int reason = sqlite3_system_errno(target); reason != 0)
    return std::unexpected(file_error("Cannot write", to, reason));
  if ((code & 0xff) == SQLITE_FULL) return std::unexpected(file_error("Cannot write", to, ENOSPC));
  if (const int reason = sqlite3_system_errno(source); reason != 0)
    return std::unexpected(file_error("Cannot read", from, reason));
  return std::unexpected(sqlite_error(target, code, "backup"));
}

Result<void> copy(const std::string& from, const std::string& to, const BackupWatcher& watch) {
  Result<SqliteHandle> source = open_file(from, SQLITE_OPEN_READONLY);
  if (!source) return std::unexpected(std::move(source.error()));
  Result<SqliteHandle> target = open_file(to, SQLITE_OPEN_READWRITE);
  if (!target) return std::unexpected(std::move(target.error()));
  int code = sqlite3_exec(source->get(), "BEGIN", nullptr, nullptr, nullptr);
  const std::string page_bytes = ask(source->get(), "PRAGMA page_size", code);
  if (code == SQLITE_ROW) static_cast<void>(ask(source->get(), "SELECT count(*) FROM sqlite_schema", code));
  if (code == SQLITE_ROW) {
    sqlite3_backup* backup = sqlite3_backup_init(target->get(), "main", source->get(), "main");
    code = backup ? copy_pages(backup, watch, std::atoll(page_bytes.c_str())) : SQLITE_ERROR;
    sqlite3_backup_finish(backup);
  }
  if (code == SQLITE_DONE) return {};
  return copy_error(from, source->get(), to, target->get(), code);
}

// Reads every page and compares every index with its table.
Result<void> check(const std::string& path, const std::string& shown) {
  Result<SqliteHandle> db = open_file(path, SQLITE_OPEN_READWRITE);
  if (!db) return std::unexpected(std::move(db.error()));
  int code = SQLITE_OK;
  const std::string verdict = ask(db->get(), "PRAGMA integrity_check(1)", code);
  if (code == SQLITE_ROW && verdict == "ok") return {};
  if ((code & 0xff) == SQLITE_NOTADB)
    return fail(Category::invalid, "not_a_backup", shown + " is not a SQLite database.");
  return fail(Category::invalid, "damaged", "The copy of " + shown + " is damaged: " + verdict + ".");
}

// Takes what is in a log beside the file into it, and writes it to disk. From then on it needs no file beside it, and
// can be opened where nothing can be written.
Result<BackupReport> complete(const std::string& path) {
  {
    Result<SqliteHandle> db = open_file(path, SQLITE_OPEN_READWRITE);
    if (!db) return std::unexpected(std::move(db.error()));
    int code = SQLITE_OK;
    const std::string mode = ask(db->get(), "PRAGMA journal_mode=DELETE", code);
    if (code != SQLITE_ROW || mode != "delete") {
      const int reason = sqlite3_system_errno(db->get());
      if (reason != 0) return std::unexpected(file_error("Cannot write", path, reason));
      return fail(Category::unavailable, kStorageError, "Cannot write " + path + ": " + mode + ".");
    }
  }
  if (Result<void> synced = sync_file(path); !synced) return std::unexpected(std::move(synced.error()));
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return std::unexpected(file_error("Cannot read", path, errno));
  return BackupReport{.size_bytes = info.st_size};
}

// ---- a backup, as a file

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_size == other.st_size && one.st_mtim.tv_sec == other.st_mtim.tv_sec &&
         one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

Result<void> write_all(int fd, std::span<const char> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return std::unexpected(file_error("Cannot write", path, errno));
    if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// Begins with `magic`, or is not_a_backup.
Result<void> copy_bytes(const std::string& from, const std::string& to, std::string_view magic,
                        const BackupWatcher& watch) {
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat before{};
  if (source.get() < 0 || ::fstat(source.get(), &before) != 0)
    return std::unexpected(file_error("Cannot read", from, errno));
  const Descriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (target.get() < 0) return std::unexpected(file_error("Cannot create", to, errno));
  std::vector<char> buffer(std::size_t{4} << 20);
  for (std::int64_t copied = 0;;) {
    const ssize_t size = ::read(source.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(file_error("Cannot read", from, errno));
    const std::span<const char> bytes(buffer.data(), static_cast<std::size_t>(size));
    if (copied == 0 && !std::string_view(bytes.data(), bytes.size()).starts_with(magic))
      return fail(Category::invalid, "not_a_backup", from + " is not a SQLite database.");
    if (size == 0) break;
    if (Result<void> written = write_all(target.get(), bytes, to); !written) return written;
    copied += size;
    tell(watch, {.bytes = copied, .bytes_total = before.st_size});
  }
  struct stat after{};
  if (::fstat(source.get(), &after) == 0 && is_same(before, after)) return {};
  return fail(
      Category::conflict, "backup_changed",
      from +
          " was written to while it was read: it is a database in use, and no backup. Make a backup of it.");
}

// SQLite reads a last page that is not all there as if zeros followed.
Result<void> check_whole_pages(const std::string& path, const std::string& shown) {
  constexpr std::size_t kPageSizeAt = 16;  // two bytes, the higher first; 1 means 65536
  unsigned char head[kPageSizeAt + 2] = {};
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0 || ::pread(file.get(), head, sizeof head, 0) < 0)
    return std::unexpected(file_error("Cannot read", path, errno));
  const unsigned stored = head[kPageSizeAt] * 256U + head[kPageSizeAt + 1];
  const std::int64_t page_bytes = stored == 1 ? 65536 : stored;
  if (page_bytes > 0 && info.st_size % page_bytes == 0) return {};
  return fail(Category::invalid, "damaged",
              "The copy of " + shown + " is damaged: it is cut off in the middle of a page.");
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// Gives the present database a second name, without reading it: it may be damaged, which is why it is
// replaced.
Result<void> keep_old(const std::string& path, const std::string& old) {
  if (!exists(path)) return {};
  // With its log inside the file, where that works: then nothing is lost if the power goes before the rename.
  if (Result<SqliteHandle> db = open_file(path, SQLITE_OPEN_READWRITE))
    sqlite3_wal_checkpoint_v2(db->get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  for (const char* suffix : {"", "-wal"}) {
    const std::string name = old + suffix;
    if (::unlink(name.c_str()) != 0 && errno != ENOENT)
      return std::unexpected(file_error("Cannot remove", name, errno));
    if (exists(path + suffix) && ::link((path + suffix).c_str(), name.c_str()) != 0)
      return std::unexpected(file_error("Cannot create", name, errno));
  }
  return sync_directory_of(old);
}

}  // namespace

Result<BackupReport> back_up_sqlite(const std::string& from, const std::string& to,
                                    const BackupWatcher& watch) {
  if (!exists(from)) return fail(Category::not_found, "no_database", "There is no database at " + from + ".");
  if (exists(to)) return fail(Category::conflict, "file_exists", to + " exists already.");
  Result<PartFile> part = PartFile::make(to + ".part");
  if (!part) return std::unexpected(std::move(part.error()));
  if (Result<void> copied = copy(from, part->path(), watch); !copied)
    return std::unexpected(std::move(copied.error()));
  tell(watch, {.checking = true});
  if (Result<void> sound = check(part->path(), from); !sound)
    return std::unexpected(std::move(sound.error()));
  Result<BackupReport> report = complete(part->path());
  if (!report) return report;
  // link() and not rename(): it never replaces a file that someone has put there meanwhile.
  if (::link(part->path().c_str(), to.c_str()) != 0)
    return std::unexpected(file_error("Cannot create", to, errno));
  if (Result<void> synced = sync_directory_of(to); !synced) return std::unexpected(std::move(synced.error()));
  return report;
}

Result<BackupReport> fetch_backup(const std::string& from, const std::string& to,
                                  const BackupWatcher& watch) {
  using namespace std::string_view_literals;
  struct stat info{};
  if (::stat(from.c_str(), &info) != 0)
    return errno == ENOENT ? fail(Category::not_found, "no_backup", "There is no backup at " + from + ".")
                           : std::unexpected(file_error("Cannot read", from, errno));
  if (!S_ISREG(info.st_mode)) return fail(Category::invalid, "not_a_backup", from + " is not a file.");
  Result<PartFile> part = PartFile::make(to);
  if (!part) return std::unexpected(std::move(part.error()));
  if (Result<void> copied = copy_bytes(from, to, "SQLite format 3\0"sv, watch); !copied)
    return std::unexpected(std::move(copied.error()));
  if (::stat((from + "-wal").c_str(), &info) == 0 && info.st_size > 0)
    if (Result<void> copied = copy_bytes(from + "-wal", to + "-wal", "", {}); !copied)
      return std::unexpected(std::move(copied.error()));
  tell(watch, {.checking = true});
  if (Result<void> whole = check_whole_pages(to, from); !whole)
    return std::unexpected(std::move(whole.error()));
  if (Result<void> sound = check(to, from); !sound) return std::unexpected(std::move(sound.error()));
  Result<BackupReport> report = complete(to);
  if (report) part->keep();
  return report;
}

Result<BackupReport> restore_sqlite(const std::string& from, const std::string& to,
                                    const RestoreOptions& options) {
  Result<BackupReport> report = fetch_backup(from, to + ".restore", options.watch);
  if (!report) return report;
  PartFile part = PartFile::adopt(to + ".restore");
  if (options.accept) {
    if (Result<void> accepted = options.accept(part.path()); !accepted)
      return std::unexpected(std::move(accepted.error()));
    // Who looked may have left a log beside it.
    if (report = complete(part.path()); !report) return report;
  }

  if (Result<void> kept = keep_old(to, to + ".before-restore"); !kept)
    return std::unexpected(std::move(kept.error()));
  // A log left beside the new file would be replayed into it.
  for (const char* suffix : {"-wal", "-shm"})
    if (::unlink((to + suffix).c_str()) != 0 && errno != ENOENT)
      return std::unexpected(file_error("Cannot remove", to + suffix, errno));
  if (std::rename(part.path().c_str(), to.c_str()) != 0)
    return std::unexpected(file_error("Cannot replace", to, errno));
  part.keep();
  if (Result<void> synced = sync_directory_of(to); !synced) return std::unexpected(std::move(synced.error()));
  return report;
}

}  // namespace bedplate::sql
