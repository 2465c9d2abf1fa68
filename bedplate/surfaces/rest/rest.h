// SPDX-License-Identifier: Apache-2.0
// Rest: serves operations over HTTP, and their description at /openapi.json and /docs. It is the http::Handler that a
// server is given.
//
//   auto executor = Executor::make(std::move(apis), {.clock = &clock, .database = &database});
//   Rest::Parts parts;
//   parts.clock = &clock;  parts.authenticator = &authenticator;
//   auto rest = Rest::make(**executor, parts);           // fails, with a sentence, where an Api cannot be served
//   http::Server server(loops, **rest, settings, &problems);
//
// A request passes these steps, in this order; the first that refuses answers:
//
//   request id and trace context     X-Request-Id taken if it is fit for logs, else made; always answered
//   route                            404, 405 with Allow, OPTIONS; CORS
//   address rate limit               429; IPv6 by /64
//   authentication                   401 with WWW-Authenticate; a bad token is charged to its address
//   caller's rate limit              429                                                       (the executor's)
//   authorisation                    403 that names the missing scope                          (the executor's)
//   validation                       406, 415, 400 (cannot be read), 422 with all faults
//   idempotency                      the kept outcome, 409 while the first still runs, 422 for another input
//                                                                                              (the executor's)
//   operation                        in the transaction or snapshot that its kind asks for     (the executor's)
//   conditions                       If-Match (412), then If-None-Match (304; 412 of what changes something), where the
//                                    version is known: inside the operation, or of a read with its answer
//
// Then, for every answer: security headers, rate limit headers, metrics, access log. Errors are problem details
// (problem.h). An operation answers only errors that it declares (fails_with) or that the framework adds, so that the
// OpenAPI document is complete: builds with assertions (without NDEBUG) answer 500 to any other and log its code; other
// builds let it pass. Thread-safe and immutable once made; everything it is given outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/execution/executor.h"
#include "bedplate/execution/shared_rate_limit.h"
#include "bedplate/http/handler.h"
#include "bedplate/surfaces/openapi/openapi.h"
#include "bedplate/surfaces/rest/route.h"
#include "bedplate/surfaces/rest/settings.h"

namespace bedplate {
namespace auth {
class Authenticator;
}
namespace telemetry {
class Registry;
}
}  // namespace bedplate

namespace bedplate::api {

struct RequestContext;

/// A route whose handler writes its answer itself: a document, metrics. It passes the same chain; who may see it is
/// its own business.
struct RawRoute {
  Route route;
  std::string name;  ///< "metrics", for metrics and logs
  http::Handler* handler = nullptr;
  /// Replaces the default Content-Security-Policy; empty: nothing may load anything.
  std::string_view content_security_policy;
  std::int64_t cost = 1;  ///< what it counts against rate limits
};

class Rest final : public http::Handler {
 public:
  struct Parts {
    const Clock* clock = nullptr;                    ///< required
    auth::Authenticator* authenticator = nullptr;    ///< required when an operation is not open to all
    telemetry::Registry* metrics = nullptr;          ///< null: nothing is counted
    SharedRateLimits* shared_rate_limits = nullptr;  ///< null: this process counts addresses for itself
    std::vector<RawRoute> raw_routes;
    DocumentInfo document;
    RestSettings rest;
    RateLimitSettings rate_limit;  ///< of addresses; those of callers are the executor's
    CorsSettings cors;
  };

  /// Serves the operations of `executor`, which outlives it, that have a route. Checks each: routes that conflict,
  /// parameters without a field, examples that do not fit. All of it is the author's to mend, so the first problem is
  /// reported in a sentence.
  static Result<std::unique_ptr<Rest>> make(Executor& executor, Parts parts);
  ~Rest() override;

  /// The document served at /openapi.json.
  const std::string& openapi() const;

  Async<void> handle(http::Request& request, http::Response& response) override;

  struct State;  // rest_state.h

 private:
  explicit Rest(std::unique_ptr<State> state);
  Result<void> run_now(RequestContext& exchange) const;
  Async<void> run(RequestContext& exchange);
  Result<void> bind(RequestContext& exchange, std::string_view body, void* input) const;
  void finish(RequestContext& exchange, const Result<void>& outcome);

  std::unique_ptr<State> state_;
};

}  // namespace bedplate::api
