// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/local_cache.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <atomic>
#include <map>
#include <thread>

#include "tests/kits/cache_trace_kit.h"

namespace bedplate::cache {
namespace {

using namespace std::chrono_literals;
using TimePoint = LocalCache::TimePoint;

constexpr TimePoint kNow{1h};
constexpr Lifetime kMinute{1min, 1min};
constexpr Lifetime kForever{std::chrono::nanoseconds::max(), std::chrono::nanoseconds::max()};

std::string found(LocalCache& cache, std::string_view key, TimePoint now = kNow) {
  std::optional<Hit> hit = cache.find(key, now);
  if (!hit) return "nothing";
  return hit->absent ? "absent" : std::string(hit->value.view());
}

TEST(LocalCache, KeepsAndForgets) {
  LocalCache cache;
  EXPECT_EQ(found(cache, "a"), "nothing");
  EXPECT_TRUE(cache.put("a", "one", kMinute, kNow));
  EXPECT_TRUE(cache.put("b", "", kMinute, kNow));
  EXPECT_TRUE(cache.put_absent("c", kMinute, kNow));
  EXPECT_EQ(found(cache, "a"), "one");
  EXPECT_EQ(found(cache, "b"), "");
  EXPECT_EQ(found(cache, "c"), "absent");
  EXPECT_TRUE(cache.put("a", "two", kMinute, kNow));
  EXPECT_EQ(found(cache, "a"), "two");
  EXPECT_TRUE(cache.erase("a"));
  EXPECT_FALSE(cache.erase("a"));
  EXPECT_EQ(found(cache, "a"), "nothing");
  cache.clear();
  EXPECT_EQ(found(cache, "b"), "nothing");
  EXPECT_EQ(cache.stats().size_bytes, 0u);
  EXPECT_EQ(cache.stats().entries, 0u);
}

TEST(LocalCache, IsFreshThenStaleThenGone) {
  LocalCache cache;
  cache.put("a", "one", {10s, 60s}, kNow);
  EXPECT_TRUE(cache.find("a", kNow + 9s)->fresh());
  EXPECT_EQ(cache.find("a", kNow + 9s)->left.keep, 51s);
  EXPECT_FALSE(cache.find("a", kNow + 10s)->fresh());
  EXPECT_EQ(found(cache, "a", kNow + 59s), "one");
  EXPECT_EQ(found(cache, "a", kNow + 60s), "nothing");
  EXPECT_EQ(cache.stats().expired, 1u);
  EXPECT_EQ(cache.stats().entries, 0u);
  cache.put("b", "for ever", kForever, kNow);
  EXPECT_EQ(found(cache, "b", kNow + 24h * 365 * 200), "for ever");
}

TEST(LocalCache, RefusesWhatWouldPushOutHundreds) {
  LocalCache cache({.size_bytes_max = 1 << 20, .shards = 1});
  cache.put("a", "small", kMinute, kNow);
  EXPECT_FALSE(cache.put("a", std::string(1 << 19, 'x'), kMinute, kNow));
  EXPECT_EQ(found(cache, "a"), "nothing") << "the old value is no longer true";
  EXPECT_EQ(cache.stats().refused, 1u);
}

TEST(LocalCache, AValueOutlivesItsEntry) {
  LocalCache cache({.size_bytes_max = 64 << 10, .shards = 1});
  cache.put("held", "still here", kMinute, kNow);
  Value held = cache.find("held", kNow)->value;
  cache.clear();
  EXPECT_EQ(held.view(), "still here");
}

// Whatever is stored, replaced, erased and thrown out: what is found is what was put last, and not later than it said;
// and the bound holds after each step.
TEST(LocalCache, NeverAnswersWhatIsNotSo) {
  EXPECT_TRUE(rc::check("a cache against a map that forgets nothing", [] {
    LocalCache cache({.size_bytes_max = 32 << 10, .shards = 2});
    std::map<std::string, std::pair<std::string, TimePoint>> model;
    TimePoint now = kNow;
    const auto steps =
        *rc::gen::container<std::vector<std::uint32_t>>(400, rc::gen::arbitrary<std::uint32_t>());
    for (std::uint32_t step : steps) {
      const std::string key = "key" + std::to_string(step / 8 % 97);
      now += std::chrono::milliseconds(step % 300);
      if (step % 8 < 4) {
        if (std::optional<Hit> hit = cache.find(key, now)) {
          RC_ASSERT(model.contains(key));
          RC_ASSERT(model[key].first == hit->value.view());
          RC_ASSERT(model[key].second > now);
        }
      } else if (step % 8 < 7) {
        const std::string value(step % 1500, static_cast<char>('a' + step % 26));
        const std::chrono::seconds keep(1 + step % 30);
        RC_ASSERT(cache.put(key, value, {keep, keep}, now));
        model[key] = {value, now + keep};
      } else {
        cache.erase(key);
        model.erase(key);
      }
      RC_ASSERT(cache.stats().size_bytes <= 32u << 10);
    }
    RC_ASSERT(cache.stats().entries <= model.size());
  }));
}

double hit_ratio(LocalCache& cache, const std::vector<std::uint64_t>& trace) {
  std::size_t hits = 0;
  for (std::uint64_t number : trace) {
    const std::string key = std::to_string(number);
    if (cache.find(key, kNow))
      ++hits;
    else
      cache.put(key, "0123456789", kForever, kNow);
  }
  return static_cast<double>(hits) / static_cast<double>(trace.size());
}

double hit_ratio(LruModel& cache, const std::vector<std::uint64_t>& trace) {
  std::size_t hits = 0;
  for (std::uint64_t number : trace) {
    const std::string key = std::to_string(number);
    if (cache.find(key))
      ++hits;
    else
      cache.put(key, "0123456789");
  }
  return static_cast<double>(hits) / static_cast<double>(trace.size());
}

double against_lru(const std::vector<std::uint64_t>& trace) {
  constexpr std::size_t kSize = 1000 * (LocalCache::kEntryOverheadBytes + 15);
  LocalCache cache({.size_bytes_max = kSize, .shards = 1});
  LruModel lru(kSize, LocalCache::kEntryOverheadBytes);
  return hit_ratio(cache, trace) / hit_ratio(lru, trace);
}

TEST(LocalCache, KeepsMoreOfWhatIsAskedForThanLru) {
  for (double skew : {0.7, 0.9, 1.1}) EXPECT_GE(against_lru(zipf_trace(20'000, skew, 100'000)), 1.0) << skew;
}

TEST(LocalCache, IsNotWashedOutByScans) {
  EXPECT_GE(against_lru(scan_trace(20'000, 0.9, 100'000, 4000, 2000)), 1.1);
}

TEST(LocalCache, IsUsedByManyThreads) {
  LocalCache cache({.size_bytes_max = 256 << 10, .shards = 4});
  std::atomic<int> wrong = 0;
  auto work = [&](unsigned seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < 20'000; ++i) {
      const std::string key = std::to_string(random() % 3000);
      if (std::optional<Hit> hit = cache.find(key, kNow)) {
        wrong += hit->value.view() != key + "!";
      } else if (random() % 16 == 0) {
        cache.erase(std::to_string(random() % 3000));
      } else {
        cache.put(key, key + "!", kMinute, kNow);
      }
    }
  };
  std::thread other(work, 1);
  work(2);
  other.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(cache.stats().size_bytes, 256u << 10);
}

}  // namespace
}  // namespace bedplate::cache
