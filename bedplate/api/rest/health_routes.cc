// SPDX-License-Identifier: Apache-2.0
#include "bedplate/api/rest/health_routes.h"

#include <utility>

#include "bedplate/api/rest/problem.h"
#include "bedplate/base/text.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::api {
namespace {

constexpr std::string_view kBearer = "Bearer ";

bool is_loopback(std::string_view address) {
  return address == "unix" || address == "::1" || address.starts_with("127.") ||
         address.starts_with("::ffff:127.");
}

/// Who may see what is behind it.
class OperatorGate {
 public:
  explicit OperatorGate(std::string token) : token_(std::move(token)) {}

  /// False: `response` is the refusal.
  bool admits(const http::Request& request, http::Response& response) const {
    response.set_field(http::FieldId::cache_control, "no-store");
    if (token_.empty()) {
      const bool proxied =
          request.has_field(http::FieldId::forwarded) || request.has_field(http::FieldId::x_forwarded_for);
      if (is_loopback(request.peer_address()) && !proxied) return true;
      refuse(response,
             Error(Category::forbidden, "loopback_only",
                   "This answers loopback only. Set telemetry.metrics_token to open it to whoever has the "
                   "token."),
             request);
      return false;
    }
    std::string_view authorization = request.field(http::FieldId::authorization);
    if (authorization.size() > kBearer.size() &&
        equal_ignoring_case(authorization.substr(0, kBearer.size()), kBearer) &&
        equal_in_constant_time(trim(authorization.substr(kBearer.size())), token_))
      return true;
    response.set_field(http::FieldId::www_authenticate, "Bearer");
    refuse(response,
           Error(Category::unauthenticated, "metrics_token_required",
                 "Send the token that telemetry.metrics_token holds."),
           request);
    return false;
  }

 private:
  static void refuse(http::Response& response, const Error& error, const http::Request& request) {
    write_problem(response, error, request.path(), response.field(http::FieldId::x_request_id));
  }

  std::string token_;
};

class MetricsHandler final : public http::Handler {
 public:
  MetricsHandler(const telemetry::Registry& registry, std::string token)
      : registry_(registry), gate_(std::move(token)) {}

  Async<void> handle(http::Request& request, http::Response& response) override {
    if (!gate_.admits(request, response)) co_return;
    response.set_field(http::FieldId::content_type, telemetry::kPrometheusContentType);
    registry_.write_prometheus(response.body());
  }

 private:
  const telemetry::Registry& registry_;
  OperatorGate gate_;
};

class HealthzHandler final : public http::Handler {
 public:
  HealthzHandler(const telemetry::Health& health, std::string token)
      : health_(health), gate_(std::move(token)) {}

  Async<void> handle(http::Request& request, http::Response& response) override {
    if (!gate_.admits(request, response)) co_return;
    telemetry::HealthReport report = co_await ok(health_.report());
    HealthReportView view;
    view.status = to_string(report.status);
    view.readiness = to_string(report.readiness);
    for (telemetry::CheckReport& check : report.checks)
      view.checks.push_back({std::move(check.name), std::string(to_string(check.result.status)),
                             std::move(check.result.detail), check.duration.count()});
    response.set_status(report.status == telemetry::HealthStatus::fail ? 503 : 200);
    response.set_field(http::FieldId::content_type, "application/json");
    to_json(response.body(), view);
  }

 private:
  const telemetry::Health& health_;
  OperatorGate gate_;
};

}  // namespace

HealthRoutes::HealthRoutes(const telemetry::Health& health, const telemetry::Registry& registry,
                           std::string metrics_token)
    : health_(health),
      healthz_(std::make_unique<HealthzHandler>(health, metrics_token)),
      metrics_(std::make_unique<MetricsHandler>(registry, metrics_token)) {}

HealthRoutes::~HealthRoutes() = default;

Result<HealthStatus> HealthRoutes::live() {
  return HealthStatus{"ok"};
}

Result<HealthStatus> HealthRoutes::ready() {
  if (health_.is_ready()) return HealthStatus{"ok"};
  return bedplate::fail(Category::unavailable, "not_ready",
                        health_.readiness() == telemetry::Readiness::draining ? "The server is shutting down."
                                                                              : "The server is starting.");
}

// A supervisor that is told to come back later takes the server for dead: these cost nothing.
Api HealthRoutes::api() {
  return Api("health", "Whether this server is alive and ready")
      .pure<&HealthRoutes::live>(*this, get("/livez"), open_to_all(), summary("Is it alive?"),
                                 doc("For supervisors: 200 as long as the server answers at all."),
                                 cache_control("no-store"), cost(0))
      .pure<&HealthRoutes::ready>(
          *this, get("/readyz"), open_to_all(), summary("Does it want requests?"),
          doc("For load balancers: 503 while the server starts and while it shuts down."),
          cache_control("no-store"), cost(0),
          fails_with(Category::unavailable, "not_ready", "It is starting or shutting down."));
}

std::vector<RawRoute> HealthRoutes::raw_routes() {
  return {{get("/healthz"), "healthz", healthz_.get(), {}}, {get("/metrics"), "metrics", metrics_.get(), {}}};
}

}  // namespace bedplate::api
