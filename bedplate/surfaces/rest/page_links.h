// SPDX-License-Identifier: Apache-2.0
// Fills the links of a page: relative references (RFC 3986 section 4.2) that keep the filters of the request.
//
//   // links.next: "/v1/tasks?label=home&page=3"
//   fill_links({page.links, page.pagination}, "/v1/tasks", "label=home&page=2");
#pragma once

#include <string_view>

#include "bedplate/operations/paging/page.h"

namespace bedplate::api {

/// Of a page that was asked for as `path` with the query `query` (raw, without "?").
void fill_links(PageParts parts, std::string_view path, std::string_view query);

}  // namespace bedplate::api
