// Backup and restore of a SQLite database.
//
//   Result<BackupReport> made = back_up_sqlite("/var/lib/notes/bedplate.db", "/backup/notes.db");
//
// A backup is one consistent snapshot, a SQLite file of mode 0600, made while other threads and processes go
// on reading and writing. It is written beside its place, verified (every page and index), synced, and then
// renamed, so that a file of that name is always a whole backup.
#pragma once

#include <cstdint>
#include <string>

#include "bedplate/base/result.h"

namespace bedplate::sql {

struct BackupReport {
  std::int64_t size_bytes = 0;
};

/// Copies the database at `from` to `to`, which must not exist. Blocks.
Result<BackupReport> back_up_sqlite(const std::string& from, const std::string& to);

/// Puts the backup at `from` in the place of the database at `to`. Nobody may have that database open: hold
/// its DataLock (data_lock.h). The backup is copied and verified first; the present database keeps its place
/// until the last step, a rename, and stays beside the new one as `to`.before-restore. Blocks.
Result<BackupReport> restore_sqlite(const std::string& from, const std::string& to);

}  // namespace bedplate::sql
