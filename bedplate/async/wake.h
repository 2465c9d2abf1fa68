// SPDX-License-Identifier: Apache-2.0
// Wake: lets one coroutine sleep until there is something to do, or until it is time to look anyway.
//
//   Wake wake;
//   for (;;) {
//     co_await ok(wake.wait_for(500ms));   // true: woken
//     co_await ok(look_for_work());
//   }
//   wake.set();                            // any thread
//
// A set() that comes while nobody waits ends the next wait at once; several count as one.
#pragma once

#include <chrono>
#include <mutex>
#include <utility>

#include "bedplate/async/async.h"
#include "bedplate/async/loop.h"
#include "bedplate/async/timer_queue.h"

namespace bedplate {

class Wake;

/// What Wake::wait_for() gives: await it.
class [[nodiscard]] WakeOp : public Op, private Work, private detail::HeapNode {
 public:
  using Value = bool;

  WakeOp(Wake& wake, std::chrono::nanoseconds longest) : wake_(wake), longest_(longest) {}
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    if (start()) return true;
    forget();
    return false;
  }
  [[nodiscard]] Result<bool> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return woken_;
  }

 private:
  friend class Wake;
  inline bool start();
  inline bool leave();  ///< false: set() was faster, and the end is on its way
  static inline void timed_out(detail::HeapNode& timer);
  static inline void cancelled(Op& op);

  Wake& wake_;
  std::chrono::nanoseconds longest_;
  Loop* loop_ = nullptr;
  bool woken_ = false;
};

/// set() from any thread; one waiter at a time. The waiter's loop outlives it.
class Wake {
 public:
  Wake() = default;
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  void set() {
    std::lock_guard lock(mutex_);
    set_ = true;
    if (WakeOp* op = std::exchange(waiter_, nullptr)) op->loop_->post(*op);
  }
  /// True: set() was called. On a loop.
  WakeOp wait_for(std::chrono::nanoseconds longest) { return WakeOp(*this, longest); }

 private:
  friend class WakeOp;
  std::mutex mutex_;
  bool set_ = false;
  WakeOp* waiter_ = nullptr;
};

// ---- details

bool WakeOp::start() {
  std::lock_guard lock(wake_.mutex_);
  woken_ = std::exchange(wake_.set_, false);
  if (woken_) return false;
  loop_ = Loop::current();
  on_cancel = &WakeOp::cancelled;
  fire = &WakeOp::timed_out;
  Work::run = [](Work* work) {
    auto& self = static_cast<WakeOp&>(*work);
    self.loop_->disarm_precise(self);
    self.woken_ = true;
    {
      std::lock_guard inner(self.wake_.mutex_);
      self.wake_.set_ = false;
    }
    self.resume();
  };
  loop_->arm_precise(*this, std::chrono::steady_clock::now() + longest_);
  wake_.waiter_ = this;
  return true;
}

bool WakeOp::leave() {
  std::lock_guard lock(wake_.mutex_);
  return std::exchange(wake_.waiter_, nullptr) == this;
}

void WakeOp::timed_out(detail::HeapNode& timer) {
  auto& self = static_cast<WakeOp&>(timer);
  if (self.leave()) self.loop_->resume_later(self);
}

void WakeOp::cancelled(Op& op) {
  auto& self = static_cast<WakeOp&>(op);
  if (!self.leave()) return;
  self.loop_->disarm_precise(self);
  self.error.emplace(self.scope->error());
  self.loop_->resume_later(self);
}

}  // namespace bedplate
