// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/timer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace bedplate {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

Async<void> sleeps(std::chrono::milliseconds duration, Clock::time_point& woke) {
  co_await ok(sleep_for(duration));
  woke = Clock::now();
}
Async<int> first_three(std::vector<int>& order) {
  Loop& loop = *Loop::current();
  // All from one moment, however long it takes to start them.
  static constexpr auto sleeper = [](std::vector<int>& out, Clock::time_point from, int ms) -> Async<void> {
    co_await ok(sleep_until(from + std::chrono::milliseconds(ms)));
    out.push_back(ms);
  };
  const Clock::time_point now = Clock::now();
  for (int ms : {30, 10, 20}) loop.spawn(sleeper(order, now, ms));
  while (order.size() < 3) co_await ok(sleep_for(1ms));
  co_return static_cast<int>(order.size());
}

TEST(SleepTest, NeverWakesEarly) {
  Loop loop;
  for (int ms : {1, 5, 20}) {
    Clock::time_point woke;
    auto start = Clock::now();
    ASSERT_TRUE(run_to_end(loop, sleeps(std::chrono::milliseconds(ms), woke)));
    EXPECT_GE(woke - start, std::chrono::milliseconds(ms));
  }
}

TEST(SleepTest, WakesInOrderOfTime) {
  Loop loop;
  std::vector<int> order;
  ASSERT_TRUE(run_to_end(loop, first_three(order)));
  EXPECT_EQ(order, (std::vector<int>{10, 20, 30}));
}

TEST(SleepTest, NothingToSleepGoesOnAtOnce) {
  Loop loop;
  Clock::time_point woke;
  EXPECT_TRUE(run_to_end(loop, sleeps(0ms, woke)));
  EXPECT_TRUE(run_to_end(loop, sleeps(-5ms, woke)));
}

TEST(SleepTest, CancellingEndsIt) {
  Loop loop;
  Scope scope;
  Clock::time_point woke;
  loop.post_callable([&] { loop.post_callable([&] { scope.cancel(Category::cancelled); }); });
  auto start = Clock::now();
  auto result = run_to_end(loop, sleeps(1h, woke), &scope);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().category(), Category::cancelled);
  EXPECT_LT(Clock::now() - start, 1min);
  // Every later wait in that scope ends at once.
  EXPECT_EQ(run_to_end(loop, sleeps(1h, woke), &scope).error().category(), Category::cancelled);
}

Async<void> under_deadline(Deadline& deadline, std::chrono::milliseconds allowed,
                           std::chrono::milliseconds needed) {
  deadline.start(allowed);
  Result<void> slept = co_await sleep_for(needed);
  deadline.stop();
  if (!slept) co_await std::unexpected(std::move(slept.error()));
}

TEST(DeadlineTest, CancelsWithTimeoutButNeverEarly) {
  Loop loop;
  Scope scope;
  Deadline deadline(loop, scope);
  ASSERT_TRUE(run_to_end(loop, under_deadline(deadline, 10s, 5ms), &scope));
  auto start = Clock::now();
  auto result = run_to_end(loop, under_deadline(deadline, 50ms, 1h), &scope);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().category(), Category::timeout);
  EXPECT_EQ(result.error().code(), "deadline_exceeded");
  EXPECT_GE(Clock::now() - start, 50ms);
}

TEST(DeadlineTest, StoppedOnesDoNotFireForTheNextRequest) {
  Loop loop;
  Scope scope;
  Deadline deadline(loop, scope);
  ASSERT_TRUE(run_to_end(loop, under_deadline(deadline, 100ms, 0ms), &scope));
  EXPECT_TRUE(run_to_end(loop, under_deadline(deadline, 1h, 400ms), &scope));
}

struct Tick : CoarseTimer {
  explicit Tick(Loop& loop) : CoarseTimer(loop, &Tick::fired) {}
  static void fired(CoarseTimer& timer) {
    auto& self = static_cast<Tick&>(timer);
    self.at.push_back(Clock::now());
    if (self.at.size() == 2)
      self.loop().stop();
    else
      self.arm(100ms);
  }
  std::vector<Clock::time_point> at;
};

TEST(CoarseTimerTest, FiresWithinItsGranularityAndCanBeArmedAgain) {
  Loop loop;
  Tick tick(loop);
  auto start = Clock::now();
  tick.arm(150ms);
  loop.run();
  ASSERT_EQ(tick.at.size(), 2u);
  EXPECT_GE(tick.at[0] - start, 150ms);
  EXPECT_GE(tick.at[1] - tick.at[0], 100ms);
}

}  // namespace
}  // namespace bedplate
