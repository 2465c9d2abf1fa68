// SPDX-License-Identifier: Apache-2.0
#include "services/identity/login_throttle.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace bedplate::identity {
namespace {

using std::chrono::seconds;
using namespace std::chrono_literals;

constexpr Time kStart{seconds(1'800'000'000)};

LoginThrottleSettings small() {
  LoginThrottleSettings settings;
  settings.attempts_per_account_and_address = 3;
  settings.attempts_per_address = 10;
  settings.attempts_per_account = 6;
  settings.sign_ups_per_address = 2;
  settings.backoff_max_seconds = 60;
  settings.account_backoff_max_seconds = 4;
  settings.entries_max = 1024;
  return settings;
}

class LoginThrottleTest : public testing::Test {
 protected:
  seconds admit(std::string_view account, std::string_view address) {
    return throttle_.admit(account, address, now_);
  }

  Time now_ = kStart;
  LoginThrottle throttle_{small()};
};

TEST_F(LoginThrottleTest, WaitsDoubleUpToTheLongest) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(admit("a", "192.0.2.1"), 0s);
  for (seconds wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    EXPECT_EQ(admit("a", "192.0.2.1"), wait);
    EXPECT_EQ(admit("a", "192.0.2.1"), wait);  // asking again costs nothing
    now_ += wait - 1s;
    EXPECT_EQ(admit("a", "192.0.2.1"), 1s);
    now_ += 1s;
    EXPECT_EQ(admit("a", "192.0.2.1"), 0s);
  }
}

TEST_F(LoginThrottleTest, AWaitThatBeginsWithinASecondIsNoShorter) {
  now_ += 900ms;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(admit("ada", "10.0.0.1"), 0s);
  now_ += 999ms;
  EXPECT_EQ(admit("ada", "10.0.0.1"), 1s);
  now_ += 1ms;
  EXPECT_EQ(admit("ada", "10.0.0.1"), 0s);
}

TEST_F(LoginThrottleTest, OtherAccountsAndAddressesAreFree) {
  for (int i = 0; i < 3; ++i) admit("a", "192.0.2.1");
  EXPECT_GT(admit("a", "192.0.2.1"), 0s);
  EXPECT_EQ(admit("b", "192.0.2.1"), 0s);
  EXPECT_EQ(admit("a", "192.0.2.2"), 0s);
}

TEST_F(LoginThrottleTest, SuccessGivesTheCountBack) {
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(admit("a", "192.0.2.1"), 0s) << round;
    throttle_.succeeded("a", "192.0.2.1", now_);
  }
}

TEST_F(LoginThrottleTest, AnAddressThatTriesManyAccountsMustWait) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(admit("user" + std::to_string(i), "192.0.2.1"), 0s);
  EXPECT_EQ(admit("user10", "192.0.2.1"), 1s);
  EXPECT_EQ(admit("user10", "192.0.2.2"), 0s);
}

TEST_F(LoginThrottleTest, OwnSuccessDoesNotPayForGuessesAtOthers) {
  for (int i = 0; i < 9; ++i) {
    admit("victim" + std::to_string(i), "192.0.2.1");
    admit("mine", "192.0.2.1");
    throttle_.succeeded("mine", "192.0.2.1", now_);
  }
  EXPECT_EQ(admit("victim10", "192.0.2.1"), 0s);
  EXPECT_EQ(admit("victim11", "192.0.2.1"), 1s);
}

TEST_F(LoginThrottleTest, StrangersDelayAnAccountBrieflyAndItsOwnerNotAtAll) {
  EXPECT_EQ(admit("a", "198.51.100.1"), 0s);
  throttle_.succeeded("a", "198.51.100.1", now_);
  seconds longest = 0s;
  for (int i = 0; i < 200; ++i) longest = std::max(longest, admit("a", "192.0.2." + std::to_string(i)));
  EXPECT_EQ(longest, 1s);
  for (int i = 0; i < 20; ++i, now_ += 4s)
    longest = std::max(longest, admit("a", "203.0.113." + std::to_string(i)));
  EXPECT_EQ(admit("a", "203.0.113.99"), 0s);
  EXPECT_EQ(admit("a", "203.0.113.100"), 4s);  // the longest that strangers can cause
  EXPECT_EQ(admit("a", "198.51.100.1"), 0s);   // where the owner has been before
}

TEST_F(LoginThrottleTest, AQuietTimeForgets) {
  for (int i = 0; i < 3; ++i) admit("a", "192.0.2.1");
  EXPECT_GT(admit("a", "192.0.2.1"), 0s);
  now_ += 120s;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(admit("a", "192.0.2.1"), 0s);
}

TEST_F(LoginThrottleTest, AnIpv6NetworkIsOneAddress) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(admit("a", "2001:db8::" + std::to_string(i)), 0s);
  EXPECT_GT(admit("a", "2001:db8:0:0:ffff::1"), 0s);
  EXPECT_EQ(admit("a", "2001:db8:0:1::1"), 0s);
  EXPECT_EQ(address_bucket("::ffff:192.0.2.1"), "192.0.2.1");
}

TEST_F(LoginThrottleTest, AnIpv4AddressIsOneHoweverItIsWritten) {
  EXPECT_EQ(address_bucket("::ffff:10.0.0.1"), address_bucket("10.0.0.1"));
  EXPECT_NE(address_bucket("::ffff:10.0.0.2"), address_bucket("10.0.0.1"));
}

TEST_F(LoginThrottleTest, SignUpsAreCountedApart) {
  EXPECT_EQ(throttle_.admit_sign_up("192.0.2.1", now_), 0s);
  EXPECT_EQ(throttle_.admit_sign_up("192.0.2.1", now_), 0s);
  EXPECT_EQ(throttle_.admit_sign_up("192.0.2.1", now_), 1s);
  EXPECT_EQ(admit("a", "192.0.2.1"), 0s);
}

TEST_F(LoginThrottleTest, AFloodOfAddressesPushesOutNoTargetUnderAttack) {
  for (int i = 0; i < 3; ++i) admit("a", "192.0.2.1");
  for (int i = 0; i < 100'000; ++i)
    throttle_.admit("u" + std::to_string(i),
                    "10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256), now_);
  EXPECT_GT(admit("a", "192.0.2.1"), 0s);
}

TEST_F(LoginThrottleTest, OffMeansOff) {
  LoginThrottleSettings settings = small();
  settings.enabled = false;
  LoginThrottle off(settings);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(off.admit("a", "192.0.2.1", now_), 0s);
  off.succeeded("a", "192.0.2.1", now_);
}

TEST_F(LoginThrottleTest, AThousandAtOnceDoNotSlipThrough) {
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 250; ++k)
        if (throttle_.admit("a", "192.0.2.1", kStart) == 0s) ++admitted;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted, 3);
}

}  // namespace
}  // namespace bedplate::identity
