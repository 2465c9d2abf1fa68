// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/loading_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <tuple>

#include "bedplate/async/timer.h"
#include "bedplate/cache/memory_cache.h"
#include "bedplate/cache/redis_cache.h"
#include "bedplate/cache/region.h"
#include "tests/kits/redis_kit.h"
#include "tests/servers/redis_server.h"

namespace bedplate::cache {
namespace {

using namespace std::chrono_literals;
using testing::wait_until;

struct Profile {
  std::string name;
  std::int64_t age = 0;

  static consteval auto describe() {
    using namespace schema;
    return object<Profile>("Somebody", {field<&Profile::name>(length{0, 100}), field<&Profile::age>()});
  }
};

/// Knows everybody but "nobody", and counts how often it is asked. While `closed` it waits.
class Profiles final : public Loader<Profile> {
 public:
  Async<std::optional<Profile>> load(Partition, std::string id) override {
    const int number = ++loads;
    while (closed) co_await ok(sleep_for(1ms));
    if (id == "nobody") co_return std::nullopt;
    if (fails) co_return fail(Category::internal, "broken", "It is broken.");
    Profile profile;
    profile.name = id + std::to_string(number);
    co_return profile;
  }

  std::atomic<int> loads{0};
  std::atomic<bool> closed{false};
  std::atomic<bool> fails{false};
};

class LoadingCacheTest : public ::testing::Test {
 protected:
  std::string get(Region<Profile>& region, std::string_view id) {
    Result<std::optional<Profile>> profile = loops_.wait_for(region.get_or_load(Partition::shared(), id));
    return !profile ? profile.error().code() : !*profile ? "absent" : (*profile)->name;
  }
  void ask(Region<Profile>& region, std::size_t loop, std::string& answer, Scope* scope = nullptr) {
    ++asked_;
    loops_.loop(loop).call([&, scope] { ask_one(region, answer, answered_).detach(scope); });
  }
  bool all_answered() {
    return wait_until([&] { return answered_ == asked_; });
  }

  redis::RunningLoops loops_{2};
  MemoryCache memory_;
  LoadingCache cache_{memory_};
  Profiles profiles_;

