// SPDX-License-Identifier: Apache-2.0
// Tasks in the database: every statement names the owner, so no caller reaches another's rows.
#pragma once

#include <chrono>
#include <optional>

#include "apps/tasks/api.h"
#include "bedplate/async/async.h"
#include "bedplate/auth/principal.h"
#include "bedplate/operations/paging/sort.h"
#include "bedplate/search/index.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/session.h"

namespace bedplate::tasks {

/// What a task is found by. Its tables are in the migrations, as search::Index::schema() says them.
inline constexpr search::Declaration kSearch("tasks_search",
                                             {{"title", search::Weight::highest}, {"description"}},
                                             search::Language::english);

/// What due_or_never holds for a task without a due date: the year 10000, after every date that there is.
inline constexpr Time kNeverDue{std::chrono::sys_days(std::chrono::January / 1 / 10'000)};

/// What lists may be sorted by. IDs sort by creation time, so the primary key answers the default.
inline constexpr api::Sorts<Task> kSorts(
    "-created_at", api::sort<&Task::created_at>(api::ordered_as<&Task::id>, api::indexed),
    api::sort<&Task::updated_at>(),
    api::sort<&Task::due_at>(api::by_column("due_or_never"), api::null_as(kNeverDue),
                             api::indexed_with("status")),
    api::sort<&Task::title>(api::folded_in("title_key")), api::sort<&Task::status>());

/// A task among all, in the order of the table. The empty one comes before every other.
struct TaskPlace {
  auth::UserId owner;
  TaskId id;
};

/// Immutable and shared by all threads.
class Store {
 public:
  explicit Store(sql::Dialect dialect) : dialect_(dialect), index_(kSearch, dialect) {}

  /// kTaskNotFound when the owner has no such task.
  Async<Task> find(sql::Reader& db, auth::UserId owner, TaskId id) const;
  Async<api::Page<Task>> list(sql::Reader& db, auth::UserId owner, const ListTasks& query) const;
  Async<void> insert(sql::Transaction& db, auth::UserId owner, const Task& task) const;
  /// Writes every field but id and created_at over those of `before`, which is what the row was read as.
  /// sql::overtaken() when it is not of that version any more.
  Async<void> update(sql::Transaction& db, auth::UserId owner, const Task& before, const Task& task) const;
  /// The same, of a task that was read.
  Async<void> remove(sql::Transaction& db, auth::UserId owner, const Task& task) const;
  /// All of a user's tasks, when the user goes.
  Async<void> remove_all(sql::Transaction& db, auth::UserId owner) const;
  /// Puts some tasks into the search index anew, behind the one that `after` names; which one was the last.
  Async<std::optional<TaskPlace>> index_some(sql::Transaction& db, const TaskPlace& after) const;

 private:
  Async<void> index(sql::Transaction& db, auth::UserId owner, const Task& task) const;

  const sql::Dialect dialect_;
  const search::Index index_;
};

}  // namespace bedplate::tasks
