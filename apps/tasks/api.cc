// SPDX-License-Identifier: Apache-2.0
#include "apps/tasks/api.h"

#include "apps/tasks/events.h"
#include "apps/tasks/service.h"
#include "apps/tasks/store.h"
#include "bedplate/search/query.h"
#include "tasks_migrations.h"

namespace bedplate::tasks {
namespace {

constexpr std::string_view kExample = R"({
  "id": "019aa5b8-3c00-7d2e-9c44-0a6b3f1d2e5c",
  "title": "Buy milk",
  "description": "Two litres, the blue one",
  "status": "todo",
  "due_at": "2030-01-31T17:00:00Z",
  "labels": ["home"],
  "created_at": "2026-11-21T10:00:00.123456Z",
  "updated_at": "2026-11-21T10:00:00.123456Z",
  "version": 1
})";

}  // namespace

app::Module tasks_module() {
  using namespace api;
  return app::Module("tasks",
                     "Things to be done. A task belongs to one user, and only they can see or change it.")
      .migrations(tasks_migrations())
      .tables({&kTasks})
      .derived(search::derived(kSearch))
      .scopes({"tasks:read", "tasks:write"}, app::for_users)
      .service<Tasks>()
      .event(kTaskCreated)
      .event(kTaskUpdated)
      .event(kTaskDone)
      .event(kTaskDeleted)
      .command<&Tasks::create>(kCreate, post("/v1/tasks"), needs("tasks:write"), creates("/v1/tasks/{id}"),
                               summary("Create a task"), etag_from<&Task::version>(),
                               example_output(kExample), links_to("tasks.find"), links_to("tasks.replace"),
                               links_to("tasks.patch"), links_to("tasks.remove"))
      .query<&Tasks::list>("list", get("/v1/tasks"), needs("tasks:read"), summary("List your tasks"),
                           sorts_by(kSorts), fails_with(search::kSearchTooLong))
      .query<&Tasks::find>("find", get("/v1/tasks/{id}"), needs("tasks:read"), summary("Read a task"),
                           fails_with(kTaskNotFound), etag_from<&Task::version>(), example_output(kExample))
      .command<&Tasks::replace>("replace", put("/v1/tasks/{id}"), needs("tasks:write"),
                                summary("Replace a task"), read_committed(), fails_with(kTaskNotFound),
                                etag_from<&Task::version>(), example_output(kExample))
      .command<&Tasks::patch>("patch", patch("/v1/tasks/{id}"), needs("tasks:write"),
                              summary("Change a task"), read_committed(), fails_with(kTaskNotFound),
                              etag_from<&Task::version>(), example_input(R"({"status": "done"})"),
                              example_output(kExample))
      .command<&Tasks::remove>("remove", del("/v1/tasks/{id}"), needs("tasks:write"),
                               summary("Delete a task"), read_committed(), fails_with(kTaskNotFound));
}

}  // namespace bedplate::tasks
