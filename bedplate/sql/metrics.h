// SPDX-License-Identifier: Apache-2.0
// A database's numbers for /metrics.
//
//   DatabaseMetrics metrics(*database);
//   telemetry::Watch watch = registry.watch(metrics);
#pragma once

#include "bedplate/sql/database.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::sql {

/// Shows DatabaseStats as bedplate_database_*. The database outlives it.
class DatabaseMetrics final : public telemetry::Collector {
 public:
  explicit DatabaseMetrics(const Database& database) : database_(database) {}
  void collect(telemetry::MetricWriter& out) const override;

 private:
  const Database& database_;
};

}  // namespace bedplate::sql
