#include "bedplate/sql/backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "bedplate/sql/error.h"
#include "bedplate/sql/files.h"
#include "bedplate/sql/sqlite/error.h"
#include "bedplate/sql/sqlite/handle.h"

namespace bedplate::sql {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

/// A file that is removed unless it is kept.
class PartFile {
 public:
  static Result<PartFile> make(std::string path) {
    ::unlink(path.c_str());  // of an attempt that was cut off
    const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) return std::unexpected(file_error("Cannot create", path, errno));
    ::close(fd);
    return PartFile(std::move(path));
  }
  PartFile(PartFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile() {
    if (path_.empty()) return;
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((path_ + suffix).c_str());
  }
  const std::string& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  explicit PartFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<SqliteHandle> open_file(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  SqliteHandle db(raw);
  if (code != SQLITE_OK)
    return fail(Category::unavailable, kStorageError,
                "Cannot open " + path + ": " + (raw ? sqlite3_errmsg(raw) : sqlite3_errstr(code)) + ".");
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return db;
}

// All pages in one step: one snapshot, which writers do not disturb (WAL).
Result<void> copy(const std::string& from, const std::string& to) {
  Result<SqliteHandle> source = open_file(from, SQLITE_OPEN_READONLY);
  if (!source) return std::unexpected(std::move(source.error()));
  Result<SqliteHandle> target = open_file(to, SQLITE_OPEN_READWRITE);
  if (!target) return std::unexpected(std::move(target.error()));
  sqlite3_backup* backup = sqlite3_backup_init(target->get(), "main", source->get(), "main");
  int code = SQLITE_ERROR;
  if (backup) {
    do {
      code = sqlite3_backup_step(backup, -1);
      if (code == SQLITE_BUSY || code == SQLITE_LOCKED) sqlite3_sleep(50);
    } while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED);
    sqlite3_backup_finish(backup);
  }
  if (code == SQLITE_DONE) return {};
  if ((code & 0xff) == SQLITE_NOTADB)
    return fail(Category::invalid, "not_a_backup", from + " is not a SQLite database.");
  return std::unexpected(sqlite_error(target->get(), code, "backup"));
}

// Reads every page and compares every index with its table.
Result<void> check(const std::string& path, const std::string& shown) {
  Result<SqliteHandle> db = open_file(path, SQLITE_OPEN_READWRITE);
  if (!db) return std::unexpected(std::move(db.error()));
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(db->get(), "PRAGMA integrity_check(1)", -1, &raw, nullptr);
  SqliteStatementHandle statement(raw);
  if (code == SQLITE_OK) code = sqlite3_step(raw);
  std::string verdict = sqlite3_errmsg(db->get());
  if (code == SQLITE_ROW) verdict = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
  if (code == SQLITE_ROW && verdict == "ok") return {};
  return fail(Category::invalid, "damaged", "The copy of " + shown + " is damaged: " + verdict + ".");
}

Result<BackupReport> copy_and_check(const std::string& from, const std::string& to) {
  if (Result<void> copied = copy(from, to); !copied) return std::unexpected(std::move(copied.error()));
  if (Result<void> sound = check(to, from); !sound) return std::unexpected(std::move(sound.error()));
  // check() may have turned a copied WAL header into files beside it; the last close removed them again.
  if (Result<void> synced = sync_file(to); !synced) return std::unexpected(std::move(synced.error()));
  struct stat info{};
  if (::stat(to.c_str(), &info) != 0) return std::unexpected(file_error("Cannot read", to, errno));
  return BackupReport{.size_bytes = info.st_size};
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

Result<BackupReport> back_up_sqlite(const std::string& from, const std::string& to) {
  if (!exists(from)) return fail(Category::not_found, "no_database", "There is no database at " + from + ".");
  if (exists(to)) return fail(Category::conflict, "file_exists", to + " exists already.");
  Result<PartFile> part = PartFile::make(to + ".part");
  if (!part) return std::unexpected(std::move(part.error()));
  Result<BackupReport> report = copy_and_check(from, part->path());
  if (!report) return report;
  // link() and not rename(): it never replaces a file that someone has put there meanwhile.
  if (::link(part->path().c_str(), to.c_str()) != 0)
    return std::unexpected(file_error("Cannot create", to, errno));
  if (Result<void> synced = sync_directory_of(to); !synced) return std::unexpected(std::move(synced.error()));
  return report;
}

Result<BackupReport> restore_sqlite(const std::string& from, const std::string& to) {
  if (!exists(from)) return fail(Category::not_found, "no_backup", "There is no backup at " + from + ".");
  Result<PartFile> part = PartFile::make(to + ".restore");
  if (!part) return std::unexpected(std::move(part.error()));
  Result<BackupReport> report = copy_and_check(from, part->path());
  if (!report) return report;

  if (Result<void> kept = keep_old(to, to + ".before-restore"); !kept)
    return std::unexpected(std::move(kept.error()));
  // A log left beside the new file would be replayed into it.
  for (const char* suffix : {"-wal", "-shm"})
    if (::unlink((to + suffix).c_str()) != 0 && errno != ENOENT)
      return std::unexpected(file_error("Cannot remove", to + suffix, errno));
  if (std::rename(part->path().c_str(), to.c_str()) != 0)
    return std::unexpected(file_error("Cannot replace", to, errno));
  part->keep();
  if (Result<void> synced = sync_directory_of(to); !synced) return std::unexpected(std::move(synced.error()));
  return report;
}

}  // namespace bedplate::sql
