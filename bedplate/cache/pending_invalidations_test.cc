// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/pending_invalidations.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "bedplate/cache/redis_cache.h"
#include "bedplate/cache/two_level_cache.h"
#include "tests/kits/redis_kit.h"
#include "tests/servers/daemon.h"
#include "tests/servers/redis_server.h"

namespace bedplate::cache {
namespace {

using namespace std::chrono_literals;

TEST(PendingInvalidationsTest, AreRepeatedOnceEachTheOldestFirst) {
  PendingInvalidations pending;
  EXPECT_FALSE(pending.any());
  EXPECT_FALSE(pending.next());
  pending.add("a");
  pending.add("b");
  pending.add("a");
  EXPECT_EQ(pending.pending(), 2u);
  const PendingInvalidation b = *pending.next();
  const PendingInvalidation a = *pending.next();
  EXPECT_EQ(b.key, "b");
  EXPECT_EQ(a.key, "a");
  EXPECT_FALSE(pending.next());
  EXPECT_TRUE(pending.has("a")) << "until it is done";
  pending.settle(b, false);
  pending.settle(a, true);
  EXPECT_FALSE(pending.has("a"));
  EXPECT_EQ(pending.next()->key, "b");
}

TEST(PendingInvalidationsTest, OneThatIsOwedAgainWhileItIsRepeatedStays) {
  PendingInvalidations pending;
  pending.add("a");
  const PendingInvalidation first = *pending.next();
  pending.add("a");
  pending.settle(first, true);
  EXPECT_TRUE(pending.has("a"));
  pending.settle(*pending.next(), true);
  EXPECT_FALSE(pending.any());
}

TEST(PendingInvalidationsTest, BeyondTheLimitTheOldestIsForgottenAndCounted) {
  PendingInvalidations pending(3);
  for (const char* key : {"a", "b", "c", "a", "d"}) pending.add(key);
  EXPECT_EQ(pending.pending(), 3u);
  EXPECT_EQ(pending.forgotten(), 1u);
  EXPECT_FALSE(pending.has("b"));
  for (const char* key : {"a", "c", "d"}) EXPECT_TRUE(pending.has(key)) << key;
}

/// One process that uses Redis: with a cache in front of it, or without.
struct Process {
  Process(redis::RunningLoops& on, const std::string& url) : loops(on) {
    redis::Options options = *redis::Options::from_url(url);
    options.backoff_max = 20ms;
    options.call_timeout = options.connect_timeout = 10s;
    client = std::move(*redis::Client::make(options));
    redis = std::make_unique<RedisCache>(*client);
    cache = redis.get();
  }
  ~Process() {
    if (two_level) two_level->close();
    client->close();
  }
  void put_one_in_front() {
    two_level = std::make_unique<TwoLevelCache>(*client, *redis);
    two_level->start(loops.loop());
    cache = two_level.get();
  }

  bool put(const std::string& key) {
    return loops.wait_for(cache->put(key, Entry("old"), {1h, 1h})).has_value();
  }
  bool erase(const std::string& key) { return loops.wait_for(cache->erase(key)).has_value(); }
  /// Empty: Redis is away.
  std::optional<bool> finds(const std::string& key) {
    Result<std::optional<Hit>> hit = loops.wait_for(cache->get(key));
    if (!hit) return std::nullopt;
    return hit->has_value();
  }
  /// Asks until Redis answers.
  bool finds_in_the_end(const std::string& key) {
    std::optional<bool> found;
    EXPECT_TRUE(testing::wait_until([&] { return (found = finds(key)).has_value(); }));
    return found.value_or(true);
  }

  redis::RunningLoops& loops;
  std::unique_ptr<redis::Client> client;
  std::unique_ptr<RedisCache> redis;
  std::unique_ptr<TwoLevelCache> two_level;
  Cache* cache = nullptr;
};

/// A Redis that has after a kill what it had before.
class RedisPendingInvalidations : public ::testing::Test {
 protected:
  static constexpr int kKeys = 300;
  static std::string key_of(int number) { return "key " + std::to_string(number); }

  testing::RedisServer server_{{.persistent = true}};
  redis::RunningLoops loops_{2};
  Process one_{loops_, server_.url()};
  Process other_{loops_, server_.url()};
};

TEST_F(RedisPendingInvalidations, WhatWasErasedWhileItWasAwayDoesNotComeBackWithIt) {
  one_.put_one_in_front();
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(one_.put(key_of(i)));
  ASSERT_TRUE(one_.put("kept"));
  server_.kill();
  for (int i = 0; i < kKeys; ++i) EXPECT_FALSE(one_.erase(key_of(i)));
  EXPECT_EQ(one_.redis->pending().pending(), static_cast<unsigned>(kKeys));
  server_.start();
  EXPECT_FALSE(one_.finds_in_the_end(key_of(kKeys - 1)));
  EXPECT_TRUE(
      testing::wait_until([&] { return one_.finds("nothing") == false && !one_.redis->pending().any(); }));
  EXPECT_EQ(server_.command({"EXISTS", "bedplate:" + key_of(0), "bedplate:" + key_of(kKeys - 1)}), "0");
  for (int i = 0; i < kKeys; ++i) EXPECT_FALSE(other_.finds_in_the_end(key_of(i)));
  EXPECT_TRUE(other_.finds_in_the_end("kept")) << "it came back with what it had";
}

TEST_F(RedisPendingInvalidations, ItIsNotThereForThisProcessBeforeRedisHasHeard) {
  ASSERT_TRUE(one_.put("a"));
  server_.kill();
  EXPECT_FALSE(one_.erase("a"));
  server_.start();
  EXPECT_EQ(server_.command({"EXISTS", "bedplate:a"}), "1");
  EXPECT_FALSE(one_.finds_in_the_end("a")) << "the first that Redis answers";
  EXPECT_TRUE(
      testing::wait_until([&] { return one_.finds("nothing") == false && !one_.redis->pending().any(); }));
  EXPECT_EQ(server_.command({"EXISTS", "bedplate:a"}), "0");
  ASSERT_TRUE(one_.put("a"));
  EXPECT_EQ(one_.finds("a"), true) << "what is put after that stays";
}

}  // namespace
}  // namespace bedplate::cache
