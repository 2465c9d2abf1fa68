// SPDX-License-Identifier: Apache-2.0
#include "apps/tasks/store.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "bedplate/base/text.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/operations/paging/page_request.h"
#include "bedplate/search/query.h"
#include "bedplate/sql/error.h"
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

constexpr std::string_view kColumns =
    "SELECT id, title, description, status, due_at, labels, created_at, updated_at, version FROM tasks "
    "WHERE ";

// What due_or_never holds for a task without a due date: the year 10000, after every date that there is.
constexpr Time kNeverDue{std::chrono::sys_days(std::chrono::January / 1 / 10'000)};

// A field to sort by, and what its expression gives for a task, which a cursor keeps: together, so that none can be
// without. Sort expressions are never NULL: due_or_never is a column of its own.
struct SortColumn {
  api::SortField field;
  api::CursorValue (*value)(const Task& task);
};
using Value = api::CursorValue;
constexpr SortColumn kSortColumns[] = {
    {{"created_at", "created_at"}, [](const Task& task) -> Value { return task.created_at; }},
    {{"updated_at", "updated_at"}, [](const Task& task) -> Value { return task.updated_at; }},
    {{"due_at", "due_or_never"}, [](const Task& task) -> Value { return task.due_at.value_or(kNeverDue); }},
    {{"title", "title", api::folded_in("title_key")}, [](const Task& task) -> Value { return task.title; }},
    {{"status", "status"}, [](const Task& task) -> Value { return to_text(task.status); }},
};
constexpr auto kSortFields = [] {
  std::array<api::SortField, std::size(kSortColumns)> fields;
  std::ranges::transform(kSortColumns, fields.begin(), &SortColumn::field);
  return fields;
}();

std::string cursor_after(const api::PageRequest& page, const Task& last) {
  api::CursorValues keys;
  for (const api::SortKey& key : page.sort)
    for (const SortColumn& column : kSortColumns)
      if (column.field.name == key.field.name) keys.push_back(column.value(last));
  keys.emplace_back(Uuid(last.id));
  return page.cursor_after(keys);
}

// "labels has $n". It is asked of one owner's tasks only, so an index of everybody's labels would not help.
std::string has_label(sql::Dialect dialect, const std::string& label) {
  if (dialect == sql::Dialect::postgresql) return "labels ? " + label;
  return "EXISTS (SELECT 1 FROM json_each(labels) WHERE json_each.value = " + label + ")";
}

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

std::span<const api::SortField> Store::sort_fields() {
  return kSortFields;
}

// What the filters of a list ask for, as SQL over columns named here and parameters for every value.
Result<std::string> Store::conditions(sql::Params& params, UserId owner, const ListTasks& query) const {
  std::string where = "owner = " + params.add(owner);
  if (query.status) where += " AND status = " + params.add(*query.status);
  if (query.due_after) where += " AND due_at >= " + params.add(*query.due_after);
  if (query.due_before) where += " AND due_at < " + params.add(*query.due_before);
  if (query.label) where += " AND " + has_label(dialect_, params.add(*query.label));
  if (query.q && !is_blank(*query.q)) {  // an empty search box asks for nothing
    Result<search::Query> words = search::parse_query(*query.q, kSearch.language);
    if (!words) return std::unexpected(std::move(words.error()));
    where += " AND id IN (" + index_.matching(params, owner, *words) + ")";
  }
  return where;
}

Async<Task> Store::find(sql::Reader& db, UserId owner, TaskId id) const {
  std::optional<Task> task = co_await ok(db.maybe<Task>(kFind, owner, id));
  if (!task) co_return fail(kTaskNotFound);
  co_return std::move(*task);
}

Async<api::Page<Task>> Store::list(sql::Reader& db, UserId owner, const ListTasks& query) const {
  api::PageRequest page = co_await ok(api::read_page(query, kSortFields, kDefaultSort));
  sql::Params params;
  std::string where = co_await ok(conditions(params, owner, query));
  std::string count = "SELECT count(*) FROM tasks WHERE " + where;
  std::int64_t total = co_await ok(db.value<std::int64_t>(count, params));
  if (page.after) where += " AND " + page.after_condition(params, "id");
  std::string select = std::string(kColumns) + where + page.order_and_limit("id");
  std::vector<Task> tasks = co_await ok(db.all<Task>(select, params));
  api::Page<Task> answer = api::make_page<Task>(page, std::move(tasks), total);
  if (answer.pagination.has_next) answer.pagination.next_cursor = cursor_after(page, answer.data.back());
  co_return answer;
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
