// SPDX-License-Identifier: Apache-2.0
// The routes that operators and their tools ask: /livez, /readyz, /healthz, /metrics.
//
//   HealthRoutes routes(health, registry);
//   apis.push_back(routes.api());                                   // /livez and /readyz, for everybody
//   operations.raw_routes = routes.operator_routes();               // /healthz and /metrics: a listener of their own
//   parts.raw_routes = routes.public_routes(settings.metrics_token);
//
// - /livez: 200 as long as the process is alive. A supervisor restarts a process that does not answer.
// - /readyz: 200 when requests are welcome, else 503 `not_ready`: starting, or draining after SIGTERM.
// - /healthz: every check, with what it says; 503 when one fails. /metrics: Prometheus text. Both tell more than
//   strangers should know, and the other end of a connection does not tell a stranger from an operator: a proxy on the
//   same machine is loopback too. So they are on a listener that operators alone reach. Where the public reaches, they
//   are 404 like any path that does not exist, unless `telemetry.metrics_token` is set and sent as a Bearer token.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/operations/api.h"
#include "bedplate/surfaces/rest/rest.h"
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
  /// Both outlive it; it outlives the Rests that serve it.
  HealthRoutes(const telemetry::Health& health, const telemetry::Registry& registry);
  HealthRoutes(const HealthRoutes&) = delete;
  HealthRoutes& operator=(const HealthRoutes&) = delete;
  ~HealthRoutes();

  Api api();
  /// /healthz and /metrics, for whoever asks.
  std::vector<RawRoute> operator_routes();
  /// The same for whoever sends the token; none where the token is empty. Once.
  std::vector<RawRoute> public_routes(std::string_view metrics_token);

  Result<HealthStatus> live();
  Result<HealthStatus> ready();

 private:
  static std::vector<RawRoute> routes_to(http::Handler& healthz, http::Handler& metrics);

  const telemetry::Health& health_;
  std::unique_ptr<http::Handler> healthz_;
  std::unique_ptr<http::Handler> metrics_;
  std::unique_ptr<http::Handler> healthz_gate_;
  std::unique_ptr<http::Handler> metrics_gate_;
};

}  // namespace bedplate::api
