// SPDX-License-Identifier: Apache-2.0
// The routes that operators and their tools ask: /livez, /readyz, /healthz, /metrics.
//
//   HealthRoutes routes(health, registry, settings.metrics_token);
//   apis.push_back(routes.api());                                  // /livez and /readyz, for everybody
//   for (RawRoute& raw : routes.raw_routes()) parts.raw_routes.push_back(raw);
//
// - /livez: 200 as long as a loop turns. A supervisor restarts a process that does not answer.
// - /readyz: 200 when requests are welcome, else 503 `not_ready`: starting, or draining after SIGTERM.
// - /healthz: every check, with what it says; 503 when one fails. /metrics: Prometheus text. Both tell more than
//   strangers should know, so they answer loopback and Unix sockets only, or, once `telemetry.metrics_token` is set,
//   whoever sends it as a Bearer token, and nobody else. "Loopback" is the other end of the connection, whatever
//   forwarded headers say, and a request that carries such headers has come through a proxy, so it is not loopback.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bedplate/api/api.h"
#include "bedplate/api/rest/rest.h"
#include "bedplate/telemetry/health.h"

namespace bedplate::telemetry {
class Registry;
}

namespace bedplate::api {

struct HealthStatus {
  std::string status;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<HealthStatus>("Whether the process is well",
                                {field<&HealthStatus::status>("`ok`, or nothing at all", example("ok"))});
  }
};

struct HealthCheckView {
  std::string name;
  std::string status;
  std::string detail;
  std::int64_t duration_us = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<HealthCheckView>("One check",
                                   {
                                       field<&HealthCheckView::name>("What was checked"),
                                       field<&HealthCheckView::status>("pass, warn or fail"),
                                       field<&HealthCheckView::detail>("What there is to say about it"),
                                       field<&HealthCheckView::duration_us>("How long it took"),
                                   });
  }
};

struct HealthReportView {
  std::string status;
  std::string readiness;
  std::vector<HealthCheckView> checks;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<HealthReportView>("Every check",
                                    {
                                        field<&HealthReportView::status>("The worst of the checks"),
                                        field<&HealthReportView::readiness>("starting, ready or draining"),
                                        field<&HealthReportView::checks>("In the order they were added"),
                                    });
  }
};

class HealthRoutes {
 public:
  /// `health` and `registry` outlive it; it outlives the Rest that serves it. `metrics_token` empty: loopback only.
  HealthRoutes(const telemetry::Health& health, const telemetry::Registry& registry,
               std::string metrics_token);
  HealthRoutes(const HealthRoutes&) = delete;
  HealthRoutes& operator=(const HealthRoutes&) = delete;
  ~HealthRoutes();

  Api api();
  std::vector<RawRoute> raw_routes();

  Result<HealthStatus> live();
  Result<HealthStatus> ready();

 private:
  const telemetry::Health& health_;
  std::unique_ptr<http::Handler> healthz_;
  std::unique_ptr<http::Handler> metrics_;
};

}  // namespace bedplate::api
