// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/page_links.h"

#include <algorithm>

#include <fmt/format.h>

#include "bedplate/http/message/url.h"
#include "bedplate/operations/paging/sort.h"

namespace bedplate::api {
namespace {

/// The query without the parameters that say which page, as it was written, ready for one more ("" or "a=b&").
std::string filters_of(std::string_view query) {
  std::string filters;
  while (!query.empty()) {
    std::size_t end = std::min(query.find('&'), query.size());
    std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    std::string_view name = pair.substr(0, pair.find('='));
    if (pair.empty() || name == "page" || name == "cursor") continue;
    filters.append(pair).push_back('&');
  }
  return filters;
}

}  // namespace

void fill_links(PageParts parts, std::string_view path, std::string_view query) {
  const auto& [links, pagination] = parts;
  const std::string base = fmt::format("{}?{}", path, filters_of(query));
  auto page = [&](std::int64_t number) { return fmt::format("{}page={}", base, number); };
  links.self = query.empty() ? std::string(path) : fmt::format("{}?{}", path, query);
  links.first = page(1);
  if (!pagination.page) {
    if (pagination.next_cursor)
      links.next = fmt::format("{}cursor={}", base, http::percent_encode(*pagination.next_cursor));
    return;
  }
  const auto last = std::max<std::int64_t>(1, pagination.total_pages.value_or(1));
  if (pagination.total_pages && (last - 1) * pagination.limit < kListedRowsMax) links.last = page(last);
  if (pagination.has_next)
    links.next = pagination.next_by_cursor && pagination.next_cursor
                     ? fmt::format("{}cursor={}", base, http::percent_encode(*pagination.next_cursor))
                     : page(*pagination.page + 1);
  if (pagination.has_previous) {
    // From beyond the end, the page before is the last one that there is.
    std::int64_t before = *pagination.page - 1;
    if (pagination.total_pages)
      before = std::clamp<std::int64_t>(before, 1, std::max<std::int64_t>(1, *pagination.total_pages));
    links.previous = page(before);
  }
}

}  // namespace bedplate::api
