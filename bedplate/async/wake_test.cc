// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/wake.h"

#include <gtest/gtest.h>

#include <thread>

namespace bedplate {
namespace {

using namespace std::chrono_literals;

Async<bool> wait(Wake& wake, std::chrono::nanoseconds longest) {
  bool woken = co_await ok(wake.wait_for(longest));
  co_return woken;
}

TEST(Wake, EndsAtOnceWhenItWasSetBefore) {
  Loop loop;
  Wake wake;
  wake.set();
  wake.set();
  EXPECT_TRUE(*run_to_end(loop, wait(wake, 1h)));
  EXPECT_FALSE(*run_to_end(loop, wait(wake, 1ms))) << "both were one";
}

TEST(Wake, IsSetByAnotherThread) {
  Loop loop;
  Wake wake;
  for (int i = 0; i < 100; ++i) {
    std::thread other([&] { wake.set(); });
    EXPECT_TRUE(*run_to_end(loop, wait(wake, 1h)));
    other.join();
  }
}

TEST(Wake, EndsWhenItsScopeIsCancelled) {
  Loop loop;
  Wake wake;
  Scope scope;
  std::thread other([&] { loop.call([&] { scope.cancel(Category::cancelled); }); });
  EXPECT_FALSE(run_to_end(loop, wait(wake, 1h), &scope));
  other.join();
  wake.set();
  EXPECT_TRUE(*run_to_end(loop, wait(wake, 1h))) << "and can be waited for again";
}

}  // namespace
}  // namespace bedplate
