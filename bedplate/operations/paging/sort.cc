// SPDX-License-Identifier: Apache-2.0
#include "bedplate/operations/paging/sort.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace bedplate::api {
namespace {

Fault unknown_field(std::span<const SortField> fields) {
  std::vector<std::string_view> names;
  for (const SortField& field : fields) names.push_back(field.name);
  return {"?sort", "not_one_of",
          fmt::format("names a field that cannot be sorted by; those are {}", fmt::join(names, ", "))};
}

}  // namespace

std::vector<SortKey> parse_sort(std::string_view text, std::span<const SortField> fields,
                                std::vector<Fault>& faults) {
  std::vector<SortKey> keys;
  bool has_unknown = false;
  bool has_twice = false;
  std::size_t names = 0;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t end = std::min(text.find(',', at), text.size());
    std::string_view name = text.substr(at, end - at);
    at = end + 1;
    if (++names > kSortFieldsMax) break;
    bool descending = name.starts_with('-');
    if (descending) name.remove_prefix(1);
    auto field = std::ranges::find(fields, name, &SortField::name);
    if (field == fields.end())
      has_unknown = true;
    else if (std::ranges::any_of(keys, [&](const SortKey& key) { return key.field.name == name; }))
      has_twice = true;
    else
      keys.push_back({*field, descending});
  }
  if (has_unknown) faults.push_back(unknown_field(fields));
  if (has_twice) faults.push_back({"?sort", "not_unique", "names a field twice"});
  if (names > kSortFieldsMax)
    faults.push_back({"?sort", "too_long", fmt::format("names more than {} fields", kSortFieldsMax)});
  return keys;
}

Result<std::vector<SortKey>> parse_sort(std::string_view text, std::span<const SortField> fields) {
  std::vector<Fault> faults;
  std::vector<SortKey> keys = parse_sort(text, fields, faults);
  if (faults.empty()) return keys;
  return std::unexpected(
      Error(Category::invalid, "validation_failed", "The request has values that are not valid.")
          .with_faults(std::move(faults)));
}

}  // namespace bedplate::api
