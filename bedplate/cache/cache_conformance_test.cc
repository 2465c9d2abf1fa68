// SPDX-License-Identifier: Apache-2.0
// What every driver of the port keeps, tried on each over the real thing.
#include <gtest/gtest.h>

#include <atomic>
#include <tuple>

#include "bedplate/cache/memory_cache.h"
#include "bedplate/cache/redis_cache.h"
#include "bedplate/cache/two_level_cache.h"
#include "tests/kits/redis_kit.h"
#include "tests/servers/redis_server.h"

namespace bedplate::cache {
namespace {

using namespace std::chrono_literals;

/// A cache with what it needs.
struct Made {
  redis::RunningLoops loops{2};
  std::unique_ptr<redis::Client> client;
  std::unique_ptr<RedisCache> redis;
  std::unique_ptr<TwoLevelCache> two_level;
  std::unique_ptr<MemoryCache> memory;
  Cache* cache = nullptr;

  ~Made() {
    if (two_level) two_level->close();
    two_level.reset();
    if (client) client->close();
  }
};

void connect(Made& made, const std::string& url) {
  redis::Options options = *redis::Options::from_url(url);
  options.call_timeout = 10s;
  options.connect_timeout = 10s;
  made.client = std::move(*redis::Client::make(std::move(options)));
  made.redis = std::make_unique<RedisCache>(*made.client);
  made.cache = made.redis.get();
}

void make_memory(Made& made) {
  made.memory = std::make_unique<MemoryCache>();
  made.cache = made.memory.get();
}
void make_redis(Made& made) {
  connect(made, testing::shared_redis().new_url());
}
void make_two_level(Made& made) {
  connect(made, testing::shared_redis().new_url());
  made.two_level = std::make_unique<TwoLevelCache>(*made.client, *made.redis);
  made.two_level->start(made.loops.loop());
  made.cache = made.two_level.get();
}

struct Driver {
  const char* name;
  void (*make)(Made&);
};

class CacheConformance : public ::testing::TestWithParam<Driver> {
 protected:
  void SetUp() override { GetParam().make(made_); }

  std::string get(std::string_view key) {
    Result<std::optional<Hit>> hit = made_.loops.wait_for(made_.cache->get(key));
    if (!hit) return hit.error().code();
    if (!*hit) return "nothing";
    return (*hit)->absent ? "absent" : std::string((*hit)->value.view());
  }
  bool put(std::string_view key, std::string_view value, Lifetime lifetime = {1min, 1min}) {
    return made_.loops.wait_for(made_.cache->put(key, Entry(value), lifetime)).has_value();
  }
  bool erase(std::string_view key) { return made_.loops.wait_for(made_.cache->erase(key)).has_value(); }

