// SPDX-License-Identifier: Apache-2.0
// Cancellation and deadlines: one Scope for one request (or one background task), carried by every coroutine
// that runs for it.
//
//   Scope scope;
//   scope.set_deadline(std::chrono::steady_clock::now() + 30s);
//   serve(request).detach(&scope);
//   scope.cancel(Category::cancelled);   // the operation that is waiting now ends with that error
//
// Cancelling is asked for on the thread that runs the coroutines; whether it was asked for can be seen from
// any (a worker that runs a statement for this request polls it). A scope follows one chain of coroutines:
// two that wait at the same time have a scope each, as children of the same scope (gather.h does that).
//
// How to write an operation that waits (a leaf): derive from Op, give it a constructor (GCC 12 destroys
// aggregate temporaries of a co_await twice), a type `Value`, and
//
//   bool await_ready();                                   // try now; true: done, or failed with `error` set
//   bool await_suspend(std::coroutine_handle<P> h) {      // false: it ended at once after all
//     return wait(h) && start();                          // wait(): false when the scope is cancelled
//   }
//   [[nodiscard]] Result<Value> await_resume();           // `error`, or the value
//
// It may then be awaited as it is (giving a Result) or through ok() (giving the value, or ending the caller).
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <optional>
#include <utility>

#include "bedplate/base/result.h"

namespace bedplate {

class Scope;
namespace detail {
struct PromiseBase;
}

/// A leaf operation that waits: it sits in the awaiting coroutine's frame. It resumes its coroutine exactly
/// once, on the thread that started it. It may be moved until it is awaited.
struct Op {
  std::coroutine_handle<> waiter{};
  Scope* scope = nullptr;
  /// Ends the wait: forgets the registration, sets `error` and resumes, at once or (better, see
  /// Loop::resume_later()) later in this turn of the loop. Null: cannot be ended early (the wait is short, or
  /// its end is certain).
  void (*on_cancel)(Op&) = nullptr;
  detail::PromiseBase* ends_on_error = nullptr;  ///< the caller that an error ends, when awaited through ok()
  Op* next = nullptr;                            ///< in the loop's list of operations to resume
  std::optional<Error> error;                    ///< set before resume() when the operation failed

  /// Called first thing in await_suspend. False: the scope is cancelled, `error` says so, do not suspend.
  template <class Promise>
  bool wait(std::coroutine_handle<Promise> coroutine);
  /// The wait is over. Nothing of this operation may be touched afterwards.
  void resume();
  /// Takes wait() back without resuming: the operation need not suspend after all, or its coroutine ends
  /// another way.
  void forget();
};

class Scope {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Scope() = default;
  /// A child of `parent`, which outlives it (null: of none): cancelled when the parent is, with its deadline as of now.
  explicit Scope(Scope* parent);
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() {
    if (parent_) leave();
  }

  /// Ends what is waiting with `reason` (cancelled or timeout) and makes every later wait end at once; the same for all
  /// children. Idempotent. On the coroutines' own thread only.
  void cancel(Category reason);
  bool cancelled() const { return reason_.load(std::memory_order_relaxed) != kNone; }
  /// The error of a cancelled scope.
  Error error() const;

  /// Work that polls (SQLite's progress handler, a worker) stops when this has passed. TimePoint::max():
  /// none. It does not end waits by itself: see Deadline in timer.h.
  void set_deadline(TimePoint deadline) { deadline_ = deadline; }
  TimePoint deadline() const { return deadline_; }

  /// Ready for the next request. Nothing may be waiting.
  void reset() {
    reason_.store(kNone, std::memory_order_relaxed);
    deadline_ = TimePoint::max();
  }

 private:
  friend struct Op;
  void leave();
  static constexpr int kNone = -1;
  std::atomic<int> reason_{kNone};
  TimePoint deadline_ = TimePoint::max();
  Op* waiting_ = nullptr;
  Scope* parent_ = nullptr;
  Scope* children_ = nullptr;  ///< the youngest
  Scope* older_ = nullptr;     ///< its siblings
  Scope* younger_ = nullptr;
};

inline void Op::forget() {
  if (scope) scope->waiting_ = nullptr;
}

template <class Promise>
bool Op::wait(std::coroutine_handle<Promise> coroutine) {
  waiter = coroutine;
  scope = coroutine.promise().scope;
  if (!scope) return true;
  if (scope->cancelled()) {
    error.emplace(scope->error());
    scope = nullptr;
    return false;
  }
  scope->waiting_ = this;
  return true;
}

}  // namespace bedplate
