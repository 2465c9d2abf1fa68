// SPDX-License-Identifier: Apache-2.0
// LocalCache: the in-process cache. Bytes by key, bounded by bytes, shared by all threads.
//
//   LocalCache cache({.size_bytes_max = 64 << 20});
//   cache.put("user:17", json, {.fresh = 60s, .keep = 60s}, now);
//   if (std::optional<Hit> hit = cache.find("user:17", now)) use(hit->value.view());
//
// Which entries stay is decided by S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP
// 2023): what is new waits in a small queue, a tenth of the bytes, and moves to the main one only if it is asked for
// while it waits; so a scan passes through and takes nothing with it. What left the small queue unasked is remembered
// by a fingerprint for a while, and goes straight to the main queue if it comes back. A hit changes one counter and
// moves nothing, which is why it is cheap. The downside: where a key's next use depends on nothing but how recent its
// last one was, LRU keeps a few more of the right entries. docs/decisions/0012 has the measurements.
//
// - Keys are spread over shards by a keyed hash (nobody outside can aim at one); each shard has a lock that is held
//   for some tens of nanoseconds. Any thread may call anything.
// - The bound is on everything: values, keys, and kEntryOverheadBytes for each entry. Memory of values that a caller
//   still holds after they were thrown out is the caller's.
// - Time is passed in. An expired entry is gone for find(); its memory comes back when its turn in the queue comes.
// - An entry larger than an eighth of a shard is not kept (put() says so), rather than pushing out hundreds.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "bedplate/cache/value.h"

namespace bedplate::cache {

struct LocalCacheOptions {
  std::size_t size_bytes_max = 64 << 20;
  /// Rounded down to a power of two. Zero: one for each 4 MiB, 64 at most.
  std::size_t shards = 0;
};

/// Counters only grow; entries and size are as of now.
struct LocalCacheStats {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;   ///< expired ones included
  std::uint64_t expired = 0;  ///< found, but too late
  std::uint64_t stored = 0;
  std::uint64_t evicted = 0;
  std::uint64_t refused = 0;  ///< larger than size_bytes_max allows for one
  std::uint64_t entries = 0;
  std::uint64_t size_bytes = 0;
};

class LocalCache {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit LocalCache(LocalCacheOptions options = {});
  LocalCache(const LocalCache&) = delete;
  LocalCache& operator=(const LocalCache&) = delete;
  ~LocalCache();

  /// The bytes that each entry costs beside its key and value: its header, its places in tables, the allocator's share.
  static constexpr std::size_t kEntryOverheadBytes = sizeof(detail::Entry) + 96;

  /// Nothing: never stored, thrown out, or expired.
  std::optional<Hit> find(std::string_view key, TimePoint now);

  /// Keeps a copy of `value` in place of what was there. False: it is too large and the key has no entry now.
  bool put(std::string_view key, std::string_view value, const Lifetime& lifetime, TimePoint now) {
    return put_entry(key, value, false, lifetime, now);
  }
  /// Keeps that there is no such thing.
  bool put_absent(std::string_view key, const Lifetime& lifetime, TimePoint now) {
    return put_entry(key, {}, true, lifetime, now);
  }

  /// True: there was one.
  bool erase(std::string_view key);
  void clear();

  /// Takes each shard's lock in turn: numbers of different shards are of different moments.
  LocalCacheStats stats() const;

 private:
  class Shard;

  bool put_entry(std::string_view key, std::string_view value, bool absent, const Lifetime& lifetime,
                 TimePoint now);
  Shard& shard_of(std::uint64_t hash) const;

  std::size_t shard_count_;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace bedplate::cache
