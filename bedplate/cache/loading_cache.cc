// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/loading_cache.h"

#include <algorithm>
#include <thread>
#include <tuple>

#include "bedplate/base/random.h"

namespace bedplate::cache {
namespace {

constexpr int kAttemptsMax = 3;      // to join a load whose leader went away
constexpr int kRefreshingMax = 256;  // loads behind answers, at a time

void count(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

// The cache's trouble, and not that whoever asks has gone.
bool is_cache_trouble(const Error& error) {
  return error.code().starts_with("cache_");
}

// Of the leader's request: nothing that its waiters should hear.
bool is_leaders_own(const Error& error) {
  return error.category() == Category::cancelled || error.code() == "deadline_exceeded";
}

Lifetime lifetime_of(const Policy& policy, bool absent) {
  const double share =
      std::clamp(policy.jitter, 0.0, 1.0) * static_cast<double>(random_u64() >> 11) * 0x1p-53;
  auto shorter = [share](std::chrono::nanoseconds whole) {
    return std::chrono::nanoseconds(
        static_cast<std::int64_t>(static_cast<double>(whole.count()) * (1 - share)));
  };
  Lifetime lifetime;
  lifetime.fresh = shorter(absent ? policy.absent : policy.fresh);
  lifetime.keep = absent ? lifetime.fresh : lifetime.fresh + shorter(policy.stale);
  return lifetime;
}

}  // namespace

LoadingCache::LoadingCache(Cache& cache) : cache_(cache) {
  cache.set_listener(this);
}

LoadingCache::~LoadingCache() {
  close();
  cache_.set_listener(nullptr);
}

void LoadingCache::close() {
  closed_.store(true);
  while (refreshing_.load() > 0) std::this_thread::yield();
}

// A cache that is away has nothing.
Async<std::optional<Hit>> LoadingCache::look_up(std::string_view key) {
  Result<std::optional<Hit>> hit = co_await cache_.get(key);
  if (hit) co_return std::move(*hit);
  if (!is_cache_trouble(hit.error())) co_return std::unexpected(std::move(hit.error()));
  count(counters_.cache_failures);
  co_return std::nullopt;
}

Async<Found> LoadingCache::get(std::string_view key, Policy policy, BytesLoader& loader) {
  for (int attempt = 1;; ++attempt) {
    const std::uint64_t completions = single_flight_.completions(key);
    std::optional<Hit> hit = co_await ok(look_up(key));
    if (hit) {
      count(hit->fresh() ? counters_.hits : counters_.stale_hits);
      if (!hit->fresh()) refresh_behind(key, policy, loader);
      co_return Found{std::move(hit->value), hit->absent};
    }
    JoinOp join(single_flight_, key);
    Result<Joined> joined = co_await join;
    if (!joined) co_return std::unexpected(std::move(joined.error()));
    if (joined->leads) {
      // What somebody loaded between our look and now need not be loaded again.
      if (completions != single_flight_.completions(key) && attempt < kAttemptsMax) {
        single_flight_.complete(joined->flight, fail(Category::cancelled, "cancelled", "Look again."));
        continue;
      }
      count(counters_.misses);
      Result<Found> found = co_await load(*joined->flight, policy, loader);
      single_flight_.complete(joined->flight, found);
      co_return found;
    }
    Result<Found>& outcome = *joined->outcome;
    if (!outcome && is_leaders_own(outcome.error()) && attempt < kAttemptsMax) continue;
    count(counters_.misses);
    count(counters_.shared);
    co_return std::move(outcome);
  }
}

Async<Found> LoadingCache::load(const Flight& flight, Policy policy, BytesLoader& loader) {
  count(counters_.loads);
  Result<std::optional<std::string>> bytes = co_await loader.load_bytes(flight.key);
  if (!bytes) {
    count(counters_.load_failures);
    co_return std::unexpected(std::move(bytes.error()));
  }
  Found found;
  found.absent = !bytes->has_value();
  if (!found.absent) found.value = Value::copy_of(**bytes);
  std::ignore = co_await keep(flight, found, policy);
  co_return found;
}

Async<void> LoadingCache::keep(const Flight& flight, const Found& found, Policy policy) {
  const Lifetime lifetime = lifetime_of(policy, found.absent);
  if (lifetime.fresh.count() <= 0 || flight.invalidated.load(std::memory_order_acquire)) co_return;
  Entry entry = found.absent ? Entry::none() : Entry(found.value.view());
  Result<void> kept = co_await cache_.put(flight.key, entry, lifetime);
  // Erased while it was put: which of the two came last is not known.
  if (flight.invalidated.load(std::memory_order_acquire)) kept = co_await cache_.erase(flight.key);
  if (!kept) count(counters_.cache_failures);
}

void LoadingCache::refresh_behind(std::string_view key, const Policy& policy, BytesLoader& loader) {
  // Counted before looking at closed_, so that close() sees it or it sees close().
  if (refreshing_.fetch_add(1) < kRefreshingMax && !closed_.load()) {
    if (std::shared_ptr<Flight> flight = single_flight_.lead(key))
      return refresh(std::move(flight), policy, loader).detach(nullptr);
  }
  refreshing_.fetch_sub(1);
}

Async<void> LoadingCache::refresh(std::shared_ptr<Flight> flight, Policy policy, BytesLoader& loader) {
  Result<Found> found = co_await load(*flight, policy, loader);
  single_flight_.complete(flight, found);
  refreshing_.fetch_sub(1);
}

Async<void> LoadingCache::invalidate(std::string_view key) {
  count(counters_.invalidations);
  single_flight_.invalidate_in_flight(key);
  Result<void> erased = co_await cache_.erase(key);
  if (erased) co_return;
  if (!is_cache_trouble(erased.error())) co_await std::unexpected(std::move(erased.error()));
  count(counters_.cache_failures);
}

LoadingCacheStats LoadingCache::stats() const {
  auto value = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  LoadingCacheStats stats;
  stats.hits = value(counters_.hits);
  stats.stale_hits = value(counters_.stale_hits);
  stats.misses = value(counters_.misses);
  stats.shared = value(counters_.shared);
  stats.loads = value(counters_.loads);
  stats.load_failures = value(counters_.load_failures);
  stats.cache_failures = value(counters_.cache_failures);
  stats.invalidations = value(counters_.invalidations);
  return stats;
}

}  // namespace bedplate::cache
