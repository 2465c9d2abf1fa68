// SPDX-License-Identifier: Apache-2.0
// RedisRateLimits: the rate limits of all replicas together, in Redis (execution/shared_rate_limit.h).
//
// One script a request: the same arithmetic as execution/rate_limit.h, on the server's clock, so replicas need not
// agree on the time. A bucket that is full is no key at all. While Redis is away each replica's own limit decides,
// which lets one caller have as many times the limit as there are replicas; bedplate_rate_limit_local_total counts
// those requests.
#pragma once

#include <string>

#include "bedplate/execution/shared_rate_limit.h"
#include "bedplate/redis/client.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::app {

class RedisRateLimits final : public api::SharedRateLimits {
 public:
  /// `client` outlives it.
  RedisRateLimits(redis::Client& client, std::string prefix, telemetry::Registry& metrics);

  Async<std::optional<api::RateDecision>> take(std::string key, api::RateLimit limit,
                                               std::int64_t cost) override;
  void charge(std::string key, api::RateLimit limit, std::int64_t cost) override;

 private:
  Async<redis::Reply> run(std::string key, const api::RateLimit& limit, std::int64_t cost, bool force);
  Async<void> charge_later(std::string key, api::RateLimit limit, std::int64_t cost);

  redis::Client& client_;
  const std::string prefix_;
  const redis::Script script_;
  telemetry::Counter shared_;
  telemetry::Counter local_;
};

}  // namespace bedplate::app
