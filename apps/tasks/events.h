// SPDX-License-Identifier: Apache-2.0
// What happens to tasks, for whoever acts on it: events of the stream `task/<id>`, in the commit of the change.
//
//   .on<&Stats::count>(tasks::kTaskDone)          // in another module: its input is a Task
//
// `task.created`, `task.updated` and `task.done` hold the task as the API shows it after the change; one that makes a
// task done publishes `task.updated`, then `task.done`. The tasks of an account that is deleted end without events.
#pragma once

#include <cstdint>
#include <string_view>

#include "apps/tasks/api.h"
#include "bedplate/async/async.h"
#include "bedplate/sql/session.h"

namespace bedplate::tasks {

inline constexpr std::string_view kTaskCreated = "task.created";
inline constexpr std::string_view kTaskUpdated = "task.updated";
inline constexpr std::string_view kTaskDone = "task.done";
inline constexpr std::string_view kTaskDeleted = "task.deleted";

/// The data of `task.deleted`.
struct DeletedTask {
  TaskId id;
  std::int64_t version = 0;

  static consteval auto describe() {
    using namespace schema;
    return object<DeletedTask>("A task that is gone.",
                               {
                                   field<&DeletedTask::id>("Its id."),
                                   field<&DeletedTask::version>("The version that was deleted."),
                               });
  }
};

/// For the service, in the transaction of the change.
Async<void> publish_created(sql::Transaction& tx, const Task& task);
Async<void> publish_updated(sql::Transaction& tx, const Task& before, const Task& task);
Async<void> publish_deleted(sql::Transaction& tx, const Task& task);

}  // namespace bedplate::tasks
