// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/async/loop_group.h"
#include "bedplate/async/timer.h"

namespace bedplate {
namespace {

Async<int> forty_two() {
  co_await ok(yield());
  co_return 42;
}
Async<int> failing() {
  co_await ok(yield());
  co_return fail(Category::gone, "gone", "Gone.");
}

TEST(LoopTest, RunToEndGivesTheResult) {
  Loop loop;
  EXPECT_EQ(*run_to_end(loop, forty_two()), 42);
  EXPECT_EQ(run_to_end(loop, failing()).error().code(), "gone");  // and the loop can run again
  EXPECT_EQ(Loop::current(), nullptr);
}

TEST(LoopTest, StopBeforeRunIsNotLost) {
  Loop loop;
  bool ran = false;
  loop.post_callable([&] { ran = true; });
  loop.stop();
  loop.run();
  EXPECT_TRUE(ran);
}

// Each work is posted again and again by its own thread once the loop has run it.
struct Counted : Work {
  std::atomic<bool> busy{false};
  std::atomic<long>* total = nullptr;
  long* unshared = nullptr;
};

TEST(LoopTest, PostsOfManyThreadsAllArriveOnTheLoop) {
  Loop loop;
  std::atomic<long> total{0};
  long unshared = 0;  // written by the loop's thread alone
  constexpr int kThreads = 4;
  constexpr int kPosts = 20'000;
  std::thread runner([&] { loop.run(); });
  std::vector<std::thread> posters;
  for (int i = 0; i < kThreads; ++i) {
    posters.emplace_back([&] {
      Counted work;
      work.total = &total;
      work.unshared = &unshared;
      work.run = [](Work* self) {
        auto* counted = static_cast<Counted*>(self);
        ++*counted->unshared;
        counted->total->fetch_add(1, std::memory_order_relaxed);
        counted->busy.store(false, std::memory_order_release);
        counted->busy.notify_one();
      };
      for (int k = 0; k < kPosts; ++k) {
        work.busy.store(true, std::memory_order_relaxed);
        loop.post(work);
        work.busy.wait(true, std::memory_order_acquire);
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  loop.stop();
  runner.join();
  EXPECT_EQ(total.load(), long{kThreads} * kPosts);
  EXPECT_EQ(unshared, long{kThreads} * kPosts);
  EXPECT_EQ(loop.stats().posted, std::uint64_t{kThreads} * kPosts);
}

TEST(LoopTest, PostsKeepTheirOrder) {
  Loop loop;
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) loop.post_callable([&order, i] { order.push_back(i); });
  loop.post_callable([&] { loop.stop(); });
  loop.run();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(LoopTest, CallRunsThereAndGivesTheValueBack) {
  LoopGroup loops(2);
  loops.start();
  EXPECT_EQ(loops.loop(1).call([] { return Loop::current(); }), &loops.loop(1));
  std::vector<Loop*> seen(2);
  loops.for_each([&](Loop& loop, std::size_t i) { seen[i] = &loop; });
  EXPECT_EQ(seen[0], &loops.loop(0));
  loops.stop();
  loops.join();
}

struct Hook : Work {
  std::string* log = nullptr;
  char mark = 0;
};

Async<void> writes_then_yields(std::string& log, Hook& hook) {
  log += 'a';
  Loop::current()->on_tick_end(hook);
  log += 'b';
  co_await ok(yield());
  log += 'c';
}

TEST(LoopTest, TickEndHooksRunOnceAfterTheTicksCoroutines) {
  Loop loop;
  std::string log;
  Hook hook;
  hook.log = &log;
  hook.run = [](Work* work) { *static_cast<Hook*>(work)->log += '|'; };
  ASSERT_TRUE(run_to_end(loop, writes_then_yields(log, hook)));
  EXPECT_EQ(log, "abc|");  // what was put off within the tick still belongs to it
}

struct SelfHook : Work {
  Loop* loop = nullptr;
  int left = 3;
  std::vector<std::uint64_t> ticks;
};

TEST(LoopTest, HookAddedByAHookRunsInTheNextTickWithoutSleeping) {
  Loop loop;
  SelfHook hook;
  hook.loop = &loop;
  hook.run = [](Work* work) {
    auto* self = static_cast<SelfHook*>(work);
    self->ticks.push_back(self->loop->tick());
    if (--self->left > 0)
      self->loop->on_tick_end(*self);
    else
      self->loop->stop();
  };
  loop.post_callable([&] { loop.on_tick_end(hook); });
  loop.run();
  ASSERT_EQ(hook.ticks.size(), 3u);
  EXPECT_EQ(hook.ticks[2], hook.ticks[0] + 2);
}

class Counter : public FdWatch {
 public:
  using FdWatch::FdWatch;
  void on_ready(bool readable, bool writable) override {
    reads += readable;
    writes += writable;
    if (reads == 3) loop().stop();
    if (writes == 2) static_cast<void>(want(true, false));
  }
  int reads = 0;
  int writes = 0;
};

TEST(FdWatchTest, ReportsWhatIsWantedUntilItIsDealtWith) {
  Loop loop;
  int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  {
    Counter watch(loop, fd);
    ASSERT_TRUE(watch.want(false, true));
    std::uint64_t one = 1;
    loop.post_callable([&] { ASSERT_EQ(::write(fd, &one, sizeof one), 8); });
    loop.run();  // never read: level-triggered, so it comes again
    EXPECT_EQ(watch.reads, 3);
    EXPECT_EQ(watch.writes, 2);
    ASSERT_TRUE(watch.want(false, false));
    ASSERT_TRUE(watch.want(true, false));
  }
  ::close(fd);
}

class SelfDestroying : public FdWatch {
 public:
  SelfDestroying(Loop& loop, int fd, std::vector<SelfDestroying*>& all) : FdWatch(loop, fd), all_(all) {}
  void on_ready(bool, bool) override {
    auto all = std::exchange(all_, {});
    for (SelfDestroying* watch : all) delete watch;  // also those whose events wait in the same batch
  }

 private:
  std::vector<SelfDestroying*>& all_;
};

TEST(FdWatchTest, OneHandlerMayDestroyWatchesThatAreDueInTheSameTick) {
  Loop loop;
  std::vector<SelfDestroying*> all;
  std::vector<int> fds;
  for (int i = 0; i < 8; ++i) {
    fds.push_back(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
    all.push_back(new SelfDestroying(loop, fds.back(), all));
    ASSERT_TRUE(all.back()->want(true, false));
  }
  loop.post_callable([&] { loop.post_callable([&] { loop.stop(); }); });
  loop.run();
  EXPECT_TRUE(all.empty());
  for (int fd : fds) ::close(fd);
}

void run_nested() {
  Loop outer;
  Loop inner;
  outer.post_callable([&] { inner.run(); });
  outer.run();
}

TEST(LoopDeathTest, ALoopInsideALoopAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_nested(), "inside a loop");
}

}  // namespace
}  // namespace bedplate
