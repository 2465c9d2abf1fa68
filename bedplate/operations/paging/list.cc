// SPDX-License-Identifier: Apache-2.0
#include "bedplate/operations/paging/list.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace bedplate::api::detail {

// A statement under construction. Conditions come with the numbers of the Where's parameters, and get their own.
class ListPlan::Writer {
 public:
  Writer(std::string_view begin, const sql::Where& where) : where_(where), names_(where.params().size()) {
    made_.text = begin;
  }

  /// Text without parameters of the Where.
  Writer& text(std::string_view text) {
    made_.text += text;
    return *this;
  }
  /// Text with them.
  Writer& add(std::string_view text) {
    while (!text.empty()) {
      const std::size_t dollar = text.find('$');
      made_.text += text.substr(0, dollar);
      if (dollar == std::string_view::npos) break;
      std::size_t number = 0;
      const char* begin = text.data() + dollar + 1;
      const char* end = std::from_chars(begin, text.data() + text.size(), number).ptr;
      made_.text += end == begin ? "$" : name_of(number);
      text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    }
    return *this;
  }
  /// " WHERE " or " AND ", and the condition.
  Writer& condition(std::string_view text) { return next_condition().add(text); }
  /// The same for one whose parameters are the statement's own.
  Writer& own_condition(std::string_view text) { return next_condition().text(text); }
  sql::Params& params() { return made_.params; }
  std::vector<std::string> add_values(std::span<const CursorValue> values) {
    std::vector<std::string> names;
    for (const CursorValue& value : values)
      names.push_back(std::visit([&](const auto& held) { return made_.params.add(held); }, value));
    return names;
  }
  ListStatement take() { return std::move(made_); }

 private:
  Writer& next_condition() { return text(std::exchange(has_condition_, true) ? " AND " : " WHERE "); }
  std::string_view name_of(std::size_t number) {
    if (number == 0 || number > names_.size()) return "$0";  // the driver refuses it
    std::string& name = names_[number - 1];
    if (name.empty()) name = made_.params.add_copy(where_.params().list()[number - 1]);
    return name;
  }

  const sql::Where& where_;
  ListStatement made_;
  std::vector<std::string> names_;
  bool has_condition_ = false;
};

ListPlan::ListPlan(std::string_view select, const sql::Where& where, const PageRequest& request,
                   const SortSet& sorts)
    : select_(select.substr(0, select.find(" WHERE "))), where_(where), request_(request), sorts_(sorts) {
  if (where_.among()) return;
  std::size_t most = 0;
  for (const SortField& field : sorts_.fields) {
    if (!index_serves(field) || answered(field) <= most) continue;
    narrow_ = &field;
    most = answered(field);
  }
}

bool ListPlan::has_filter(std::string_view field) const {
  return std::ranges::find(where_.list(), field, &sql::Condition::field) != where_.list().end();
}

bool ListPlan::index_serves(const SortField& field) const {
  return field.index == SortIndex::always ||
         (field.index == SortIndex::with_filter && has_filter(field.filter));
}

// The service's own conditions are in front of every index; then comes the filter's column, then the expression.
bool ListPlan::answers(const SortField* field, const sql::Condition& condition) {
  if (condition.field.empty()) return true;
  if (!field) return false;
  const bool is_filter = field->index == SortIndex::with_filter && condition.field == field->filter;
  return is_filter || (field->folded_column.empty() && condition.column == field->expression);
}

bool ListPlan::answers_all(const SortField* field) const {
  return std::ranges::all_of(where_.list(), [&](const auto& condition) { return answers(field, condition); });
}

std::size_t ListPlan::answered(const SortField& field) const {
  return static_cast<std::size_t>(std::ranges::count_if(where_.list(), [&](const sql::Condition& condition) {
    return !condition.field.empty() && answers(&field, condition);
  }));
}

