// SPDX-License-Identifier: Apache-2.0
// Lists in pages: by number, or by cursor where the list is long or moves.
//
//   struct ListTasks : PageQuery { std::optional<Status> status; };               // which page, and filters
//   Async<Page<Task>> list(sql::Reader& db, const ListTasks& input) const;        // of Tasks
//
// This header is what inputs and outputs are made of; list.h answers such an operation with one call.
//
// - `page` (from 1) and `limit` (1 to 100, default 20); or `cursor`, which continues after the last row of an
//   earlier page. Both together are a fault. A page beyond the end is empty, not an error. Pages by number reach
//   kListedRowsMax rows (sort.h); further ones are a fault `too_deep`: a cursor goes on to the end.
// - `total` counts up to kListedRowsMax rows, so that a page costs the same however long the list is: `total_is_exact`
//   is false when there may be more, and then `total_pages` and `links.last` are absent. `total=exact` counts all.
// - `sort`: names with commas, "-" before one that descends: "-due_at,title". Only declared fields.
// - A cursor is opaque to clients. It holds the sort keys of the last row and is bound to the sort and the filters
//   it was made under; anything else, and any altered byte, is a fault `invalid_cursor`. It is no secret and no
//   permission: queries keep their own conditions on the owner.
// - Links are relative and filled by the surface. With a cursor `page`, `total_pages` and `links.last` are absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "bedplate/describe/describe.h"

namespace bedplate::api {

enum class Total : std::uint8_t { bounded, exact };
consteval auto describe(Total) {
  return schema::values<Total::bounded, Total::exact>("How far the rows of a list are counted");
}

/// What a list operation takes. Its input derives from it, or has fields of the same names.
struct PageQuery {
  std::optional<std::int64_t> page;
  std::int64_t limit = 20;
  std::optional<std::string> cursor;
  std::optional<std::string> sort;
  Total total = Total::bounded;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<PageQuery>(
        "Which part of a list, and in which order",
        {
            field<&PageQuery::page>(range{1, 1'000'000}, "The page, from 1. Not together with `cursor`",
                                    example("1")),
            field<&PageQuery::limit>(range{1, 100}, optional_with_default, "Rows per page", example("20")),
            field<&PageQuery::cursor>(length{1, 2000}, "Continues after an earlier page: its `next_cursor`"),
            field<&PageQuery::sort>(length{1, 200},
                                    "Fields to sort by, separated by commas; `-` before one that descends"),
            field<&PageQuery::total>(optional_with_default,
                                     "`exact` counts the whole list; else it is counted up to 1000 rows, and "
                                     "`total_is_exact` says whether that was all"),
        });
  }
};

struct Pagination {
  std::optional<std::int64_t> total;
  std::optional<bool> total_is_exact;
  std::optional<std::int64_t> page;
  std::int64_t limit = 0;
  std::optional<std::int64_t> total_pages;
  bool has_next = false;
  bool has_previous = false;
  std::optional<std::string> next_cursor;
  bool next_by_cursor = false;  ///< pages by number do not reach the next rows: its link has the cursor

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Pagination>(
        "Where a page stands in its list",
        {
            field<&Pagination::total>(omit_null,
                                      "Rows in the whole list, or at least so many: see `total_is_exact`"),
            field<&Pagination::total_is_exact>(omit_null,
                                               "False: there may be more rows than `total`. Ask with "
                                               "`total=exact` to have all counted"),
            field<&Pagination::page>(omit_null, "This page, from 1; absent when a cursor was used"),
            field<&Pagination::limit>("Rows per page"),
            field<&Pagination::total_pages>(omit_null,
                                            "Absent when a cursor was used or `total` is not exact"),
            field<&Pagination::has_next>("There are rows after this page"),
            field<&Pagination::has_previous>("There are rows before this page"),
            field<&Pagination::next_cursor>(omit_null, "Give it as `cursor` for the rows after this page"),
            omit<&Pagination::next_by_cursor>,
        });
  }
};

/// Relative references; filled by the surface.
struct PageLinks {
  std::string self;
  std::string first;
  std::optional<std::string> last;
  std::optional<std::string> next;
  std::optional<std::string> previous;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<PageLinks>(
        "Where the other pages are, relative to this server",
        {
            field<&PageLinks::self>("This page"),
            field<&PageLinks::first>("The first page"),
            field<&PageLinks::last>(omit_null,
                                    "The last page; absent when a cursor was used or the total is not exact"),
            field<&PageLinks::next>(omit_null, "The next page, if there is one"),
            field<&PageLinks::previous>(omit_null, "The page before, if there is one"),
        });
  }
};

template <class T>
struct Page {
  std::vector<T> data;
  Pagination pagination;
  PageLinks links;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Page>("A page of a list", {
                                                field<&Page::data>("The rows"),
                                                field<&Page::pagination>("Where the page stands"),
                                                field<&Page::links>("Where the other pages are"),
                                            });
  }
};

/// A page's links and place, whatever it lists.
struct PageParts {
  PageLinks& links;
  const Pagination& pagination;
};

namespace detail {
template <class T>
inline constexpr bool kIsPage = false;
template <class T>
inline constexpr bool kIsPage<Page<T>> = true;

template <class PageType>
PageParts parts_of(void* output) {
  auto& page = *static_cast<PageType*>(output);
  return {page.links, page.pagination};
}
}  // namespace detail

}  // namespace bedplate::api
