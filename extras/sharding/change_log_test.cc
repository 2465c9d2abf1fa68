// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/change_log.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "bedplate/describe/any_row.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/sql/transfer/key_text.h"
#include "bedplate/sql/transfer/row_text.h"
#include "extras/sharding/migrations.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::sharding {
namespace {

using sql::Dialect;
using Entries = std::multiset<std::string>;

/// A key of several columns whose types have awkward texts; rows that go with the row that they refer to.
std::string schema(Dialect dialect) {
  const bool sqlite = dialect == Dialect::sqlite;
  return std::string("CREATE TABLE parts (id ") + (sqlite ? "BLOB" : "UUID") +
         " NOT NULL, name TEXT NOT NULL, at " + (sqlite ? "INTEGER" : "TIMESTAMPTZ") + " NOT NULL, raw " +
         (sqlite ? "BLOB" : "BYTEA") +
         " NOT NULL, n BIGINT NOT NULL, bucket BIGINT NOT NULL, amount BIGINT NOT NULL, "
         "PRIMARY KEY (n, name, id, at, raw), UNIQUE (n));"
         "CREATE TABLE \"odd 'name\" (id BIGINT NOT NULL PRIMARY KEY, bucket BIGINT NOT NULL, "
         "part BIGINT NOT NULL REFERENCES parts (n) ON DELETE CASCADE);"
         "INSERT INTO sharding_owned (bucket, epoch, state, mover, logged) VALUES (3, 1, 'owned', 1, 1), "
         "(4, 1, 'owned', 0, 0)";
}

Async<void> insert_part(sql::Transaction& tx, const std::int64_t& n, const std::int64_t& bucket) {
  const Uuid id = new_uuid();
  const std::string name = "it's | \"odd\" \xc3\xa9";
  const Time at{std::chrono::microseconds(1'700'000'000'123'456)};
  const std::vector<std::byte> raw = {std::byte{0}, std::byte{0xff}, std::byte{'\\'}};
  co_await ok(
      tx.run("INSERT INTO parts (id, name, at, raw, n, bucket, amount) VALUES ($1, $2, $3, $4, $5, $6, 1)",
             id, name, at, raw, n, bucket));
}
Async<void> run_text(sql::Transaction& tx, const std::string& text) {
  co_await ok(tx.run(text));
}
Async<std::vector<AnyRow>> rows_of(sql::Reader& db, const std::string& text) {
  std::vector<AnyRow> rows = co_await ok(db.all<AnyRow>(text));
  co_return rows;
}

class ChangeLogTest : public ::testing::TestWithParam<Dialect> {
 protected:
  ChangeLogTest() : kit(GetParam(), "") {
    const sql::MigrationSource source{"sharding", shard_migrations()};
    static_cast<void>(sql::migrate_up(kit.database(), std::span(&source, 1)));
    kit.script(schema(GetParam()));
    for (const char* name : {"parts", "odd 'name"}) {
      tables.push_back(kit.get(kit.database().read(&sql::read_table, GetParam(), name)));
      kit.get(kit.database().transact(&make_change_log, tables.back(), GetParam()));
    }
  }
  void run(const std::string& text) { kit.get(kit.database().transact(&run_text, text)); }
  void insert(std::int64_t n, std::int64_t bucket) {
    kit.get(kit.database().transact(&insert_part, n, bucket));
  }
  /// The keys of all parts as they are now, the way the log should name them.
  Entries keys() {
    const sql::RowText text(tables[0], GetParam());
    Entries keys;
    for (const AnyRow& row :
         kit.get(kit.database().read(&rows_of, "SELECT " + text.columns() + " FROM parts")))
      keys.insert("parts " + sql::write_key(text.key_values(row)));
    return keys;
  }
  /// What the log says of bucket 3; it is empty afterwards.
  Entries take() {
    const std::vector<Change> changes =
        kit.get(kit.database().read(&read_changes, Bucket{3}, std::size_t{100}));
    kit.get(kit.database().transact(&forget_changes, changes));
    Entries entries;
    for (const Change& change : changes) entries.insert(change.row_table + " " + change.row_key);
    return entries;
  }

  testing::EngineKit kit;
  std::vector<sql::TableShape> tables;
};
INSTANTIATE_TEST_SUITE_P(, ChangeLogTest, testing::every_dialect(), testing::dialect_name);

TEST_P(ChangeLogTest, NamesEachRowThatAnInsertAnUpdateOrADeleteChanges) {
  insert(1, 3);
  const Entries inserted = keys();
  EXPECT_EQ(take(), inserted);
  EXPECT_TRUE(take().empty());
  run("UPDATE parts SET amount = amount + 1");
  EXPECT_EQ(take(), inserted);
  run("UPDATE parts SET n = 2");
  Entries both = keys();
  both.merge(Entries(inserted));
  EXPECT_EQ(take(), both) << "under both keys";
  const Entries last = keys();
  run("DELETE FROM parts");
  EXPECT_EQ(take(), last);
}

TEST_P(ChangeLogTest, KnowsOnlyBucketsThatAreLogged) {
  insert(1, 4);
  EXPECT_TRUE(take().empty());
  run("UPDATE parts SET bucket = 3");
  EXPECT_EQ(take(), keys()) << "it has come";
  run("UPDATE parts SET bucket = 4");
  EXPECT_EQ(take(), keys()) << "it has gone";
  run("UPDATE sharding_owned SET logged = 0");
  insert(2, 3);
  EXPECT_TRUE(take().empty());
}

TEST_P(ChangeLogTest, SeesRowsThatGoWithAnotherAndNothingOfWhatWasRolledBack) {
  insert(1, 3);
  run("INSERT INTO \"odd 'name\" (id, bucket, part) VALUES (-7, 3, 1)");
  Entries all = keys();
  all.insert("odd 'name i-7");
  EXPECT_EQ(take(), all);
  EXPECT_FALSE(kit.run(kit.database().transact(&run_text, std::string("INSERT INTO parts (n) VALUES (5)"))));
  run("DELETE FROM parts");
  EXPECT_EQ(take(), all) << "by the foreign key";
}

TEST_P(ChangeLogTest, IsFoundWhereItIsAndMadeAgainWhereItDiffers) {
  EXPECT_TRUE(kit.get(kit.database().read(&has_change_log, tables[0], GetParam())));
  sql::TableShape other = tables[0];
  other.primary_key.pop_back();
  EXPECT_FALSE(kit.get(kit.database().read(&has_change_log, other, GetParam())));
  kit.get(kit.database().transact(&make_change_log, other, GetParam()));
  EXPECT_TRUE(kit.get(kit.database().read(&has_change_log, other, GetParam())));
  EXPECT_FALSE(kit.get(kit.database().read(&has_change_log, tables[0], GetParam())));
  kit.get(kit.database().transact(&make_change_log, tables[0], GetParam()));
  insert(1, 3);
  EXPECT_EQ(take(), keys()) << "once, not twice";
}

class SqliteChangeLogTest : public ChangeLogTest {};
INSTANTIATE_TEST_SUITE_P(, SqliteChangeLogTest, ::testing::Values(Dialect::sqlite), testing::dialect_name);

TEST_P(SqliteChangeLogTest, SeesRowsThatAReplaceDisplaces) {
  insert(1, 3);
  Entries both = take();
  run("INSERT OR REPLACE INTO parts (id, name, at, raw, n, bucket, amount) "
      "SELECT zeroblob(16), name, at, raw, n, bucket, amount FROM parts");
  both.merge(keys());
  EXPECT_EQ(both.size(), 2u);
  EXPECT_EQ(take(), both);
}

class PostgresChangeLogTest : public ChangeLogTest {
 protected:
  std::string code_of(const Result<void>& done) { return done ? "" : done.error().code(); }
};
INSTANTIATE_TEST_SUITE_P(, PostgresChangeLogTest, ::testing::Values(Dialect::postgresql),
                         testing::dialect_name);

TEST_P(PostgresChangeLogTest, TruncateIsRefusedWhileABucketIsLogged) {
  const std::string truncate = "TRUNCATE parts CASCADE";
  insert(1, 4);
  EXPECT_EQ(code_of(kit.run(kit.database().transact(&run_text, truncate))), sql::kCheckViolation);
  EXPECT_EQ(keys().size(), 1u);
  run("UPDATE sharding_owned SET logged = 0");
  run(truncate);
  EXPECT_TRUE(keys().empty());
}

// Its snapshot is from before the flag, which another transaction has set since.
Async<void> truncate_late(sql::Transaction& tx, testing::EngineKit* const& kit, int* const& attempts) {
  co_await ok(tx.value<std::int64_t>("SELECT count(*) FROM sharding_changes"));
  if ((*attempts)++ == 0) kit->script("UPDATE sharding_owned SET logged = 1 WHERE bucket = 3");
  co_await ok(tx.run("TRUNCATE parts CASCADE"));
}

TEST_P(PostgresChangeLogTest, TruncateDoesNotOverlookAMoveThatHasBegunSinceItsSnapshot) {
  insert(1, 4);
  run("UPDATE sharding_owned SET logged = 0");
  int attempts = 0;
  int* const counter = &attempts;
  testing::EngineKit* const engine = &kit;
  EXPECT_EQ(code_of(kit.run(kit.database().transact(&truncate_late, engine, counter))), sql::kCheckViolation);
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(keys().size(), 1u);
}

}  // namespace
}  // namespace bedplate::sharding
