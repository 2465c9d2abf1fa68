// SPDX-License-Identifier: Apache-2.0
#include "apps/tasks/service.h"

#include <utility>

#include "apps/tasks/events.h"
#include "bedplate/base/text.h"
#include "bedplate/operations/paging/list.h"
#include "bedplate/search/query.h"
#include "bedplate/sql/query.h"

namespace bedplate::tasks {

using auth::Caller;
using auth::UserId;

namespace {

constexpr sql::Column kDue("due_or_never");
constexpr sql::FilterRule kFilters[] = {
    {"status", sql::Column("status")},
    {"due_after", kDue, sql::Compare::at_least},
    {"due_before", kDue, sql::Compare::less},
    {"label", sql::Column("labels"), sql::Compare::has},
};

search::Document document_of(UserId owner, const Task& task) {
  return search::Document(owner, task.id, {task.title, task.description});
}

}  // namespace

// The caller's task as it stands, in a version that they expect.
Async<Task> Tasks::load_for_change(sql::Transaction& db, UserId owner, TaskId id,
                                   const api::IfMatch& if_match) const {
  Task task = co_await ok(kTasks.find_or(kTaskNotFound, db, owner, id));
  co_await ok(if_match.check(task.version));
  co_return task;
}

// The row first, so that two who change it wait for each other there, and not across the index.
Async<void> Tasks::save(sql::Transaction& db, UserId owner, const Task& before, Task& task) const {
  task.updated_at = clock_.now();
  co_await ok(kTasks.update(db, owner, task));
  co_await ok(publish_updated(db, before, task));
  if (task.title == before.title && task.description == before.description) co_return;
  const search::Document document = document_of(owner, task);
  co_await ok(index_.put(db, document));
}

Async<Task> Tasks::create(const Caller& caller, sql::Transaction& db, const api::New<Task>& input) const {
  Task task = input.make();
  task.id = new_id<TaskId>();
  task.created_at = task.updated_at = clock_.now();
  co_await ok(kTasks.insert(db, caller.user(), task));
  const search::Document document = document_of(caller.user(), task);
  co_await ok(index_.put(db, document));
  co_await ok(publish_created(db, task));
  co_return task;
}

Async<Task> Tasks::find(const Caller& caller, sql::Reader& db, const api::Ref<Task>& input) const {
  Task task = co_await ok(kTasks.find_or(kTaskNotFound, db, caller.user(), input->id));
  co_return task;
}

Async<api::Page<Task>> Tasks::list(const Caller& caller, sql::Reader& db, const ListTasks& input) const {
  sql::Where where(db.dialect());
  where.add(sql::Column("owner"), sql::Compare::equal, caller.user());
  where.add(kFilters, input);
  if (input.due_after) where.add(kDue, sql::Compare::less, kNeverDue, "due_after");
  if (input.q && !is_blank(*input.q)) {  // an empty search box asks for nothing
    const search::Query words = co_await ok(search::parse_query(*input.q, kSearch.language));
    co_await ok(index_.match(db, where, sql::Column("id"), caller.user(), words));
  }
  const api::Page<Task> page =
      co_await ok(api::list_page<Task>(db, kTasks.select_all(), std::move(where), input, kSorts));
  co_return page;
}

Async<Task> Tasks::replace(const Caller& caller, sql::Transaction& db,
                           const api::Replacement<Task>& input) const {
  const Task before = co_await ok(load_for_change(db, caller.user(), input->id, input.if_match));
  Task task = before;
  input.apply_to(task);
  co_await ok(save(db, caller.user(), before, task));
  co_return task;
}

Async<Task> Tasks::patch(const Caller& caller, sql::Transaction& db, const api::Changes<Task>& input) const {
  const Task before = co_await ok(load_for_change(db, caller.user(), input->id, input.if_match));
  Task task = before;
  if (!input.apply_to(task)) co_return task;  // a patch that changes nothing is no new version
  co_await ok(save(db, caller.user(), before, task));
  co_return task;
}

Async<void> Tasks::remove(const Caller& caller, sql::Transaction& db, const api::Ref<Task>& input) const {
  Task task = co_await ok(load_for_change(db, caller.user(), input->id, input.if_match));
  co_await ok(kTasks.remove(db, caller.user(), task));
  co_await ok(index_.remove(db, caller.user(), task.id));
  co_await ok(publish_deleted(db, task));
}

Async<void> Tasks::delete_user_data(sql::Transaction& db, UserId user) {
  co_await ok(kTasks.remove_all(db, user));
  co_await ok(index_.remove_partition(db, user));
}

}  // namespace bedplate::tasks