 private:
  static Async<void> ask_one(Region<Profile>& region, std::string& answer, std::atomic<int>& answered) {
    Result<std::optional<Profile>> profile = co_await region.get_or_load(Partition::shared(), "ada");
    answer = !profile ? profile.error().code() : !*profile ? "absent" : (*profile)->name;
    ++answered;
  }
  std::atomic<int> answered_{0};
  int asked_ = 0;
};

TEST_F(LoadingCacheTest, LoadsOnceAndKeeps) {
  Region<Profile> region(cache_, "profile", {}, profiles_);
  EXPECT_EQ(get(region, "ada"), "ada1");
  EXPECT_EQ(get(region, "ada"), "ada1");
  EXPECT_EQ(get(region, "bob"), "bob2");
  EXPECT_EQ(profiles_.loads, 2);
  EXPECT_TRUE(loops_.wait_for(region.invalidate(Partition::shared(), "ada")));
  EXPECT_EQ(get(region, "ada"), "ada3");
  EXPECT_EQ(cache_.stats().hits, 1u);
  EXPECT_EQ(cache_.stats().misses, 3u);
}

TEST_F(LoadingCacheTest, KeepsThatThereIsNothingIfAsked) {
  Region<Profile> region(cache_, "profile", {}, profiles_);
  EXPECT_EQ(get(region, "nobody"), "absent");
  EXPECT_EQ(get(region, "nobody"), "absent");
  EXPECT_EQ(profiles_.loads, 1);
  Region<Profile> forgetful(cache_, "other", {.absent = 0ms}, profiles_);
  EXPECT_EQ(get(forgetful, "nobody"), "absent");
  EXPECT_EQ(get(forgetful, "nobody"), "absent");
  EXPECT_EQ(profiles_.loads, 3);
}

TEST_F(LoadingCacheTest, TellsWhyItCouldNotLoadAndDoesNotKeepIt) {
  Region<Profile> region(cache_, "profile", {}, profiles_);
  profiles_.fails = true;
  EXPECT_EQ(get(region, "ada"), "broken");
  profiles_.fails = false;
  EXPECT_EQ(get(region, "ada"), "ada2");
}

TEST_F(LoadingCacheTest, OneLoadServesAllWhoAskMeanwhile) {
  Region<Profile> region(cache_, "profile", {}, profiles_);
  profiles_.closed = true;
  std::array<std::string, 40> answers;
  for (std::size_t i = 0; i < answers.size(); ++i) ask(region, i % 2, answers[i]);
  profiles_.closed = false;
  ASSERT_TRUE(all_answered());
  for (const std::string& answer : answers) EXPECT_EQ(answer, "ada1");
  EXPECT_EQ(profiles_.loads, 1);
  EXPECT_EQ(cache_.stats().shared, 39u);
}

TEST_F(LoadingCacheTest, WhoWaitsGoesOnWhenTheOneWhoLoadsIsCancelled) {
  Region<Profile> region(cache_, "profile", {}, profiles_);
  profiles_.closed = true;
  Scope leader;
  Scope waiter;
  std::string leads, waits, leaves;
  ask(region, 0, leads, &leader);
  ask(region, 0, leaves, &waiter);
  ask(region, 1, waits);
  loops_.loop(0).call([&] { waiter.cancel(Category::cancelled); });
  loops_.loop(0).call([&] { leader.cancel(Category::cancelled); });
  ASSERT_TRUE(wait_until([&] { return profiles_.loads == 2; }));
  profiles_.closed = false;
  ASSERT_TRUE(all_answered());
  EXPECT_EQ(leads, "cancelled");
  EXPECT_EQ(leaves, "cancelled");
  EXPECT_EQ(waits, "ada2");
}

TEST_F(LoadingCacheTest, ShowsWhatIsStaleAndLoadsBehindIt) {
  Region<Profile> region(cache_, "profile", {.fresh = 1ms, .stale = 1h}, profiles_);
  EXPECT_EQ(get(region, "ada"), "ada1");
  ASSERT_TRUE(wait_until([&] {
    return !memory_.local()
                .find(region.key_of(Partition::shared(), "ada"), std::chrono::steady_clock::now())
                ->fresh();
  }));
  profiles_.closed = true;
  EXPECT_EQ(get(region, "ada"), "ada1") << "at once, though loading takes long";
  EXPECT_EQ(get(region, "ada"), "ada1");
  EXPECT_EQ(profiles_.loads, 2) << "behind the answers, once";
  profiles_.closed = false;
  EXPECT_TRUE(wait_until([&] { return get(region, "ada") != "ada1"; }));
  cache_.close();
}

// The load began before the change was committed: what it found must not outlive the erasure.
TEST_F(LoadingCacheTest, DoesNotKeepWhatWasOvertaken) {
  Region<Profile> region(cache_, "profile", {}, profiles_);
  profiles_.closed = true;
  std::string before, after;
  ask(region, 0, before);
  ASSERT_TRUE(wait_until([&] { return profiles_.loads == 1; }));
  EXPECT_TRUE(loops_.wait_for(region.invalidate(Partition::shared(), "ada"), 1));
  ask(region, 1, after);
  ASSERT_TRUE(wait_until([&] { return profiles_.loads == 2; }))
      << "who asks after the change loads for himself";
  profiles_.closed = false;
  ASSERT_TRUE(all_answered());
  EXPECT_EQ(before, "ada1");
  EXPECT_EQ(after, "ada2");
  EXPECT_EQ(get(region, "ada"), "ada2");
}

TEST_F(LoadingCacheTest, LoadsAnewWhatItCannotRead) {
  Region<Profile> region(cache_, "profile", {}, profiles_);
  memory_.local().put(region.key_of(Partition::shared(), "ada"), R"({"surname": "Lovelace"})", {1min, 1min},
                      std::chrono::steady_clock::now());
  EXPECT_EQ(get(region, "ada"), "ada1");
  EXPECT_EQ(get(region, "ada"), "ada1");
}

TEST_F(LoadingCacheTest, SpreadsLifetimes) {
  Region<Profile> region(cache_, "profile", {.fresh = 1h, .jitter = 0.5}, profiles_);
  auto shortest = std::chrono::nanoseconds(1h);
  for (int i = 0; i < 64; ++i) {
    const std::string id = std::to_string(i);
    get(region, id);
    std::optional<Hit> hit =
        memory_.local().find(region.key_of(Partition::shared(), id), std::chrono::steady_clock::now());
    ASSERT_TRUE(hit);
    EXPECT_GT(hit->left.fresh, 29min);
    shortest = std::min(shortest, hit->left.fresh);
  }
  EXPECT_LT(shortest, 50min);
}

// ---- the cache is killed, hangs and comes back while requests go on: none fails

TEST(LoadingCacheOverRedis, FailsNoRequestWhateverHappensToTheCache) {
  testing::RedisServer server;
  redis::RunningLoops loops(2);
  redis::Options options = *redis::Options::from_url(server.url());
  options.backoff_max = 20ms;
  options.call_timeout = 100ms;
  options.connect_timeout = 300ms;
  auto client = std::move(*redis::Client::make(options));
  RedisCache redis(*client);
  LoadingCache cache(redis);
  Profiles profiles;
  Region<Profile> region(cache, "profile", {}, profiles);
  std::atomic<bool> go_on = true;
  std::atomic<int> running = 16;
  std::atomic<int> failed = 0;
  std::atomic<int> answered = 0;
  auto load = [](Region<Profile>& from, int number, std::atomic<bool>& more, std::atomic<int>& left,
                 std::atomic<int>& bad, std::atomic<int>& good) -> Async<void> {
    for (int i = number; more; ++i) {
      const std::string id = std::to_string(i % 50);
      Result<std::optional<Profile>> profile = co_await from.get_or_load(Partition::shared(), id);
      bad += !profile || !*profile || !(*profile)->name.starts_with(id);
      ++good;
      if (i % 7 == 0) bad += !(co_await from.invalidate(Partition::shared(), id));
      std::ignore = co_await yield();
    }
    --left;
  };
  for (int i = 0; i < 16; ++i)
    loops.loop(static_cast<std::size_t>(i) % 2).spawn(load(region, i * 3, go_on, running, failed, answered));
  auto some_more = [&] {
    const int before = answered;
    EXPECT_TRUE(wait_until([&] { return answered >= before + 500; }));
  };
  some_more();
  for (int round = 0; round < 2; ++round) {
    server.kill();
    some_more();
    server.start();
    some_more();
    server.pause();
    some_more();
    server.resume();
    some_more();
  }
  EXPECT_TRUE(wait_until([&] { return cache.stats().hits > 0; }));
  go_on = false;
  EXPECT_TRUE(wait_until([&] { return running == 0; }));
  EXPECT_EQ(failed, 0);
  EXPECT_GT(cache.stats().cache_failures, 0u);
  cache.close();
  client->close();
}

}  // namespace
}  // namespace bedplate::cache
