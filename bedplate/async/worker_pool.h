// SPDX-License-Identifier: Apache-2.0
// WorkerPool: a few threads for what would hold up a loop: hashing a password, a long query, a file.
//
//   WorkerPool pool(2, 64);
//   std::string hash = co_await ok(pool.run([&] { return hash_password(password); }));
//
// The callable is a plain one (never a coroutine). It may capture by reference: the awaiting coroutine does
// not go on before the callable is done or was never begun. It may return a value, nothing, or a Result,
// which is passed on. One that owns something (captures a string by value) is named first and passed by name,
// since GCC 12 destroys such temporaries twice; the compiler says so.
//
// The queue is bounded: when it is full, run() fails at once with Category::unavailable `busy` (retry after a
// second). Cancelling the scope takes the callable out of the queue; one that has begun runs to its end (it
// can poll the scope).
#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/async/loop.h"
#include "bedplate/base/result.h"

namespace bedplate {

class WorkerPool;

namespace detail {

template <class R>
struct PoolValue {
  using Type = R;
};
template <class T>
struct PoolValue<Result<T>> {
  using Type = T;
};

/// What waits in a pool's queue or runs on a worker; in the awaiting coroutine's frame.
struct PoolJob : Op, Work {
  enum class State : std::uint8_t { idle, queued, running };

  PoolJob(WorkerPool& in, void (*function)(PoolJob&)) : pool(&in), execute(function) {}

  WorkerPool* pool;
  void (*execute)(PoolJob&);  ///< on a worker; must not throw
  Loop* loop = nullptr;
  PoolJob* before = nullptr;  ///< neighbours in the queue
  PoolJob* after = nullptr;
  State state = State::idle;  ///< under the pool's lock
};

}  // namespace detail

struct WorkerPoolStats {
  std::size_t threads = 0;
  std::size_t queued = 0;       ///< wait now
  std::size_t busy = 0;         ///< run now
  std::uint64_t completed = 0;  ///< have run
  std::uint64_t refused = 0;    ///< found the queue full
};

/// What WorkerPool::run() gives: await it.
template <class F>
class [[nodiscard]] PoolRunOp : public detail::PoolJob {
 public:
  using Value = typename detail::PoolValue<std::invoke_result_t<F&>>::Type;

  PoolRunOp(WorkerPool& in, F&& callable)
      : PoolJob(in, &PoolRunOp::call), callable_(std::forward<F>(callable)) {}
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h);
  [[nodiscard]] Result<Value> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    if constexpr (std::is_void_v<Value>)
      return {};
    else
      return std::move(*value_);
  }

 private:
  static void call(detail::PoolJob& job);

  F callable_;  ///< a reference to a named one
  std::optional<std::conditional_t<std::is_void_v<Value>, bool, Value>> value_;
};

class WorkerPool {
 public:
  /// `name` shows in the system's thread lists (15 characters).
  WorkerPool(std::size_t threads, std::size_t queue_max, std::string name = "worker");
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  /// stop(), while the loops that wait for it still exist.
  ~WorkerPool();

  /// Runs `callable` on a worker and resumes on the calling loop with its result. On a loop only. A named
  /// callable is run where it is, and lives until then. An exception that it throws is a bug: it is logged
  /// and becomes Category::internal.
  template <class F>
  PoolRunOp<F> run(F&& callable) {
    static_assert(
        std::is_lvalue_reference_v<F> || std::is_trivially_destructible_v<F>,
        "WorkerPool::run(): this callable owns something that it captured. Name it and pass it by name "
        "(auto job = [...] {...}; co_await ok(pool.run(job));), or capture by reference");
    return PoolRunOp<F>(*this, std::forward<F>(callable));
  }

  /// Takes no more work (it fails with Category::unavailable `shutting_down`), fails what is queued likewise,
  /// waits for what runs, and joins the threads. Any thread but a worker; idempotent.
  void stop();

  WorkerPoolStats stats() const;

 private:
  template <class F>
  friend class PoolRunOp;

  bool enqueue(detail::PoolJob& job);  ///< false: refused, `error` set
  static void on_cancel(Op& op);
  void unlink(detail::PoolJob& job);
  void work();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  detail::PoolJob* first_ = nullptr;
  detail::PoolJob* last_ = nullptr;
  std::size_t queued_ = 0;
  std::size_t busy_ = 0;
  std::size_t idle_;  ///< threads that do not run a job, asleep or about to look
  std::uint64_t completed_ = 0;
  std::uint64_t refused_ = 0;
  bool stopping_ = false;
  const std::size_t queue_max_;
  const std::string name_;
  std::vector<std::thread> threads_;
};

// ---- details

template <class F>
template <class P>
bool PoolRunOp<F>::await_suspend(std::coroutine_handle<P> h) {
  static_assert(
      !requires { typename std::invoke_result_t<F&>::promise_type; },
      "WorkerPool::run() takes a plain callable: a coroutine would go on running on the worker's thread");
  if (!wait(h)) return false;
  if (pool->enqueue(*this)) return true;
  forget();
  return false;
}

template <class F>
void PoolRunOp<F>::call(detail::PoolJob& job) {
  auto& self = static_cast<PoolRunOp&>(job);
  try {
    if constexpr (std::is_same_v<std::invoke_result_t<F&>, Result<Value>>) {
      Result<Value> result = self.callable_();
      if (!result)
        self.error.emplace(std::move(result.error()));
      else if constexpr (!std::is_void_v<Value>)
        self.value_.emplace(std::move(*result));
    } else if constexpr (std::is_void_v<Value>) {
      self.callable_();
    } else {
      self.value_.emplace(self.callable_());
    }
  } catch (...) {
    self.error.emplace(detail::error_of_current_exception());
  }
}

}  // namespace bedplate
