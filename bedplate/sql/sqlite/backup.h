// SPDX-License-Identifier: Apache-2.0
// Backup and restore of a SQLite database.
//
//   Result<BackupReport> made = back_up_sqlite("/var/lib/notes/bedplate.db", "/backup/notes.db");
//
// A backup is one consistent snapshot, a SQLite file of mode 0600, made while other threads and processes go
// on reading and writing. It is written beside its place, verified (every page and index), synced, and then
// renamed, so that a file of that name is always a whole backup. It needs no file beside it.
//
// A backup is read as a file, byte by byte, and opened as a database only where its copy is: it may lie on a
// medium that cannot be written, and nothing is left beside it. A log beside it (NAME-wal, from somebody who
// copied the files of a database) belongs to it and is read too.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bedplate/base/result.h"

namespace bedplate::sql {

struct BackupReport {
  std::int64_t size_bytes = 0;
};

struct BackupProgress {
  std::int64_t bytes = 0;  ///< copied so far
  std::int64_t bytes_total = 0;
  bool checking = false;  ///< all is copied, and every page is looked at
};
/// Called on the calling thread, once for some megabytes.
using BackupWatcher = std::function<void(const BackupProgress&)>;

/// Copies the database at `from` to `to`, which must not exist. Blocks.
Result<BackupReport> back_up_sqlite(const std::string& from, const std::string& to,
                                    const BackupWatcher& watch = {});

/// Copies the backup at `from` to `to`, mode 0600, and verifies the copy. What is at `to` is replaced; after an error
/// nothing is there. Errors: `no_backup`, `not_a_backup` (no SQLite database), `damaged` (also one that was cut off),
/// `backup_changed` (somebody writes to it: it is a database in use). Blocks.
Result<BackupReport> fetch_backup(const std::string& from, const std::string& to,
                                  const BackupWatcher& watch = {});

struct RestoreOptions {
  /// Looks at the verified copy before it takes the database's place, and may open it: an error ends the restore.
  std::function<Result<void>(const std::string& copy)> accept;
  BackupWatcher watch;
};

/// Puts the backup at `from` in the place of the database at `to`. Nobody may have that database open: hold
/// its DataLock (data_lock.h). The backup is fetched first (fetch_backup() says what can be wrong with it); the present
/// database keeps its place until the last step, a rename, and stays beside the new one as `to`.before-restore. Blocks.
Result<BackupReport> restore_sqlite(const std::string& from, const std::string& to,
                                    const RestoreOptions& options = {});

}  // namespace bedplate::sql
