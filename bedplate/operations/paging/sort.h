// SPDX-License-Identifier: Apache-2.0
// The `sort` parameter of lists: "-due_at,title".
//
//   inline constexpr SortField kTaskSort[] = {{"due_at", "coalesce(due_at, 0)"},
//                                             {"title", "title", folded_in("title_key")}};
//
//   Result<std::vector<SortKey>> keys = parse_sort("-due_at,title", kTaskSort);
//   // (*keys)[0].field.expression is "coalesce(due_at, 0)", (*keys)[0].descending is true
//
// List operations read it with the rest of their page: page_request.h.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"

namespace bedplate::api {

/// A field that clients may sort by, and the SQL expression behind it. The expression is never NULL (use
/// coalesce): cursors compare with it.
struct SortField {
  std::string_view name;
  std::string_view expression;
  /// folded_in("title_key"): a text that is sorted without regard to case and accents. Empty: by its bytes.
  std::string_view folded_column = {};
};

/// The column that holds unicode::sort_key() of a text; the store writes it with the text. It is never NULL, and its
/// type is TEXT on SQLite and TEXT COLLATE "C" on PostgreSQL, so both sort alike. Texts with the same key are sorted by
/// themselves.
consteval std::string_view folded_in(std::string_view column) {
  return column;
}

struct SortKey {
  SortField field;
  bool descending = false;
};

/// At most this many fields in one sort.
inline constexpr std::size_t kSortFieldsMax = 4;

/// Reads `text`. Category::invalid with faults at `?sort` ("not_one_of", "not_unique", "too_long") when it names
/// what is not in `fields`, something twice, or too much. Views point into `fields`.
Result<std::vector<SortKey>> parse_sort(std::string_view text, std::span<const SortField> fields);

/// The same for a caller that collects faults: what could be read, and the faults behind those in `faults`.
std::vector<SortKey> parse_sort(std::string_view text, std::span<const SortField> fields,
                                std::vector<Fault>& faults);

}  // namespace bedplate::api
