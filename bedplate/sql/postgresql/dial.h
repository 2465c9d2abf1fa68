// SPDX-License-Identifier: Apache-2.0
// Making connections: that blocks (names are looked up, hands are shaken), so threads of the driver do it for
// the loops. Private header of the driver.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/sql/postgresql/handle.h"
#include "bedplate/sql/postgresql/postgresql.h"

namespace bedplate::sql {

enum class PostgresqlRole : std::uint8_t {
  shared_reads,  ///< many callers' reads, one implicit transaction a loop tick; read-only
  session,       ///< one transaction at a time
  maintenance,   ///< blocks; migrations and bulk loads
};

/// Where a URL leads, "db2.internal:5432", without users and passwords: for operators. Of one that
/// check_postgresql_url() has let pass.
std::string place_of_postgresql(const std::string& url);

/// Connects and sets the session up. Blocks, at most options.connect_timeout_ms or until `*stop`. The error
/// names the cause, without any part of the URL.
Result<PostgresqlHandle> dial_postgresql(const std::string& url, const PostgresqlOptions& options,
                                         PostgresqlRole role, const std::atomic<bool>* stop = nullptr);

/// What the server answers to what was sent: the last of the results, as PQexec() gives it. No longer than until
/// `until` or `*stop`: null then, and the connection is good for nothing.
PostgresqlResult finish_postgresql(PGconn* connection, std::chrono::steady_clock::time_point until,
                                   const std::atomic<bool>* stop = nullptr);
/// Sends it, and the same.
PostgresqlResult exec_postgresql(PGconn* connection, const char* sql,
                                 std::chrono::steady_clock::time_point until,
                                 const std::atomic<bool>* stop = nullptr);

/// A few threads that do what blocks. Thread-safe.
class PostgresqlHelpers {
 public:
  using Job = std::move_only_function<void()>;

  explicit PostgresqlHelpers(std::size_t threads);
  ~PostgresqlHelpers() { stop(); }

  void run(Job job);
  /// Drops what waits, waits for what runs. Idempotent.
  void stop();
  const std::atomic<bool>& stopping() const { return stopping_; }

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Job> jobs_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace bedplate::sql