// Null: no index answers the order.
const SortField* ListPlan::order_index() const {
  if (request_.sort.size() != 1) return nullptr;
  const auto field = std::ranges::find(sorts_.fields, request_.sort[0].field.name, &SortField::name);
  return field != sorts_.fields.end() && index_serves(*field) ? &*field : nullptr;
}

void ListPlan::from_narrow(Writer& writer) const {
  writer.text(from());
  std::string_view before = " WHERE ";
  for (const sql::Condition& condition : where_.list())
    if (answers(narrow_, condition)) writer.text(std::exchange(before, " AND ")).add(condition.text);
}

ListStatement ListPlan::narrow_count(sql::Dialect dialect) const {
  if (dialect == sql::Dialect::sqlite && !where_.among()) {
    // Of a long list one row is looked for, of a short one all are counted: both go through the index without the
    // coroutine that a counted subquery with a LIMIT is.
    Writer writer("SELECT coalesce((SELECT ", where_);
    writer.text(std::to_string(kListedRowsMax + 1));
    from_narrow(writer);
    writer.text(fmt::format(" LIMIT 1 OFFSET {}), (SELECT count(*)", kListedRowsMax));
    from_narrow(writer);
    writer.text("))");
    return writer.take();
  }
  Writer writer("SELECT count(*) FROM (", where_);
  if (where_.among())
    writer.add(where_.among()->newest_first);
  else
    from_narrow(writer.text("SELECT 1"));
  writer.text(fmt::format(" LIMIT {}) AS found", kListedRowsMax + 1));
  return writer.take();
}

Result<void> ListPlan::take_narrow_count(std::int64_t rows) {
  total_ = std::min(rows, kListedRowsMax);
  exact_ = rows <= kListedRowsMax;
  if (where_.among()) {
    way_ = Way::among;
    counts_ = !answers_all(nullptr);
  } else if (exact_) {
    way_ = Way::small;
    counts_ = !answers_all(narrow_);
  } else {
    along_ = order_index();
    if (!along_) return std::unexpected(refused_sort());
    way_ = answers_all(along_) ? Way::ordered : Way::scan;
    // Without filters the narrow count was of the same rows.
    counts_ = way_ == Way::scan || (along_ != narrow_ && answered(*along_) > 0);
  }
  return {};
}

Error ListPlan::refused_sort() const {
  std::vector<std::string> ways;
  for (const SortField& field : sorts_.fields) {
    if (field.index == SortIndex::always) ways.emplace_back(field.name);
    if (field.index == SortIndex::with_filter)
      ways.push_back(fmt::format("{} with the filter {}", field.name, field.filter));
  }
  std::vector<Fault> faults;
  faults.push_back(
      {"?sort", "too_many_rows",
       fmt::format("is for lists of up to {} rows; this one has more: filter it, or sort it by one of {}",
                   kListedRowsMax, fmt::join(ways, ", "))});
  return Error(Category::invalid, "validation_failed", "The request has values that are not valid.")
      .with_faults(std::move(faults));
}

ListStatement ListPlan::scan_end(bool of_list) const {
  Writer writer(select_, where_);
  for (const sql::Condition& condition : where_.list())
    if (answers(along_, condition)) writer.condition(condition.text);
  if (!of_list) writer.own_condition(request_.after_condition(writer.params(), sorts_.unique.expression));
  writer.text(fmt::format(" ORDER BY {} LIMIT 2 OFFSET {}", sql::order_by(order()), kListedRowsMax - 1));
  return writer.take();
}

void ListPlan::take_scan_end(bool of_list, const void* row) {
  std::optional<CursorValues>& end = of_list ? list_end_ : page_end_;
  if (row) end = cursor_values(request_, sorts_.unique, row);
  if (of_list) {
    exact_ = !row;
    if (!request_.by_cursor()) page_end_ = list_end_;
  }
}

