// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/query.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/kits/engine_kit.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::EngineKit;

enum class Color { red, green };
consteval auto describe(Color) {
  return schema::values<Color::red, Color::green>("A color.");
}

struct Filter {
  std::optional<Color> color;
  std::optional<Time> due_after;
  std::optional<Time> due_before;
  std::optional<std::string> name;
  std::optional<bool> undated;
  std::vector<std::string> names;

  static consteval auto describe() {
    using namespace schema;
    return object<Filter>(
        "Which things.",
        {field<&Filter::color>(), field<&Filter::due_after>(), field<&Filter::due_before>(),
         field<&Filter::name>(), field<&Filter::undated>(), field<&Filter::names>(optional_with_default)});
  }
};

constexpr Column kName("name");
constexpr Column kColor("t.color");
constexpr Column kDue("due_at");
constexpr FilterRule kRules[] = {{"color", kColor},
                                 {"due_after", kDue, Compare::at_least},
                                 {"due_before", kDue, Compare::less},
                                 {"name", kName, Compare::starts_with},
                                 {"undated", kDue, Compare::is_null},
                                 {"names", kName, Compare::one_of}};

TEST(WhereTest, WhatIsAddedForAWhileGoes) {
  Where where(Dialect::sqlite);
  where.add(Column("a"), Compare::equal, 1);
  {
    const TemporaryConditions added(where);
    where.add(Column("b"), Compare::equal, std::string("x"));
    EXPECT_EQ(where.text(), " WHERE a = $1 AND b = $2");
  }
  EXPECT_EQ(where.text(), " WHERE a = $1");
  EXPECT_EQ(where.params().size(), 1U);
}

TEST(WhereTest, SaysWhatIsSet) {
  Where where(Dialect::sqlite);
  EXPECT_EQ(where.text(), "");
  EXPECT_EQ(where.conditions(), "1 = 1");
  Filter filter;
  filter.color = Color::green;
  filter.due_before = Time(std::chrono::seconds(5));
  filter.undated = false;
  where.add(kRules, filter);
  EXPECT_EQ(where.text(), " WHERE t.color = $1 AND due_at < $2 AND due_at IS NOT NULL");
  ASSERT_EQ(where.params().size(), 2U);
  EXPECT_EQ(where.params().list()[0].bytes(), "green");
}

TEST(WhereTest, ListsHaveFewForms) {
  Where where(Dialect::sqlite);
  where.add(kName, Compare::one_of, std::vector<std::string>{"a", "b", "c"});
  EXPECT_EQ(where.conditions(), "name IN ($1, $2, $3, $3)");
  Where empty(Dialect::sqlite);
  empty.add(kName, Compare::one_of, std::vector<std::string>{});
  EXPECT_EQ(empty.conditions(), "1 = 0");
  Where many(Dialect::sqlite);
  many.add(kName, Compare::one_of, std::vector<std::string>(kListValuesMax + 1, "x"));
  ASSERT_TRUE(many.error());
  EXPECT_EQ(many.error()->code(), "too_many_values");
  EXPECT_EQ(many.text(), " WHERE 1 = 0");
}

TEST(WhereTest, ARuleWithoutItsFieldFindsNothing) {
  Where where(Dialect::sqlite);
  const FilterRule wrong[] = {{"colour", kColor}};
  where.add(wrong, Filter());
  EXPECT_EQ(where.text(), " WHERE 1 = 0");
}

TEST(OrderTest, PagesGoOnAfterARow) {
  const OrderKey keys[] = {{"due_at", true}, {"name"}, {"id"}};
  EXPECT_EQ(order_by(keys), "due_at DESC, name, id");
  const std::string values[] = {"$1", "$2", "$3"};
  EXPECT_EQ(after(keys, values),
            "(due_at <= $1 AND (due_at < $1 OR (due_at = $1 AND (name > $2 OR (name = $2 AND id > $3)))))");
  const OrderKey down[] = {{"due_at", true}, {"id", true}};
  EXPECT_EQ(after(down, std::span(values).first(2)), "(due_at, id) < ($1, $2)");
  EXPECT_EQ(up_to(down, std::span(values).first(2)), "(due_at, id) >= ($1, $2)");
  EXPECT_EQ(after(std::span(keys).last(1), std::span(values).first(1)), "id > $1");
}

