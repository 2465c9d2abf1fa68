// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/health_routes.h"

#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::api {
namespace {

constexpr std::string_view kBearer = "Bearer ";

constexpr ErrorCode kNotReady{Category::unavailable, "not_ready", "The server is starting or shutting down."};

class MetricsHandler final : public http::Handler {
 public:
  explicit MetricsHandler(const telemetry::Registry& registry) : registry_(registry) {}

  Async<void> handle(http::Request&, http::Response& response) override {
    response.set_field(http::FieldId::cache_control, "no-store");
    response.set_field(http::FieldId::content_type, telemetry::kPrometheusContentType);
    registry_.write_prometheus(response.body());
    co_return;
  }

 private:
  const telemetry::Registry& registry_;
};

class HealthzHandler final : public http::Handler {
 public:
  explicit HealthzHandler(const telemetry::Health& health) : health_(health) {}

  Async<void> handle(http::Request&, http::Response& response) override {
    telemetry::HealthReport report = co_await ok(health_.report());
    HealthReportView view;
    view.status = to_string(report.status);
    view.readiness = to_string(report.readiness);
    for (telemetry::CheckReport& check : report.checks)
      view.checks.push_back({std::move(check.name), std::string(to_string(check.result.status)),
                             std::move(check.result.detail), check.duration.count()});
    response.set_status(report.status == telemetry::HealthStatus::fail ? 503 : 200);
    response.set_field(http::FieldId::cache_control, "no-store");
    response.set_field(http::FieldId::content_type, "application/json");
    to_json(response.body(), view);
  }

 private:
  const telemetry::Health& health_;
};

/// What is behind it exists for whoever sends the token; to others it is a path at which there is nothing.
class TokenGate final : public http::Handler {
 public:
  TokenGate(http::Handler& behind, std::string_view token) : behind_(behind), token_(token) {}

  Async<void> handle(http::Request& request, http::Response& response) override {
    if (!admits(request.field(http::FieldId::authorization)))
      co_await bedplate::fail(Category::not_found, "not_found", "There is nothing at this path.");
    co_await ok(behind_.handle(request, response));
  }

 private:
  bool admits(std::string_view authorization) const {
    return authorization.size() > kBearer.size() &&
           equal_ignoring_case(authorization.substr(0, kBearer.size()), kBearer) &&
           equal_in_constant_time(trim(authorization.substr(kBearer.size())), token_);
  }

  http::Handler& behind_;
  const std::string token_;
};

}  // namespace

HealthRoutes::HealthRoutes(const telemetry::Health& health, const telemetry::Registry& registry)
    : health_(health),
      healthz_(std::make_unique<HealthzHandler>(health)),
      metrics_(std::make_unique<MetricsHandler>(registry)) {}

HealthRoutes::~HealthRoutes() = default;

Result<HealthStatus> HealthRoutes::live() {
  return HealthStatus{"ok"};
}

Result<HealthStatus> HealthRoutes::ready() {
  if (health_.is_ready()) return HealthStatus{"ok"};
  return fail(kNotReady, health_.readiness() == telemetry::Readiness::draining
                             ? "The server is shutting down."
                             : "The server is starting.");
}

// A supervisor that is told to come back later takes the server for dead: these cost nothing.
Api HealthRoutes::api() {
  return Api("health", "Whether this server is alive and ready")
      .pure<&HealthRoutes::live>("live", *this, get("/livez"), open_to_all(), summary("Is it alive?"),
                                 doc("For supervisors: 200 as long as the server answers at all."),
                                 cache_control("no-store"), cost(0), any_query())
      .pure<&HealthRoutes::ready>(
          "ready", *this, get("/readyz"), open_to_all(), summary("Does it want requests?"),
          doc("For load balancers: 503 while the server starts and while it shuts down."),
          cache_control("no-store"), cost(0), any_query(), fails_with(kNotReady));
}

std::vector<RawRoute> HealthRoutes::operator_routes() {
  return routes_to(*healthz_, *metrics_);
}

std::vector<RawRoute> HealthRoutes::public_routes(std::string_view metrics_token) {
  if (metrics_token.empty()) return {};
  healthz_gate_ = std::make_unique<TokenGate>(*healthz_, metrics_token);
  metrics_gate_ = std::make_unique<TokenGate>(*metrics_, metrics_token);
  return routes_to(*healthz_gate_, *metrics_gate_);
}

std::vector<RawRoute> HealthRoutes::routes_to(http::Handler& healthz, http::Handler& metrics) {
  constexpr std::int64_t kFree = 0;  // who watches is never turned away because of what others do
  return {{get("/healthz"), "healthz", &healthz, {}, kFree},
          {get("/metrics"), "metrics", &metrics, {}, kFree}};
}

}  // namespace bedplate::api
