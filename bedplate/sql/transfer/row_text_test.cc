// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/transfer/row_text.h"

#include <gtest/gtest.h>

#include "bedplate/sql/transfer/canonical_json.h"
#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE pages (book BLOB NOT NULL, number INTEGER NOT NULL, "the text" TEXT, weight REAL,
                    upper TEXT GENERATED ALWAYS AS (upper("the text")), PRIMARY KEY (book, number),
                    FOREIGN KEY (book) REFERENCES shelf (id)) STRICT, WITHOUT ROWID;
CREATE TABLE shelf (id BLOB NOT NULL PRIMARY KEY, labels TEXT NOT NULL DEFAULT '[]') STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE pages_search USING fts5(words, content='');
)";

Async<void> copy(Transaction& tx, const RowText& from, const RowText& to) {
  const std::vector<AnyRow> rows = co_await ok(tx.all<AnyRow>(from.page(10, false)));
  Params values;
  for (const AnyRow& row : rows) co_await ok(to.add_row(values, row));
  co_await ok(tx.run(to.upsert(rows.size()), values));
}

constexpr ColumnType kTypes[] = {ColumnType::blob, ColumnType::integer, ColumnType::text, ColumnType::real};

Async<RowSum> sum_of(Reader& db, const RowText& text) {
  const std::vector<AnyRow> rows = co_await ok(db.all<AnyRow>(text.page(10, false)));
  RowSum sum;
  for (const AnyRow& row : rows) sum.add(row, kTypes);
  co_return sum;
}

TEST(TableShapes, AreReadInTheOrderOfReferences) {
  SqliteKit kit(kSchema);
  const auto tables = get(kit.run(kit.database().read(&read_tables, Dialect::sqlite)));
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0].name, "shelf");
  EXPECT_FALSE(tables[0].columns[1].required) << "it has a default";
  EXPECT_EQ(tables[1].name, "pages");
  EXPECT_EQ(tables[1].primary_key, (std::vector<std::string>{"book", "number"}));
  EXPECT_EQ(tables[1].columns.size(), 4u) << "without what is generated";
  EXPECT_EQ(tables[1].references, std::vector<std::string>{"shelf"});
  EXPECT_EQ(kit.run(kit.database().read(&read_table, Dialect::sqlite, "nothing")).error().code(), "no_table");
}

TEST(TableShapes, ThatReferToEachOtherInACircleHaveNoOrder) {
  std::vector<TableShape> circle(2);
  circle[0] = {.name = "a", .columns = {}, .primary_key = {}, .references = {"b"}};
  circle[1] = {.name = "b", .columns = {}, .primary_key = {}, .references = {"a"}};
  EXPECT_EQ(in_reference_order(std::move(circle)).error().code(), "reference_cycle");
}

TEST(RowTexts, CopyRowsOfATableKnownByItsShape) {
  SqliteKit kit(std::string(kSchema) + R"(
CREATE TABLE copies (book BLOB, number INTEGER, "the text" TEXT, weight REAL, PRIMARY KEY (book, number));
INSERT INTO shelf (id) VALUES (x'01');
INSERT INTO pages VALUES (x'01', 1, 'one', 0.1), (x'01', 2, NULL, NULL);
INSERT INTO copies VALUES (x'01', 1, 'is replaced', 9);
)");
  const auto pages = get(kit.run(kit.database().read(&read_table, Dialect::sqlite, "pages")));
  const auto copies = get(kit.run(kit.database().read(&read_table, Dialect::sqlite, "copies")));
  const RowText from(pages, Dialect::sqlite), to(copies, Dialect::sqlite);
  get(kit.run(kit.database().transact(&copy, from, to)));
  EXPECT_EQ(get(kit.run(kit.database().read(&sum_of, from))), get(kit.run(kit.database().read(&sum_of, to))));
}

TEST(RowTexts, CastAndQuoteForPostgresql) {
  const TableShape table{
      .name = "odd \"name\"",
      .columns = {{"id", ColumnType::uuid, true, false}, {"at", ColumnType::time, true, true}},
      .primary_key = {"id"},
      .references = {}};
  const RowText text(table, Dialect::postgresql);
  EXPECT_EQ(text.upsert(2),
            "INSERT INTO \"odd \"\"name\"\"\" (\"id\", \"at\") OVERRIDING SYSTEM VALUE VALUES ($1::uuid, "
            "$2::timestamptz), "
            "($3::uuid, $4::timestamptz) ON CONFLICT (\"id\") DO UPDATE SET \"at\" = excluded.\"at\"");
  EXPECT_EQ(text.page(5, true, "bucket = $1", 2),
            "SELECT \"id\", \"at\" FROM \"odd \"\"name\"\"\" WHERE bucket = $1 AND (\"id\") > ($2::uuid) "
            "ORDER BY \"id\" LIMIT 5");
  AnyRow row{{{.kind = ColumnKind::text, .bytes = "no uuid"}, {}}};
  Params params;
  EXPECT_EQ(text.add_row(params, row).error().code(), "value_unfit");
}

TEST(RowSums, AskForEveryValueAndNotForTheOrder) {
  const AnyRow a{{{.kind = ColumnKind::integer, .integer = 1},
                  {.kind = ColumnKind::text, .bytes = R"({"b":1, "a":[]})"}}};
  const AnyRow b{{{.kind = ColumnKind::integer, .integer = 2}, {.kind = ColumnKind::null}}};
  const AnyRow a_of_jsonb{{{.kind = ColumnKind::integer, .integer = 1},
                           {.kind = ColumnKind::text, .bytes = R"({"a": [], "b": 1})"}}};
  const ColumnType types[] = {ColumnType::integer, ColumnType::json};
  RowSum first, second, third;
  first.add(a, types);
  first.add(b, types);
  second.add(b, types);
  second.add(a_of_jsonb, types);
  third.add(b, types);
  third.add(b, types);
  EXPECT_EQ(first, second);
  EXPECT_NE(first, third);
  EXPECT_EQ(first.hex().size(), 32u);
}

TEST(CanonicalJson, IsOneTextForEveryWayToWriteAValue) {
  EXPECT_EQ(canonical_json(R"( { "b" : 1.0, "a" : [ 1e2, -0.0, "\u00e9", null ] } )"),
            R"({"a":[100,0,"é",null],"b":1})");
  EXPECT_EQ(canonical_json("[9007199254740993]"), "[9007199254740993]");
  EXPECT_EQ(canonical_json("{}"), "{}");
  EXPECT_EQ(canonical_json("[]"), "[]");
  EXPECT_EQ(canonical_json("no json"), "no json");
}

TEST(ChunkSizes, AreFew) {
  EXPECT_EQ(chunk_sizes(200, 130), (std::vector<std::size_t>{128, 64, 8}));
  EXPECT_EQ(chunk_sizes(0, 4), std::vector<std::size_t>());
  EXPECT_EQ(chunk_sizes(9, 4), (std::vector<std::size_t>{4, 4, 1}));
}

}  // namespace
}  // namespace bedplate::sql
