// SPDX-License-Identifier: Apache-2.0
// One write to the write-ahead log (WAL) per commit. SQLite writes each frame of its WAL with two system calls: more
// than a hundred for a group of creates, which cost more than the fsync behind them. This file system layer (VFS)
// over the real one keeps what is appended to the WAL in memory until it is synced, read or measured, and writes it
// at once.
//
//   CoalescingWalVfs vfs(options.vfs, fallbacks);
//   sqlite3_open_v2(path, &db, flags, vfs.name());
//
// Only for a connection with `synchronous=FULL`: there a commit syncs the WAL before it publishes its frames in the
// WAL index, so nobody looks for what is buffered. SQLite keeps this order but does not promise it, so the layer
// watches it: at the memory barrier in which a commit publishes its frames, nothing may be buffered. If something
// is, it is written first, so that this commit is right too; from then on every write goes to the file as it comes,
// an error is logged, and counted (bedplate_database_wal_coalescing_fallbacks_total).
//
// What a transaction that is rolled back leaves in memory is dropped before it gives up the write lock: another
// process may append at the same place from there on. (A disk that may damage what is beside a write makes SQLite
// pad the WAL behind the sync; on such a disk nothing is buffered.) A write that fails in a sync is forgotten, for
// then the commit fails and is rolled back. Other files are the real layer's own. Inside the driver only.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

struct sqlite3_vfs;

namespace bedplate::sql {

/// For one connection, which it outlives. Used by one thread at a time.
class CoalescingWalVfs {
 public:
  /// `real`: the name of the layer below. Empty: SQLite's own. `fallbacks` counts how often SQLite was seen to publish
  /// frames before it synced them; it outlives this.
  CoalescingWalVfs(const std::string& real, std::atomic<std::uint64_t>& fallbacks);
  CoalescingWalVfs(const CoalescingWalVfs&) = delete;
  CoalescingWalVfs& operator=(const CoalescingWalVfs&) = delete;
  ~CoalescingWalVfs();

  /// Null when there is no such layer below.
  const char* name() const;

 private:
  struct Vfs;
  std::unique_ptr<Vfs> vfs_;
};

}  // namespace bedplate::sql
