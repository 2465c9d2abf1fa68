// SPDX-License-Identifier: Apache-2.0
// A server's numbers for /metrics.
//
//   ServerMetrics metrics(server);
//   telemetry::Watch watch = registry.watch(metrics);
#pragma once

#include "bedplate/telemetry/metrics.h"

namespace bedplate::http {

class Server;

/// Shows ServerStats as bedplate_http_*. The server outlives it.
class ServerMetrics final : public telemetry::Collector {
 public:
  explicit ServerMetrics(const Server& server) : server_(server) {}
  void collect(telemetry::MetricWriter& out) const override;

 private:
  const Server& server_;
};

}  // namespace bedplate::http
