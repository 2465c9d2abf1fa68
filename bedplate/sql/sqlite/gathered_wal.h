// SPDX-License-Identifier: Apache-2.0
// One write to the log a commit. SQLite writes a page of its write-ahead log in two pieces, each with a system call of
// its own: more than a hundred for a group of creates, which cost more than the fsync behind them. In a file system
// layer (VFS) over the real one, what is appended to the log waits in memory until it is synced, read or measured, and
// is then written at once.
//
//   GatheredWal wal(options.vfs);
//   sqlite3_open_v2(path, &db, flags, wal.name());
//
// Only for a connection with `synchronous=FULL`: there a commit syncs the log before anybody else is told of its pages,
// so nobody ever looks for what waits. (A disk that may damage what lies beside a write makes SQLite pad the log behind
// the sync; on such a one everything is written as it comes.) A write that fails in a sync is forgotten, for then the
// commit fails and is rolled back. Other files are the real layer's own. Private header of the driver.
#pragma once

#include <memory>
#include <string>

struct sqlite3_vfs;

namespace bedplate::sql {

/// Outlives every connection that is opened with it. Each is used by one thread at a time.
class GatheredWal {
 public:
  /// `real`: the name of the layer below. Empty: SQLite's own.
  explicit GatheredWal(const std::string& real);
  GatheredWal(const GatheredWal&) = delete;
  GatheredWal& operator=(const GatheredWal&) = delete;
  ~GatheredWal();

  /// Null when there is no such layer below.
  const char* name() const;

 private:
  struct Vfs;
  std::unique_ptr<Vfs> vfs_;
};

}  // namespace bedplate::sql
