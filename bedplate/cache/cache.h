// SPDX-License-Identifier: Apache-2.0
// Cache: the port. Bytes by key for a while, in this process, in Redis, or both.
//
//   Result<std::optional<Hit>> hit = co_await cache.get("user:17");
//   const Lifetime lifetime{.fresh = 60s, .keep = 5min};
//   co_await ok(cache.put("user:17", Entry(json), lifetime));
//   co_await ok(cache.erase("user:17"));
//
// Whoever wants "from the cache, or else load it" takes a Region (region.h), which also knows what to do when the
// cache is away. Drivers, by URL (open.h): `memory:` (memory_cache.h), `redis://...` alone (redis_cache.h) or with a
// cache in this process in front of it (two_level_cache.h). All of them pass cache_conformance_test.cc.
//
// What every driver keeps:
// - A cache forgets: what was put may be gone the next moment.
// - After erase() has returned nobody in this process gets what was there before, and other processes soon neither
//   (at once from Redis itself; from what they keep in front of it once the message has reached them, or when its
//   time is over).
// - An error means that the cache cannot be reached (Category::unavailable or timeout, or the scope's), never that a
//   key is unknown. It comes within the driver's short deadline, and at once while the cache is known to be away.
// - Keys are 1 to kKeySizeMax bytes of any kind; others are never found and never kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/async/async.h"
#include "bedplate/cache/value.h"

namespace bedplate::cache {

inline constexpr std::size_t kKeySizeMax = 512;

inline bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= kKeySizeMax;
}

/// What a put keeps: bytes, or that there is no such thing.
struct Entry {
  std::string_view value;
  bool absent = false;

  explicit Entry(std::string_view bytes) : value(bytes) {}
  static Entry none() {
    Entry entry{std::string_view()};
    entry.absent = true;
    return entry;
  }
};

/// Called when keys were invalidated by this process or another. On any loop; returns soon.
class InvalidationListener {
 public:
  /// Empty: everything may have changed.
  virtual void on_invalidated(std::string_view key) = 0;

 protected:
  ~InvalidationListener() = default;
};

/// Thread-safe. From a coroutine on a loop. Keys and values live until the answer.
class Cache {
 public:
  Cache() = default;
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;
  virtual ~Cache() = default;

  virtual Async<std::optional<Hit>> get(std::string_view key) = 0;
  virtual Async<void> put(std::string_view key, Entry entry, Lifetime lifetime) = 0;
  virtual Async<void> erase(std::string_view key) = 0;

  /// Who else wants to know of erased keys: at most one, said before the cache is used; null: nobody.
  virtual void set_listener(InvalidationListener* listener) = 0;
};

}  // namespace bedplate::cache
