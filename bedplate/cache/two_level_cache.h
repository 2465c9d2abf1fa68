// SPDX-License-Identifier: Apache-2.0
// TwoLevelCache: a cache in this process in front of Redis.
//
// A get that finds its key here costs no more than with `memory:`; what Redis has comes here on its way. What any
// process erases, all of them forget: Redis tells them (redis_cache.h). A message can get lost while the connection is
// down, so
// - nothing stays here longer than `local_lifetime_max`, however long Redis may keep it;
// - while messages do not arrive, nothing new stays here longer than `deaf_lifetime_max`;
// - once they arrive again, everything here is forgotten.
//
// While Redis is away, puts still reach the cache in this process.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>

#include "bedplate/cache/local_cache.h"
#include "bedplate/cache/redis_cache.h"
#include "bedplate/redis/subscriber.h"

namespace bedplate::cache {

struct TwoLevelOptions {
  LocalCacheOptions local;
  std::chrono::milliseconds local_lifetime_max{60'000};
  std::chrono::milliseconds deaf_lifetime_max{1'000};
};

class TwoLevelCache final : public Cache, private redis::Subscriber::Listener {
 public:
  /// `redis` and `client` outlive it.
  TwoLevelCache(redis::Client& client, RedisCache& redis, TwoLevelOptions options = {});
  /// close().
  ~TwoLevelCache() override;

  /// Begins to hear what others erase, on `loop`, which runs. Once, not from its thread.
  void start(Loop& loop);
  /// Hears no more. While the loop still runs, not from its thread. Idempotent.
  void close();

  Async<std::optional<Hit>> get(std::string_view key) override;
  Async<void> put(std::string_view key, Entry entry, Lifetime lifetime) override;
  Async<void> erase(std::string_view key) override;
  void set_listener(InvalidationListener* listener) override { listener_.store(listener); }

  LocalCache& local() { return local_; }
  /// Messages of other processes arrive.
  bool hears() const;

 private:
  void on_message(std::string_view channel, std::string_view message) override;
  void on_subscribed() override;
  void forget(std::string_view key);
  /// Unless the key was erased since `erasures` was read.
  void keep_here(std::string_view key, const Entry& entry, Lifetime lifetime, std::uint64_t erasures);
  std::atomic<std::uint64_t>& erasures_of(std::string_view key);

  redis::Client& client_;
  RedisCache& redis_;
  const TwoLevelOptions options_;
  LocalCache local_;
  std::atomic<InvalidationListener*> listener_{nullptr};
  /// How often keys were erased here, by hash: what was asked of Redis before is not kept after.
  std::array<std::atomic<std::uint64_t>, 256> erasures_{};
  Loop* loop_ = nullptr;
  std::shared_ptr<redis::Subscriber> subscriber_;
};

}  // namespace bedplate::cache
