// SPDX-License-Identifier: Apache-2.0
#include "apps/tasks/service.h"

#include <utility>

namespace bedplate::tasks {

using auth::Caller;
using auth::UserId;

// The caller's task as it stands, in a version that they expect.
Async<Task> Tasks::load_for_change(sql::Transaction& db, UserId owner, TaskId id,
                                   const api::IfMatch& if_match) const {
  Task task = co_await ok(store_.find(db, owner, id));
  co_await ok(if_match.check(task.version));
  co_return task;
}

Async<Task> Tasks::create(const Caller& caller, sql::Transaction& db, const api::New<Task>& input) const {
  Task task = input.make();
  task.id = new_id<TaskId>();
  task.created_at = task.updated_at = clock_.now();
  co_await ok(store_.insert(db, caller.user(), task));
  co_return task;
}

Async<Task> Tasks::find(const Caller& caller, sql::Reader& db, const api::Ref<Task>& input) const {
  return store_.find(db, caller.user(), input->id);
}

Async<api::Page<Task>> Tasks::list(const Caller& caller, sql::Reader& db, const ListTasks& input) const {
  return store_.list(db, caller.user(), input);
}

Async<Task> Tasks::replace(const Caller& caller, sql::Transaction& db,
                           const api::Replacement<Task>& input) const {
  const Task before = co_await ok(load_for_change(db, caller.user(), input->id, input.if_match));
  Task task = before;
  input.apply_to(task);
  task.updated_at = clock_.now();
  ++task.version;
  co_await ok(store_.update(db, caller.user(), before, task));
  co_return task;
}

Async<Task> Tasks::patch(const Caller& caller, sql::Transaction& db, const api::Changes<Task>& input) const {
  const Task before = co_await ok(load_for_change(db, caller.user(), input->id, input.if_match));
  Task task = before;
  if (!input.apply_to(task)) co_return task;  // a patch that changes nothing is no new version
  task.updated_at = clock_.now();
  ++task.version;
  co_await ok(store_.update(db, caller.user(), before, task));
  co_return task;
}

Async<void> Tasks::remove(const Caller& caller, sql::Transaction& db, const api::Ref<Task>& input) const {
  Task task = co_await ok(load_for_change(db, caller.user(), input->id, input.if_match));
  co_await ok(store_.remove(db, caller.user(), task));
}

Async<void> Tasks::rebuild_search(sql::Database& database) const {
  TaskPlace after;
  for (;;) {
    const std::optional<TaskPlace> last = co_await ok(database.transact(&Store::index_some, store_, after));
    if (!last) co_return;
    after = *last;
  }
}

Async<void> Tasks::delete_user_data(sql::Transaction& db, UserId user) {
  return store_.remove_all(db, user);
}

}  // namespace bedplate::tasks
