// Cancellation and deadlines: one Scope for one request (or one background task), carried by every coroutine that
// runs for it.
//
//   Scope scope;
//   scope.set_deadline(std::chrono::steady_clock::now() + 30s);
//   serve(request).detach(&scope);
//   scope.cancel(Category::cancelled);   // the operation that is waiting now ends with that error
//
// Cancelling is asked for on the thread that runs the coroutines; whether it was asked for can be seen from any
// (a worker that runs a statement for this request polls it).
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <utility>

#include "bedplate/base/result.h"

namespace bedplate {

class Scope;

/// A leaf operation that waits: it sits in the awaiting coroutine's frame. It resumes its coroutine exactly once,
/// on the thread that started it.
struct Op {
  std::coroutine_handle<> waiter{};
  Scope* scope = nullptr;
  /// Ends the wait now: forgets the registration, keeps the error in the operation and resumes it. Null: cannot be
  /// ended early (the wait is short, or its end is certain).
  void (*on_cancel)(Op&) = nullptr;

  template <class Promise>
  void wait(std::coroutine_handle<Promise> coroutine);
  void resume();
  /// Ends the wait without resuming: its coroutine ends another way.
  void forget();
};

class Scope {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Scope() = default;
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// Ends what is waiting with `reason` (cancelled or timeout) and makes every later wait end at once. Idempotent.
  /// On the coroutines' own thread only.
  void cancel(Category reason);
  bool cancelled() const { return reason_.load(std::memory_order_relaxed) != kNone; }
  /// The error of a cancelled scope.
  Error error() const;

  /// Work that polls (SQLite's progress handler, a worker) stops when this has passed. TimePoint::max(): none.
  void set_deadline(TimePoint deadline) { deadline_ = deadline; }
  TimePoint deadline() const { return deadline_; }

  /// Ready for the next request. Nothing may be waiting.
  void reset() {
    reason_.store(kNone, std::memory_order_relaxed);
    deadline_ = TimePoint::max();
  }

 private:
  friend struct Op;
  static constexpr int kNone = -1;
  std::atomic<int> reason_{kNone};
  TimePoint deadline_ = TimePoint::max();
  Op* waiting_ = nullptr;
};

template <class Promise>
void Op::wait(std::coroutine_handle<Promise> coroutine) {
  waiter = coroutine;
  scope = coroutine.promise().scope;
  if (scope) scope->waiting_ = this;
}

inline void Op::resume() {
  if (scope) scope->waiting_ = nullptr;
  waiter.resume();
}

inline void Op::forget() {
  if (scope) scope->waiting_ = nullptr;
}

inline void Scope::cancel(Category reason) {
  int none = kNone;
  if (!reason_.compare_exchange_strong(none, static_cast<int>(reason), std::memory_order_relaxed)) return;
  if (Op* op = waiting_; op && op->on_cancel) {
    waiting_ = nullptr;
    op->on_cancel(*op);
  }
}

}  // namespace bedplate
