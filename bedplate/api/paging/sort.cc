// SPDX-License-Identifier: Apache-2.0
#include "bedplate/api/paging/sort.h"

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

Result<std::vector<SortKey>> parse_sort(std::string_view text, std::span<const SortField> fields) {
  std::vector<SortKey> keys;
  std::vector<Fault> faults;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t end = std::min(text.find(',', at), text.size());
    std::string_view name = text.substr(at, end - at);
    at = end + 1;
    bool descending = name.starts_with('-');
    if (descending) name.remove_prefix(1);
    auto field = std::ranges::find(fields, name, &SortField::name);
    if (field == fields.end()) {
      faults.push_back(unknown_field(fields));
    } else if (std::ranges::any_of(keys, [&](const SortKey& key) { return key.field.name == name; })) {
      faults.push_back({"?sort", "not_unique", "names a field twice"});
    } else {
      keys.push_back({*field, descending});
    }
    if (keys.size() + faults.size() > kSortFieldsMax) {
      faults.push_back({"?sort", "too_long", fmt::format("names more than {} fields", kSortFieldsMax)});
      break;
    }
  }
  if (!faults.empty())
    return std::unexpected(
        Error(Category::invalid, "validation_failed", "The request has values that are not valid.")
            .with_faults(std::move(faults)));
  return keys;
}

}  // namespace bedplate::api
