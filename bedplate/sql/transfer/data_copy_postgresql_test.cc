// SPDX-License-Identifier: Apache-2.0
// Copies into and out of PostgreSQL, and what happens to them when the server, its disk or its rules get in the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "bedplate/sql/transfer/data_copy.h"
#include "tests/kits/engine_kit.h"
#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::EngineKit;
using bedplate::testing::PostgresDatabase;
using bedplate::testing::PostgresServer;
using bedplate::testing::PostgresSession;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kSqliteSchema = R"(
CREATE TABLE customers (id BLOB NOT NULL PRIMARY KEY, name TEXT,
                        labels TEXT NOT NULL DEFAULT '[]') STRICT, WITHOUT ROWID;
CREATE TABLE orders (shop TEXT NOT NULL, number INTEGER NOT NULL, customer BLOB NOT NULL REFERENCES customers (id),
                     price REAL, paid INTEGER, tax TEXT, due TEXT, PRIMARY KEY (shop, number)) STRICT, WITHOUT ROWID;
CREATE TABLE visits (id INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
)";
constexpr const char* kPostgresSchema = R"(
CREATE TABLE customers (id uuid NOT NULL PRIMARY KEY, name text, labels jsonb NOT NULL DEFAULT '[]');
CREATE TABLE orders (shop text NOT NULL, number bigint NOT NULL, customer uuid NOT NULL REFERENCES customers (id),
                     price double precision, paid boolean, tax numeric(20, 4), due date, PRIMARY KEY (shop, number));
CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL);
)";
constexpr const char* kRows = R"(
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
INSERT INTO customers (id, name, labels)
SELECT CAST(printf('%016d', i) AS BLOB), CASE WHEN i % 3 THEN 'tab' || char(9) || 'line' || char(10) || '\N\' || i END,
       '["a\\b", 1.5]' FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
INSERT INTO orders SELECT 'shop ' || (i % 7), i, CAST(printf('%016d', 1 + i % 50) AS BLOB), i / 7.0, i % 2,
       '12345678901234.' || (1 + i % 9), date('2026-11-30', i || ' days') FROM n;
INSERT INTO visits VALUES (7, 1700000000000001), (900, 0);
)";
constexpr std::int64_t kRowsAll = 1052;

Result<DataCopyReport> copy_between(Database& source, Database& target, Loop& loop,
                                    const DataCopyOptions& options) {
  auto maintenance = source.maintenance();
  if (!maintenance) return std::unexpected(std::move(maintenance.error()));
  return copy_data(**maintenance, target, loop, options);
}

class DataCopyPostgresqlTest : public ::testing::Test {
 protected:
  Result<DataCopyReport> copy() {
    return copy_between(source_.database(), target_.database(), target_.loop(), options_);
  }
  const PostgresDatabase& place() const { return target_.server_database(); }
  /// Runs before each order is inserted, and does `what` at one of them.
  void harm_at_order(int number, const std::string& what) {
    place().rows(
        "CREATE FUNCTION harm() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN " + what +
        " RETURN NEW; END$$; CREATE TRIGGER harm BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.number = " +
        std::to_string(number) + ") EXECUTE FUNCTION harm()");
  }
  void heal() { place().rows("DROP FUNCTION harm() CASCADE"); }
  /// What is there is whole batches, each once; and the same call goes on to the end.
  void goes_on_after(const Result<DataCopyReport>& broken) {
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().category(), Category::unavailable) << broken.error().detail();
    EXPECT_THAT(broken.error().detail(), HasSubstr("Copying orders stopped after "));
    const std::int64_t there = place().count("SELECT count(*) FROM orders");
    EXPECT_EQ(there % 64, 0);
    EXPECT_LT(there, 1000);
    EXPECT_EQ(place().count("SELECT rows_copied FROM bedplate_data_copy WHERE table_name = 'orders'"), there);
    heal();
    const Result<DataCopyReport> rest = copy();
    ASSERT_TRUE(rest) << rest.error().detail();
    EXPECT_TRUE(rest->resumed);
    EXPECT_EQ(rest->rows, kRowsAll) << "every value was compared";
    EXPECT_EQ(place().count("SELECT count(*) FROM orders"), 1000);
  }

  SqliteKit source_{std::string(kSqliteSchema) + kRows};
  EngineKit target_{Dialect::postgresql, kPostgresSchema};
  DataCopyOptions options_{.source_name = "here", .batch_rows = 64, .progress = nullptr};
};

