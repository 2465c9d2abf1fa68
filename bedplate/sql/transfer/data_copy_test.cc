// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/transfer/data_copy.h"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

#include "bedplate/sql/transfer/key_text.h"
#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE schema_migrations (module TEXT PRIMARY KEY);
CREATE TABLE orders (shop TEXT NOT NULL, number INTEGER NOT NULL, customer BLOB NOT NULL REFERENCES customers (id),
                     price REAL, search_id INTEGER, PRIMARY KEY (shop, number)) STRICT, WITHOUT ROWID;
CREATE TABLE customers (id BLOB NOT NULL PRIMARY KEY, name TEXT,
                        labels TEXT NOT NULL DEFAULT '[]') STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE orders_search USING fts5(words);
)";
constexpr const char* kRows = R"(
INSERT INTO schema_migrations VALUES ('is not copied');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
INSERT INTO customers (id, name) SELECT CAST(printf('%016d', i) AS BLOB), CASE WHEN i % 3 THEN 'name ' || i END FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
INSERT INTO orders SELECT 'shop ' || (i % 7), i, CAST(printf('%016d', 1 + i % 50) AS BLOB), i / 7.0, i FROM n;
)";

class DataCopyTest : public testing::Test {
 protected:
  Result<DataCopyReport> copy(const DataCopyOptions& options) {
    auto maintenance = get(source_.database().maintenance());
    return copy_data(*maintenance, target_.database(), target_.loop(), options);
  }
  std::int64_t count(SqliteKit& kit, const std::string& text) {
    const auto select = [](Reader& db, const std::string& sql) { return select_value(db, sql); };
    return get(kit.run(kit.database().read(select, text)));
  }
  static Async<std::int64_t> select_value(Reader& db, const std::string& sql) {
    const std::int64_t value = co_await ok(db.value<std::int64_t>(sql));
    co_return value;
  }

  SqliteKit source_{std::string(kSchema) + kRows};
  SqliteKit target_{kSchema};
  DataCopyOptions options_{.source_name = "here", .batch_rows = 64, .progress = nullptr};
};

TEST_F(DataCopyTest, CopiesEveryRowAndSaysSo) {
  std::int64_t told = 0;
  options_.progress = [&](const DataCopyProgress& progress) {
    if (progress.table == "orders") told = progress.rows;
  };
  const DataCopyReport report = get(copy(options_));
  EXPECT_EQ(report.rows, 1050);
  EXPECT_EQ(told, 1000);
  EXPECT_FALSE(report.resumed);
  ASSERT_EQ(report.tables.size(), 2u);
  EXPECT_EQ(report.tables[0].table, "customers") << "what is referred to comes first";
  EXPECT_EQ(count(target_, "SELECT count(*) FROM schema_migrations"), 0);
  EXPECT_EQ(count(target_, "SELECT count(*) FROM sqlite_schema WHERE name = 'bedplate_data_copy'"), 0);
  EXPECT_EQ(copy(options_).error().code(), "target_not_empty");
}

TEST_F(DataCopyTest, GoesOnWhereItWasInterrupted) {
  struct Stopped {};
  for (int stop_after : {1, 5, 9}) {
    options_.progress = [&](const DataCopyProgress&) {
      if (--stop_after == 0) throw Stopped();
    };
    EXPECT_THROW(static_cast<void>(copy(options_)), Stopped);
  }
  EXPECT_EQ(count(target_, "SELECT count(*) FROM orders"), (15 - 1) * 64)
      << "each run added to what was there";
  options_.progress = nullptr;
  DataCopyOptions other = options_;
  other.source_name = "elsewhere";
  EXPECT_EQ(copy(other).error().code(), "copy_of_another");
  const DataCopyReport report = get(copy(options_));
  EXPECT_TRUE(report.resumed);
  EXPECT_EQ(report.rows, 1050);
}

TEST_F(DataCopyTest, FindsARowThatWasChangedBehindItsBack) {
  for (const char* damage :
       {"UPDATE orders SET price = price + 0.000001 WHERE number = 500",
        "DELETE FROM orders WHERE number = 7", "UPDATE orders SET search_id = NULL WHERE number = 1"}) {
    target_.script("DROP TABLE IF EXISTS bedplate_data_copy; DELETE FROM orders; DELETE FROM customers");
    options_.progress = [&](const DataCopyProgress& progress) {
      if (progress.comparing && progress.table == "customers") target_.script(damage);
    };
    const auto differs = copy(options_);
    ASSERT_FALSE(differs) << damage;
    EXPECT_EQ(differs.error().code(), "copy_differs");
    EXPECT_NE(differs.error().detail().find("orders"), std::string::npos);
  }
}

TEST_F(DataCopyTest, LeavesOutWhatOnlyOneSideHasAndSaysSo) {
  target_.script("ALTER TABLE orders DROP COLUMN search_id; CREATE TABLE extra (id INTEGER PRIMARY KEY)");
  const DataCopyReport report = get(copy(options_));
  EXPECT_EQ(report.left_out, (std::vector<std::string>{"extra (only at the target)", "orders.search_id"}));
}

TEST_F(DataCopyTest, LeavesDerivedTablesToTheProgram) {
  options_.derived = {"orders"};
  EXPECT_EQ(get(copy(options_)).rows, 50);
  EXPECT_EQ(count(target_, "SELECT count(*) FROM orders"), 0);
}

TEST_F(DataCopyTest, RefusesWhatWouldNotFit) {
  source_.script("ALTER TABLE customers DROP COLUMN labels");
  target_.script(
      "DROP TABLE orders; DROP TABLE customers; CREATE TABLE customers (id BLOB NOT NULL PRIMARY KEY, "
      "labels TEXT NOT NULL) STRICT, WITHOUT ROWID");
  EXPECT_EQ(copy(options_).error().code(), "column_missing");
  target_.script("DROP TABLE customers; CREATE TABLE customers (id BLOB NOT NULL, name TEXT)");
  EXPECT_EQ(copy(options_).error().code(), "no_key");
}

TEST_F(DataCopyTest, ReadsOneSnapshotOfASourceThatGoesOnBeingWritten) {
  auto maintenance = get(source_.database().maintenance());
  get(maintenance->begin_read());
  options_.progress = [&](const DataCopyProgress& progress) {
    if (!progress.comparing && progress.rows <= 64)
      source_.script("UPDATE customers SET name = 'changed'; DELETE FROM orders WHERE number = 900");
  };
  EXPECT_EQ(get(copy_data(*maintenance, target_.database(), target_.loop(), options_)).rows, 1050);
  EXPECT_EQ(count(target_, "SELECT count(*) FROM customers WHERE name = 'changed'"), 0);
}

TEST(KeyTexts, AreReadAsTheyWereWritten) {
  const std::vector<ColumnValue> key = {{.kind = ColumnKind::blob, .bytes = std::string("\x00|\xff", 3)},
                                        {.kind = ColumnKind::integer, .integer = -5},
                                        {.kind = ColumnKind::text, .bytes = ""},
                                        {.kind = ColumnKind::real, .real = 0.1}};
  EXPECT_EQ(write_key(key).substr(0, 13), "b007cff|i-5|t");
  EXPECT_EQ(read_key(write_key(key)), key);
  for (const char* bad : {"", "i", "ix", "b0", "bzz", "q1", "i1||i2"}) EXPECT_FALSE(read_key(bad)) << bad;
}

}  // namespace
}  // namespace bedplate::sql
