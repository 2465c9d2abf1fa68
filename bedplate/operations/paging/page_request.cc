// SPDX-License-Identifier: Apache-2.0
#include "bedplate/operations/paging/page_request.h"

#include <fmt/format.h>

#include "bedplate/describe/json/json.h"
#include "bedplate/unicode/fold.h"

namespace bedplate::api {
namespace {

constexpr std::string_view kNotFilters[] = {"page", "limit", "cursor", "sort", "total"};

std::string add_value(sql::Params& params, const CursorValue& value) {
  return std::visit([&](const auto& held) { return params.add(held); }, value);
}

bool ends_unique(std::span<const SortKey> keys) {
  return !keys.empty() && keys.back().field.unique;
}

// A folded text has two, and the unique column one.
std::size_t cursor_size(std::span<const SortKey> keys) {
  const auto folded = [](const SortKey& key) { return !key.field.folded_column.empty(); };
  return keys.size() + static_cast<std::size_t>(std::ranges::count_if(keys, folded)) +
         (ends_unique(keys) ? 0 : 1);
}

// No key behind one that tells all rows apart changes the order.
void drop_behind_unique(std::vector<SortKey>& keys) {
  const auto unique = std::ranges::find_if(keys, [](const SortKey& key) { return key.field.unique; });
  if (unique != keys.end()) keys.erase(unique + 1, keys.end());
}

std::string sort_text(std::span<const SortKey> keys) {
  std::string text;
  for (const SortKey& key : keys) text += fmt::format("{}{},", key.descending ? "-" : "", key.field.name);
  return text;
}

Fault invalid_cursor() {
  return {"?cursor", "invalid_cursor", "is not a cursor of this list with this sort and these filters"};
}

/// Reads all of it, and says all that is wrong. A cursor is bound to its sort and its filters: where either is not
/// known, only its form is looked at.
PageRequest read(const PageQuery& query, std::optional<std::string_view> scope,
                 std::span<const SortField> fields, std::string_view default_sort,
                 std::vector<Fault>& faults) {
  PageRequest request;
  request.limit = query.limit;
  const std::string_view sort = query.sort ? std::string_view(*query.sort) : default_sort;
  const std::size_t faults_before = faults.size();
  // An empty text has a fault of its own already: it is too short.
  if (!sort.empty()) request.sort = parse_sort(sort, fields, faults);
  drop_behind_unique(request.sort);
  const bool knows_sort = !request.sort.empty() && faults.size() == faults_before;
  if (!query.cursor) {
    request.page = query.page.value_or(1);
    request.offset = (request.page - 1) * request.limit;
  } else if (query.page) {
    faults.push_back({"?page", "exclusive", "does not go together with cursor; give one of them"});
  }
  if (!knows_sort || !scope) {
    if (query.cursor && !query.cursor->empty() && !looks_like_cursor(*query.cursor))
      faults.push_back(invalid_cursor());
    return request;
  }
  request.scope = sort_text(request.sort).append(1, '\n').append(*scope);
  if (!query.cursor) return request;
  if (query.cursor->empty()) return request;
  request.after = decode_cursor(request.scope, *query.cursor);
  if (!request.after || request.after->size() != cursor_size(request.sort))
    faults.push_back(invalid_cursor());
  return request;
}

}  // namespace

std::vector<sql::OrderKey> PageRequest::order(std::string_view unique_column) const {
  std::vector<sql::OrderKey> keys;
  for (const SortKey& key : sort) {
    if (!key.field.folded_column.empty()) keys.push_back({key.field.folded_column, key.descending});
    keys.push_back({key.field.expression, key.descending});
  }
  if (!ends_unique(sort)) keys.push_back({unique_column, !sort.empty() && sort.back().descending});
  return keys;
}

std::string PageRequest::after_condition(sql::Params& params, std::string_view unique_column) const {
  std::vector<std::string> names;
  for (const CursorValue& value : *after) names.push_back(add_value(params, value));
  return sql::after(order(unique_column), names);
}

std::string PageRequest::order_and_limit(std::string_view unique_column) const {
  std::string text = fmt::format(" ORDER BY {} LIMIT {}", sql::order_by(order(unique_column)), limit + 1);
  if (offset > 0) text += fmt::format(" OFFSET {}", offset);
  return text;
}

std::string PageRequest::cursor_after(std::span<const CursorValue> keys) const {
  CursorValues values;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i < sort.size() && !sort[i].field.folded_column.empty())
      values.emplace_back(unicode::sort_key(std::get<std::string>(keys[i])));
    values.push_back(keys[i]);
  }
  return encode_cursor(scope, values);
}

CursorValues cursor_values(const PageRequest& request, const SortField& unique, const void* row) {
  CursorValues values;
  for (const SortKey& key : request.sort) {
    CursorValue value = key.field.value(row, key.field.null_as);
    if (!key.field.folded_column.empty())
      values.emplace_back(unicode::sort_key(std::get<std::string>(value)));
    values.push_back(std::move(value));
  }
  if (!ends_unique(request.sort)) values.push_back(unique.value(row, unique.null_as));
  return values;
}

Result<PageRequest> read_page(const PageQuery& query, std::string_view scope,
                              std::span<const SortField> fields, std::string_view default_sort) {
  std::vector<Fault> faults;
  PageRequest request = read(query, scope, fields, default_sort, faults);
  if (faults.empty()) return request;
  return std::unexpected(
      Error(Category::invalid, "validation_failed", "The request has values that are not valid.")
          .with_faults(std::move(faults)));
}

void find_page_faults(const PageQuery& query, std::optional<std::string_view> scope,
                      std::span<const SortField> fields, std::string_view default_sort,
                      std::vector<Fault>& faults) {
  static_cast<void>(read(query, scope, fields, default_sort, faults));
}

std::string filter_scope(const TypeInfo& type, const void* input) {
  Buffer text;
  for (const FieldInfo& field : type.object().all()) {
    if (std::ranges::find(kNotFilters, field.name()) != std::end(kNotFilters)) continue;
    text.append({field.key, field.key_size});
    write_json(text, *field.type, field.in(input), View::stored);
  }
  return text.to_string();
}

Pagination paginate(const PageRequest& request, std::size_t rows, std::optional<std::int64_t> total) {
  Pagination pagination;
  pagination.limit = request.limit;
  pagination.total = total;
  if (total) pagination.total_is_exact = true;
  pagination.has_next = static_cast<std::int64_t>(rows) > request.limit;
  if (request.by_cursor()) {
    pagination.has_previous = true;  // the row of the cursor itself
    return pagination;
  }
  pagination.page = request.page;
  pagination.has_previous = request.page > 1;
  if (total) pagination.total_pages = (*total + request.limit - 1) / request.limit;
  return pagination;
}

}  // namespace bedplate::api
