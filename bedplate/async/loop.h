// SPDX-License-Identifier: Apache-2.0
// Loop: one thread's event loop over edge-triggered epoll.
//
//   Loop loop;
//   Result<int> answer = run_to_end(loop, talk_to(address));   // a test, a command-line tool
//
//   LoopGroup loops(4);                                        // a server: loop_group.h
//   loops.start();
//
// One turn ("tick") of the loop: wait for events, handle them (each resumes the coroutine that waits for it),
// run what other threads posted, run due timers, resume operations that were put off, then the tick-end
// hooks. The loop sleeps only when all of that is empty.
//
// Costs that the rest relies on: an operation on a socket tries the system call first and allocates nothing;
// posting is lock-free and makes a system call only when the loop is asleep; re-arming a coarse timer is a
// store.
//
// Threads: post() and stop() may be called from any thread, everything else on the loop's own (the one in
// run()). Lifetime: whatever is registered (streams, watches, timers) is destroyed before its loop, and
// whoever posts knows that the loop still exists: stop worker pools and writers before loops.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <semaphore>
#include <type_traits>
#include <utility>

#include "bedplate/async/async.h"
#include "bedplate/async/timer_queue.h"
#include "bedplate/base/result.h"

namespace bedplate {

/// Something to run on a loop. It is linked in place, so it lives until it has run and is in one list at a
/// time; `run` may destroy or re-use it.
struct Work {
  Work* next = nullptr;
  void (*run)(Work*) = nullptr;
};

namespace detail {

/// Whatever epoll reports events for. Derive from it; `events` are epoll's flags.
struct Pollable {
  void (*on_events)(Pollable&, std::uint32_t events) = nullptr;
};

}  // namespace detail

/// What a loop has done so far. Counters only grow.
struct LoopStats {
  std::uint64_t ticks = 0;   ///< turns
  std::uint64_t events = 0;  ///< readiness events handled
  std::uint64_t posted = 0;  ///< works run that came through post()
};

class Loop {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Aborts with a sentence when the system gives no descriptors for it.
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// Turns until stop(). What was posted before stop() has run when it returns. May be called again.
  void run();
  /// Makes run() return after the turn at hand; called before run(), makes that return at once. Any thread.
  void stop();

  /// Runs `work` on this loop, in the order of posting. Any thread; lock-free; never runs it inline.
  void post(Work& work);
  /// The same for a callable, which is copied to the heap.
  template <class F>
  void post_callable(F f);
  /// Runs `f` on this loop and waits for it. From another thread than the loop's, while the loop runs.
  template <class F>
  auto call(F f) -> std::invoke_result_t<F&>;
  /// Starts a coroutine on this loop with nobody waiting for it (see Async::detach). Any thread.
  void spawn(Async<void> coroutine, Scope* scope = nullptr);

  /// Runs `work` once, at the end of this tick, after every coroutine that became ready in it had its turn.
  /// Made for what is shared by a tick: a read transaction that ends here, a pipeline that is flushed here.
  /// What a hook adds runs at the end of the next tick, which then does not sleep.
  void on_tick_end(Work& work);
  /// Resumes a finished operation later in this turn (or early in the next), from the loop's own stack. Use
  /// it where resuming at once would run a coroutine in the middle of someone else's work.
  void resume_later(Op& op);

  /// The loop that runs on this thread, or null.
  static Loop* current() { return current_; }
  /// Steady time as of this tick: cheap, up to about 10 ms behind (the kernel's coarse clock).
  TimePoint now() const { return now_; }
  /// A number that changes with every tick.
  std::uint64_t tick() const { return ticks_.load(std::memory_order_relaxed); }
  /// Any thread.
  LoopStats stats() const;

  // For the classes of this folder.
  bool add(detail::Pollable& pollable, int fd, std::uint32_t events);     ///< false: see errno
  bool modify(detail::Pollable& pollable, int fd, std::uint32_t events);  ///< false: see errno
  void remove(detail::Pollable& pollable, int fd);                        ///< keeps fd open
  /// No event of this tick reaches `pollable` any more. Before its descriptor is closed.
  void forget(detail::Pollable& pollable);
  /// The one whose event is being handled; null once that was forgotten.
  const detail::Pollable* dispatching() const { return dispatching_; }
  void arm_coarse(detail::WheelNode& node, TimePoint when);
  void disarm_coarse(detail::WheelNode& node) { wheel_.remove(node); }
  void arm_precise(detail::HeapNode& node, TimePoint when);
  void disarm_precise(detail::HeapNode& node) { heap_.remove(node); }

