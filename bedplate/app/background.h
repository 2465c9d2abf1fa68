// SPDX-License-Identifier: Apache-2.0
// Coroutines that run beside the requests for as long as an application serves: polling, purging, rotating keys.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"

namespace bedplate {
class Loop;
}

namespace bedplate::app {

class BackgroundTasks {
 public:
  /// Makes the coroutine; called on the loop. A capturing lambda may call a coroutine, but not be one.
  using Body = std::function<Async<void>()>;

  BackgroundTasks();
  BackgroundTasks(const BackgroundTasks&) = delete;
  BackgroundTasks& operator=(const BackgroundTasks&) = delete;
  /// stop().
  ~BackgroundTasks();

  /// Before start(). The coroutine goes on until its scope is cancelled; that it ends by itself is logged.
  void add(std::string_view name, Body body);
  /// Starts all of them on `loop`, which runs.
  void start(Loop& loop);
  /// Cancels their scopes and waits until each has ended. Not from the loop's thread; the loop runs. Idempotent.
  void stop();

 private:
  struct Task;
  static Async<void> run(Task& task);

  std::vector<std::unique_ptr<Task>> tasks_;
  Loop* loop_ = nullptr;
};

}  // namespace bedplate::app