  Made made_;
};

TEST_P(CacheConformance, KeepsBytesOfAllKinds) {
  EXPECT_EQ(get("a"), "nothing");
  const std::string bytes("\0\r\n$5\xff", 7);
  EXPECT_TRUE(put("a", bytes));
  EXPECT_TRUE(put("empty", ""));
  EXPECT_TRUE(put(std::string_view("k\0\n", 3), "odd key"));
  EXPECT_EQ(get("a"), bytes);
  EXPECT_EQ(get("empty"), "");
  EXPECT_EQ(get(std::string_view("k\0\n", 3)), "odd key");
  EXPECT_TRUE(put("a", "another"));
  EXPECT_EQ(get("a"), "another");
  const std::string large(200'000, 'x');
  EXPECT_TRUE(put("large", large));
  EXPECT_EQ(get("large"), large);
}

TEST_P(CacheConformance, KeepsThatThereIsNoSuchThing) {
  EXPECT_TRUE(made_.loops.wait_for(made_.cache->put("a", Entry::none(), {1min, 1min})));
  EXPECT_EQ(get("a"), "absent");
  EXPECT_TRUE(put("a", "now there is"));
  EXPECT_EQ(get("a"), "now there is");
}

TEST_P(CacheConformance, Erases) {
  put("a", "one");
  put("b", "two");
  EXPECT_TRUE(erase("a"));
  EXPECT_TRUE(erase("never there"));
  EXPECT_EQ(get("a"), "nothing");
  EXPECT_EQ(get("b"), "two");
}

TEST_P(CacheConformance, SaysHowLongAnEntryIsGood) {
  put("a", "one", {50s, 59s});  // a level in the process keeps nothing for longer than a minute
  std::optional<Hit> hit = *made_.loops.wait_for(made_.cache->get("a"));
  ASSERT_TRUE(hit);
  EXPECT_TRUE(hit->fresh());
  EXPECT_LE(hit->left.fresh, 50s);
  EXPECT_GT(hit->left.fresh, 10s);
  EXPECT_LE(hit->left.keep, 59s);
  EXPECT_GT(hit->left.keep, 19s);
  put("stale", "two", {0s, 40s});
  hit = *made_.loops.wait_for(made_.cache->get("stale"));
  ASSERT_TRUE(hit);
  EXPECT_FALSE(hit->fresh());
}

TEST_P(CacheConformance, ForgetsWhatIsOver) {
  put("a", "one", {1ms, 1ms});
  EXPECT_TRUE(testing::wait_until([this] { return get("a") == "nothing"; }));
}

TEST_P(CacheConformance, NeitherKeepsNorFindsWhatIsNoKey) {
  const std::string too_long(kKeySizeMax + 1, 'k');
  EXPECT_TRUE(put("", "x"));
  EXPECT_TRUE(put(too_long, "x"));
  EXPECT_EQ(get(""), "nothing");
  EXPECT_EQ(get(too_long), "nothing");
  EXPECT_TRUE(put(std::string(kKeySizeMax, 'k'), "x"));
  EXPECT_EQ(get(std::string(kKeySizeMax, 'k')), "x");
}

TEST_P(CacheConformance, TellsItsListenerWhatWasErased) {
  struct Heard final : InvalidationListener {
    void on_invalidated(std::string_view key) override { keys += std::string(key) + ";"; }
    std::string keys;
  } heard;
  // A two-level cache says once that everything may have changed; that has happened when it hears.
  EXPECT_TRUE(testing::wait_until([this] { return !made_.two_level || made_.two_level->hears(); }));
  made_.cache->set_listener(&heard);
  erase("a");
  made_.cache->set_listener(nullptr);
  EXPECT_TRUE(heard.keys.starts_with("a;")) << heard.keys;
}

TEST_P(CacheConformance, ServesManyAtOnce) {
  std::atomic<int> left = 200;
  std::atomic<int> wrong = 0;
  auto work = [](Cache& cache, int number, std::atomic<int>& todo, std::atomic<int>& bad) -> Async<void> {
    const std::string key = "key" + std::to_string(number);
    Lifetime lifetime{1min, 1min};
    for (int i = 0; i < 5; ++i) {
      const std::string value = key + "=" + std::to_string(i);
      Entry entry(value);
      std::ignore = co_await cache.put(key, entry, lifetime);
      Result<std::optional<Hit>> hit = co_await cache.get(key);
      bad += !hit || !*hit || (*hit)->value.view() != value;
    }
    --todo;
  };
  for (int i = 0; i < 200; ++i)
    made_.loops.loop(static_cast<std::size_t>(i) % 2).spawn(work(*made_.cache, i, left, wrong));
  EXPECT_TRUE(testing::wait_until([&] { return left == 0; }));
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Drivers, CacheConformance,
                         ::testing::Values(Driver{"Memory", &make_memory}, Driver{"Redis", &make_redis},
                                           Driver{"TwoLevel", &make_two_level}),
                         [](const auto& each) { return each.param.name; });

// ---- of Redis

TEST(RedisCache, DoesNotReadWhatAnotherVersionWrote) {
  EXPECT_FALSE(Envelope::read("short"));
  std::string bytes;
  Envelope{true, 5, 7}.write(bytes);
  ASSERT_EQ(bytes.size(), Envelope::kSize);
  ASSERT_TRUE(Envelope::read(bytes));
  EXPECT_EQ(Envelope::read(bytes)->keep_until_ms, 7);
  bytes[0] = 2;
  EXPECT_FALSE(Envelope::read(bytes));
}

// ---- of two levels: two processes are two caches here

struct Replicas {
  explicit Replicas(const std::string& url) {
    for (Made* made : {&one, &two}) {
      connect(*made, url);
      made->two_level = std::make_unique<TwoLevelCache>(*made->client, *made->redis);
      made->two_level->start(made->loops.loop());
      made->cache = made->two_level.get();
    }
    EXPECT_TRUE(testing::wait_until([&] { return one.two_level->hears() && two.two_level->hears(); }));
  }
  static std::string get(Made& made, std::string_view key) {
    Result<std::optional<Hit>> hit = made.loops.wait_for(made.cache->get(key));
    return !hit ? hit.error().code() : !*hit ? "nothing" : std::string((*hit)->value.view());
  }
  Made one;
  Made two;
};

TEST(TwoLevelCache, OneErasesAndAllForget) {
  Replicas replicas(testing::shared_redis().new_url());
  ASSERT_TRUE(replicas.one.loops.wait_for(replicas.one.cache->put("a", Entry("old"), {1min, 1min})));
  EXPECT_EQ(Replicas::get(replicas.two, "a"), "old");
  ASSERT_TRUE(replicas.one.loops.wait_for(replicas.one.cache->erase("a")));
  EXPECT_TRUE(testing::wait_until([&] { return Replicas::get(replicas.two, "a") == "nothing"; }));
}

TEST(TwoLevelCache, ForgetsEverythingWhenMessagesMayHaveBeenMissed) {
  testing::RedisServer server(testing::RedisServer::Options{.persistent = true});
  Replicas replicas(server.url());
  ASSERT_TRUE(replicas.two.loops.wait_for(replicas.two.cache->put("a", Entry("old"), {1min, 1min})));
  server.kill();
  EXPECT_TRUE(testing::wait_until([&] { return !replicas.two.two_level->hears(); }));
  EXPECT_EQ(Replicas::get(replicas.two, "a"), "old") << "what is here is still here";
  server.start();
  server.command({"FLUSHALL"});
  EXPECT_TRUE(testing::wait_until([&] { return replicas.two.two_level->hears(); }));
  EXPECT_TRUE(testing::wait_until([&] { return Replicas::get(replicas.two, "a") == "nothing"; }));
}

}  // namespace
}  // namespace bedplate::cache
