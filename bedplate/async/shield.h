// SPDX-License-Identifier: Apache-2.0
// shielded(): runs a coroutine to its end, whatever becomes of the scope of whoever awaits it.
//
//   co_await shielded(tell_others());   // also when the request was cancelled before this, or is while it runs
//
// For what must follow something that cannot be taken back. Whoever awaits it waits until the end, so it bounds its own
// time. A failure is dropped.
#pragma once

#include <coroutine>
#include <tuple>
#include <utility>

#include "bedplate/async/async.h"

namespace bedplate {

/// What shielded() gives: await it.
class [[nodiscard]] ShieldOp : public Op {
 public:
  using Value = void;

  explicit ShieldOp(Async<void> coroutine) : coroutine_(std::move(coroutine)) {}
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    waiter = h;  // without wait(): the scope neither ends this nor keeps it from beginning
    run(std::move(coroutine_), *this).detach(nullptr);
    starting_ = false;
    return !ended_;
  }
  void await_resume() const {}

 private:
  static Async<void> run(Async<void> coroutine, ShieldOp& self) {
    std::ignore = co_await std::move(coroutine);
    self.ended_ = true;
    if (!self.starting_) self.resume();
  }

  Async<void> coroutine_;
  bool starting_ = true;
  bool ended_ = false;
};

inline ShieldOp shielded(Async<void> coroutine) {
  return ShieldOp(std::move(coroutine));
}

}  // namespace bedplate
