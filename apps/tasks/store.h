// Tasks in the database: every statement names the owner, so no caller reaches another's rows.
#pragma once

#include <span>

#include "apps/tasks/api.h"
#include "bedplate/api/paging/sort.h"
#include "bedplate/async/async.h"
#include "bedplate/auth/principal.h"
#include "bedplate/sql/session.h"

namespace bedplate::tasks::store {

/// What lists may be sorted by.
std::span<const api::SortField> sort_fields();

/// Category::not_found `task_not_found` when the owner has no such task.
Async<Task> find(sql::Reader& db, auth::UserId owner, TaskId id);
Async<api::Page<Task>> list(sql::Reader& db, auth::UserId owner, const ListTasks& query);
Async<void> insert(sql::Transaction& db, auth::UserId owner, const Task& task);
/// Writes every field but id and created_at over those of `before`, which is what the row holds.
Async<void> update(sql::Transaction& db, auth::UserId owner, const Task& before, const Task& task);
Async<void> remove(sql::Transaction& db, auth::UserId owner, TaskId id);
/// All of a user's tasks, when the user goes.
Async<void> remove_all(sql::Transaction& db, auth::UserId owner);

}  // namespace bedplate::tasks::store
