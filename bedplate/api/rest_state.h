// What Rest knows once it is made. Internal to this room.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "bedplate/api/cors.h"
#include "bedplate/api/exchange.h"
#include "bedplate/api/idempotency.h"
#include "bedplate/api/operation_metrics.h"
#include "bedplate/api/rate_limit.h"
#include "bedplate/api/rest.h"
#include "bedplate/api/router.h"

namespace bedplate::api {

struct Rest::State {
  State(Parts parts_, std::vector<Api> apis_)
      : parts(std::move(parts_)),
        apis(std::move(apis_)),
        cors(parts.cors),
        idempotency(parts.idempotency),
        metrics(parts.metrics) {
    if (!parts.rate_limit.enabled) return;
    const RateLimitSettings& limits = parts.rate_limit;
    auto entries = static_cast<std::size_t>(limits.entries_max);
    address_limiter =
        std::make_unique<RateLimiter>(RateLimit{limits.address_rate, limits.address_burst}, entries);
    principal_limiter =
        std::make_unique<RateLimiter>(RateLimit{limits.principal_rate, limits.principal_burst}, entries);
  }

  Parts parts;
  std::vector<Api> apis;  // tags and docs of operations are views into these
  Router router;
  std::deque<Endpoint> endpoints;  // a place never moves
  Cors cors;
  http::FieldBlock default_fields;  // of answers that found no endpoint
  Idempotency idempotency;
  std::string openapi;
  std::vector<std::unique_ptr<http::Handler>> documents;  // our own raw handlers
  OperationMetrics metrics;
  std::unique_ptr<RateLimiter> address_limiter;    // null: off
  std::unique_ptr<RateLimiter> principal_limiter;  // null: off
};

}  // namespace bedplate::api
