// SPDX-License-Identifier: Apache-2.0
// A database's numbers for /metrics.
//
//   DatabaseMetrics metrics(*database);
//   telemetry::Watch watch = registry.watch(metrics);
#pragma once

#include "bedplate/sql/database.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::sql {

/// Shows DatabaseStats as bedplate_database_*, and StatementStats as bedplate_database_statement_*{statement="..."}.
/// The database outlives it.
class DatabaseMetrics final : public telemetry::Collector {
 public:
  explicit DatabaseMetrics(const Database& database) : database_(database) {}
  void collect(telemetry::MetricWriter& out) const override;

 private:
  void collect_statements(telemetry::MetricWriter& out) const;

  const Database& database_;
};

}  // namespace bedplate::sql
