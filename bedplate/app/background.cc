// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/background.h"

#include <semaphore>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/base/log.h"

namespace bedplate::app {

struct BackgroundTasks::Task {
  std::string name;
  Body body;
  Scope scope;
  std::binary_semaphore ended{0};
};

BackgroundTasks::BackgroundTasks() = default;
BackgroundTasks::~BackgroundTasks() {
  stop();
}

void BackgroundTasks::add(std::string_view name, Body body) {
  auto task = std::make_unique<Task>();
  task->name = name;
  task->body = std::move(body);
  tasks_.push_back(std::move(task));
}

Async<void> BackgroundTasks::run(Task& task) {
  Result<void> done = co_await task.body();
  if (!task.scope.cancelled())
    log_error("a background task has ended",
              {{"task", task.name}, {"code", done ? "none" : done.error().code()}});
  task.ended.release();
}

void BackgroundTasks::start(Loop& loop) {
  loop_ = &loop;
  for (auto& task : tasks_) loop.spawn(run(*task), &task->scope);
}

void BackgroundTasks::stop() {
  Loop* loop = std::exchange(loop_, nullptr);
  if (!loop) return;
  loop->call([this] {
    for (auto& task : tasks_) task->scope.cancel(Category::cancelled);
  });
  for (auto& task : tasks_) task->ended.acquire();
}

}  // namespace bedplate::app