// All conditions on few rows, found through the narrow index. A planner without statistics may prefer to read the whole
// list in its order, so where that is another index's the rows are named.
void ListPlan::where_small(Writer& writer) const {
  const bool same_index =
      !narrow_ || (!request_.sort.empty() && request_.sort[0].field.name == narrow_->name);
  for (const sql::Condition& condition : where_.list())
    if (same_index || condition.field.empty() || !answers(narrow_, condition))
      writer.condition(condition.text);
  if (same_index) return;
  Writer& in = writer.condition(sorts_.unique.expression).text(" IN (SELECT ").text(sorts_.unique.expression);
  in.text(from()).text(" WHERE ");
  bool first = true;
  for (const sql::Condition& condition : where_.list())
    if (answers(narrow_, condition)) in.text(std::exchange(first, false) ? "" : " AND ").add(condition.text);
  in.text(fmt::format(" LIMIT {})", kListedRowsMax));
}

void ListPlan::where_all(Writer& writer, const std::optional<CursorValues>& end) const {
  if (way_ == Way::small) return where_small(writer);
  for (const sql::Condition& condition : where_.list()) {
    // What no index is to be used for is not seen by the planner as something to look up.
    if (way_ == Way::scan && !answers(along_, condition))
      writer.condition("(" + condition.text + ") IS TRUE");
    else
      writer.condition(condition.text);
  }
  if (const std::optional<sql::AmongSet>& among = where_.among())
    writer.condition(fmt::format("{} IN ({} LIMIT {})", among->column, among->newest_first, kListedRowsMax));
  if (end) writer.own_condition(sql::up_to(order(), writer.add_values(*end)));
}

ListStatement ListPlan::count() const {
  Writer writer("SELECT count(*)", where_);
  if (way_ == Way::ordered) writer.text(" FROM (SELECT 1");
  writer.text(from());
  where_all(writer, list_end_);
  if (way_ == Way::ordered) writer.text(fmt::format(" LIMIT {}) AS found", kListedRowsMax + 1));
  return writer.take();
}

void ListPlan::take_count(std::int64_t rows) {
  total_ = std::min(rows, kListedRowsMax);
  if (way_ == Way::ordered) exact_ = rows <= kListedRowsMax;
}

ListStatement ListPlan::exact_count() const {
  Writer writer("SELECT count(*)", where_);
  writer.text(from()).condition(where_.conditions());
  return writer.take();
}

void ListPlan::take_exact_count(std::int64_t rows) {
  total_ = rows;
  exact_ = true;
}

Result<bool> ListPlan::reaches_page() const {
  if (request_.offset < kListedRowsMax) return true;
  if (exact_ && total_ <= request_.offset) return false;
  std::vector<Fault> faults;
  faults.push_back({"?page", "too_deep",
                    fmt::format("is behind the first {} rows, which pages by number reach; use next_cursor",
                                kListedRowsMax)});
  return std::unexpected(
      Error(Category::invalid, "validation_failed", "The request has values that are not valid.")
          .with_faults(std::move(faults)));
}

ListStatement ListPlan::rows() const {
  Writer writer(select_, where_);
  where_all(writer, page_end_);
  if (request_.after)
    writer.own_condition(request_.after_condition(writer.params(), sorts_.unique.expression));
  writer.text(request_.order_and_limit(sorts_.unique.expression));
  return writer.take();
}

void ListPlan::finish(Pagination& pagination, bool is_full, const void* last) const {
  pagination.total = total_;
  pagination.total_is_exact = exact_;
  if (pagination.page && exact_) pagination.total_pages = (total_ + request_.limit - 1) / request_.limit;
  if (is_full && last) {
    pagination.next_cursor = encode_cursor(request_.scope, cursor_values(request_, sorts_.unique, last));
    pagination.next_by_cursor = request_.offset + request_.limit >= kListedRowsMax;
  } else if (page_end_) {
    pagination.has_next = true;
    pagination.next_cursor = encode_cursor(request_.scope, *page_end_);
    pagination.next_by_cursor = true;
  }
}

}  // namespace bedplate::api::detail
