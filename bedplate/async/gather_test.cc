// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/gather.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "bedplate/async/loop.h"
#include "bedplate/async/loop_group.h"
#include "bedplate/async/timer.h"
#include "bedplate/async/wake.h"

namespace bedplate {
namespace {

using namespace std::chrono_literals;

constexpr auto kLong = 60s;  // nothing here waits for it to end

Async<int> at_once(int value) {
  co_return value;
}
Async<int> later(int value) {
  co_await ok(yield());
  co_return value;
}
Async<int> failing(std::string code) {
  co_await ok(yield());
  co_return fail(Category::conflict, code, "It failed.");
}
/// Waits until it is cancelled, and says so.
Async<int> hanging(bool& ended) {
  Result<void> slept = co_await sleep_for(kLong);
  ended = true;
  co_return std::unexpected(std::move(slept.error()));
}
Async<void> nothing() {
  co_await ok(yield());
}

Async<std::string> values_of_three_types() {
  Async<int> one = later(1);
  Async<int> two = at_once(2);
  Async<void> none = nothing();
  const auto [a, b, c] = co_await ok(gather(std::move(one), std::move(two), std::move(none)));
  static_assert(std::is_same_v<decltype(c), const std::monostate>);
  co_return std::to_string(a) + std::to_string(b);
}

TEST(Gather, GivesTheValuesOfAllInTheirOrder) {
  Loop loop;
  EXPECT_EQ(*run_to_end(loop, values_of_three_types()), "12");
}

TEST(Gather, NeedsNoLoopForChildrenThatDoNotWait) {
  EXPECT_EQ(*gather(at_once(1), at_once(2)).run_without_waiting(), std::tuple(1, 2));
}

TEST(Gather, TheFirstFailureCancelsTheOthersAndWaitsForThem) {
  Loop loop;
  bool ended = false;
  const auto result = run_to_end(loop, gather(hanging(ended), failing("one"), later(3)));
  EXPECT_EQ(result.error().code(), "one");
  EXPECT_TRUE(ended);
}

TEST(Gather, AFailureAtOnceKeepsTheRestFromWaiting) {
  Loop loop;
  bool ended = false;
  auto refused = [](std::string code) -> Async<int> { co_return fail(Category::conflict, code, "No."); };
  std::vector<Async<int>> children;
  children.push_back(refused("first"));
  children.push_back(hanging(ended));
  EXPECT_EQ(run_to_end(loop, gather(std::move(children))).error().code(), "first");
  EXPECT_FALSE(ended) << "it did not begin";
}

TEST(Gather, ResultsAreAllThereWhateverFails) {
  Loop loop;
  const auto results = run_to_end(loop, gather_results(failing("one"), later(2), failing("three")));
  EXPECT_EQ(std::get<0>(*results).error().code(), "one");
  EXPECT_EQ(*std::get<1>(*results), 2);
  EXPECT_EQ(std::get<2>(*results).error().code(), "three");
}

class Counting {
 public:
  Async<int> run(int value) {
    most_ = std::max(most_, ++running_);
    co_await ok(yield());
    co_await ok(yield());
    --running_;
    co_return value;
  }
  int most() const { return most_; }

