// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/owed_erasures.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "bedplate/cache/redis_cache.h"
#include "bedplate/cache/two_level_cache.h"
#include "bedplate/redis/redis_test_kit.h"
#include "tests/servers/daemon.h"
#include "tests/servers/redis_server.h"

namespace bedplate::cache {
namespace {

using namespace std::chrono_literals;

TEST(OwedErasuresTest, AreRepeatedOnceEachTheOldestFirst) {
  OwedErasures owed;
  EXPECT_FALSE(owed.any());
  EXPECT_FALSE(owed.next());
  owed.add("a");
  owed.add("b");
  owed.add("a");
  EXPECT_EQ(owed.owed(), 2u);
  const OwedErasure b = *owed.next();
  const OwedErasure a = *owed.next();
  EXPECT_EQ(b.key, "b");
  EXPECT_EQ(a.key, "a");
  EXPECT_FALSE(owed.next());
  EXPECT_TRUE(owed.has("a")) << "until it is done";
  owed.settle(b, false);
  owed.settle(a, true);
  EXPECT_FALSE(owed.has("a"));
  EXPECT_EQ(owed.next()->key, "b");
}

TEST(OwedErasuresTest, OneThatIsOwedAgainWhileItIsRepeatedStays) {
  OwedErasures owed;
  owed.add("a");
  const OwedErasure first = *owed.next();
  owed.add("a");
  owed.settle(first, true);
  EXPECT_TRUE(owed.has("a"));
  owed.settle(*owed.next(), true);
  EXPECT_FALSE(owed.any());
}

TEST(OwedErasuresTest, BeyondTheLimitTheOldestIsForgottenAndCounted) {
  OwedErasures owed(3);
  for (const char* key : {"a", "b", "c", "a", "d"}) owed.add(key);
  EXPECT_EQ(owed.owed(), 3u);
  EXPECT_EQ(owed.forgotten(), 1u);
  EXPECT_FALSE(owed.has("b"));
  for (const char* key : {"a", "c", "d"}) EXPECT_TRUE(owed.has(key)) << key;
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
class RedisOwedErasures : public ::testing::Test {
 protected:
  static constexpr int kKeys = 300;
  static std::string key_of(int number) { return "key " + std::to_string(number); }

  testing::RedisServer server_{{.persistent = true}};
  redis::RunningLoops loops_{2};
  Process one_{loops_, server_.url()};
  Process other_{loops_, server_.url()};
};

TEST_F(RedisOwedErasures, WhatWasErasedWhileItWasAwayDoesNotComeBackWithIt) {
  one_.put_one_in_front();
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(one_.put(key_of(i)));
  ASSERT_TRUE(one_.put("kept"));
  server_.kill();
  for (int i = 0; i < kKeys; ++i) EXPECT_FALSE(one_.erase(key_of(i)));
  EXPECT_EQ(one_.redis->owed().owed(), static_cast<unsigned>(kKeys));
  server_.start();
  EXPECT_FALSE(one_.finds_in_the_end(key_of(kKeys - 1)));
  EXPECT_TRUE(
      testing::wait_until([&] { return one_.finds("nothing") == false && !one_.redis->owed().any(); }));
  EXPECT_EQ(server_.command({"EXISTS", "bedplate:" + key_of(0), "bedplate:" + key_of(kKeys - 1)}), "0");
  for (int i = 0; i < kKeys; ++i) EXPECT_FALSE(other_.finds_in_the_end(key_of(i)));
  EXPECT_TRUE(other_.finds_in_the_end("kept")) << "it came back with what it had";
}

TEST_F(RedisOwedErasures, ItIsNotThereForThisProcessBeforeRedisHasHeard) {
  ASSERT_TRUE(one_.put("a"));
  server_.kill();
  EXPECT_FALSE(one_.erase("a"));
  server_.start();
  EXPECT_EQ(server_.command({"EXISTS", "bedplate:a"}), "1");
  EXPECT_FALSE(one_.finds_in_the_end("a")) << "the first that Redis answers";
  EXPECT_TRUE(
      testing::wait_until([&] { return one_.finds("nothing") == false && !one_.redis->owed().any(); }));
  EXPECT_EQ(server_.command({"EXISTS", "bedplate:a"}), "0");
  ASSERT_TRUE(one_.put("a"));
  EXPECT_EQ(one_.finds("a"), true) << "what is put after that stays";
}

}  // namespace
}  // namespace bedplate::cache
