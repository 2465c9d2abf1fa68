// SPDX-License-Identifier: Apache-2.0
// For tests that talk to a real Redis: loops that run, and a way to wait for a coroutine from the test's own thread.
#pragma once

#include <optional>
#include <semaphore>
#include <utility>

#include "bedplate/async/async.h"
#include "bedplate/async/loop_group.h"
#include "bedplate/redis/client.h"

namespace bedplate::redis {

class RunningLoops {
 public:
  explicit RunningLoops(std::size_t count = 1) : loops_(count) { loops_.start(); }

  Loop& loop(std::size_t index = 0) { return loops_.loop(index); }
  LoopGroup& group() { return loops_; }

  template <class T>
  Result<T> wait_for(Async<T> coroutine, std::size_t index = 0) {
    std::optional<Result<T>> result;
    std::binary_semaphore done{0};
    loop(index).spawn(finish(std::move(coroutine), result, done));
    done.acquire();
    return std::move(*result);
  }

 private:
  template <class T>
  static Async<void> finish(Async<T> coroutine, std::optional<Result<T>>& result,
                            std::binary_semaphore& done) {
    result.emplace(co_await std::move(coroutine));
    done.release();
  }

  LoopGroup loops_;
};

/// What a call gave, as text: its text, its number, "nil", or the error's code.
inline std::string shown(const Result<Reply>& reply) {
  if (!reply) return reply.error().code();
  if (reply->kind == Reply::Kind::integer) return std::to_string(reply->integer);
  return reply->is_null() ? "nil" : reply->text;
}

}  // namespace bedplate::redis