TEST(AuditTest, OneStampForAll) {
  Params params;
  const AuditStamp stamp(Time(std::chrono::seconds(5)), std::nullopt);
  EXPECT_EQ(audit_values(params, stamp), "$1, $2, $1, $2, 1");
  EXPECT_EQ(audit_update(params, stamp), "updated_at = $3, updated_by = $4, version = version + 1");
  EXPECT_EQ(soft_delete(params, stamp), "deleted_at = $5, deleted_by = $6, version = version + 1");
}

// However hostile a value is, the text stays made of our own signs, names and "$n".
RC_GTEST_PROP(WhereProperty, NoValueReachesTheText,
              (const std::string& name, const std::vector<std::string>& names, bool postgresql)) {
  Where where(postgresql ? Dialect::postgresql : Dialect::sqlite);
  Filter filter;
  filter.name = name;
  filter.names = names;
  where.add(kRules, filter);
  std::string text = where.text();
  for (const char* own : {"name", "WHERE", "COLLATE \"C\"", "AND", "IN", "IS NOT NULL", "1 = 0", ">=", "<"})
    for (std::size_t at; (at = text.find(own)) != std::string::npos;) text.erase(at, std::string(own).size());
  RC_ASSERT(text.find_first_not_of(" $0123456789(),") == std::string::npos);
}

RC_GTEST_PROP(PrefixProperty, TheEndIsAfterEverythingThatBeginsSo, (const std::string& tail)) {
  for (const std::string prefix : {"a", "az", "\xc3\xbf", "\xed\x9f\xbf", "a\xf4\x8f\xbf\xbf"}) {
    std::optional<std::string> end = after_prefix(prefix);
    RC_ASSERT(end.has_value());
    RC_ASSERT(prefix + tail < *end);
    RC_ASSERT(!end->starts_with(prefix));
  }
  RC_ASSERT(!after_prefix("\xf4\x8f\xbf\xbf"));
}

// ---- on both engines

class QueryTest : public ::testing::TestWithParam<Dialect> {
 public:
  QueryTest()
      : kit(GetParam(),
            GetParam() == Dialect::sqlite
                ? "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, rank INTEGER NOT NULL, "
                  "deleted_at INTEGER, deleted_by BLOB, created_at INTEGER NOT NULL, created_by BLOB, "
                  "updated_at INTEGER NOT NULL, updated_by BLOB, version INTEGER NOT NULL)"
                : "CREATE TABLE things (id bigint PRIMARY KEY, name text, rank bigint NOT NULL, "
                  "deleted_at timestamptz, deleted_by uuid, created_at timestamptz NOT NULL, "
                  "created_by uuid, updated_at timestamptz NOT NULL, updated_by uuid, "
                  "version bigint NOT NULL)") {}

  Async<void> put(Transaction& tx, std::int64_t id, std::optional<std::string> name, std::int64_t rank) {
    Params params;
    std::string text = "INSERT INTO things (id, name, rank, " + std::string(kAuditColumns) + ") VALUES (";
    text += params.add(id) + ", " + params.add(name) + ", " + params.add(rank) + ", ";
    text += audit_values(params, stamp) + ")";
    co_await ok(tx.run(text, params));
  }
  Async<void> bury(Transaction& tx, std::int64_t id) {
    Params params;
    std::string text = "UPDATE things SET " + soft_delete(params, stamp);
    text += " WHERE id = " + params.add(id) + " AND " + std::string(kNotDeleted);
    co_await ok(tx.run(text, params));
  }
  Async<std::vector<std::int64_t>> ids(Reader& db, Where& where) {
    where.add_text(kNotDeleted);
    std::string text = "SELECT id FROM things" + where.text() + " ORDER BY id";
    std::vector<std::int64_t> rows = co_await ok(db.all<std::int64_t>(text, where.params()));
    co_return rows;
  }
  Async<std::vector<std::int64_t>> page(Reader& db, std::optional<std::int64_t> rank, std::int64_t id) {
    const OrderKey keys[] = {{"rank", true}, {"id"}};
    Params params;
    std::string text = "SELECT id FROM things";
    if (rank) {
      const std::string values[] = {params.add(*rank), params.add(id)};
      text += " WHERE " + after(keys, values);
    }
    text += " ORDER BY " + order_by(keys) + " LIMIT 3";
    std::vector<std::int64_t> rows = co_await ok(db.all<std::int64_t>(text, params));
    co_return rows;
  }
  void add(std::int64_t id, std::optional<std::string> name, std::int64_t rank = 0) {
    kit.get(kit.database().transact(&QueryTest::put, *this, id, name, rank));
  }
  template <class T>
  std::vector<std::int64_t> found(Column column, Compare compare, const T& value) {
    Where where(GetParam());
    where.add(column, compare, value);
    return kit.get(kit.database().read(&QueryTest::ids, *this, where));
  }
  using Ids = std::vector<std::int64_t>;

