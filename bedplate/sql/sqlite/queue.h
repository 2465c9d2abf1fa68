// SPDX-License-Identifier: Apache-2.0
// The way from a loop to one of the driver's threads and back. Private header of the driver.
#pragma once

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/async/loop.h"
#include "bedplate/base/result.h"

namespace bedplate::sql {

class SqliteQueue;

/// Something that a coroutine on a loop awaits and that a thread of the driver does. It lives in the
/// coroutine's frame. Cancelling the coroutine's scope takes it back while it is queued; once a thread has
/// it, it is done to its end (a read polls the scope and ends early).
class SqliteJob : public Op, public Work {
 public:
  using Value = void;

  explicit SqliteJob(SqliteQueue& queue);
  SqliteJob(const SqliteJob&) = delete;
  SqliteJob& operator=(const SqliteJob&) = delete;

  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    return wait(h) && submit();
  }
  [[nodiscard]] Result<void> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }

  /// On the thread that did it: sends it home. Nothing of it may be touched afterwards.
  void answer() { loop_->post(*this); }
  /// Of the scope that it was started in, as of then.
  Scope::TimePoint deadline() const { return deadline_; }

 private:
  friend class SqliteQueue;
  bool submit();
  static void cancel(Op& op);

  SqliteQueue& queue_;
  Loop* loop_ = nullptr;
  Scope::TimePoint deadline_ = Scope::TimePoint::max();
  SqliteJob* before_ = nullptr;
  SqliteJob* after_ = nullptr;
  bool queued_ = false;  ///< under the queue's lock
};

/// A bounded queue, first in first out. Thread-safe.
class SqliteQueue {
 public:
  explicit SqliteQueue(std::size_t size_max) : size_max_(size_max) {}

  /// Appends a job, or says why not: it is full, or closed.
  std::optional<Error> push(SqliteJob& job);
  /// Takes a job out again. False: a thread has it.
  bool remove(SqliteJob& job);
  /// Moves up to `count_max` jobs to the end of `out`; does not wait.
  void take(std::vector<SqliteJob*>& out, std::size_t count_max);
  /// The same, and waits until there is one. False: closed, and empty.
  bool wait_and_take(std::vector<SqliteJob*>& out, std::size_t count_max);
  /// Takes no more jobs; the waiting ones are still handed out.
  void close();

  std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  std::uint64_t rejected() const { return rejected_.load(std::memory_order_relaxed); }

 private:
  void unlink(SqliteJob& job);
  void take_locked(std::vector<SqliteJob*>& out, std::size_t count_max);

  const std::size_t size_max_;
  std::atomic<std::size_t> size_{0};
  std::atomic<std::uint64_t> rejected_{0};
  std::mutex mutex_;
  std::condition_variable filled_;
  SqliteJob* first_ = nullptr;
  SqliteJob* last_ = nullptr;
  int sleepers_ = 0;
  bool closed_ = false;
};

}  // namespace bedplate::sql
