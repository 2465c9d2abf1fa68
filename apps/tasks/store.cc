// SPDX-License-Identifier: Apache-2.0
#include "apps/tasks/store.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "bedplate/base/text.h"
#include "bedplate/operations/paging/list.h"
#include "bedplate/search/query.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/query.h"
#include "bedplate/unicode/fold.h"

namespace bedplate::tasks {
namespace {

using auth::UserId;

constexpr std::string_view kFind =
    "SELECT id, title, description, status, due_at, labels, created_at, updated_at, version "
    "FROM tasks WHERE owner = $1 AND id = $2";

constexpr std::string_view kInsert =
    "INSERT INTO tasks (owner, id, title, description, status, due_at, labels, created_at, updated_at, "
    "version, title_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

constexpr std::string_view kUpdate =
    "UPDATE tasks SET title = $3, description = $4, status = $5, due_at = $6, labels = $7, updated_at = $8, "
    "version = $9, title_key = $11 WHERE owner = $1 AND id = $2 AND version = $10";

constexpr std::string_view kRemove = "DELETE FROM tasks WHERE owner = $1 AND id = $2 AND version = $3";

constexpr std::string_view kSelect =
    "SELECT id, title, description, status, due_at, labels, created_at, updated_at, version FROM tasks";

constexpr sql::Column kOwner("owner");
constexpr sql::Column kId("id");
constexpr sql::Column kDue("due_or_never");

constexpr sql::FilterRule kFilters[] = {
    {"status", sql::Column("status")},
    {"due_after", kDue, sql::Compare::at_least},
    {"due_before", kDue, sql::Compare::less},
    {"label", sql::Column("labels"), sql::Compare::has},
};

constexpr std::string_view kSelectToIndex =
    "SELECT owner, id, title, description FROM tasks WHERE (owner, id) > ($1, $2) ORDER BY owner, id LIMIT "
    "200";

struct IndexedTask {
  UserId owner;
  TaskId id;
  std::string title;
  std::string description;

  static consteval auto describe() {
    using namespace schema;
    return object<IndexedTask>("What of a task is searched",
                               {field<&IndexedTask::owner>(), field<&IndexedTask::id>(),
                                field<&IndexedTask::title>(), field<&IndexedTask::description>()});
  }
};

}  // namespace

Async<Task> Store::find(sql::Reader& db, UserId owner, TaskId id) const {
  std::optional<Task> task = co_await ok(db.maybe<Task>(kFind, owner, id));
  if (!task) co_return fail(kTaskNotFound);
  co_return std::move(*task);
}

Async<api::Page<Task>> Store::list(sql::Reader& db, UserId owner, const ListTasks& query) const {
  sql::Where where(dialect_);
  where.add(kOwner, sql::Compare::equal, owner);
  where.add(kFilters, query);
  if (query.due_after) where.add(kDue, sql::Compare::less, kNeverDue, "due_after");
  if (query.q && !is_blank(*query.q)) {  // an empty search box asks for nothing
    const search::Query words = co_await ok(search::parse_query(*query.q, kSearch.language));
    co_await ok(index_.match(db, where, kId, owner, words));
  }
  const api::Page<Task> page =
      co_await ok(api::list_page<Task>(db, kSelect, std::move(where), query, kSorts));
  co_return page;
}

Async<void> Store::index(sql::Transaction& db, UserId owner, const Task& task) const {
  const search::Document document(owner, task.id, {task.title, task.description});
  co_await ok(index_.put(db, document));
}

Async<void> Store::insert(sql::Transaction& db, UserId owner, const Task& task) const {
  const std::string title_key = unicode::sort_key(task.title);
  co_await ok(db.run(kInsert, owner, task.id, task.title, task.description, task.status, task.due_at,
                     task.labels, task.created_at, task.updated_at, task.version, title_key));
  co_await ok(index(db, owner, task));
}

Async<void> Store::update(sql::Transaction& db, UserId owner, const Task& before, const Task& task) const {
  const std::string title_key = unicode::sort_key(task.title);
  const std::int64_t changed =
      co_await ok(db.run(kUpdate, owner, task.id, task.title, task.description, task.status, task.due_at,
                         task.labels, task.updated_at, task.version, before.version, title_key));
  if (changed == 0) co_await sql::overtaken();
  const bool words_changed = task.title != before.title || task.description != before.description;
  if (words_changed) co_await ok(index(db, owner, task));
}

// The task first, as in update(): so two that change it wait for each other there, and not across the index.
Async<void> Store::remove(sql::Transaction& db, UserId owner, const Task& task) const {
  const std::int64_t removed = co_await ok(db.run(kRemove, owner, task.id, task.version));
  if (removed == 0) co_await sql::overtaken();
  co_await ok(index_.remove(db, owner, task.id));
}

Async<std::optional<TaskPlace>> Store::index_some(sql::Transaction& db, const TaskPlace& after) const {
  const std::vector<IndexedTask> tasks =
      co_await ok(db.all<IndexedTask>(kSelectToIndex, after.owner, after.id));
  for (const IndexedTask& task : tasks) {
    const search::Document document(task.owner, task.id, {task.title, task.description});
    co_await ok(index_.put(db, document));
  }
  if (tasks.empty()) co_return std::nullopt;
  co_return TaskPlace{tasks.back().owner, tasks.back().id};
}

Async<void> Store::remove_all(sql::Transaction& db, UserId owner) const {
  co_await ok(db.run("DELETE FROM tasks WHERE owner = $1", owner));
  co_await ok(index_.remove_partition(db, owner));
}

}  // namespace bedplate::tasks
