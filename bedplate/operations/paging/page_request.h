// SPDX-License-Identifier: Apache-2.0
// What a list operation was asked (PageQuery), read; the SQL around it; and the Page. Most services use list_page()
// (list.h), which does all of it. A list that is not one SELECT is built from these parts:
//
//   PageRequest page = co_await ok(read_page(input, kTaskSort, "title"));
//   sql::Params params;
//   std::string where = "owner = " + params.add(caller.user());
//   if (page.after) where += " AND " + page.after_condition(params, "id");
//   std::string text = "SELECT id, title FROM tasks WHERE " + where + page.order_and_limit("id");
//   std::vector<TaskView> rows = co_await ok(db.all<TaskView>(text, params));    // at most limit + 1
//   Page<TaskView> answer = make_page<TaskView>(page, std::move(rows), total);
//   CursorValues last;                                                           // its sort keys, then its id
//   if (answer.pagination.has_next) last = {answer.data.back().title, answer.data.back().id};
//   if (answer.pagination.has_next) answer.pagination.next_cursor = page.cursor_after(last);
//
// Keyset pagination: rows are ordered by the sort's expressions and then by a unique column, and a page after a cursor
// is the rows above that tuple, whatever was inserted meanwhile.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/operations/paging/cursor.h"
#include "bedplate/operations/paging/page.h"
#include "bedplate/operations/paging/sort.h"
#include "bedplate/sql/params.h"
#include "bedplate/sql/query.h"

namespace bedplate::api {

/// What was asked for, checked.
struct PageRequest {
  std::vector<SortKey> sort;
  std::int64_t limit = 20;
  std::int64_t page = 1;    ///< meaningless with a cursor
  std::int64_t offset = 0;  ///< rows to skip; 0 with a cursor
  std::optional<CursorValues>
      after;          ///< with a cursor: the sort keys of the last row seen, then its unique column
  std::string scope;  ///< what cursors of this list are bound to

  bool by_cursor() const { return after.has_value(); }
  /// What rows are ordered by. The unique column goes the way of the last key, so that one index answers both.
  std::vector<sql::OrderKey> order(std::string_view unique_column) const;

  /// The rows after the cursor, as a condition: "(due_at > $2 OR (due_at = $2 AND id > $3))".
  /// Only with a cursor. `unique_column` breaks ties.
  std::string after_condition(sql::Params& params, std::string_view unique_column) const;
  /// " ORDER BY due_at DESC, id LIMIT 21 OFFSET 40": one row more than asked for, to see whether more follow.
  std::string order_and_limit(std::string_view unique_column) const;

  /// The cursor after a row with these sort keys (in the order of `sort`) and unique column. The key of a folded text
  /// goes into it too; it is computed here.
  std::string cursor_after(std::span<const CursorValue> keys) const;
};

/// Fails with Category::invalid and all the faults at `?page` (`exclusive`), `?cursor` (`invalid_cursor`) and `?sort`.
/// `default_sort` has the form of the parameter. An operation that says sorts_by() is not called with such an input:
/// the surface reports these faults together with the input's others.
Result<PageRequest> read_page(const PageQuery& query, std::string_view scope,
                              std::span<const SortField> fields, std::string_view default_sort);

/// What read_page() would find wrong, behind the faults that are there. `scope` is nothing where the filters are not
/// known, `default_sort` empty where the operation alone knows it; what then cannot be judged is not reported.
void find_page_faults(const PageQuery& query, std::optional<std::string_view> scope,
                      std::span<const SortField> fields, std::string_view default_sort,
                      std::vector<Fault>& faults);

/// The text that names a list's filters: every field of the input but those of PageQuery.
std::string filter_scope(const TypeInfo& type, const void* input);

/// What a cursor after `row` keeps, in the order of PageRequest::order(). The request's sorts are made with sort<>()
/// (sort.h), which says how to read a row.
CursorValues cursor_values(const PageRequest& request, const SortField& unique, const void* row);

/// The same for an input that derives from PageQuery; cursors are bound to its other fields.
template <std::derived_from<PageQuery> Input>
Result<PageRequest> read_page(const Input& input, std::span<const SortField> fields,
                              std::string_view default_sort) {
  return read_page(input, filter_scope(type_of<Input>(), &input), fields, default_sort);
}

/// Makes the page from up to limit + 1 rows; the extra one is dropped and only says that more follow. `total` when it
/// was counted, all of it. `next_cursor` is the caller's to set where `has_next` (PageRequest::cursor_after).
Pagination paginate(const PageRequest& request, std::size_t rows, std::optional<std::int64_t> total);

template <class T>
Page<T> make_page(const PageRequest& request, std::vector<T> rows, std::optional<std::int64_t> total) {
  Page<T> page;
  page.pagination = paginate(request, rows.size(), total);
  if (static_cast<std::int64_t>(rows.size()) > request.limit)
    rows.resize(static_cast<std::size_t>(request.limit));
  page.data = std::move(rows);
  return page;
}

}  // namespace bedplate::api
