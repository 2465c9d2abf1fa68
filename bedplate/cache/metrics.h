// SPDX-License-Identifier: Apache-2.0
// A cache's numbers for /metrics: bedplate_cache_*, bedplate_cache_local_*, bedplate_redis_*.
#pragma once

#include "bedplate/cache/loading_cache.h"
#include "bedplate/cache/local_cache.h"
#include "bedplate/cache/pending_invalidations.h"
#include "bedplate/redis/client.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::cache {

/// What it shows outlives it. `client` and `pending` may be null.
class CacheMetrics final : public telemetry::Collector {
 public:
  CacheMetrics(const LoadingCache& cache, const LocalCache& local, const redis::Client* client,
               const PendingInvalidations* pending)
      : cache_(cache), local_(local), client_(client), pending_(pending) {}
  void collect(telemetry::MetricWriter& out) const override;

 private:
  const LoadingCache& cache_;
  const LocalCache& local_;
  const redis::Client* client_;
  const PendingInvalidations* pending_;
};

}  // namespace bedplate::cache
