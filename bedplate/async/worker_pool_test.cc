// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/async/loop_group.h"
#include "bedplate/async/timer.h"

namespace bedplate {
namespace {

Async<std::string> runs_elsewhere(WorkerPool& pool) {
  std::thread::id here = std::this_thread::get_id();
  std::thread::id there = co_await ok(pool.run([] { return std::this_thread::get_id(); }));
  if (there == here) co_return "on the loop's thread";
  if (std::this_thread::get_id() != here) co_return "resumed elsewhere";
  int changed = 0;
  co_await ok(pool.run([&changed] { changed = 1; }));
  auto moved = std::make_unique<int>(6);
  auto give_back = [p = std::move(moved)]() mutable { return std::move(p); };
  std::unique_ptr<int> back = co_await ok(pool.run(give_back));
  co_return std::to_string(changed + *back);
}

TEST(WorkerPoolTest, RunsOnAWorkerAndResumesOnTheLoop) {
  Loop loop;
  WorkerPool pool(2, 8);
  EXPECT_EQ(*run_to_end(loop, runs_elsewhere(pool)), "7");
  EXPECT_EQ(pool.stats().completed, 3u);
}

Async<int> passes_results_on(WorkerPool& pool) {
  auto good = [] { return Result<int>(3); };
  int three = co_await ok(pool.run(good));
  auto bad = []() -> Result<int> { return fail(Category::conflict, "taken", "Taken."); };
  Result<int> failed = co_await pool.run(bad);
  if (failed || failed.error().code() != "taken") co_return 0;
  auto bad_void = []() -> Result<void> { return fail(Category::gone, "gone", "Gone."); };
  co_await ok(pool.run(bad_void));
  co_return three;
}

TEST(WorkerPoolTest, ResultsOfTheCallableArePassedOn) {
  Loop loop;
  WorkerPool pool(1, 8);
  auto result = run_to_end(loop, passes_results_on(pool));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), "gone");
}

Async<void> throws_inside(WorkerPool& pool) {
  auto thrower = [] { throw std::runtime_error("secret"); };
  co_await ok(pool.run(thrower));
}

TEST(WorkerPoolTest, AnExceptionBecomesInternalWithoutItsText) {
  Loop loop;
  WorkerPool pool(1, 8);
  auto result = run_to_end(loop, throws_inside(pool));
  EXPECT_EQ(result.error().category(), Category::internal);
  EXPECT_EQ(result.error().detail().find("secret"), std::string::npos);
}

/// Holds a pool's only worker until it is let go.
struct Blocker {
  std::binary_semaphore begun{0};
  std::binary_semaphore go{0};
  static Async<void> hold(WorkerPool& pool, Blocker& blocker) {
    auto blocking = [&blocker] {
      blocker.begun.release();
      blocker.go.acquire();
    };
    co_await ok(pool.run(blocking));
  }
};

Async<std::string> outcome(WorkerPool& pool, bool& ran) {
  auto mark = [&ran] { ran = true; };
  Result<void> result = co_await pool.run(mark);
  co_return result ? "ran" : result.error().code();
}

Async<void> record(WorkerPool& pool, bool& ran, std::string& into) {
  Result<std::string> result = co_await outcome(pool, ran);
  into = *result;
}

TEST(WorkerPoolTest, AFullQueueIsBusyAndSaysWhenToComeAgain) {
  Loop loop;
  WorkerPool pool(1, 1);
  Blocker blocker;
  bool queued_ran = false, refused_ran = false;
  std::string queued, refused;
  loop.post_callable([&] {
    Blocker::hold(pool, blocker).detach();
    blocker.begun.acquire();
    record(pool, queued_ran, queued).detach();
    EXPECT_EQ(pool.stats().busy, 1u);
    EXPECT_EQ(pool.stats().queued, 1u);
    record(pool, refused_ran, refused).detach();
    EXPECT_EQ(refused, "busy");
    blocker.go.release();
  });
  bool last = false;
  struct Later {
    static Async<std::string> all(WorkerPool& in, bool& ran, std::string& before) {
      while (before.empty()) co_await ok(yield());
      Result<std::string> result = co_await outcome(in, ran);
      co_return *result;
    }
  };
  EXPECT_EQ(*run_to_end(loop, Later::all(pool, last, queued)), "ran");
  EXPECT_EQ(queued, "ran");
  EXPECT_TRUE(queued_ran);
  EXPECT_FALSE(refused_ran);
  EXPECT_EQ(pool.stats().refused, 1u);
}

