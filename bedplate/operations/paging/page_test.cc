// SPDX-License-Identifier: Apache-2.0
#include "bedplate/operations/paging/page.h"

#include <gtest/gtest.h>

#include "bedplate/describe/json/json.h"
#include "bedplate/operations/paging/page_request.h"

namespace bedplate::api {
namespace {

constexpr SortField kSort[] = {{"due_at", "coalesce(due_at, 0)"}, {"title", "title"}};

struct ListThings : PageQuery {
  std::optional<std::string> label;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ListThings>("Things", fields_of<PageQuery>, {field<&ListThings::label>()});
  }
};

Result<PageRequest> read(const ListThings& input) {
  return read_page(input, kSort, "-due_at");
}

TEST(SortTest, ReadsFieldsAndDirections) {
  Result<std::vector<SortKey>> keys = parse_sort("-due_at,title", kSort);
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_TRUE((*keys)[0].descending);
  EXPECT_EQ((*keys)[0].field.expression, "coalesce(due_at, 0)");
  EXPECT_FALSE((*keys)[1].descending);
}

TEST(SortTest, NamesEveryFault) {
  for (std::string_view bad :
       {"", ",", "nope", "-", "--title", "title,title", "title,", "Title", "title;drop table"}) {
    Result<std::vector<SortKey>> keys = parse_sort(bad, kSort);
    ASSERT_FALSE(keys) << bad;
    EXPECT_EQ(keys.error().category(), Category::invalid);
    EXPECT_EQ(keys.error().faults().at(0).pointer, "?sort");
  }
  EXPECT_EQ(parse_sort("a,b,title", kSort).error().faults().size(), 1u) << "what is wrong is said once";
  EXPECT_EQ(parse_sort("a,title,title,b,c", kSort).error().faults().size(), 3u);
}

TEST(PageRequestTest, ReadsPagesAndCursors) {
  ListThings input;
  input.page = 3;
  Result<PageRequest> third = read(input);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->offset, 40);
  EXPECT_EQ(third->order_and_limit("id"), " ORDER BY coalesce(due_at, 0) DESC, id DESC LIMIT 21 OFFSET 40")
      << "the unique column goes the same way, so that one index answers both";

  CursorValues last{std::int64_t{5}, Uuid{}};
  ListThings next;
  next.cursor = third->cursor_after(last);
  Result<PageRequest> continued = read(next);
  ASSERT_TRUE(continued);
  ASSERT_TRUE(continued->by_cursor());
  sql::Params params;
  EXPECT_EQ(continued->after_condition(params, "id"), "(coalesce(due_at, 0), id) < ($1, $2)");
  EXPECT_EQ(continued->order_and_limit("id"), " ORDER BY coalesce(due_at, 0) DESC, id DESC LIMIT 21");
}

TEST(PageRequestTest, AFoldedTextIsSortedByItsKeyThenByItself) {
  constexpr SortField fields[] = {{"title", "title", "title_key"}, {"due_at", "due_at"}};
  ListThings input;
  input.sort = "-title,due_at";
  Result<PageRequest> first = read_page(input, fields, "title");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->order_and_limit("id"), " ORDER BY title_key DESC, title DESC, due_at, id LIMIT 21");

  const CursorValues last{std::string("Écran"), std::int64_t{5}, Uuid{}};
  ListThings next = input;
  next.cursor = first->cursor_after(last);
  Result<PageRequest> continued = read_page(next, fields, "title");
  ASSERT_TRUE(continued);
  EXPECT_EQ(*continued->after,
            (CursorValues{std::string("ecran"), std::string("Écran"), std::int64_t{5}, Uuid{}}));
  sql::Params params;
  EXPECT_EQ(continued->after_condition(params, "id").substr(0, 76),
            "(title_key <= $1 AND (title_key < $1 OR (title_key = $1 AND (title < $2 OR (");
}

struct Thing {
  std::int64_t id = 0;
  std::string title;
  std::optional<Time> due_at;
};
constexpr Time kNever{std::chrono::microseconds(7)};
constexpr Sorts<Thing> kThings("-id", sort<&Thing::id>(indexed), sort<&Thing::title>(folded_in("title_key")),
                               sort<&Thing::due_at>(by_column("due_or_never"), null_as(kNever),
                                                    indexed_with("label")));

TEST(SortsTest, SayWhatACursorKeepsOfARow) {
  const SortSet set = kThings.set();
  EXPECT_EQ(set.default_sort, "-id");
  ListThings input;
  input.sort = "-due_at,title";
  Result<PageRequest> request = read_page(input, set.fields, set.default_sort);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->order_and_limit("id"), " ORDER BY due_or_never DESC, title_key, title, id LIMIT 21");
  const Thing thing{4, "Écran", std::nullopt};
  EXPECT_EQ(cursor_values(*request, set.unique, &thing),
            (CursorValues{kNever, std::string("ecran"), std::string("Écran"), std::int64_t{4}}));
}

TEST(SortsTest, NothingIsSortedByBehindTheUniqueColumn) {
  const SortSet set = kThings.set();
  ListThings input;
  input.sort = "-id,title";
  Result<PageRequest> request = read_page(input, set.fields, set.default_sort);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->order_and_limit("id"), " ORDER BY id DESC LIMIT 21");
  const Thing thing{4, "x", std::nullopt};
  EXPECT_EQ(cursor_values(*request, set.unique, &thing), CursorValues{std::int64_t{4}});
}

TEST(PageRequestTest, BindsCursorsToSortAndFilters) {
  CursorValues last{std::int64_t{5}, Uuid{}};
  std::string cursor = read(ListThings{})->cursor_after(last);
  ListThings other_sort;
  other_sort.cursor = cursor;
  other_sort.sort = "due_at";
  EXPECT_EQ(read(other_sort).error().faults().at(0).code, "invalid_cursor");
  ListThings other_filter;
  other_filter.cursor = cursor;
  other_filter.label = "home";
  EXPECT_EQ(read(other_filter).error().faults().at(0).pointer, "?cursor");
  ListThings other_limit;  // which does not change the order
  other_limit.cursor = cursor;
  other_limit.limit = 7;
  EXPECT_TRUE(read(other_limit));
  ListThings both;
  both.cursor = cursor;
  both.page = 2;
  EXPECT_EQ(read(both).error().faults().at(0).pointer, "?page");
}

TEST(PageTest, OneRowTooManyMeansMore) {
  PageRequest request;
  request.limit = 2;
  Page<Pagination> page = make_page<Pagination>(request, std::vector<Pagination>(3), 10);
  EXPECT_EQ(page.data.size(), 2u);
  EXPECT_TRUE(page.pagination.has_next);
  EXPECT_EQ(page.pagination.total_pages, 5);
  EXPECT_EQ(
      to_json(page.pagination),
      R"({"total":10,"total_is_exact":true,"page":1,"limit":2,"total_pages":5,"has_next":true,"has_previous":false})");
}

}  // namespace
}  // namespace bedplate::api
