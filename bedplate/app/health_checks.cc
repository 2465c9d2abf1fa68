// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/health_checks.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace bedplate::app {
namespace {

using telemetry::CheckResult;
using telemetry::HealthStatus;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;

Async<std::int64_t> select_one(sql::Reader& db) {
  std::int64_t one = co_await ok(db.value<std::int64_t>("SELECT 1"));
  co_return one;
}

Async<void> write_nothing(sql::Transaction& db) {
  // A write that changes no row still takes the writer's turn and its lock.
  co_await ok(db.run("DELETE FROM schema_migrations WHERE module = ''"));
}

}  // namespace

Async<CheckResult> DatabaseCheck::run() {
  Result<std::int64_t> read = co_await database_.read(&select_one);
  if (!read) co_return CheckResult(HealthStatus::fail, "It does not answer reads: " + read.error().detail());
  Result<void> written = co_await database_.transact(&write_nothing);
  if (!written)
    co_return CheckResult(HealthStatus::fail, "It does not take writes: " + written.error().detail());
  co_return CheckResult(HealthStatus::pass, "It reads and writes.");
}

Async<CheckResult> ReplicaCheck::run() {
  Result<void> asked = co_await database_.ask_replica(index_);
  if (asked) co_return CheckResult(HealthStatus::pass, "It answers reads.");
  if (asked.error().category() == Category::unavailable)
    co_return CheckResult(HealthStatus::warn, "It is away: the primary answers its reads.");
  co_return CheckResult(HealthStatus::warn, asked.error().detail());
}

Async<CheckResult> DiskCheck::run() {
  struct statvfs disk{};
  if (::statvfs(directory_.c_str(), &disk) != 0)
    co_return CheckResult(HealthStatus::fail,
                          std::string("The data directory cannot be read: ") + std::strerror(errno));
  const std::uint64_t total = disk.f_blocks * disk.f_frsize;
  const std::uint64_t free = disk.f_bavail * disk.f_frsize;
  const std::string detail =
      std::to_string(free / kMebibyte) + " MiB of " + std::to_string(total / kMebibyte) + " MiB are free.";
  if (free < std::min(total / 100, 64 * kMebibyte)) co_return CheckResult(HealthStatus::fail, detail);
  if (free < std::min(total / 10, 1024 * kMebibyte)) co_return CheckResult(HealthStatus::warn, detail);
  co_return CheckResult(HealthStatus::pass, detail);
}

}  // namespace bedplate::app