Async<void> busy_error(WorkerPool& pool) {
  co_await ok(pool.run([] {}));
}

TEST(WorkerPoolTest, BusyIsUnavailableWithRetryAfter) {
  Loop loop;
  WorkerPool pool(0, 0);
  auto result = run_to_end(loop, busy_error(pool));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().category(), Category::unavailable);
  EXPECT_EQ(result.error().retry_after(), std::chrono::seconds(1));
}

TEST(WorkerPoolTest, CancellingTakesWhatIsQueuedOut) {
  Loop loop;
  WorkerPool pool(1, 4);
  Blocker blocker;
  Scope scope;
  bool ran = false;
  loop.post_callable([&] {
    Blocker::hold(pool, blocker).detach();
    blocker.begun.acquire();
    loop.post_callable([&] {
      scope.cancel(Category::cancelled);
      EXPECT_EQ(pool.stats().queued, 0u);
    });
  });
  EXPECT_EQ(*run_to_end(loop, outcome(pool, ran), &scope), "cancelled");
  EXPECT_FALSE(ran);
  blocker.go.release();
  bool other = false;
  EXPECT_EQ(*run_to_end(loop, outcome(pool, other)), "ran");
}

Async<std::string> cancelled_while_running(WorkerPool& pool, Scope& scope, std::binary_semaphore& begun) {
  auto polls = [&] {
    begun.release();
    while (!scope.cancelled()) std::this_thread::yield();
    return 5;
  };
  Result<int> result = co_await pool.run(polls);
  co_return result ? std::to_string(*result) : result.error().code();
}

TEST(WorkerPoolTest, WhatRunsSeesTheCancellationAndFinishes) {
  Loop loop;
  WorkerPool pool(1, 4);
  Scope scope;
  std::binary_semaphore begun(0);
  loop.post_callable([&] {
    loop.post_callable([&] {
      begun.acquire();
      scope.cancel(Category::cancelled);
    });
  });
  EXPECT_EQ(*run_to_end(loop, cancelled_while_running(pool, scope, begun), &scope), "5");
}

TEST(WorkerPoolTest, StopFailsWhatIsQueuedAndWaitsForWhatRuns) {
  Loop loop;
  WorkerPool pool(1, 4);
  Blocker blocker;
  std::string queued;
  bool ran = false;
  std::thread stopper;
  loop.post_callable([&] {
    Blocker::hold(pool, blocker).detach();
    blocker.begun.acquire();
    record(pool, ran, queued).detach();
    stopper = std::thread([&] { pool.stop(); });
  });
  struct Wait {
    static Async<void> until(std::string& text) {
      while (text.empty()) co_await ok(yield());
    }
  };
  ASSERT_TRUE(run_to_end(loop, Wait::until(queued)));
  EXPECT_EQ(queued, "shutting_down");
  EXPECT_FALSE(ran);
  blocker.go.release();
  stopper.join();
  EXPECT_EQ(*run_to_end(loop, outcome(pool, ran)), "shutting_down");
}

Async<long> many(WorkerPool& pool, int rounds) {
  long sum = 0;
  for (int i = 0; i < rounds; ++i) {
    auto job = [i] { return i; };
    sum += co_await ok(pool.run(job));
  }
  co_return sum;
}

TEST(WorkerPoolTest, ServesSeveralLoopsAtOnce) {
  WorkerPool pool(3, 1000);
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      Loop loop;
      if (*run_to_end(loop, many(pool, 2000)) == 1999000) ++right;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right.load(), 3);
}

}  // namespace
}  // namespace bedplate
