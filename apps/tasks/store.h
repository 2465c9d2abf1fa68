// SPDX-License-Identifier: Apache-2.0
// Tasks in the database: their table, what lists are sorted by, what a search finds.
#pragma once

#include <chrono>

#include "apps/tasks/api.h"
#include "bedplate/operations/paging/sort.h"
#include "bedplate/search/index.h"
#include "bedplate/sql/table.h"
#include "bedplate/unicode/fold.h"

namespace bedplate::tasks {

/// The columns beside a task's fields: what lists are sorted by.
inline constexpr sql::Table<Task> kTasks(
    "tasks", sql::owner, sql::key<&Task::id>, sql::version<&Task::version>,
    sql::written_once<&Task::created_at>,
    sql::computed("title_key", [](const Task& task) { return unicode::sort_key(task.title); }),
    sql::generated<Time>("due_or_never"), sql::index("tasks_status_due", "owner, status, due_or_never, id"));

/// What a task is found by.
inline constexpr search::Declaration kSearch("tasks_search",
                                             {{"title", search::Weight::highest}, {"description"}},
                                             search::Language::english,
                                             search::Source{"tasks", "owner", "id"});

/// What due_or_never holds for a task without a due date: the year 10000, after every date that there is.
inline constexpr Time kNeverDue{std::chrono::sys_days(std::chrono::January / 1 / 10'000)};

/// What lists may be sorted by. IDs sort by creation time, so the primary key answers the default.
inline constexpr api::Sorts<Task> kSorts(
    "-created_at", api::sort<&Task::created_at>(api::ordered_as<&Task::id>, api::indexed),
    api::sort<&Task::updated_at>(),
    api::sort<&Task::due_at>(api::by_column("due_or_never"), api::null_as(kNeverDue),
                             api::indexed_with("status")),
    api::sort<&Task::title>(api::folded_in("title_key")), api::sort<&Task::status>());

}  // namespace bedplate::tasks
