// SPDX-License-Identifier: Apache-2.0
// What /healthz looks at in every application.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "bedplate/sql/database.h"
#include "bedplate/telemetry/health.h"

namespace bedplate::app {

/// The database answers a read, and its writer commits an empty transaction.
class DatabaseCheck final : public telemetry::HealthCheck {
 public:
  /// `database` outlives it.
  explicit DatabaseCheck(sql::Database& database) : database_(database) {}
  Async<telemetry::CheckResult> run() override;

 private:
  sql::Database& database_;
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

/// The file system of a directory has room: warns below 10 % or 1 GiB, fails below 1 % or 64 MiB, whichever is less.
class DiskCheck final : public telemetry::HealthCheck {
 public:
  explicit DiskCheck(std::string directory) : directory_(std::move(directory)) {}
  Async<telemetry::CheckResult> run() override;

 private:
  const std::string directory_;
};

}  // namespace bedplate::app
