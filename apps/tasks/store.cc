#include "apps/tasks/store.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/tasks/search.h"
#include "bedplate/api/paging/page_request.h"
#include "bedplate/describe/text/text_value.h"

namespace bedplate::tasks::store {
namespace {

using auth::UserId;

constexpr std::string_view kFind =
    "SELECT id, title, description, status, due_at, labels, created_at, updated_at, version "
    "FROM tasks WHERE owner = $1 AND id = $2";

constexpr std::string_view kInsert =
    "INSERT INTO tasks (owner, id, title, description, status, due_at, labels, created_at, updated_at, "
    "version, "
    "search_id) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, (SELECT coalesce(max(search_id), 0) + 1 FROM tasks))";

// The search index follows the table: out with a task's words before they change, in with them afterwards.
constexpr std::string_view kIndex =
    "INSERT INTO tasks_search (rowid, owner, title, description) "
    "SELECT search_id, lower(hex(owner)), title, description FROM tasks WHERE owner = $1 AND id = $2";
constexpr std::string_view kUnindex =
    "INSERT INTO tasks_search (tasks_search, rowid, owner, title, description) "
    "SELECT 'delete', search_id, lower(hex(owner)), title, description FROM tasks WHERE owner = $1 AND id = "
    "$2";
constexpr std::string_view kUnindexAll =
    "INSERT INTO tasks_search (tasks_search, rowid, owner, title, description) "
    "SELECT 'delete', search_id, lower(hex(owner)), title, description FROM tasks WHERE owner = $1";

constexpr std::string_view kUpdate =
    "UPDATE tasks SET title = $3, description = $4, status = $5, due_at = $6, labels = $7, updated_at = $8, "
    "version = $9 WHERE owner = $1 AND id = $2";

constexpr std::string_view kColumns =
    "SELECT id, title, description, status, due_at, labels, created_at, updated_at, version FROM tasks "
    "WHERE ";

// After every due date there is: what a task without one sorts as. Sort expressions are never NULL.
constexpr std::int64_t kNeverDue = std::numeric_limits<std::int64_t>::max();

constexpr api::SortField kSortFields[] = {
    {"created_at", "created_at"},
    {"updated_at", "updated_at"},
    {"due_at", "coalesce(due_at, 9223372036854775807)"},
    {"title", "title"},
    {"status", "status"},
};

// What `field`'s expression gives for this task, for a cursor.
api::CursorValue sort_value(const Task& task, std::string_view field) {
  if (field == "created_at") return task.created_at.time_since_epoch().count();
  if (field == "updated_at") return task.updated_at.time_since_epoch().count();
  if (field == "due_at") return task.due_at ? task.due_at->time_since_epoch().count() : kNeverDue;
  if (field == "title") return task.title;
  return to_text(task.status);
}

std::string cursor_after(const api::PageRequest& page, const Task& last) {
  api::CursorValues keys;
  for (const api::SortKey& key : page.sort) keys.push_back(sort_value(last, key.field.name));
  keys.emplace_back(Uuid(last.id));
  return page.cursor_after(keys);
}

// What the filters of a list ask for, as SQL over columns named here and parameters for every value.
std::string conditions(sql::Params& params, UserId owner, const ListTasks& query) {
  std::string where = "owner = " + params.add(owner);
  if (query.status) where += " AND status = " + params.add(*query.status);
  if (query.due_after) where += " AND due_at >= " + params.add(*query.due_after);
  if (query.due_before) where += " AND due_at < " + params.add(*query.due_before);
  if (query.label)
    where +=
        " AND EXISTS (SELECT 1 FROM json_each(labels) WHERE json_each.value = " + params.add(*query.label) +
        ")";
  if (query.q) {
    std::string expression = search_expression(owner, *query.q);
    if (expression.empty())
      where += " AND 0";  // nothing to look for matches nothing
    else
      where += " AND search_id IN (SELECT rowid FROM tasks_search WHERE tasks_search MATCH " +
               params.add(expression) + ")";
  }
  return where;
}

}  // namespace

std::span<const api::SortField> sort_fields() {
  return kSortFields;
}

Async<Task> find(sql::Reader& db, UserId owner, TaskId id) {
  std::optional<Task> task = co_await ok(db.maybe<Task>(kFind, owner, id));
  if (!task) co_return fail(Category::not_found, "task_not_found", "You have no task with this id.");
  co_return std::move(*task);
}

Async<api::Page<Task>> list(sql::Reader& db, UserId owner, const ListTasks& query) {
  api::PageRequest page = co_await ok(api::read_page(query, kSortFields, "-created_at"));
  sql::Params params;
  std::string where = conditions(params, owner, query);
  std::string count = "SELECT count(*) FROM tasks WHERE " + where;
  std::int64_t total = co_await ok(db.value<std::int64_t>(count, params));
  if (page.after) where += " AND " + page.after_condition(params, "id");
  std::string select = std::string(kColumns) + where + page.order_and_limit("id");
  std::vector<Task> tasks = co_await ok(db.all<Task>(select, params));
  api::Page<Task> answer = api::make_page<Task>(page, std::move(tasks), total);
  if (answer.pagination.has_next) answer.pagination.next_cursor = cursor_after(page, answer.data.back());
  co_return answer;
}

Async<void> insert(sql::Transaction& db, UserId owner, const Task& task) {
  co_await ok(db.run(kInsert, owner, task.id, task.title, task.description, task.status, task.due_at,
                     task.labels, task.created_at, task.updated_at, task.version));
  co_await ok(db.run(kIndex, owner, task.id));
}

Async<void> update(sql::Transaction& db, UserId owner, const Task& before, const Task& task) {
  const bool words_changed = task.title != before.title || task.description != before.description;
  if (words_changed) co_await ok(db.run(kUnindex, owner, task.id));
  co_await ok(db.run(kUpdate, owner, task.id, task.title, task.description, task.status, task.due_at,
                     task.labels, task.updated_at, task.version));
  if (words_changed) co_await ok(db.run(kIndex, owner, task.id));
}

Async<void> remove(sql::Transaction& db, UserId owner, TaskId id) {
  co_await ok(db.run(kUnindex, owner, id));
  co_await ok(db.run("DELETE FROM tasks WHERE owner = $1 AND id = $2", owner, id));
}

Async<void> remove_all(sql::Transaction& db, UserId owner) {
  co_await ok(db.run(kUnindexAll, owner));
  co_await ok(db.run("DELETE FROM tasks WHERE owner = $1", owner));
}

}  // namespace bedplate::tasks::store
