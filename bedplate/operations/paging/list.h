// SPDX-License-Identifier: Apache-2.0
// list_page(): a list operation in one call: filters, order, page, total and cursor.
//
//   constexpr Sorts<Task> kSorts("-created_at", sort<&Task::created_at>(ordered_as<&Task::id>, indexed),
//                                sort<&Task::due_at>(by_column("due_or_never"), null_as(kNever),
//                                                    indexed_with("status")),
//                                sort<&Task::title>(folded_in("title_key")));
//   constexpr sql::FilterRule kFilters[] = {{"status", sql::Column("status")},
//                                           {"due_before", sql::Column("due_or_never"), sql::Compare::less}};
//
//   Async<Page<Task>> list(const Caller& caller, sql::Reader& db, const ListTasks& input) const {
//     sql::Where where(dialect_);
//     where.add(kOwner, sql::Compare::equal, caller.user());
//     where.add(kFilters, input);
//     return list_page<Task>(db, "SELECT id, title, due_at FROM tasks", std::move(where), input, kSorts);
//   }
//
// A page costs the same however long the list is. With N = kListedRowsMax (1000, sort.h):
//
// - What the conditions select through an index (the service's own ones, and a filter that an index of the sorts
//   has in front) is counted up to N + 1. Up to N rows, everything is exact: any filters, any order.
// - A longer list is read along the index that its order rides, a few rows a page. An order without an index is a fault
//   at `?sort` (`too_many_rows`). Filters that the index does not answer are checked row by row: a page reads at most
//   N rows, so it may have fewer rows than asked for, or none, though `has_next` is true: `next_cursor` goes on.
//   `total` then counts the matches among the first N rows, and `total_is_exact` is false.
// - A Where with among() (full-text search) takes the first N rows of that query, and is complete with those.
// - `total=exact` counts everything, at its price.
//
// The select is "SELECT columns FROM tables"; the columns are the fields of T. A WHERE in it is left out, so that the
// statement of a table by its key does. A page takes two to five statements of one snapshot.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/result.h"
#include "bedplate/operations/paging/cursor.h"
#include "bedplate/operations/paging/page.h"
#include "bedplate/operations/paging/page_request.h"
#include "bedplate/operations/paging/sort.h"
#include "bedplate/sql/params.h"
#include "bedplate/sql/query.h"
#include "bedplate/sql/session.h"

namespace bedplate::api {

namespace detail {

struct ListStatement {
  std::string text;
  sql::Params params;
};

/// Which statements answer a list, with the row's type forgotten. References outlive it.
class ListPlan {
 public:
  ListPlan(std::string_view select, const sql::Where& where, const PageRequest& request,
           const SortSet& sorts);

  /// How many rows an index finds, up to kListedRowsMax + 1.
  ListStatement narrow_count(sql::Dialect dialect) const;
  /// Fails when the list is too long for the order that is asked for.
  Result<void> take_narrow_count(std::int64_t rows);

  /// Reads rows of which a filter then takes some: scan_end() first.
  bool scans() const { return way_ == Way::scan; }
  /// The last row that is read, and one behind it if there is one: of the list, or of the page behind the cursor.
  ListStatement scan_end(bool of_list) const;
  void take_scan_end(bool of_list, const void* row);

  bool counts() const { return counts_; }
  ListStatement count() const;
  void take_count(std::int64_t rows);

  bool is_exact() const { return exact_; }
  ListStatement exact_count() const;
  void take_exact_count(std::int64_t rows);

  /// Fails when pages by number do not reach this one. False: it is beyond the end.
  Result<bool> reaches_page() const;
  ListStatement rows() const;
  /// The total and the cursor, for a page whose last row is this one. Null: it has none.
  void finish(Pagination& pagination, bool is_full, const void* last) const;

 private:
  enum class Way : std::uint8_t {
    small,    ///< few rows: all conditions, any order
    ordered,  ///< along the index of the order
    scan,     ///< the same, and filters beside it
    among,    ///< the first rows of a query
  };
  class Writer;

