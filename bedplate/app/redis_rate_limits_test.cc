// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/redis_rate_limits.h"

#include <gtest/gtest.h>

#include "tests/kits/redis_kit.h"
#include "tests/servers/redis_server.h"

namespace bedplate::app {
namespace {

using namespace std::chrono_literals;

class RedisRateLimitsTest : public ::testing::Test {
 protected:
  void connect(const std::string& url) {
    redis::Options options = *redis::Options::from_url(url);
    options.call_timeout = options.connect_timeout = 10s;
    options.backoff_max = 20ms;
    client_ = std::move(*redis::Client::make(std::move(options)));
    limits_ = std::make_unique<RedisRateLimits>(*client_, "test:", metrics_);
  }
  void TearDown() override { client_->close(); }
  std::optional<api::RateDecision> take(std::string key, std::int64_t cost = 1) {
    return *loops_.wait_for(limits_->take(std::move(key), limit_, cost));
  }

  redis::RunningLoops loops_;
  telemetry::Registry metrics_;
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<RedisRateLimits> limits_;
  api::RateLimit limit_{.rate = 0.01, .burst = 5};
};

// The same answers as a limiter in memory gives, except for the time that passes.
TEST_F(RedisRateLimitsTest, CountsLikeTheLimiterInMemory) {
  connect(testing::shared_redis().new_url());
  api::RateLimiter memory(limit_, 1024);
  for (std::int64_t cost : {1, 2, 1, 3, 1, 1, 1}) {
    std::optional<api::RateDecision> shared = take("a", cost);
    const api::RateDecision local = memory.take(1, cost, 1'000'000'000);
    ASSERT_TRUE(shared);
    EXPECT_EQ(shared->allowed, local.allowed) << cost;
    EXPECT_EQ(shared->limit, local.limit);
    EXPECT_EQ(shared->remaining, local.remaining);
    EXPECT_NEAR(static_cast<double>(shared->reset_seconds), static_cast<double>(local.reset_seconds), 60);
    EXPECT_NEAR(static_cast<double>(shared->retry_after_seconds),
                static_cast<double>(local.retry_after_seconds), 60);
  }
  EXPECT_TRUE(take("b")->allowed) << "another caller";
}

TEST_F(RedisRateLimitsTest, WhatCostsMoreThanABurstTakesAWholeOne) {
  connect(testing::shared_redis().new_url());
  EXPECT_TRUE(take("a", 100)->allowed);
  EXPECT_FALSE(take("a")->allowed);
}

TEST_F(RedisRateLimitsTest, ChargesWhatCannotBeRefusedAnyMore) {
  connect(testing::shared_redis().new_url());
  loops_.loop().call([&] { limits_->charge("a", limit_, 1000); });
  std::optional<api::RateDecision> decision = take("a");  // behind the charge on the same connection
  EXPECT_FALSE(decision->allowed);
  EXPECT_LE(decision->reset_seconds, 1000) << "no further into debt than one more bucket";
}

TEST_F(RedisRateLimitsTest, LeavesItToTheLocalLimitWhileRedisIsAway) {
  testing::RedisServer server;
  connect(server.url());
  EXPECT_TRUE(take("a"));
  server.kill();
  EXPECT_FALSE(take("a"));
  EXPECT_FALSE(take("a"));
  Buffer text;
  metrics_.write_prometheus(text);
  EXPECT_NE(text.view().find("bedplate_rate_limit_local_total 2"), std::string_view::npos) << text.view();
  server.start();
  EXPECT_TRUE(testing::wait_until([this] { return take("a").has_value(); }));
}

}  // namespace
}  // namespace bedplate::app
