// SPDX-License-Identifier: Apache-2.0
// FanOut: several coroutines at once on one loop, and one that waits for all of them. For ShardedDatabase.
//
//   class Asking final : public FanOutWork { Async<void> run(std::size_t index) override; ... };
//   co_await ok(FanOut(asking, 100, 16));      // run(0) ... run(99), 16 at a time
//
// The first failure ends it: what runs is cancelled, what has not begun does not begin, and that error is the answer.
// The same when the scope of the waiting coroutine is cancelled, with its error; its deadline is that of all. Either
// way everything that was begun has ended when the answer is there.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "bedplate/async/async.h"
#include "bedplate/async/cancel.h"

namespace bedplate::sharding {

class FanOutWork {
 public:
  virtual Async<void> run(std::size_t index) = 0;

 protected:
  ~FanOutWork() = default;
};

class [[nodiscard]] FanOut : public Op {
 public:
  using Value = void;

  /// `work` outlives it; `at_once_max` is at least 1.
  FanOut(FanOutWork& work, std::size_t count, std::size_t at_once_max)
      : work_(work), count_(count), workers_(std::min(count, at_once_max)) {}

  bool await_ready() const { return count_ == 0; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    return wait(h) && start();
  }
  [[nodiscard]] Result<void> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }

 private:
  bool start();
  static Async<void> work_off(FanOut& self, Scope& own);
  void cancel(Category reason, const Scope* but);
  void worker_ended();

  FanOutWork& work_;
  const std::size_t count_;
  const std::size_t workers_;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
  bool starting_ = false;
  std::unique_ptr<Scope[]> scopes_;  ///< a worker's each
  std::optional<Error> failure_;
};

}  // namespace bedplate::sharding
