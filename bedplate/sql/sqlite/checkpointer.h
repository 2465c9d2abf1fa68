// SPDX-License-Identifier: Apache-2.0
// Keeps the write-ahead log short: a thread that copies it into the database file, beside the writer and not
// in its way, when it has grown or when nobody writes. Private header of the driver.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "bedplate/sql/sqlite/connection.h"

namespace bedplate::sql {

inline constexpr std::uint64_t kSqlitePageSizeBytes = 4096;  ///< of the databases that we make

class SqliteCheckpointer {
 public:
  SqliteCheckpointer(SqliteShared& shared, std::unique_ptr<SqliteConnection> connection);
  ~SqliteCheckpointer() { close(); }

  void close();

 private:
  void run();
  std::uint64_t checkpoint();

  SqliteShared& shared_;
  std::unique_ptr<SqliteConnection> connection_;
  std::mutex mutex_;
  std::condition_variable closing_;
  bool closed_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace bedplate::sql