  EngineKit kit;
  const AuditStamp stamp{Time(std::chrono::seconds(1'800'000'000)), std::nullopt};
};

TEST_P(QueryTest, ConditionsMeanTheSame) {
  static constexpr Column kId("id");
  const char* names[] = {"apple", "Apple", "apples", "app%", "äpfel", "'; DROP TABLE things --"};
  for (int i = 0; i < 6; ++i) add(i, names[i]);
  add(6, std::nullopt);
  EXPECT_EQ(found(kName, Compare::equal, std::string("apple")), (Ids{0}));
  EXPECT_EQ(found(kName, Compare::not_equal, std::string("apple")), (Ids{1, 2, 3, 4, 5}));
  EXPECT_EQ(found(kId, Compare::less, 2), (Ids{0, 1}));
  EXPECT_EQ(found(kId, Compare::at_most, 2), (Ids{0, 1, 2}));
  EXPECT_EQ(found(kId, Compare::greater, 4), (Ids{5, 6}));
  EXPECT_EQ(found(kId, Compare::at_least, 4), (Ids{4, 5, 6}));
  EXPECT_EQ(found(kName, Compare::is_null, true), (Ids{6}));
  EXPECT_EQ(found(kName, Compare::is_null, false), (Ids{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(found(kName, Compare::starts_with, std::string("app")), (Ids{0, 2, 3}))
      << "case counts, % does not";
  EXPECT_EQ(found(kName, Compare::starts_with, std::string("app%")), (Ids{3}));
  EXPECT_EQ(found(kName, Compare::starts_with, std::string("ä")), (Ids{4}));
  EXPECT_EQ(found(kName, Compare::starts_with, std::string("'; DROP")), (Ids{5}));
  EXPECT_EQ(found(kName, Compare::starts_with, std::string()), (Ids{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(found(kId, Compare::one_of, std::vector<std::int64_t>{5, 1, 3}), (Ids{1, 3, 5}));
  EXPECT_EQ(found(kId, Compare::one_of, std::vector<std::int64_t>{}), (Ids{}));
}

TEST_P(QueryTest, PagesLoseNothingAndRepeatNothing) {
  for (int i = 0; i < 10; ++i) add(i, "x", i % 3);
  Ids seen;
  std::optional<std::int64_t> rank;
  std::int64_t last = 0;
  for (;;) {
    Ids rows = kit.get(kit.database().read(&QueryTest::page, *this, rank, last));
    if (rows.empty()) break;
    seen.insert(seen.end(), rows.begin(), rows.end());
    last = rows.back();
    rank = last % 3;
  }
  EXPECT_EQ(seen, (Ids{2, 5, 8, 1, 4, 7, 0, 3, 6, 9}));
}

TEST_P(QueryTest, WhatIsDeletedSoftlyIsGone) {
  for (int i = 0; i < 3; ++i) add(i, "x");
  std::int64_t id = 1;
  kit.get(kit.database().transact(&QueryTest::bury, *this, id));
  EXPECT_EQ(found(kName, Compare::equal, std::string("x")), (Ids{0, 2}));
}

INSTANTIATE_TEST_SUITE_P(, QueryTest, bedplate::testing::every_dialect(), bedplate::testing::dialect_name);

}  // namespace
}  // namespace bedplate::sql
