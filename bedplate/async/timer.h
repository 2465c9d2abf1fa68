// SPDX-License-Identifier: Apache-2.0
// Timers on a loop.
//
//   co_await ok(sleep_for(50ms));   // to about a millisecond; ends early when the scope is cancelled
//
//   Deadline deadline(loop, scope); // one a connection, re-used for each of its requests
//   deadline.start(30s);            // cancels the scope with Category::timeout unless stopped
//   deadline.stop();
//
//   class Pruner : CoarseTimer { ... };        // something to do about every minute
//
// Coarse timers cost a store to arm and to disarm, and fire up to 200 ms late, never early. Precise ones cost
// a heap operation and perhaps a system call, and fire within about a millisecond of an idle loop. Both only
// fire between the events of their loop: a loop that is kept busy is late.
#pragma once

#include <chrono>

#include "bedplate/async/async.h"
#include "bedplate/async/loop.h"
#include "bedplate/async/timer_queue.h"

namespace bedplate {

/// A time-out that is armed all the time and hardly ever fires. Derive from it to find your object in the
/// callback (static_cast), which may destroy the timer. Fires once for each arming.
class CoarseTimer : private detail::WheelNode {
 public:
  using Callback = void (*)(CoarseTimer&);

  CoarseTimer(Loop& loop, Callback callback) : loop_(loop), callback_(callback) {
    fire = [](detail::WheelNode& node) {
      auto& self = static_cast<CoarseTimer&>(node);
      self.callback_(self);
    };
  }
  CoarseTimer(const CoarseTimer&) = delete;
  CoarseTimer& operator=(const CoarseTimer&) = delete;
  ~CoarseTimer() { loop_.disarm_coarse(*this); }

  /// Fires between `after` and `after` + 200 ms from now, instead of what was armed before.
  void arm(std::chrono::milliseconds after) { arm(loop_.now() + after); }
  void arm(Loop::TimePoint when) { loop_.arm_coarse(*this, when); }
  void disarm() { deadline = kNever; }
  bool armed() const { return deadline != kNever; }
  Loop& loop() const { return loop_; }

 private:
  Loop& loop_;
  Callback callback_;
};

/// A timer with about a millisecond of error. Derive from it as from CoarseTimer.
class PreciseTimer : private detail::HeapNode {
 public:
  using Callback = void (*)(PreciseTimer&);
  using TimePoint = Loop::TimePoint;

  PreciseTimer(Loop& loop, Callback callback) : loop_(loop), callback_(callback) {
    fire = [](detail::HeapNode& node) {
      auto& self = static_cast<PreciseTimer&>(node);
      self.callback_(self);
    };
  }
  PreciseTimer(const PreciseTimer&) = delete;
  PreciseTimer& operator=(const PreciseTimer&) = delete;
  ~PreciseTimer() { disarm(); }

  void arm(TimePoint at) { loop_.arm_precise(*this, at); }
  void arm(std::chrono::nanoseconds after) { arm(std::chrono::steady_clock::now() + after); }
  void disarm() { loop_.disarm_precise(*this); }
  bool armed() const { return index != kNone; }

 private:
  Loop& loop_;
  Callback callback_;
};

/// Cancels a scope with Category::timeout when its time is over.
class Deadline : private CoarseTimer {
 public:
  Deadline(Loop& loop, Scope& scope) : CoarseTimer(loop, &Deadline::passed), scope_(scope) {}

  /// Also sets the scope's deadline, for what polls it.
  void start(std::chrono::milliseconds after) {
    const Loop::TimePoint when = loop().now() + after;
    scope_.set_deadline(when);
    arm(when);
  }
  void stop() {
    scope_.set_deadline(Scope::TimePoint::max());
    disarm();
  }

 private:
  static void passed(CoarseTimer& timer) { static_cast<Deadline&>(timer).scope_.cancel(Category::timeout); }

  Scope& scope_;
};

/// What sleep_until() and sleep_for() give: await it.
class [[nodiscard]] SleepOp : public Op, private detail::HeapNode {
 public:
  using Value = void;

  explicit SleepOp(Loop::TimePoint until) : until_(until) {}
  bool await_ready() const { return until_ == Loop::TimePoint::min(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    start();
    return true;
  }
  [[nodiscard]] Result<void> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }

 private:
  void start();

  Loop::TimePoint until_;
  Loop* loop_ = nullptr;
};

/// Waits on the current loop. Fails only when the scope is cancelled.
inline SleepOp sleep_until(Loop::TimePoint when) {
  return SleepOp(when);
}
/// Nothing to wait for (zero or less): goes on at once; use yield() to let others run.
inline SleepOp sleep_for(std::chrono::nanoseconds duration) {
  if (duration.count() <= 0) return SleepOp(Loop::TimePoint::min());
  return SleepOp(std::chrono::steady_clock::now() + duration);
}

/// What yield() gives: await it.
class [[nodiscard]] YieldOp : public Op {
 public:
  using Value = void;

  YieldOp() = default;
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    Loop::current()->resume_later(*this);
    return true;
  }
  [[nodiscard]] Result<void> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }
};

/// Lets everything else that is ready run first. For long work on a loop.
inline YieldOp yield() {
  return {};
}

}  // namespace bedplate
