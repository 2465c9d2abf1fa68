// SPDX-License-Identifier: Apache-2.0
// LoadingCache: cache-aside over any Cache, for bytes. Services use it through a Region (region.h), which knows types.
//
// get() answers from the cache, or loads and keeps:
// - One load at a time: whoever asks for a key while it is being loaded in this process, on any loop, waits for that
//   load. One whose loader went away (its client left) is begun again by one of those who wait.
// - Stale while revalidate: what is no longer fresh but still kept is answered at once, and loaded anew behind the
//   answer. That load runs after its caller may have gone: a Loader uses nothing of the request.
// - Negative entries: that there is no such thing is kept too, for Policy::absent.
// - Lifetimes are shortened by a random share, so that what was loaded together does not expire together.
// - A cache that is away makes requests slower and fails none: a get counts as a miss, a put is dropped. The drivers
//   answer fast while they know that it is away (redis/connection.h: that is the circuit breaker).
// - invalidate() erases, and what loads of that key under way will find is not kept. A load in another process that
//   began before may still put back what is old, for the moment until the message of the erasure reaches it; what is
//   put in that moment lives until its time is over. Choose Policy::fresh with that in mind.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/async/async.h"
#include "bedplate/cache/cache.h"
#include "bedplate/cache/single_flight.h"

namespace bedplate::cache {

/// How long what is loaded is good for.
struct Policy {
  std::chrono::milliseconds fresh{60'000};
  /// After `fresh`: still shown, while it is loaded anew.
  std::chrono::milliseconds stale{0};
  /// How long it is believed that there is no such thing; zero: such answers are not kept.
  std::chrono::milliseconds absent{5'000};
  /// Each lifetime is shorter by up to this share of it. 0 to 1.
  double jitter = 0.1;
};

/// Where the bytes come from. Shared by all loops; outlives the cache's use.
class BytesLoader {
 public:
  /// Nothing: there is no such thing. An error goes to whoever asked, and is not kept.
  virtual Async<std::optional<std::string>> load_bytes(std::string key) = 0;

 protected:
  ~BytesLoader() = default;
};

/// Counters; they only grow.
struct LoadingCacheStats {
  std::uint64_t hits = 0;
  std::uint64_t stale_hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t shared = 0;  ///< of the misses, answered by somebody else's load
  std::uint64_t loads = 0;
  std::uint64_t load_failures = 0;
  std::uint64_t cache_failures = 0;  ///< gets, puts and erases for which the cache was away
  std::uint64_t invalidations = 0;
};

/// Thread-safe; from coroutines on loops.
class LoadingCache final : private InvalidationListener {
 public:
  /// `cache` outlives it, and has no other listener.
  explicit LoadingCache(Cache& cache);
  /// close().
  ~LoadingCache();

  /// `key` lives until the answer. Fails as the loader does, or with the scope's error.
  Async<Found> get(std::string_view key, Policy policy, BytesLoader& loader);
  /// Never fails but with the scope's error; what could not be erased lives until its time is over.
  Async<void> invalidate(std::string_view key);

  /// Waits for the loads that run behind answers. While the loops still run, from none of them. Idempotent.
  void close();

  LoadingCacheStats stats() const;
  Cache& cache() { return cache_; }

 private:
  void on_invalidated(std::string_view key) override { single_flight_.invalidate_in_flight(key); }
  Async<std::optional<Hit>> look_up(std::string_view key);
  Async<Found> load(const Flight& flight, Policy policy, BytesLoader& loader);
  Async<void> keep(const Flight& flight, const Found& found, Policy policy);
  void refresh_behind(std::string_view key, const Policy& policy, BytesLoader& loader);
  Async<void> refresh(std::shared_ptr<Flight> flight, Policy policy, BytesLoader& loader);

  Cache& cache_;
  SingleFlight single_flight_;
  std::atomic<int> refreshing_{0};
  std::atomic<bool> closed_{false};

  struct Counters {
    std::atomic<std::uint64_t> hits{0}, stale_hits{0}, misses{0}, shared{0}, loads{0}, load_failures{0},
        cache_failures{0}, invalidations{0};
  };
  mutable Counters counters_;
};

}  // namespace bedplate::cache
