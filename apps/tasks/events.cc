// SPDX-License-Identifier: Apache-2.0
#include "apps/tasks/events.h"

#include <string>
#include <tuple>
#include <utility>

#include "bedplate/events/publish.h"

namespace bedplate::tasks {
namespace {

template <class Data>
Async<void> publish(sql::Transaction& tx, std::string_view type, TaskId id, const Data& data) {
  events::Event event(type, "task/" + id.to_string(), data);
  std::ignore = co_await ok(events::publish(tx, std::move(event)));
}

}  // namespace

Async<void> publish_created(sql::Transaction& tx, const Task& task) {
  co_await ok(publish(tx, kTaskCreated, task.id, task));
  if (task.status == Status::done) co_await ok(publish(tx, kTaskDone, task.id, task));
}

Async<void> publish_updated(sql::Transaction& tx, const Task& before, const Task& task) {
  co_await ok(publish(tx, kTaskUpdated, task.id, task));
  if (task.status == Status::done && before.status != Status::done)
    co_await ok(publish(tx, kTaskDone, task.id, task));
}

Async<void> publish_deleted(sql::Transaction& tx, const Task& task) {
  const DeletedTask data{task.id, task.version};
  co_await ok(publish(tx, kTaskDeleted, task.id, data));
}

}  // namespace bedplate::tasks
