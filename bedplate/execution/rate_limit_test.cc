// SPDX-License-Identifier: Apache-2.0
#include "bedplate/execution/rate_limit.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace bedplate::api {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1000 * kSecond;

TEST(RateLimitTest, AllowsABurstAndThenTheRate) {
  RateLimiter limiter({.rate = 2, .burst = 5}, 1024);
  for (int i = 0; i < 5; ++i) {
    RateDecision d = limiter.take(1, 1, kStart);
    EXPECT_TRUE(d.allowed);
    EXPECT_EQ(d.limit, 5);
    EXPECT_EQ(d.remaining, 4 - i);
  }
  RateDecision denied = limiter.take(1, 1, kStart);
  EXPECT_FALSE(denied.allowed);
  EXPECT_EQ(denied.remaining, 0);
  EXPECT_EQ(denied.retry_after_seconds, 1);
  EXPECT_EQ(denied.reset_seconds, 3);  // five units at two a second
  EXPECT_FALSE(limiter.take(1, 1, kStart + kSecond / 2 - 1).allowed);
  EXPECT_TRUE(limiter.take(1, 1, kStart + kSecond / 2).allowed);
  EXPECT_FALSE(limiter.take(1, 1, kStart + kSecond / 2).allowed);
}

TEST(RateLimitTest, KeepsKeysApartAndForgetsTheRested) {
  RateLimiter limiter({.rate = 1, .burst = 1}, 1024);
  EXPECT_TRUE(limiter.take(1, 1, kStart).allowed);
  EXPECT_TRUE(limiter.take(2, 1, kStart).allowed);
  EXPECT_FALSE(limiter.take(1, 1, kStart).allowed);
  EXPECT_TRUE(limiter.take(1, 1, kStart + kSecond).allowed);
}

TEST(RateLimitTest, CostlyRequestsTakeMore) {
  RateLimiter limiter({.rate = 1, .burst = 10}, 1024);
  EXPECT_TRUE(limiter.take(1, 6, kStart).allowed);
  EXPECT_FALSE(limiter.take(1, 6, kStart).allowed);
  EXPECT_TRUE(limiter.take(1, 4, kStart).allowed);
  EXPECT_TRUE(limiter.take(2, 1000, kStart).allowed);  // more than a bucket: all of it
  EXPECT_FALSE(limiter.take(2, 1, kStart).allowed);
}

TEST(RateLimitTest, ChargesEvenWithoutCredit) {
  RateLimiter limiter({.rate = 1, .burst = 10}, 1024);
  for (int i = 0; i < 1000; ++i) limiter.charge(1, 5, kStart);
  EXPECT_FALSE(limiter.take(1, 1, kStart + 10 * kSecond).allowed);
  EXPECT_TRUE(limiter.take(1, 1, kStart + 11 * kSecond).allowed);  // never further than one more bucket
}

TEST(RateLimitTest, ManyKeysStayBounded) {
  RateLimiter limiter({.rate = 1, .burst = 1}, 64);
  for (std::uint64_t key = 1; key < 100'000; ++key) limiter.take(key * 0x9e3779b97f4a7c15, 1, kStart);
  EXPECT_TRUE(limiter.take(12345, 1, kStart).allowed);
}

TEST(RateLimitTest, AddressesShareABucketAsTheirOwnersDo) {
  EXPECT_EQ(rate_key_of_address("2001:db8:1:2::1"), rate_key_of_address("2001:db8:1:2:ffff::9"));
  EXPECT_NE(rate_key_of_address("2001:db8:1:2::1"), rate_key_of_address("2001:db8:1:3::1"));
  EXPECT_NE(rate_key_of_address("192.0.2.1"), rate_key_of_address("192.0.2.2"));
  EXPECT_EQ(rate_key_of_address("::ffff:192.0.2.1"), rate_key_of_address("192.0.2.1"));
  EXPECT_EQ(rate_key_of_address("unix"), rate_key_of_address("unix"));
  (void)rate_key_of_address("");
  (void)rate_key_of_address(":::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::");
}

TEST(RateLimitTest, ThreadsTakeExactlyTheBurst) {
  RateLimiter limiter({.rate = 0.01, .burst = 1000}, 1024);
  std::atomic<int> allowed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i)
        if (limiter.take(7, 1, kStart).allowed) ++allowed;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allowed, 1000);
}

}  // namespace
}  // namespace bedplate::api
