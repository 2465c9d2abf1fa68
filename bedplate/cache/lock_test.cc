// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <tuple>

#include "tests/kits/redis_kit.h"
#include "tests/servers/redis_server.h"

namespace bedplate::cache {
namespace {

using namespace std::chrono_literals;

class LocksTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string_view("Memory")) {
      locks_ = std::make_unique<MemoryLocks>();
      return;
    }
    redis::Options options = *redis::Options::from_url(testing::shared_redis().new_url());
    options.call_timeout = options.connect_timeout = 10s;
    client_ = std::move(*redis::Client::make(std::move(options)));
    locks_ = std::make_unique<RedisLocks>(*client_);
  }
  void TearDown() override {
    if (client_) client_->close();
  }
  Result<Lock> acquire(std::string_view name, std::chrono::milliseconds lifetime = 1min) {
    return loops_.wait_for(locks_->acquire(name, lifetime));
  }
  std::string release(const Lock& lock) {
    Result<void> released = loops_.wait_for(locks_->release(lock));
    return released ? "ok" : released.error().code();
  }
  /// Once its time is over.
  Lock acquire_next(std::string_view name) {
    Result<Lock> lock = loops_.wait_for(locks_->wait_for(name, 1min, testing::kPatience));
    EXPECT_TRUE(lock);
    return lock ? *lock : Lock();
  }

  redis::RunningLoops loops_{2};
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<Locks> locks_;
};

TEST_P(LocksTest, OneAtATime) {
  Result<Lock> first = acquire("a");
  ASSERT_TRUE(first);
  Result<Lock> second = acquire("a");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), "locked");
  EXPECT_TRUE(acquire("b")) << "another name";
  EXPECT_EQ(release(*first), "ok");
  second = acquire("a");
  ASSERT_TRUE(second);
  EXPECT_GT(second->token, first->token);
  EXPECT_EQ(release(*first), "lock_lost") << "releasing twice takes nothing from the next holder";
  EXPECT_FALSE(acquire("a"));
}

TEST_P(LocksTest, CanBeKeptLonger) {
  EXPECT_TRUE(testing::with_growing_limits(200ms, [this](std::chrono::milliseconds lifetime) {
    const std::string name = "for " + std::to_string(lifetime.count());
    const auto began = std::chrono::steady_clock::now();
    Result<Lock> lock = acquire(name, lifetime);
    EXPECT_TRUE(lock);
    const bool extended = lock && loops_.wait_for(locks_->extend(*lock, 1h)).has_value();
    if (!extended && std::chrono::steady_clock::now() - began > lifetime) return false;
    EXPECT_TRUE(extended);
    EXPECT_FALSE(loops_.wait_for(locks_->wait_for(name, 1min, 2 * lifetime)));
    return true;
  }));
}

TEST_P(LocksTest, EndsWithItsTime) {
  Result<Lock> lock = acquire("a", 1ms);
  ASSERT_TRUE(lock);
  const Lock next = acquire_next("a");
  EXPECT_GT(next.token, lock->token);
  EXPECT_EQ(loops_.wait_for(locks_->extend(*lock, 1h)).error().code(), "lock_lost");
  EXPECT_EQ(release(*lock), "lock_lost");
  EXPECT_EQ(release(next), "ok");
}

/// What a lock protects: it compares tokens, as header lock.h shows for SQL.
class Protected {
 public:
  bool write(std::int64_t token, std::string_view text) {
    if (token < seen_) return false;
    seen_ = token;
    text_ = text;
    return true;
  }
  const std::string& text() const { return text_; }

 private:
  std::int64_t seen_ = 0;
  std::string text_;
};

TEST_P(LocksTest, AHolderThatWakesUpLateIsRefusedByItsToken) {
  Protected file;
  Result<Lock> paused = acquire("file", 1ms);
  ASSERT_TRUE(paused);
  EXPECT_TRUE(file.write(paused->token, "begun by the first"));
  // The first holder is stopped here for longer than its lock lives, and another takes over.
  const Lock next = acquire_next("file");
  EXPECT_TRUE(file.write(next.token, "done by the second"));
  // It wakes up, knows nothing of all that, and writes.
  EXPECT_FALSE(file.write(paused->token, "half done by the first"));
  EXPECT_EQ(file.text(), "done by the second");
  EXPECT_TRUE(file.write(next.token, "the holder may go on")) << "as often as it likes";
}

TEST_P(LocksTest, ManyTakeTurns) {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> left = 8;
  auto work = [](Locks& locks, std::atomic<int>& in, std::atomic<int>& top,
                 std::atomic<int>& todo) -> Async<void> {
    for (int i = 0; i < 3; ++i) {
      Result<Lock> lock = co_await locks.wait_for("turns", 1min, 60s);
      EXPECT_TRUE(lock);
      if (!lock) break;
      const int now = ++in;
      if (now > top) top = now;
      std::ignore = co_await yield();
      --in;
      std::ignore = co_await locks.release(*lock);
    }
    --todo;
  };
  for (std::size_t i = 0; i < 8; ++i) loops_.loop(i % 2).spawn(work(*locks_, inside, most, left));
  EXPECT_TRUE(testing::wait_until([&] { return left == 0; }));
  EXPECT_EQ(most, 1);
}

INSTANTIATE_TEST_SUITE_P(Drivers, LocksTest, ::testing::Values("Memory", "Redis"),
                         [](const auto& each) { return each.param; });

// Tokens grow also when the server forgets everything.
TEST(RedisLocks, TokensGrowThoughTheServerLostItsData) {
  testing::RedisServer server;
  redis::RunningLoops loops;
  redis::Options options = *redis::Options::from_url(server.url());
  options.call_timeout = options.connect_timeout = 10s;
  auto client = std::move(*redis::Client::make(std::move(options)));
  RedisLocks locks(*client);
  Result<Lock> before = loops.wait_for(locks.acquire("a", 1h));
  ASSERT_TRUE(before);
  server.command({"FLUSHALL"});
  Result<Lock> after = loops.wait_for(locks.acquire("a", 1h));
  ASSERT_TRUE(after);
  EXPECT_GT(after->token, before->token);
  client->close();
}

}  // namespace
}  // namespace bedplate::cache
