// SPDX-License-Identifier: Apache-2.0
// What Rest knows once it is made. Private header.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "bedplate/execution/idempotency.h"
#include "bedplate/execution/rate_limit.h"
#include "bedplate/execution/shared_rate_limit.h"
#include "bedplate/sql/database.h"
#include "bedplate/surfaces/rest/cors.h"
#include "bedplate/surfaces/rest/operation_metrics.h"
#include "bedplate/surfaces/rest/request_context.h"
#include "bedplate/surfaces/rest/rest.h"
#include "bedplate/surfaces/rest/router.h"

namespace bedplate::api {

struct Rest::State {
  State(Parts what, std::vector<Api> served)
      : parts(std::move(what)),
        apis(std::move(served)),
        cors(parts.cors),
        idempotency(parts.idempotency, parts.database ? parts.database->dialect() : sql::Dialect::sqlite),
        metrics(parts.metrics) {
    if (!parts.rate_limit.enabled) return;
    const RateLimitSettings& limits = parts.rate_limit;
    auto entries = static_cast<std::size_t>(limits.entries_max);
    address_limit = {limits.address_rate, limits.address_burst};
    principal_limit = {limits.principal_rate, limits.principal_burst};
    address_limiter = std::make_unique<RateLimiter>(address_limit, entries);
    principal_limiter = std::make_unique<RateLimiter>(principal_limit, entries);
  }
  bool limits_are_shared() const { return address_limiter && parts.shared_rate_limits; }

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
  RateLimit address_limit;
  RateLimit principal_limit;
  std::unique_ptr<RateLimiter> address_limiter;    // null: off
  std::unique_ptr<RateLimiter> principal_limiter;  // null: off
};

}  // namespace bedplate::api
