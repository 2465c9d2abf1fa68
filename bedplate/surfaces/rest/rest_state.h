// SPDX-License-Identifier: Apache-2.0
// What Rest knows once it is made. Private header.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "bedplate/execution/rate_limit.h"
#include "bedplate/execution/shared_rate_limit.h"
#include "bedplate/surfaces/rest/cors.h"
#include "bedplate/surfaces/rest/operation_metrics.h"
#include "bedplate/surfaces/rest/request_context.h"
#include "bedplate/surfaces/rest/rest.h"
#include "bedplate/surfaces/rest/router.h"

namespace bedplate::api {

struct Rest::State {
  State(Executor& engine, Parts what)
      : executor(engine), parts(std::move(what)), cors(parts.cors), metrics(parts.metrics) {
    if (!parts.rate_limit.enabled) return;
    const RateLimitSettings& limits = parts.rate_limit;
    auto entries = static_cast<std::size_t>(limits.entries_max);
    address_limit = {limits.address_rate, limits.address_burst};
    address_limiter = std::make_unique<RateLimiter>(address_limit, entries);
  }
  bool limits_are_shared() const { return address_limiter && parts.shared_rate_limits; }

  Executor& executor;
  Parts parts;
  Router router;
  std::deque<Endpoint> endpoints;     // a place never moves
  std::deque<std::string> raw_names;  // views of endpoints
  Cors cors;
  http::FieldBlock default_fields;  // of answers that found no endpoint
  std::string openapi;
  std::vector<std::unique_ptr<http::Handler>> documents;  // our own raw handlers
  OperationMetrics metrics;
  RateLimit address_limit;
  std::unique_ptr<RateLimiter> address_limiter;  // null: off
};

}  // namespace bedplate::api
