// SPDX-License-Identifier: Apache-2.0
// SharedRateLimits: rate limits that all replicas of a server count together. The driver is somebody else's
// (app/redis_rate_limits.h); without one every replica counts for itself.
//
// With one, a request that the replica's own limit allows is asked for there too, which costs it a round trip; one
// that the replica's own limit denies is not, so that a flood reaches the shared limits no faster than each replica
// allows it to. The limits are the same in both places: the local one is warm when the shared one is away.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bedplate/async/async.h"
#include "bedplate/execution/rate_limit.h"

namespace bedplate::api {

/// Shared by all loops.
class SharedRateLimits {
 public:
  virtual ~SharedRateLimits() = default;

  /// As RateLimiter::take(). Nothing: it is away, and the local limit decides alone; that comes soon.
  virtual Async<std::optional<RateDecision>> take(std::string key, RateLimit limit, std::int64_t cost) = 0;
  /// As RateLimiter::charge(), some time later. On a loop.
  virtual void charge(std::string key, RateLimit limit, std::int64_t cost) = 0;
};

}  // namespace bedplate::api