TEST_F(DataCopyPostgresqlTest, TakesEveryValueThereAndBack) {
  const Result<DataCopyReport> there = copy();
  ASSERT_TRUE(there) << there.error().detail();
  EXPECT_EQ(there->rows, kRowsAll);
  EXPECT_EQ(place().rows("INSERT INTO visits (at) VALUES (now()) RETURNING id").at(0), "901")
      << "new rows are numbered behind those that were copied";
  place().rows("DELETE FROM visits WHERE id = 901");
  SqliteKit back(kSqliteSchema);
  const auto returned = copy_between(target_.database(), back.database(), target_.loop(), options_);
  ASSERT_TRUE(returned) << returned.error().detail();
  ASSERT_EQ(returned->tables.size(), there->tables.size());
  for (std::size_t i = 0; i < there->tables.size(); ++i)
    EXPECT_EQ(returned->tables[i].checksum, there->tables[i].checksum) << there->tables[i].table;
}

TEST_F(DataCopyPostgresqlTest, GoesOnAfterItsConnectionWasCutInTheMiddleOfABatch) {
  harm_at_order(500, "PERFORM pg_terminate_backend(pg_backend_pid());");
  goes_on_after(copy());
}

TEST_F(DataCopyPostgresqlTest, GoesOnAfterTheDiskWasFull) {
  harm_at_order(700,
                "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';");
  const Result<DataCopyReport> full = copy();
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code(), kStorageFull);
  EXPECT_THAT(full.error().detail(), HasSubstr("no space left"));
  goes_on_after(full);
}

// What SQLite holds and PostgreSQL does not take: found by the copy, and found by the server.
constexpr const char* kUnfitRows = R"(
UPDATE customers SET name = 'a' || char(0) || 'b' WHERE id = CAST('0000000000000007' AS BLOB);
UPDATE customers SET labels = '["a\u0000b"]' WHERE id = CAST('0000000000000031' AS BLOB);
UPDATE orders SET paid = 5 WHERE number = 999;
)";

TEST_F(DataCopyPostgresqlTest, ARowThatDoesNotFitEndsItAndIsNamed) {
  source_.script(kUnfitRows);
  const Result<DataCopyReport> refused = copy();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), kRowUnfit);
  EXPECT_EQ(refused.error().category(), Category::invalid);
  EXPECT_THAT(refused.error().detail(),
              AllOf(HasSubstr(R"(The row {"id":"30303030-3030-3030-3030-303030303037"} of customers)"),
                    HasSubstr("because of its column name"), HasSubstr("U+0000")));
  EXPECT_EQ(place().count("SELECT count(*) FROM customers"), 6) << "those before it are there";

  source_.script("UPDATE customers SET name = 'mended' WHERE id = CAST('0000000000000007' AS BLOB)");
  const Result<DataCopyReport> next = copy();
  ASSERT_FALSE(next);
  EXPECT_THAT(next.error().detail(),
              AllOf(HasSubstr("3331\"} of customers"), HasSubstr("its column labels")));
  source_.script("DELETE FROM orders WHERE customer = CAST('0000000000000031' AS BLOB)");
  source_.script("DELETE FROM customers WHERE id = CAST('0000000000000031' AS BLOB)");
  source_.script("UPDATE orders SET paid = 1 WHERE number = 999");
  const Result<DataCopyReport> rest = copy();
  ASSERT_TRUE(rest) << rest.error().detail();
  EXPECT_EQ(rest->rows, kRowsAll - 1 - 20);
  EXPECT_EQ(rest->rows_skipped, 0);
}

TEST_F(DataCopyPostgresqlTest, RowsThatDoNotFitAreLeftOutWhenAskedTo) {
  source_.script(kUnfitRows);
  std::vector<UnfitRow> skipped;
  // Interrupted in between, and gone on with.
  options_.skip = [&](const UnfitRow& row) -> Result<void> {
    if (skipped.size() == 1) return fail(Category::unavailable, "interrupted", "Interrupted.");
    skipped.push_back(row);
    return {};
  };
  EXPECT_EQ(copy().error().code(), "interrupted");
  options_.skip = [&](const UnfitRow& row) -> Result<void> {
    skipped.push_back(row);
    return {};
  };
  const Result<DataCopyReport> copied = copy();
  ASSERT_TRUE(copied) << copied.error().detail();
  EXPECT_EQ(copied->rows_skipped, 2 + 40 + 1) << "two customers, their orders, and one of another's";
  EXPECT_EQ(copied->rows, kRowsAll - 43) << "all others, each of which was compared";
  ASSERT_EQ(skipped.size(), 43u);
  EXPECT_EQ(skipped[0].table, "customers");
  EXPECT_EQ(skipped[0].column, "name");
  EXPECT_EQ(skipped[1].column, "labels");
  EXPECT_EQ(skipped[1].key, R"({"id":"30303030-3030-3030-3030-303030303331"})");
  EXPECT_THAT(skipped[2].table + skipped[2].key + skipped[2].reason,
              AllOf(HasSubstr("orders{\"shop\":\"shop "), HasSubstr("refers to what is missing")));
  const auto unpaid = std::ranges::find(skipped, std::string("paid"), &UnfitRow::column);
  ASSERT_NE(unpaid, skipped.end());
  EXPECT_THAT(unpaid->key, HasSubstr(R"("number":999)"));
}

