// SPDX-License-Identifier: Apache-2.0
// Caching: everything that `cache.url` decides. Without it a cache in this process; with a Redis one in front of Redis,
// locks, rate limits and nudges that all replicas share, and what shows how it goes.
#pragma once

#include <memory>

#include "bedplate/app/redis_rate_limits.h"
#include "bedplate/app/settings.h"
#include "bedplate/base/result.h"
#include "bedplate/cache/change_notifier.h"
#include "bedplate/cache/loading_cache.h"
#include "bedplate/cache/lock.h"
#include "bedplate/cache/memory_cache.h"
#include "bedplate/cache/metrics.h"
#include "bedplate/cache/redis_cache.h"
#include "bedplate/cache/two_level_cache.h"
#include "bedplate/telemetry/health.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::app {

/// Redis answers. A warning and no failure when it does not: requests go on without it.
class RedisCheck final : public telemetry::HealthCheck {
 public:
  explicit RedisCheck(redis::Client& client) : client_(client) {}
  Async<telemetry::CheckResult> run() override;

 private:
  redis::Client& client_;
};

class Caching {
 public:
  /// What cache.url may be. Category::invalid `cache_url`, without any part of it, otherwise.
  static Result<void> check_url(const std::string& url);
  /// Connects to nothing yet. `metrics` outlives it. Category::invalid for settings that cannot be.
  static Result<std::unique_ptr<Caching>> make(const CacheSettings& settings, telemetry::Registry& metrics);
  /// close().
  ~Caching();

  cache::LoadingCache& cache() { return *loading_; }
  cache::Locks& locks() { return *locks_; }
  /// Null without a Redis, all three.
  cache::ChangeNotifier* notifier() { return notifier_.get(); }
  api::SharedRateLimits* rate_limits() { return rate_limits_.get(); }
  telemetry::HealthCheck* health_check() { return check_.get(); }

  /// Begins to hear other replicas on `loop`, which runs. Not from its thread.
  void start(Loop& loop);
  /// While the loops still run, from none of them. Idempotent.
  void close();

 private:
  Caching() = default;
  Result<void> use_memory(const cache::LocalCacheOptions& local);
  Result<void> use_redis(const CacheSettings& settings, const cache::LocalCacheOptions& local,
                         telemetry::Registry& metrics);

  // In the order in which they need one another.
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<cache::MemoryCache> memory_;
  std::unique_ptr<cache::RedisCache> redis_;
  std::unique_ptr<cache::TwoLevelCache> two_level_;
  std::unique_ptr<cache::LoadingCache> loading_;
  std::unique_ptr<cache::Locks> locks_;
  std::unique_ptr<cache::RedisChangeNotifier> notifier_;
  std::unique_ptr<RedisRateLimits> rate_limits_;
  std::unique_ptr<RedisCheck> check_;
  std::unique_ptr<cache::CacheMetrics> collector_;
  telemetry::Watch watch_;
};

}  // namespace bedplate::app
