// SPDX-License-Identifier: Apache-2.0
// Coroutines that run for as long as an application serves: polling, purging, rotating keys. They run on loops of their
// own (server.worker_threads), so that what they compute delays no request.
//
// They are supervised. One that ends, with an error or without, is started again: after 1 s, then after twice as long
// each time, up to a minute, less up to half of it at random, so that a fleet does not do it in step. Once it has run
// for a minute the count begins anew. Each start again is logged and counts in bedplate_background_restarts_total;
// /healthz has a check for each task, which warns while the task waits to be started.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"

namespace bedplate {
class LoopGroup;
namespace telemetry {
class Health;
class Registry;
}  // namespace telemetry
}  // namespace bedplate

namespace bedplate::app {

class BackgroundTasks {
 public:
  /// Makes the coroutine, anew for each start; called on the loop. A capturing lambda may call a coroutine, but not be
  /// one.
  using Body = std::function<Async<void>()>;

  /// How long tasks wait, and what waits; tests have a clock of their own.
  struct Timing {
    Timing();
    std::chrono::milliseconds pause_min{1'000};
    std::chrono::milliseconds pause_max{60'000};
    std::chrono::milliseconds settled_after{
        60'000};  ///< having run so long, a task begins with pause_min again
    std::function<Async<void>(std::chrono::milliseconds)> pause;
    std::function<std::chrono::steady_clock::time_point()> now;
  };

  /// `metrics` outlives it.
  explicit BackgroundTasks(telemetry::Registry& metrics, Timing timing = Timing());
  BackgroundTasks(const BackgroundTasks&) = delete;
  BackgroundTasks& operator=(const BackgroundTasks&) = delete;
  /// stop().
  ~BackgroundTasks();

  /// Before start(). Names are unique.
  void add(std::string_view name, Body body);
  /// Adds a check for each task. It outlives the reports of `health`.
  void report_to(telemetry::Health& health);
  /// Starts them on the loops of `group`, in turn; it runs.
  void start(LoopGroup& group);
  /// Cancels their scopes and waits until each has ended. Not from one of the loops' threads; they run. Idempotent.
  void stop();

 private:
  class Task;
  Async<void> supervise(Task& task);

  telemetry::Registry& metrics_;
  const Timing timing_;
  std::vector<std::unique_ptr<Task>> tasks_;
  LoopGroup* group_ = nullptr;
};

}  // namespace bedplate::app
