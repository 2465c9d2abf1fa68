// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/async.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace bedplate {
namespace {

// A wait that the test ends by hand.
struct Gate : Op {
  bool await_ready() { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    return wait(h);
  }
  void await_resume() {}
};

Async<int> number(int n) {
  co_return n;
}
Async<int> failing() {
  co_return fail(Category::conflict, "taken", "Taken.");
}
Async<int> after(Gate& gate, bool fails) {
  co_await gate;
  if (fails) co_return fail(Category::gone, "gone", "Gone.");
  co_return 7;
}
Async<int> middle(Gate& gate, bool fails, std::string guard) {
  int n = co_await ok(after(gate, fails));
  co_return n + static_cast<int>(guard.size());
}
Async<void> root(Gate& gate, bool fails, int& out, std::string& code) {
  Result<int> r = co_await middle(gate, fails, "four");
  if (r)
    out = *r;
  else
    code = r.error().code();
}
Async<long> many() {
  long sum = 0;
  for (int i = 0; i < 1'000'000; ++i) sum += co_await ok(number(i));
  co_return sum;
}
Async<int> holds(Gate& gate, std::shared_ptr<int> held) {
  int n = co_await ok(after(gate, true));
  co_return n + *held;
}
Async<void> ends_early(bool& reached) {
  co_await ok(failing());
  reached = true;
}
Async<void> fails_by_await() {
  co_await fail(Category::invalid, "bad", "Bad.");
}
Async<int> throws() {
  throw std::runtime_error("secret");
  co_return 1;
}

TEST(AsyncTest, ValueAndErrorTravel) {
  EXPECT_EQ(*number(5).run_without_waiting(), 5);
  EXPECT_EQ(failing().run_without_waiting().error().code(), "taken");
  EXPECT_EQ(fails_by_await().run_without_waiting().error().code(), "bad");
}

TEST(AsyncTest, OkEndsTheCallerWithTheError) {
  bool reached = false;
  EXPECT_EQ(ends_early(reached).run_without_waiting().error().code(), "taken");
  EXPECT_FALSE(reached);
}

TEST(AsyncTest, ChildrenThatDoNotWaitDoNotGrowTheStack) {
  EXPECT_EQ(*many().run_without_waiting(), 499999500000L);
}

TEST(AsyncTest, ValueAfterAWaitReachesTheRoot) {
  Gate gate;
  int out = 0;
  std::string code;
  root(gate, false, out, code).detach();
  EXPECT_EQ(out, 0);
  gate.resume();
  EXPECT_EQ(out, 11);
}

TEST(AsyncTest, ErrorAfterAWaitClimbsThroughOk) {
  Gate gate;
  int out = 0;
  std::string code;
  root(gate, true, out, code).detach();
  gate.resume();
  EXPECT_EQ(code, "gone");
}

TEST(AsyncTest, DetachedRootThatFailsFreesItself) {
  Gate gate;
  auto held = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = held;
  holds(gate, std::move(held)).detach();
  EXPECT_FALSE(watched.expired()) << "it waits";
  gate.resume();
  EXPECT_TRUE(watched.expired()) << "its frame is gone";
  bool reached = false;
  ends_early(reached).detach();
  EXPECT_FALSE(reached);
}

TEST(AsyncTest, EscapedExceptionBecomesInternalWithoutItsText) {
  auto r = throws().run_without_waiting();
  EXPECT_EQ(r.error().category(), Category::internal);
  EXPECT_EQ(r.error().detail().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace bedplate
