// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/metrics.h"

namespace bedplate::cache {
namespace {

void count(telemetry::MetricWriter& out, std::string_view name, std::string_view help, std::uint64_t value) {
  out.counter(name, help, static_cast<double>(value));
}

void collect_redis(telemetry::MetricWriter& out, const redis::ClientStats& stats) {
  count(out, "bedplate_redis_calls_total", "Commands asked of Redis.", stats.calls);
  count(out, "bedplate_redis_failures_total", "Of these, without an answer.", stats.failures);
  count(out, "bedplate_redis_timeouts_total", "Of these, because it took too long.", stats.timeouts);
  count(out, "bedplate_redis_connects_total", "Connections made.", stats.connects);
  count(out, "bedplate_redis_connect_failures_total", "Attempts to connect that failed.",
        stats.connect_failures);
  count(out, "bedplate_redis_redirections_total", "Commands that a Cluster sent elsewhere.",
        stats.redirections);
  out.gauge("bedplate_redis_connections", "Connections now; none: Redis is away, or unused so far.",
            static_cast<double>(stats.connected));
}

}  // namespace

void CacheMetrics::collect(telemetry::MetricWriter& out) const {
  const LoadingCacheStats stats = cache_.stats();
  count(out, "bedplate_cache_hits_total", "Answered from the cache, fresh.", stats.hits);
  count(out, "bedplate_cache_stale_hits_total",
        "Answered from the cache, stale, and loaded anew behind the answer.", stats.stale_hits);
  count(out, "bedplate_cache_misses_total", "Not in the cache.", stats.misses);
  count(out, "bedplate_cache_shared_loads_total", "Of these, answered by a load that was under way.",
        stats.shared);
  count(out, "bedplate_cache_loads_total", "Loads.", stats.loads);
  count(out, "bedplate_cache_load_failures_total", "Of these, failed.", stats.load_failures);
  count(out, "bedplate_cache_unavailable_total",
        "Times that the cache could not be asked; the request went on.", stats.cache_failures);
  count(out, "bedplate_cache_invalidations_total", "Keys erased because what they stand for changed.",
        stats.invalidations);
  const LocalCacheStats local = local_.stats();
  count(out, "bedplate_cache_local_hits_total", "Found in this process.", local.hits);
  count(out, "bedplate_cache_local_misses_total", "Not found in this process.", local.misses);
  count(out, "bedplate_cache_local_evictions_total", "Thrown out to make room.", local.evicted);
  out.gauge("bedplate_cache_local_entries", "Entries in this process.", static_cast<double>(local.entries));
  out.gauge("bedplate_cache_local_size_bytes", "What they take, keys and tables included.",
            static_cast<double>(local.size_bytes));
  if (client_) collect_redis(out, client_->stats());
  if (!pending_) return;
  out.gauge("bedplate_cache_erasures_owed",
            "Keys erased while Redis was away, to be erased there when it is back.",
            static_cast<double>(pending_->pending()));
  count(out, "bedplate_cache_erasures_forgotten_total",
        "Of these, too many to be remembered: old values may be read until their time is over.",
        pending_->forgotten());
}

}  // namespace bedplate::cache