 private:
  int running_ = 0;
  int most_ = 0;
};

TEST(Gather, RunsAVectorSoManyAtATime) {
  Loop loop;
  Counting counting;
  std::vector<Async<int>> children;
  for (int i = 0; i < 10; ++i) children.push_back(counting.run(i));
  const auto values = run_to_end(loop, gather(std::move(children), 3));
  EXPECT_EQ(*values, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(counting.most(), 3);
  EXPECT_EQ(*run_to_end(loop, gather(std::vector<Async<int>>())), std::vector<int>());
}

TEST(Gather, AfterAFailureNoFurtherChildBegins) {
  Loop loop;
  Counting counting;
  std::vector<Async<int>> children;
  children.push_back(failing("one"));
  for (int i = 0; i < 10; ++i) children.push_back(counting.run(i));
  EXPECT_EQ(run_to_end(loop, gather(std::move(children), 1)).error().code(), "one");
  EXPECT_EQ(counting.most(), 0);
}

Async<void> cancel_soon(Scope& scope) {
  co_await ok(yield());
  scope.cancel(Category::timeout);
}

TEST(Gather, CancellingWhoWaitsCancelsEveryChildOfEveryLevel) {
  Loop loop;
  bool ended[3] = {};
  Scope scope;
  loop.spawn(cancel_soon(scope), nullptr);
  auto inner = gather(hanging(ended[0]), hanging(ended[1]));
  const auto result = run_to_end(loop, gather(std::move(inner), hanging(ended[2])), &scope);
  EXPECT_EQ(result.error().category(), Category::timeout);
  for (const bool one : ended) EXPECT_TRUE(one);
}

Async<std::int64_t> deadline_us() {
  Scope* scope = co_await detail::CurrentScope();
  co_return std::chrono::duration_cast<std::chrono::microseconds>(scope->deadline().time_since_epoch())
      .count();
}

TEST(Gather, ChildrenHaveTheDeadlineOfWhoWaits) {
  Loop loop;
  Scope scope;
  scope.set_deadline(Scope::TimePoint(123us));
  EXPECT_EQ(*run_to_end(loop, gather(deadline_us(), deadline_us()), &scope), std::tuple(123, 123));
}

Async<void> under_a_deadline(Scope& scope, bool& ended) {
  Deadline deadline(*Loop::current(), scope);
  deadline.start(5ms);
  co_await ok(gather(hanging(ended), later(1)));
}

TEST(Gather, ADeadlineThatPassesEndsTheChildren) {
  Loop loop;
  Scope scope;
  bool ended = false;
  EXPECT_EQ(run_to_end(loop, under_a_deadline(scope, ended), &scope).error().code(), "deadline_exceeded");
  EXPECT_TRUE(ended);
}

TEST(WhenAny, TheFirstToEndDecidesAndTheOthersAreCancelled) {
  Loop loop;
  bool ended = false;
  const auto first = run_to_end(loop, when_any(hanging(ended), later(7)));
  EXPECT_EQ(first->index, 1u);
  EXPECT_EQ(first->value, 7);
  EXPECT_TRUE(ended);
  EXPECT_EQ(run_to_end(loop, when_any(hanging(ended), failing("one"))).error().code(), "one");
}

TEST(Gather, WorksOnSeveralLoopsAtOnce) {
  LoopGroup loops(2);
  loops.start();
  Wake unused;  // set() from another thread must not disturb a gather
  std::atomic<int> sum{0};
  std::binary_semaphore done{0};
  struct Work {
    static Async<void> run(std::atomic<int>& sum, std::binary_semaphore& done) {
      for (int i = 0; i < 200; ++i) {
        auto values = co_await gather(later(1), at_once(2), later(3));
        if (values) sum += std::get<0>(*values) + std::get<1>(*values) + std::get<2>(*values);
      }
      done.release();
    }
  };
  loops.loop(0).spawn(Work::run(sum, done));
  done.acquire();
  loops.loop(1).spawn(Work::run(sum, done));
  unused.set();
  done.acquire();
  EXPECT_EQ(sum.load(), 2400);
}

TEST(ScopeTree, AChildIsBornCancelledAndGoesBeforeItsParent) {
  Scope parent;
  parent.set_deadline(Scope::TimePoint(5us));
  auto oldest = std::make_unique<Scope>(&parent);
  auto middle = std::make_unique<Scope>(&parent);
  Scope youngest(&parent);
  Scope grandchild(&youngest);
  EXPECT_EQ(grandchild.deadline(), Scope::TimePoint(5us));
  middle.reset();
  parent.cancel(Category::timeout);
  EXPECT_TRUE(oldest->cancelled() && youngest.cancelled() && grandchild.cancelled());
  oldest.reset();
  const Scope late(&parent);
  EXPECT_EQ(late.error().category(), Category::timeout);
}

TEST(ScopeTree, CancellingAChildLeavesItsParentAndSiblings) {
  Scope parent;
  Scope one(&parent), two(&parent);
  one.cancel(Category::cancelled);
  EXPECT_TRUE(one.cancelled());
  EXPECT_FALSE(parent.cancelled() || two.cancelled());
}

}  // namespace
}  // namespace bedplate
