// SPDX-License-Identifier: Apache-2.0
// Tasks: personal to-dos. Every task belongs to one user; nobody sees or touches another's.
//
// The operations and their types, and how the outside reaches them: the only header of this application that others
// include.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bedplate/app/module.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/operations/input.h"
#include "bedplate/operations/paging/page.h"

namespace bedplate::tasks {

using TaskId = Id<struct TaskTag>;

inline constexpr ErrorCode kTaskNotFound{Category::not_found, "task_not_found",
                                         "You have no task with this id."};

enum class Status { todo, in_progress, done };
consteval auto describe(Status) {
  return schema::values<Status::todo, Status::in_progress, Status::done>("How far a task has come.");
}

/// A task as its owner sees it.
struct Task {
  TaskId id;
  std::string title;
  std::string description;
  Status status = Status::todo;
  std::optional<Time> due_at;
  std::vector<std::string> labels;
  Time created_at{};
  Time updated_at{};
  std::int64_t version = 1;

  bool operator==(const Task&) const = default;

  static consteval auto describe() {
    using namespace schema;
    return object<Task>(
        "Something to be done.",
        {
            field<&Task::id>(key, read_only, "Task ID; IDs sort by creation time."),
            field<&Task::title>(length{1, 200}, not_blank, example("Buy milk"), "What is to be done."),
            field<&Task::description>(length{0, 10'000}, optional_with_default,
                                      example("Two litres, the blue one"),
                                      "Anything more there is to say; plain text."),
            field<&Task::status>(optional_with_default, "How far it has come."),
            field<&Task::due_at>(example("2030-01-31T17:00:00Z"), "When it should be done by."),
            field<&Task::labels>(length{0, 20}, unique, each(length{1, 40}, not_blank), optional_with_default,
                                 example("[\"home\"]"), "Words to find it by."),
            field<&Task::created_at>(read_only, "When it was made."),
            field<&Task::updated_at>(read_only, "When it last changed."),
            field<&Task::version>(read_only, "Counts changes; the ETag is made of it."),
        });
  }
};

/// Which of the caller's tasks, in which order, and which page of them.
struct ListTasks : api::PageQuery {
  std::optional<Status> status;
  std::optional<std::string> label;
  std::optional<Time> due_after;
  std::optional<Time> due_before;
  std::optional<std::string> q;

  static consteval auto describe() {
    using namespace schema;
    return object<ListTasks>(
        "Which tasks to list.", fields_of<api::PageQuery>,
        {
            field<&ListTasks::sort>(same_as<&api::PageQuery::sort>, example("-due_at,title"),
                                    "Fields to sort by, most important first, `-` for descending. A task "
                                    "without a due date sorts as due after all others; titles are compared "
                                    "without case and accents"),
            field<&ListTasks::status>("Only tasks in this status."),
            field<&ListTasks::label>(length{1, 40}, "Only tasks with this label."),
            field<&ListTasks::due_after>("Only tasks due at this time or later."),
            field<&ListTasks::due_before>("Only tasks due before this time."),
            field<&ListTasks::q>(
                length{0, 200},
                "Full-text search in title and description: every word must occur; `word*` matches "
                "beginnings, `\"two words\"` a phrase, `-word` excludes. Empty or blank: no search."),
        });
  }
};

/// What others call from here: see api::OperationHandle.
inline constexpr api::OperationHandle<api::New<Task>, Task> kCreate{"tasks.create"};

/// The application as a program takes it.
app::Module tasks_module();

}  // namespace bedplate::tasks
