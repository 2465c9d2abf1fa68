// SPDX-License-Identifier: Apache-2.0
// Whose a cached value is: no tenant is ever answered with another's, whatever the key and whichever the cache.
#include "bedplate/cache/region.h"

#include <gtest/gtest.h>

#include <set>

#include "bedplate/cache/memory_cache.h"
#include "bedplate/cache/two_level_cache.h"
#include "tests/kits/redis_kit.h"
#include "tests/servers/redis_server.h"

namespace bedplate::cache {
namespace {

using namespace std::chrono_literals;

const Uuid kAcme = *Uuid::parse("018f0000-0000-7000-8000-00000000000a");
const Uuid kGlobex = *Uuid::parse("018f0000-0000-7000-8000-00000000000b");

/// Everybody's partitions, and one for whoever has no tenant.
std::vector<Partition> partitions() {
  return {Partition::shared(), Partition::of_tenant(std::nullopt), Partition::of_tenant(Uuid()),
          Partition::of_tenant(kAcme), Partition::of_tenant(kGlobex)};
}

/// Says whose it is, and the how-manieth load that was.
class Whose final : public Loader<std::string> {
 public:
  Async<std::optional<std::string>> load(Partition whose, std::string id) override {
    co_return whose.to_text() + "/" + id + "/" + std::to_string(++loads);
  }
  std::atomic<int> loads{0};
};

/// A process with a cache.
struct Replica {
  explicit Replica(const std::string& url) {
    if (url.empty()) {
      memory = std::make_unique<MemoryCache>();
      loading = std::make_unique<LoadingCache>(*memory);
    } else {
      redis::Options options = *redis::Options::from_url(url);
      options.call_timeout = options.connect_timeout = 10s;
      client = std::move(*redis::Client::make(std::move(options)));
      redis = std::make_unique<RedisCache>(*client);
      two_level = std::make_unique<TwoLevelCache>(*client, *redis);
      two_level->start(loops.loop());
      loading = std::make_unique<LoadingCache>(*two_level);
    }
    region = std::make_unique<Region<std::string>>(*loading, "whose", Policy(), loader);
  }
  ~Replica() {
    loading->close();
    if (two_level) two_level->close();
    loading.reset();
    two_level.reset();
    if (client) client->close();
  }
  std::string get(const Partition& whose, std::string_view id) {
    Result<std::optional<std::string>> value = loops.wait_for(region->get_or_load(whose, id));
    return value && *value ? **value : "nothing";
  }

  redis::RunningLoops loops{2};
  std::unique_ptr<redis::Client> client;
  std::unique_ptr<RedisCache> redis;
  std::unique_ptr<TwoLevelCache> two_level;
  std::unique_ptr<MemoryCache> memory;
  std::unique_ptr<LoadingCache> loading;
  Whose loader;
  std::unique_ptr<Region<std::string>> region;
};

class RegionTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::string url_ = GetParam() == std::string_view("Memory") ? "" : testing::shared_redis().new_url();
};

TEST_P(RegionTest, OfOneIdEveryPartitionHasItsOwnValue) {
  Replica replica(url_);
  for (int round = 0; round < 2; ++round)
    for (const Partition& whose : partitions())
      EXPECT_TRUE(replica.get(whose, "17").starts_with(whose.to_text() + "/17/"));
  EXPECT_EQ(replica.loader.loads, 5) << "and each is kept";
}

TEST_P(RegionTest, AnIdCannotPassForAnothersKey) {
  Replica replica(url_);
  const Partition acme = Partition::of_tenant(kAcme);
  const Partition globex = Partition::of_tenant(kGlobex);
  replica.get(globex, "17");
  const std::string key = replica.region->key_of(globex, "17");
  for (std::string id :
       {key, key.substr(6), ":" + key, globex.to_text() + ":17", "../" + globex.to_text() + ":17"}) {
    const std::string found = replica.get(acme, id);
    EXPECT_TRUE(found.starts_with(acme.to_text() + "/" + id + "/")) << found;
  }
}

TEST_P(RegionTest, InvalidatingOnesValueLeavesAnothers) {
  Replica replica(url_);
  const Partition acme = Partition::of_tenant(kAcme);
  const Partition globex = Partition::of_tenant(kGlobex);
  const std::string theirs = replica.get(globex, "17");
  const std::string ours = replica.get(acme, "17");
  ASSERT_TRUE(replica.loops.wait_for(replica.region->invalidate(acme, "17")));
  EXPECT_EQ(replica.get(globex, "17"), theirs);
  EXPECT_NE(replica.get(acme, "17"), ours);
}

INSTANTIATE_TEST_SUITE_P(Caches, RegionTest, ::testing::Values("Memory", "TwoLevel"),
                         [](const auto& each) { return each.param; });

TEST(RegionInRedis, WhatOneHasPutTheOtherFindsForItsTenantAlone) {
  const std::string url = testing::shared_redis().new_url();
  Replica one(url);
  Replica two(url);
  const Partition acme = Partition::of_tenant(kAcme);
  const Partition globex = Partition::of_tenant(kGlobex);
  const std::string ours = one.get(acme, "17");
  EXPECT_EQ(two.get(acme, "17"), ours);
  EXPECT_EQ(two.loader.loads, 0) << "out of Redis";
  EXPECT_TRUE(two.get(globex, "17").starts_with(globex.to_text()));
  ASSERT_TRUE(one.loops.wait_for(one.region->invalidate(globex, "17")));
  EXPECT_EQ(one.get(acme, "17"), ours) << "what the other invalidates is its own";
}

TEST(Partition, IsReadBackFromItsTextAndFromNothingElse) {
  std::set<std::string> texts;
  for (const Partition& whose : partitions()) {
    EXPECT_EQ(whose.to_text().size(), Partition::kTextSize);
    EXPECT_EQ(Partition::from_text(whose.to_text()), whose);
    texts.insert(whose.to_text());
  }
  EXPECT_EQ(texts.size(), 5u);
  for (std::string_view text :
       {"", "s", "x018f0000-0000-7000-8000-00000000000a", "t018f0000-0000-7000-8000-0000000000zz"})
    EXPECT_FALSE(Partition::from_text(text)) << text;
}

}  // namespace
}  // namespace bedplate::cache
