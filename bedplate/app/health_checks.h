// SPDX-License-Identifier: Apache-2.0
// What /healthz looks at in every application.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "bedplate/base/time.h"
#include "bedplate/schedule/zones.h"
#include "bedplate/sql/database.h"
#include "bedplate/telemetry/health.h"

namespace bedplate::app {

/// The database answers a read, and a transaction that writes a row is on disk.
class DatabaseCheck final : public telemetry::HealthCheck {
 public:
  /// `database` outlives it.
  explicit DatabaseCheck(sql::Database& database) : database_(database) {}
  Async<telemetry::CheckResult> run() override;

 private:
  sql::Database& database_;
};

/// The clock of a database server and `clock`, which says what a token's time is compared with, are at most 2 s apart:
/// servers of a fleet that disagree refuse each other's tokens. Else it warns.
class ClockCheck final : public telemetry::HealthCheck {
 public:
  /// Both outlive it. The database has a clock of its own: not for SQLite.
  ClockCheck(sql::Database& database, const Clock& clock) : database_(database), clock_(clock) {}
  Async<telemetry::CheckResult> run() override;

 private:
  sql::Database& database_;
  const Clock& clock_;
};

/// A read replica answers. Without one the primary answers its reads, so its failure is a warning.
class ReplicaCheck final : public telemetry::HealthCheck {
 public:
  /// `database` outlives it; `index` as in Database::replicas().
  ReplicaCheck(sql::Database& database, std::size_t index) : database_(database), index_(index) {}
  Async<telemetry::CheckResult> run() override;

 private:
  sql::Database& database_;
  const std::size_t index_;
};

/// Says which time zone data is in use. Always well: where the machine has none, the program has its own.
class ZonesCheck final : public telemetry::HealthCheck {
 public:
  /// `zones` outlives it.
  explicit ZonesCheck(const schedule::Zones& zones) : zones_(zones) {}
  Async<telemetry::CheckResult> run() override;

 private:
  const schedule::Zones& zones_;
};

/// The file system of a directory has room: warns below 10 % or 1 GiB, fails below 1 % or 64 MiB, whichever is less.
class DiskCheck final : public telemetry::HealthCheck {
 public:
  explicit DiskCheck(std::string directory) : directory_(std::move(directory)) {}
  Async<telemetry::CheckResult> run() override;

 private:
  const std::string directory_;
};

}  // namespace bedplate::app