  void from_narrow(Writer& writer) const;
  bool has_filter(std::string_view field) const;
  bool index_serves(const SortField& field) const;
  /// Whether the index of `field` (null: of the service's own conditions) answers this condition.
  static bool answers(const SortField* field, const sql::Condition& condition);
  bool answers_all(const SortField* field) const;
  std::size_t answered(const SortField& field) const;
  const SortField* order_index() const;
  std::string from() const { return std::string(select_.substr(select_.find(" FROM "))); }
  std::vector<sql::OrderKey> order() const { return request_.order(sorts_.unique.expression); }
  Error refused_sort() const;
  void where_small(Writer& writer) const;
  void where_all(Writer& writer, const std::optional<CursorValues>& end) const;

  std::string_view select_;
  const sql::Where& where_;
  const PageRequest& request_;
  const SortSet sorts_;
  const SortField* narrow_ =
      nullptr;  ///< whose index finds the fewest rows; null: the service's own conditions
  const SortField* along_ = nullptr;  ///< whose index the order rides
  Way way_ = Way::small;
  bool counts_ = false;
  bool exact_ = true;
  std::int64_t total_ = 0;
  std::optional<CursorValues> list_end_;
  std::optional<CursorValues> page_end_;
};

}  // namespace detail

/// `select` and `sorts` outlive the call. Faults at `?page`, `?cursor` and `?sort` as above; what is wrong with a value
/// of the Where fails the call.
template <class T, auto Unique, std::derived_from<PageQuery> Input>
Async<Page<T>> list_page(sql::Reader& db, std::string_view select, sql::Where where, const Input& input,
                         const Sorts<T, Unique>& sorts) {
  using detail::ListStatement;
  const SortSet set = sorts.set();
  const PageRequest request = co_await ok(read_page(input, set.fields, set.default_sort));
  co_await ok(where.check());
  detail::ListPlan plan(select, where, request, set);
  const ListStatement narrow = plan.narrow_count(db.dialect());
  const std::int64_t found = co_await ok(db.value<std::int64_t>(narrow.text, narrow.params));
  co_await ok(plan.take_narrow_count(found));
  for (const bool of_list : {true, false}) {
    if (!plan.scans() || (!of_list && !request.by_cursor())) continue;
    const ListStatement end = plan.scan_end(of_list);
    const std::vector<T> last = co_await ok(db.all<T>(end.text, end.params));
    plan.take_scan_end(of_list, last.size() == 2 ? &last.front() : nullptr);
  }
  if (plan.counts()) {
    const ListStatement count = plan.count();
    const std::int64_t rows = co_await ok(db.value<std::int64_t>(count.text, count.params));
    plan.take_count(rows);
  }
  if (input.total == Total::exact && !plan.is_exact()) {
    const ListStatement count = plan.exact_count();
    const std::int64_t rows = co_await ok(db.value<std::int64_t>(count.text, count.params));
    plan.take_exact_count(rows);
  }
  const bool reaches = co_await ok(plan.reaches_page());
  std::vector<T> rows;
  if (reaches) {
    const ListStatement statement = plan.rows();
    rows = co_await ok(db.all<T>(statement.text, statement.params));
  }
  Page<T> page = make_page<T>(request, std::move(rows), std::nullopt);
  plan.finish(page.pagination, page.pagination.has_next, page.data.empty() ? nullptr : &page.data.back());
  co_return page;
}

/// The same of all rows of a table.
template <class T, auto Unique, std::derived_from<PageQuery> Input>
Async<Page<T>> list_page(sql::Reader& db, std::string_view select, const Input& input,
                         const Sorts<T, Unique>& sorts) {
  sql::Where everything(sql::Dialect::sqlite);  // no condition: the engine does not matter
  return list_page<T>(db, select, std::move(everything), input, sorts);
}

}  // namespace bedplate::api
