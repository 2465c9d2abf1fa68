// SPDX-License-Identifier: Apache-2.0
// One suite for both engines: a short list and one that is longer than what is looked at for a page.
#include "bedplate/operations/paging/list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/kits/engine_kit.h"

namespace bedplate::api {
namespace {

using bedplate::testing::EngineKit;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Thing {
  std::int64_t id = 0;
  std::string kind;
  std::optional<std::int64_t> size;
  std::vector<std::string> labels;

  static consteval auto describe() {
    using namespace schema;
    return object<Thing>("A thing.", {field<&Thing::id>(), field<&Thing::kind>(), field<&Thing::size>(),
                                      field<&Thing::labels>()});
  }
};

struct ListThings : PageQuery {
  std::optional<std::string> kind;
  std::optional<std::int64_t> size_below;
  std::optional<std::string> label;
  std::optional<std::int64_t> among_from;  ///< a query of its own: those with at least this id

  static consteval auto describe() {
    using namespace schema;
    return object<ListThings>(
        "Which things.",
        {field<&ListThings::page>(), field<&ListThings::limit>(optional_with_default),
         field<&ListThings::cursor>(), field<&ListThings::sort>(),
         field<&ListThings::total>(optional_with_default), field<&ListThings::kind>(),
         field<&ListThings::size_below>(), field<&ListThings::label>(), field<&ListThings::among_from>()});
  }
};

constexpr Sorts<Thing> kSorts("-id", sort<&Thing::id>(indexed),
                              sort<&Thing::size>(by_column("size_or_none"), null_as(1'000'000),
                                                 indexed_with("kind")),
                              sort<&Thing::kind>());
constexpr sql::Column kOwner("owner");
constexpr sql::FilterRule kFilters[] = {
    {"kind", sql::Column("kind")},
    {"size_below", sql::Column("size_or_none"), sql::Compare::less},
    {"label", sql::Column("labels"), sql::Compare::has},
};
constexpr std::string_view kSelect = "SELECT id, kind, size, labels FROM things WHERE id = $1";

constexpr std::string_view kSqlite = R"(
CREATE TABLE things (owner INTEGER NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL, size INTEGER,
  size_or_none INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(size, 1000000)) VIRTUAL, labels TEXT NOT NULL,
  PRIMARY KEY (owner, id)) WITHOUT ROWID;
CREATE INDEX things_size ON things (owner, kind, size_or_none, id);
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2529)
INSERT INTO things (owner, id, kind, size, labels)
SELECT CASE WHEN i < 2500 THEN 1 ELSE 2 END, i, CASE WHEN i % 100 = 7 THEN 'rare' ELSE 'usual' END,
       CASE WHEN i % 2 = 0 THEN i END, CASE WHEN i % 500 = 3 THEN '["x","y"]' ELSE '["y"]' END FROM n;
)";
constexpr std::string_view kPostgresql = R"(
CREATE TABLE things (owner bigint NOT NULL, id bigint NOT NULL, kind text COLLATE "C" NOT NULL, size bigint,
  size_or_none bigint NOT NULL GENERATED ALWAYS AS (coalesce(size, 1000000)) STORED, labels jsonb NOT NULL,
  PRIMARY KEY (owner, id));
CREATE INDEX things_size ON things (owner, kind, size_or_none, id);
INSERT INTO things (owner, id, kind, size, labels)
SELECT CASE WHEN i < 2500 THEN 1 ELSE 2 END, i, CASE WHEN i % 100 = 7 THEN 'rare' ELSE 'usual' END,
       CASE WHEN i % 2 = 0 THEN i END, CASE WHEN i % 500 = 3 THEN '["x","y"]'::jsonb ELSE '["y"]'::jsonb END
FROM generate_series(0, 2529) i;
)";

struct Things {
  sql::Dialect dialect;

  Async<Page<Thing>> list(sql::Reader& db, std::int64_t owner, const ListThings& input) const {
    sql::Where where(dialect);
    where.add(kOwner, sql::Compare::equal, owner);
    where.add(kFilters, input);
    if (input.among_from) {
      std::string query = "SELECT id FROM things WHERE owner = " + where.params().add(owner);
      query += " AND id >= " + where.params().add(*input.among_from);
      where.among(sql::Column("id"), query, query + " ORDER BY id DESC");
    }
    const Page<Thing> page = co_await ok(list_page<Thing>(db, kSelect, std::move(where), input, kSorts));
    co_return page;
  }
};

class ListTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  static constexpr std::int64_t kLong = 1;   // 2500 things: 0 to 2499
  static constexpr std::int64_t kShort = 2;  // 30 things: 2500 to 2529

  Result<Page<Thing>> ask(std::int64_t owner, const ListThings& input) {
    return kit_.run(kit_.database().read(&Things::list, things_, owner, input));
  }
  Page<Thing> list(std::int64_t owner, const ListThings& input) {
    Result<Page<Thing>> page = ask(owner, input);
    EXPECT_TRUE(page) << page.error().detail();
    return page ? std::move(*page) : Page<Thing>();
  }
  std::string fault(std::int64_t owner, const ListThings& input) {
    Result<Page<Thing>> page = ask(owner, input);
    if (page || page.error().faults().empty()) return "";
    const Fault& fault = page.error().faults().front();
    return fault.pointer + " " + fault.code + ": " + fault.message;
  }
  static std::vector<std::int64_t> ids(const Page<Thing>& page) {
    std::vector<std::int64_t> ids;
    for (const Thing& thing : page.data) ids.push_back(thing.id);
    return ids;
  }
  /// All of a list, by cursors.
  std::vector<std::int64_t> walk(std::int64_t owner, ListThings input) {
    std::vector<std::int64_t> all;
    for (int pages = 0; pages < 1000; ++pages) {
      const Page<Thing> page = list(owner, input);
      for (const std::int64_t id : ids(page)) all.push_back(id);
      EXPECT_EQ(page.pagination.has_next, page.pagination.next_cursor.has_value());
      if (!page.pagination.next_cursor) return all;
      input.cursor = page.pagination.next_cursor;
    }
    ADD_FAILURE() << "the list does not end";
    return all;
  }

  EngineKit kit_{GetParam(), std::string(GetParam() == sql::Dialect::sqlite ? kSqlite : kPostgresql)};
  Things things_{GetParam()};
};

TEST_P(ListTest, AShortListIsExactInAnyOrderWithAnyFilter) {
  ListThings input;
  input.limit = 7;
  for (const char* sort : {"id", "-id", "size", "-size,kind", "kind,-size", "kind,-id", "-kind"}) {
    input.sort = sort;
    ListThings whole = input;
    whole.limit = 100;
    const Page<Thing> all = list(kShort, whole);
    EXPECT_EQ(all.data.size(), 30U);
    EXPECT_EQ(walk(kShort, input), ids(all)) << sort;
    EXPECT_EQ(all.pagination.total, 30);
    EXPECT_EQ(all.pagination.total_is_exact, true);
  }
  input.sort = "kind";
  input.label = "x";
  const Page<Thing> page = list(kShort, input);
  EXPECT_THAT(ids(page), ElementsAre(2503));
  EXPECT_EQ(page.pagination.total, 1);
  EXPECT_EQ(page.pagination.total_pages, 1);
}

TEST_P(ListTest, ALongListIsCountedAsFarAsItIsLookedAt) {
  ListThings input;
  Page<Thing> page = list(kLong, input);
  EXPECT_EQ(page.data.front().id, 2499);
  EXPECT_EQ(page.pagination.total, kListedRowsMax);
  EXPECT_EQ(page.pagination.total_is_exact, false);
  EXPECT_FALSE(page.pagination.total_pages);
  EXPECT_TRUE(page.pagination.has_next);
  input.total = Total::exact;
  page = list(kLong, input);
  EXPECT_EQ(page.pagination.total, 2500);
  EXPECT_EQ(page.pagination.total_is_exact, true);
  EXPECT_EQ(page.pagination.total_pages, 125);
  ListThings all;
  all.limit = 100;
  EXPECT_EQ(walk(kLong, all).size(), 2500U);
}

TEST_P(ListTest, PagesByNumberReachWhatIsLookedAt) {
  ListThings input;
  input.page = 50;
  const Page<Thing> last = list(kLong, input);
  EXPECT_EQ(last.data.back().id, 1500);
  EXPECT_TRUE(last.pagination.next_by_cursor);
  input.page = 49;
  EXPECT_FALSE(list(kLong, input).pagination.next_by_cursor);
  input.page = 51;
  EXPECT_THAT(fault(kLong, input), HasSubstr("?page too_deep"));
  EXPECT_THAT(list(kShort, input).data, IsEmpty()) << "beyond the end of a short list";
  ListThings after;
  after.cursor = last.pagination.next_cursor;
  EXPECT_EQ(list(kLong, after).data.front().id, 1499);
}