TEST_F(DataCopyPostgresqlTest, AColumnOfAnIndexNamesWhatToDo) {
  place().rows("ALTER TABLE visits ADD words tsvector NOT NULL");
  const Result<DataCopyReport> refused = copy();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail(),
              AllOf(HasSubstr("visits.words"), HasSubstr("host.rebuilt_after_copy(\"visits\"")));
}

TEST_F(DataCopyPostgresqlTest, ForcedRowLevelSecurityIsRefusedBeforeAnythingIsCopied) {
  place().rows("ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE orders FORCE ROW LEVEL SECURITY");
  const Result<DataCopyReport> hidden = copy();
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().code(), "rows_hidden");
  EXPECT_THAT(hidden.error().detail(),
              AllOf(HasSubstr("hides rows of orders from the role bedplate at the target"),
                    HasSubstr("ALTER ROLE \"bedplate\" BYPASSRLS")));
  EXPECT_EQ(place().count("SELECT count(*) FROM customers"), 0);
  EXPECT_EQ(place().count("SELECT count(*) FROM pg_class WHERE relname = 'bedplate_data_copy'"), 0);

  // A role that it holds nothing from.
  auto above = open_database(place().admin_url());
  ASSERT_TRUE(above);
  const Result<DataCopyReport> copied = copy_between(source_.database(), **above, target_.loop(), options_);
  ASSERT_TRUE(copied) << copied.error().detail();
  EXPECT_EQ(copied->rows, kRowsAll);

  SqliteKit back(kSqliteSchema);
  const auto out = copy_between(target_.database(), back.database(), target_.loop(), options_);
  ASSERT_FALSE(out);
  EXPECT_THAT(out.error().detail(), HasSubstr("from the role bedplate at the source"));
}

TEST(DataCopyOutage, GoesOnAfterTheServerWasKilledInTheMiddleOfABatch) {
  PostgresServer server;
  PostgresDatabase place = server.create_database();
  SqliteKit source(std::string(kSqliteSchema) + kRows);
  EngineKit target(place, kPostgresSchema);
  DataCopyOptions options{.source_name = "here", .batch_rows = 64, .progress = nullptr};
  // Somebody holds the key of the last order: its batch waits for them, half copied, and the server is killed.
  std::optional<PostgresSession> holder;
  std::thread killer;
  options.progress = [&](const DataCopyProgress& progress) {
    if (holder || progress.table != "orders") return;
    holder.emplace(place.admin_url());
    holder->rows(
        "BEGIN; INSERT INTO orders (shop, number, customer) SELECT 'shop 6', 1000, min(id::text)::uuid FROM "
        "customers");
    killer = std::thread([&] {
      EXPECT_TRUE(bedplate::testing::wait_until(
          [&] { return place.count("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0; }));
      server.kill();
    });
  };
  Result<DataCopyReport> copied = copy_between(source.database(), target.database(), target.loop(), options);
  killer.join();
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().category(), Category::unavailable);
  EXPECT_THAT(copied.error().detail(), HasSubstr("Copying orders stopped after 960 rows: "));
  server.start();
  EXPECT_EQ(place.count("SELECT count(*) FROM orders"), 960);
  options.progress = nullptr;
  do copied = copy_between(source.database(), target.database(), target.loop(), options);
  while (!copied && copied.error().category() == Category::unavailable);  // until it has connected again
  ASSERT_TRUE(copied) << copied.error().detail();
  EXPECT_TRUE(copied->resumed);
  EXPECT_EQ(copied->rows, kRowsAll);
}

}  // namespace
}  // namespace bedplate::sql