 private:
  struct Batch;
  struct Waker : detail::Pollable {};
  struct Alarm : detail::Pollable {
    bool rang = false;
  };

  void turn();
  bool may_sleep();
  void dispatch(Batch& batch);
  void run_posted();
  void run_resumed();
  void run_timers();
  void run_tick_end();
  void wake();
  void refresh_clock(bool precise);
  void ring_at(TimePoint when);

  static inline constinit thread_local Loop* current_ = nullptr;

  const int epoll_;
  const int event_fd_;
  const int timer_fd_;
  Waker waker_;
  Alarm alarm_;
  Batch* batch_ = nullptr;
  const detail::Pollable* dispatching_ = nullptr;

  TimePoint now_;
  TimePoint rings_at_ = TimePoint::max();  ///< what the alarm is set to
  detail::Wheel wheel_;
  detail::TimerHeap heap_;

  Op* resumed_head_ = nullptr;
  Op** resumed_tail_ = &resumed_head_;
  Work* tick_end_head_ = nullptr;
  Work** tick_end_tail_ = &tick_end_head_;

  std::atomic<std::uint64_t> ticks_{0};
  std::atomic<std::uint64_t> events_{0};
  std::atomic<std::uint64_t> posted_{0};

  // Written by other threads: away from what the loop writes all the time.
  alignas(64) std::atomic<Work*> inbox_{nullptr};
  std::atomic<int> wakers_{0};  ///< threads between "it must be woken" and having done so
  std::atomic<bool> stop_{false};
};

/// Readiness of a descriptor that someone else owns and reads (libpq's socket, a signalfd). Level-triggered:
/// reported again each tick until it is dealt with.
///
///   class PgWatch : public FdWatch { void on_ready(bool readable, bool writable) override; };
class FdWatch : private detail::Pollable {
 public:
  /// Nothing is watched before want().
  FdWatch(Loop& loop, int fd);
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  /// Before the descriptor is closed.
  virtual ~FdWatch();

  /// What to report from now on. A hang-up or an error of the descriptor is reported as both.
  Result<void> want(bool readable, bool writable);
  int fd() const { return fd_; }
  Loop& loop() const { return loop_; }

 protected:
  /// May destroy the watch.
  virtual void on_ready(bool readable, bool writable) = 0;

 private:
  Loop& loop_;
  const int fd_;
  std::uint32_t wanted_ = 0;
};

/// Runs the loop on this thread until `coroutine` has ended, and gives its result. For tests and tools; the
/// loop must not be running already.
template <class T>
Result<T> run_to_end(Loop& loop, Async<T> coroutine, Scope* scope = nullptr);

// ---- details

template <class F>
void Loop::post_callable(F f) {
  struct Boxed : Work {
    explicit Boxed(F&& function) : callable(std::move(function)) {}
    F callable;
  };
  auto* boxed = new Boxed(std::move(f));
  boxed->run = [](Work* work) {
    auto* self = static_cast<Boxed*>(work);
    self->callable();
    delete self;
  };
  post(*boxed);
}

template <class F>
auto Loop::call(F f) -> std::invoke_result_t<F&> {
  using R = std::invoke_result_t<F&>;
  struct Call : Work {
    explicit Call(F& function) : callable(function) {}
    F& callable;
    std::binary_semaphore done{0};
    std::optional<std::conditional_t<std::is_void_v<R>, bool, R>> result;
  };
  Call waiting(f);
  waiting.run = [](Work* work) {
    auto* self = static_cast<Call*>(work);
    if constexpr (std::is_void_v<R>)
      self->callable();
    else
      self->result.emplace(self->callable());
    self->done.release();
  };
  post(waiting);
  waiting.done.acquire();
  if constexpr (!std::is_void_v<R>) return std::move(*waiting.result);
}

namespace detail {
template <class T>
Async<void> run_and_stop(Loop& loop, Async<T> coroutine, std::optional<Result<T>>& result) {
  result.emplace(co_await std::move(coroutine));
  loop.stop();
}
}  // namespace detail

template <class T>
Result<T> run_to_end(Loop& loop, Async<T> coroutine, Scope* scope) {
  std::optional<Result<T>> result;
  loop.spawn(detail::run_and_stop(loop, std::move(coroutine), result), scope);
  loop.run();
  return std::move(*result);
}

}  // namespace bedplate
