// SPDX-License-Identifier: Apache-2.0
// The SQLite driver: durable, embedded, one file.
//
//   SqliteOptions options;
//   options.path = "/var/lib/notes/bedplate.db";
//   auto database = open_sqlite(options);            // Result<std::unique_ptr<Database>>
//
// - One writer thread. Commands that arrive together share one transaction and one fsync (group commit); one that
//   fails is undone without its neighbours, for which the group may run twice. None is answered before the commit is
//   on disk (WAL, synchronous=FULL). Nobody waits for company: a lone command commits at once.
// - Reads run on the loop that asks, in one read transaction a loop tick, and never wait for the writer. One
//   that exceeds its budget of steps is dropped and starts again on a reader thread.
// - Triggers are recursive (PRAGMA recursive_triggers): REPLACE runs those of the rows that it displaces, and one that
//   writes its own table runs itself again.
// - Disk full, I/O errors and locks held by other processes are Category::unavailable; when the cause is gone
//   it goes on without a restart.
//
// Files are created with mode 0600, folders with 0700.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/sql/database.h"

struct sqlite3;

namespace bedplate::sql {

/// Registers SQL functions, collations or FTS5 tokenizers on a connection, and returns SQLITE_OK or another code, with
/// which opening the connection fails. Called once for each connection, on any thread.
using SqliteExtension = int (*)(sqlite3* connection);

struct SqliteOptions {
  std::string path;

  std::size_t batch_max = 256;             ///< commands in one group commit; 1: each alone
  std::size_t queue_max = 8192;            ///< commands waiting for the writer; more are turned away
  std::size_t reader_threads = 2;          ///< for reads that leave their loop
  std::size_t reader_queue_max = 256;      ///< reads waiting for such a thread
  std::int64_t loop_steps_max = 20'000;    ///< virtual machine steps of one statement on a loop (about 1 ms)
  std::int64_t read_time_max_ms = 10'000;  ///< of a whole read on a reader thread
  std::int64_t command_time_max_ms = 5'000;
  std::int64_t busy_timeout_ms = 5'000;  ///< waiting for another process's lock
  std::int64_t slow_query_ms = 200;      ///< statements that take longer are logged; 0: none
  std::size_t rows_max = 10'000;         ///< of one statement
  std::size_t value_size_max_bytes = 64 << 20;
  std::size_t statements_max = 256;       ///< prepared statements kept per connection
  std::size_t cache_size_kib = 16 << 10;  ///< page cache per connection; the writer's is four times as large
  std::size_t mmap_size_mib = 1024;       ///< address space for reading the file
  std::size_t wal_checkpoint_mib = 64;    ///< copied into the database file in the background beyond this
  bool wal_coalescing = true;          ///< one write to the write-ahead log per commit: coalescing_wal_vfs.h
  std::size_t wal_size_max_mib = 256;  ///< beyond this the writer itself stops to do it

  /// What every connection of this database is given, in this order; schemas and statements may rely on it.
  std::vector<SqliteExtension> extensions;

  /// For tests: the SQLite VFS (file system layer) to use. Empty: the default.
  std::string vfs;
};

/// Opens, or makes, the database at options.path. Does not migrate.
Result<std::unique_ptr<Database>> open_sqlite(const SqliteOptions& options);

}  // namespace bedplate::sql
