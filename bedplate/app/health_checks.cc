// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/health_checks.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
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

// A row that every database of an application has changes, and changes back: its page is written, which a full disk
// refuses. SQLite does not write a row that is set to what it is.
Async<void> write_a_row(sql::Transaction& db) {
  co_await ok(db.run("UPDATE schema_migrations SET version = -1 WHERE module = 'api' AND version = 1"));
  co_await ok(db.run("UPDATE schema_migrations SET version = 1 WHERE module = 'api' AND version = -1"));
}

Async<Time> server_time(sql::Reader& db) {
  Time now = co_await ok(db.value<Time>("SELECT clock_timestamp()"));
  co_return now;
}

}  // namespace

Async<CheckResult> DatabaseCheck::run() {
  Result<std::int64_t> read = co_await database_.read(&select_one);
  if (!read) co_return CheckResult(HealthStatus::fail, "It does not answer reads: " + read.error().detail());
  sql::CallContext context;
  context.isolation = sql::Isolation::read_committed;  // checks of other servers write the same row
  Result<void> written = co_await database_.transact(context, &write_a_row);
  if (!written)
    co_return CheckResult(HealthStatus::fail, "It does not take writes: " + written.error().detail());
  co_return CheckResult(HealthStatus::pass, "It reads and writes.");
}

Async<CheckResult> ClockCheck::run() {
  constexpr std::chrono::microseconds kApartMax{2'000'000};
  const Time before = clock_.now();
  Result<Time> there = co_await database_.read(&server_time);
  const Time after = clock_.now();
  if (!there) co_return CheckResult(HealthStatus::warn, "The database server does not say what time it is.");
  // It looked at its clock somewhere between the two.
  const std::chrono::microseconds behind = *there - after;
  const std::chrono::microseconds ahead = before - *there;
  const std::chrono::microseconds apart = std::max(behind, ahead);
  if (apart <= kApartMax)
    co_return CheckResult(HealthStatus::pass, "It agrees with the database server's clock.");
  co_return CheckResult(
      HealthStatus::warn,
      fmt::format(
          "This machine's clock is {:.1f} s {} the database server's. Tokens are refused where clocks "
          "differ: set both by NTP.",
          static_cast<double>(apart.count()) / 1e6, behind > ahead ? "behind" : "ahead of"));
}

Async<CheckResult> ReplicaCheck::run() {
  Result<void> asked = co_await database_.ask_replica(index_);
  if (asked) co_return CheckResult(HealthStatus::pass, "It answers reads.");
  if (asked.error().category() == Category::unavailable)
    co_return CheckResult(HealthStatus::warn, "It is away: the primary answers its reads.");
  co_return CheckResult(HealthStatus::warn, asked.error().detail());
}

Async<CheckResult> ZonesCheck::run() {
  co_return CheckResult(HealthStatus::pass, "Time zones are " + zones_.description() + ".");
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