TEST_P(ListTest, AnOrderWithoutAnIndexIsForShortLists) {
  ListThings input;
  for (const char* sort : {"kind", "size", "-size", "size,id", "kind,-id"}) {
    input.sort = sort;
    EXPECT_EQ(fault(kLong, input),
              "?sort too_many_rows: is for lists of up to 1000 rows; this one has more: filter it, or sort "
              "it by one "
              "of id, size with the filter kind")
        << sort;
  }
  input.sort = "id,kind";  // which is the order of the ids
  EXPECT_THAT(list(kLong, input).data.front().id, 0);
  input.sort = "kind,-size";
  input.kind = "rare";  // of which there are few
  EXPECT_EQ(list(kLong, input).pagination.total, 25);
  EXPECT_EQ(list(kLong, input).data.front().id, 2407) << "without a size: by id, as the last key goes";
}

TEST_P(ListTest, AFilterGoesWithTheIndexOfAnOrder) {
  ListThings input;
  input.kind = "usual";
  input.sort = "size";
  input.limit = 100;
  const std::vector<std::int64_t> all = walk(kLong, input);
  EXPECT_EQ(all.size(), 2475U);
  EXPECT_THAT(std::vector(all.begin(), all.begin() + 4), ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(std::vector(all.end() - 2, all.end()), ElementsAre(2497, 2499)) << "those without a size";
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), all.size());
  input.sort = "-size";
  EXPECT_EQ(walk(kLong, input), std::vector(all.rbegin(), all.rend()));
  // A range of the order's own column is the index's too, and makes the list short.
  input.size_below = 100;
  const Page<Thing> some = list(kLong, input);
  EXPECT_EQ(some.pagination.total, 50);
  EXPECT_EQ(some.pagination.total_is_exact, true);
  EXPECT_EQ(some.data.front().id, 98);
}

TEST_P(ListTest, AFilterWithoutAnIndexReadsSoFarAPage) {
  ListThings input;
  input.label = "x";  // 3, 503, 1003, 1503, 2003
  Page<Thing> page = list(kLong, input);
  EXPECT_THAT(ids(page), ElementsAre(2003, 1503));
  EXPECT_EQ(page.pagination.total, 2) << "of the 1000 that were looked at";
  EXPECT_EQ(page.pagination.total_is_exact, false);
  EXPECT_TRUE(page.pagination.has_next);
  EXPECT_TRUE(page.pagination.next_by_cursor);
  EXPECT_THAT(walk(kLong, input), ElementsAre(2003, 1503, 1003, 503, 3));
  input.sort = "id";
  input.limit = 1;
  EXPECT_THAT(walk(kLong, input), ElementsAre(3, 503, 1003, 1503, 2003));
  input.total = Total::exact;
  EXPECT_EQ(list(kLong, input).pagination.total, 5);
  input.label = "nowhere";
  page = list(kLong, input);
  EXPECT_THAT(page.data, IsEmpty());
  EXPECT_TRUE(page.pagination.has_next) << "what is behind has not been looked at";
  EXPECT_THAT(walk(kLong, input), IsEmpty());
  // Together with one that has an index.
  input = ListThings();
  input.label = "x";
  input.kind = "usual";
  input.sort = "-size";
  EXPECT_THAT(walk(kLong, input), ElementsAre(2003, 1503, 1003, 503, 3));
}

TEST_P(ListTest, AQueryGivesTheRowsThatItFindsFirst) {
  ListThings input;
  input.among_from = 2400;
  input.sort = "kind,-id";
  input.kind = "usual";
  Page<Thing> page = list(kLong, input);
  EXPECT_EQ(page.pagination.total, 99);
  EXPECT_EQ(page.pagination.total_is_exact, true);
  EXPECT_EQ(page.data.front().id, 2499);
  input = ListThings();
  input.among_from = 100;
  input.sort = "id";
  page = list(kLong, input);
  EXPECT_EQ(page.data.front().id, 1500) << "the 1000 newest";
  EXPECT_EQ(page.pagination.total, 1000);
  EXPECT_EQ(page.pagination.total_is_exact, false);
  input.limit = 100;
  EXPECT_EQ(walk(kLong, input).size(), 1000U);
  input.total = Total::exact;
  EXPECT_EQ(list(kLong, input).pagination.total, 2400);
}

TEST_P(ListTest, CursorsAreBoundToSortAndFilters) {
  ListThings input;
  input.limit = 2;
  const std::optional<std::string> cursor = list(kShort, input).pagination.next_cursor;
  input.cursor = cursor;
  input.total = Total::exact;
  EXPECT_EQ(list(kShort, input).data.front().id, 2527) << "how it is counted does not change a list";
  input.kind = "usual";
  EXPECT_THAT(fault(kShort, input), HasSubstr("?cursor invalid_cursor"));
}

INSTANTIATE_TEST_SUITE_P(, ListTest, bedplate::testing::every_dialect(), bedplate::testing::dialect_name);

}  // namespace
}  // namespace bedplate::api
