// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/background.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <semaphore>
#include <tuple>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/async/loop_group.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"
#include "bedplate/base/random.h"
#include "bedplate/telemetry/health.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::app {
namespace {

using std::chrono::milliseconds;
using telemetry::CheckResult;
using telemetry::HealthStatus;

Async<void> pause_for(milliseconds time) {
  co_await ok(sleep_for(time));
}

/// Twice as long each time, and at random between that and its half. `endings` is 1 or more.
milliseconds pause_after(int endings, const BackgroundTasks::Timing& timing) {
  milliseconds pause = timing.pause_min;
  for (int i = 1; i < endings && pause < timing.pause_max; ++i) pause *= 2;
  pause = std::min(pause, timing.pause_max);
  const auto half = static_cast<std::uint64_t>(pause.count()) / 2;
  return pause - milliseconds(random_u64() % (half + 1));
}

}  // namespace

BackgroundTasks::Timing::Timing() : pause(&pause_for), now(&std::chrono::steady_clock::now) {}

class BackgroundTasks::Task final : public telemetry::HealthCheck {
 public:
  Task(std::string_view task_name, Body task_body, telemetry::Counter counter)
      : name(task_name), body(std::move(task_body)), restarts(counter) {}

  void waits(std::string_view code, milliseconds pause) {
    const std::lock_guard lock(mutex_);
    waiting_ = fmt::format("It has ended ({}) and is started again after {} ms.", code, pause.count());
  }
  void runs() {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
  }
  Async<CheckResult> run() override {
    const std::lock_guard lock(mutex_);
    co_return waiting_.empty() ? CheckResult(HealthStatus::pass, "It runs.")
                               : CheckResult(HealthStatus::warn, waiting_);
  }

  const std::string name;
  const Body body;
  const telemetry::Counter restarts;
  Scope scope;
  Loop* loop = nullptr;  ///< that it runs on
  std::binary_semaphore ended{0};

 private:
  std::mutex mutex_;
  std::string waiting_;  ///< what there is to say while it does not run
};

BackgroundTasks::BackgroundTasks(telemetry::Registry& metrics, Timing timing)
    : metrics_(metrics), timing_(std::move(timing)) {}
BackgroundTasks::~BackgroundTasks() {
  stop();
}

void BackgroundTasks::add(std::string_view name, Body body) {
  telemetry::Counter restarts =
      metrics_.counter("bedplate_background_restarts_total",
                       "Background tasks that ended and were started again.", {{"task", std::string(name)}});
  tasks_.push_back(std::make_unique<Task>(name, std::move(body), restarts));
}

void BackgroundTasks::report_to(telemetry::Health& health) {
  for (auto& task : tasks_) health.add("background task " + task->name, *task, HealthStatus::warn);
}

Async<void> BackgroundTasks::supervise(Task& task) {
  for (int endings = 0;;) {
    const auto started = timing_.now();
    Result<void> done = co_await task.body();
    if (task.scope.cancelled()) break;
    if (timing_.now() - started >= timing_.settled_after) endings = 0;
    const milliseconds pause = pause_after(++endings, timing_);
    const std::string code = done ? "none" : std::string(done.error().code());
    log_error("a background task has ended and is started again",
              {{"task", task.name}, {"code", code}, {"after_ms", pause.count()}});
    task.waits(code, pause);
    std::ignore = co_await timing_.pause(pause);
    if (task.scope.cancelled()) break;
    task.restarts.add();
    task.runs();
  }
  task.ended.release();
}

void BackgroundTasks::start(LoopGroup& group) {
  group_ = &group;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    Task& task = *tasks_[i];
    task.loop = &group.loop(i % group.size());
    task.loop->spawn(supervise(task), &task.scope);
  }
}

void BackgroundTasks::stop() {
  if (!std::exchange(group_, nullptr)) return;
  for (auto& task : tasks_) task->loop->call([&task] { task->scope.cancel(Category::cancelled); });
  for (auto& task : tasks_) task->ended.acquire();
}

}  // namespace bedplate::app
