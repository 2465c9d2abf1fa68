// SPDX-License-Identifier: Apache-2.0
// What is SQLite's own about tenants; tenants_test.cc holds both engines to the same.
#include "bedplate/sql/sqlite/tenant_guard.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "bedplate/sql/error.h"
#include "bedplate/sql/sqlite/statement_shape.h"
#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

const Uuid kAlice = *Uuid::parse("00000000-0000-4000-8000-00000000000a");
const Uuid kBob = *Uuid::parse("00000000-0000-4000-8000-00000000000b");

constexpr const char* kSchema =
    "CREATE TABLE notes (tenant BLOB NOT NULL, id INTEGER NOT NULL, text TEXT, PRIMARY KEY (tenant, id)) "
    "WITHOUT ROWID;"
    "CREATE TABLE plain (id INTEGER PRIMARY KEY, text TEXT);"
    "CREATE VIEW all_notes AS SELECT * FROM notes;"
    "CREATE TABLE watched (id INTEGER PRIMARY KEY, text TEXT);"
    "CREATE TRIGGER spy AFTER INSERT ON watched BEGIN "
    "  INSERT INTO plain SELECT id, text FROM notes; END;";

class TenantGuardTest : public testing::Test {
 public:
  TenantGuardTest() : kit(kSchema) {
    for (const Uuid& tenant : {kAlice, kBob})
      for (int i = 1; i <= 3; ++i)
        get(run(tenant, "INSERT INTO notes VALUES ($1, " + std::to_string(i) + ", 'secret')", tenant));
  }

  Async<std::int64_t> change(Transaction& tx, std::string sql, std::optional<Uuid> param) {
    Params params;
    if (param) params.add(*param);
    std::int64_t changed = co_await ok(tx.run(sql, params));
    co_return changed;
  }
  Async<std::vector<std::string>> select(Reader& db, std::string sql) {
    std::vector<std::string> rows = co_await ok(db.all<std::string>(sql));
    co_return rows;
  }
  Result<std::int64_t> run(std::optional<Uuid> tenant, std::string sql, std::optional<Uuid> param = {}) {
    const CallContext context(tenant);
    return kit.run(kit.database().transact(context, &TenantGuardTest::change, *this, sql, param));
  }
  Result<std::vector<std::string>> read(std::optional<Uuid> tenant, std::string sql) {
    const CallContext context(tenant);
    return kit.run(kit.database().read(context, &TenantGuardTest::select, *this, sql));
  }
  // What is really there, past the guard.
  std::string everything() {
    auto maintenance = get(kit.database().maintenance());
    Reader reader(maintenance->session());
    return get(one(reader).run_without_waiting());
  }
  static Async<std::string> one(Reader& db) {
    std::string all = co_await ok(
        db.value<std::string>("SELECT group_concat(hex(substr(tenant, 16)) || id || text, ' ') FROM notes"));
    co_return all;
  }
  static constexpr const char* kUntouched = "0A1secret 0A2secret 0A3secret 0B1secret 0B2secret 0B3secret";

  SqliteKit kit;
};

TEST_F(TenantGuardTest, ReadsAndWritesReachOnlyTheTenantsRows) {
  EXPECT_EQ(get(read(kAlice, "SELECT text FROM notes")).size(), 3U);
  EXPECT_EQ(get(run(kAlice, "UPDATE notes SET text = 'mine'")), 3);
  EXPECT_EQ(get(run(kAlice, "DELETE FROM notes WHERE id = 3")), 1);
  EXPECT_EQ(everything(), "0A1mine 0A2mine 0B1secret 0B2secret 0B3secret");
  EXPECT_EQ(get(run(kAlice,
                    "INSERT INTO notes VALUES ($1, 1, 'again') ON CONFLICT (tenant, id) DO UPDATE SET "
                    "text = excluded.text || notes.text",
                    kAlice)),
            1);
  EXPECT_EQ(everything(), "0A1againmine 0A2mine 0B1secret 0B2secret 0B3secret");
}

TEST_F(TenantGuardTest, WithoutATenantThereIsNothing) {
  EXPECT_TRUE(get(read({}, "SELECT text FROM notes")).empty());
  EXPECT_EQ(get(run({}, "UPDATE notes SET text = 'x'")), 0);
  EXPECT_EQ(get(run({}, "DELETE FROM notes")), 0);
  EXPECT_EQ(run({}, "INSERT INTO notes VALUES ($1, 9, 'x')", kAlice).error().code(), kTenantViolation);
  EXPECT_EQ(everything(), kUntouched);
}

TEST_F(TenantGuardTest, EveryOtherWayIsRefused) {
  const char* statements[] = {
      "INSERT INTO notes VALUES ($1, 9, 'x')",
      "INSERT OR IGNORE INTO notes VALUES ($1, 9, 'x')",
      "UPDATE notes SET tenant = $1",
      "INSERT OR REPLACE INTO notes VALUES ($1, 1, 'x')",
      "REPLACE INTO notes VALUES ($1, 1, 'x')",
      "UPDATE OR REPLACE notes SET tenant = $1",
      "DELETE FROM main.notes WHERE tenant = $1",
      "DELETE FROM \"main\" . notes WHERE tenant = $1",
      "DELETE FROM [MAIN]/* */.notes WHERE tenant = $1",
      "UPDATE plain SET text = (SELECT text FROM main.notes WHERE tenant = $1)",
      "UPDATE notes SET text = (SELECT max(text) FROM main.notes WHERE tenant = $1)",
      "INSERT INTO plain SELECT id, text FROM all_notes WHERE tenant = $1",
      "WITH notes AS (SELECT * FROM main.notes) INSERT INTO plain SELECT id, text FROM notes WHERE tenant=$1",
      "DROP VIEW temp.notes",
      "DROP VIEW notes",
      "CREATE TEMP VIEW mine AS SELECT * FROM all_notes",
  };
  for (const char* sql : statements) {
    const bool parameter = std::string_view(sql).find('$') != std::string_view::npos;
    EXPECT_FALSE(run(kAlice, sql, parameter ? std::optional(kBob) : std::nullopt)) << sql;
  }
  EXPECT_FALSE(run(kAlice, "INSERT INTO watched VALUES (77, 'spy')"))
      << "through a trigger of the application";
  EXPECT_FALSE(read(kAlice, "SELECT text FROM all_notes"));
  EXPECT_FALSE(read(kAlice, "SELECT text FROM main.notes"));
  EXPECT_TRUE(get(read(kAlice, "SELECT text FROM plain")).empty());
  EXPECT_EQ(everything(), kUntouched);
}

TEST_F(TenantGuardTest, WhatIsNotSaidIsNotSeen) {
  const char* reads[] = {
      "SELECT text FROM notes WHERE tenant <> $T",
      "SELECT n.text FROM plain p JOIN notes n ON n.tenant = $T",
      "SELECT a.text FROM notes a LEFT JOIN notes b ON b.tenant = $T WHERE b.id IS NOT NULL",
      "SELECT text FROM (SELECT * FROM notes UNION ALL SELECT * FROM notes) WHERE tenant = $T",
      "WITH x AS (SELECT * FROM notes) SELECT text FROM x WHERE tenant = $T",
      "SELECT (SELECT text FROM notes WHERE tenant = $T LIMIT 1) FROM plain",
      "SELECT text FROM notes WHERE tenant = $T AND EXISTS (SELECT 1 FROM notes n WHERE n.tenant = $T)",
  };
  get(run({}, "INSERT INTO plain VALUES (1, NULL)"));
  for (std::string sql : reads) {
    for (std::size_t at; (at = sql.find("$T")) != std::string::npos;)
      sql.replace(at, 2, "x'0000000000004000800000000000000b'");
    const bool other = sql.find("<>") != std::string::npos;
    Result<std::vector<std::string>> rows = read(kAlice, sql);
    if (!rows) continue;  // a NULL that does not fit a text
    EXPECT_EQ(rows->size(), other ? 3U : 0U) << sql;
  }
  // Writes that read.
  EXPECT_EQ(get(run(kAlice, "UPDATE plain SET text = (SELECT count(*) FROM notes)")), 1);
  EXPECT_EQ(get(read({}, "SELECT text FROM plain")), (std::vector<std::string>{"3"}));
  EXPECT_EQ(get(run(kAlice, "INSERT INTO notes (tenant, id, text) SELECT tenant, id + 10, text FROM notes")),
            3);
  EXPECT_EQ(get(run(kAlice, "DELETE FROM notes WHERE id IN (SELECT id FROM notes WHERE id > 10)")), 3);
  EXPECT_EQ(everything(), kUntouched);
}

TEST_F(TenantGuardTest, ATableThatAppearsIsGuardedAtOnce) {
  EXPECT_EQ(get(read(kAlice, "SELECT text FROM notes")).size(), 3U);
  kit.script(
      "CREATE TABLE later (tenant BLOB NOT NULL, text TEXT);"
      "INSERT INTO later VALUES (x'0000000000004000800000000000000a', 'mine'),"
      "(x'0000000000004000800000000000000b', 'yours');");
  EXPECT_EQ(get(read(kAlice, "SELECT text FROM later")), (std::vector<std::string>{"mine"}));
  EXPECT_EQ(get(run(kAlice, "DELETE FROM later")), 1);
  EXPECT_EQ(get(read(kBob, "SELECT text FROM later")), (std::vector<std::string>{"yours"}));
}

// The views that a first command makes go with its transaction when it fails; the next must not find them missing.
TEST_F(TenantGuardTest, HoldsAlsoAfterTheTransactionThatMadeItsViewsIsUndone) {
  kit.open({});
  EXPECT_FALSE(run(kAlice, "INSERT INTO notes VALUES ($1, 9, 'x')", kBob));
  EXPECT_EQ(get(run(kAlice, "DELETE FROM notes WHERE id = 1")), 1);
  SqliteOptions alone;
  alone.batch_max = 1;
  kit.open(alone);
  EXPECT_FALSE(run(kAlice, "INSERT INTO notes VALUES ($1, 9, 'x')", kBob));
  EXPECT_EQ(get(run(kAlice, "UPDATE notes SET text = 'mine'")), 2);
  EXPECT_EQ(everything(), "0A2mine 0A3mine 0B1secret 0B2secret 0B3secret");
}

TEST_F(TenantGuardTest, ManyAtOnceDoNotMix) {
  struct Work {
    TenantGuardTest& test;
    Async<void> one(Uuid tenant, int i) {
      const CallContext context(tenant);
      std::string text = "SELECT hex(tenant) FROM notes";
      auto rows = co_await ok(test.kit.database().read(context, &TenantGuardTest::select, test, text));
      for (const std::string& row : rows) EXPECT_EQ(row.back(), tenant == kAlice ? 'A' : 'B');
      std::string sql =
          i % 3 == 0 ? "INSERT INTO notes VALUES ($1, 1, 'duplicate')" : "UPDATE notes SET text = 'touched'";
      std::optional<Uuid> param = i % 3 == 0 ? std::optional(tenant) : std::nullopt;
      auto changed =
          co_await test.kit.database().transact(context, &TenantGuardTest::change, test, sql, param);
      EXPECT_EQ(changed.has_value(), i % 3 != 0);
      if (changed) {
        EXPECT_EQ(*changed, 3);
      }
    }
  } work{*this};
  for (int i = 0; i < 200; ++i) kit.start(work.one(i % 2 ? kAlice : kBob, i));
  kit.finish();
}

// With no column of the table in the statement SQLite tells the authorizer less; and each of these is the first
// statement that its connection sees.
TEST_F(TenantGuardTest, CountsAreGuardedFromTheFirstStatementOn) {
  kit.script(
      "CREATE VIEW counted AS SELECT count(*) AS text FROM notes;"
      "CREATE TRIGGER count_spy AFTER UPDATE ON watched BEGIN "
      "  INSERT INTO plain SELECT 99, count(*) FROM notes; END;");
  for (const char* sql : {"SELECT count(*) || '' FROM notes", "SELECT (SELECT count(*) FROM notes) || ''",
                          "WITH x AS (SELECT count(*) || '' AS n FROM notes) SELECT n FROM x",
                          "SELECT sum(1) || '' FROM notes a JOIN (SELECT 1 FROM notes LIMIT 1)"}) {
    kit.open({});
    EXPECT_EQ(get(read(kAlice, sql)), (std::vector<std::string>{"3"})) << sql;
    kit.open({});
    EXPECT_EQ(get(run(kAlice, "DELETE FROM plain")), 0);
    EXPECT_EQ(get(read(kAlice, sql)), (std::vector<std::string>{"3"})) << sql;
  }
  kit.open({});
  EXPECT_FALSE(read(kAlice, "SELECT text || '' FROM counted"));
  EXPECT_FALSE(run(kAlice, "UPDATE watched SET text = 'x'"));
  EXPECT_FALSE(read(kAlice, "SELECT text || '' FROM counted"));
  EXPECT_FALSE(run(kAlice, "INSERT INTO plain SELECT 98, (SELECT count(*) FROM all_notes)"));
}

TEST_F(TenantGuardTest, TablesThatAreInNoSchemaAreFree) {
  EXPECT_EQ(get(read(kAlice,
                     "SELECT name FROM pragma_table_list JOIN json_each('[1]') WHERE name = 'notes' AND "
                     "schema = 'main'"))
                .size(),
            1U);
  EXPECT_EQ(
      get(read(kAlice, "SELECT n.text FROM json_each('[1, 2]') j JOIN notes n ON n.id = j.value")).size(),
      2U);
}

TEST_F(TenantGuardTest, ATableThatReplacesIsOutOfBounds) {
  kit.script("CREATE TABLE odd (tenant BLOB NOT NULL, name TEXT UNIQUE ON CONFLICT REPLACE)");
  EXPECT_FALSE(run(kAlice, "INSERT INTO odd VALUES ($1, 'x')", kAlice));
  EXPECT_FALSE(read(kAlice, "SELECT name FROM odd"));
}

TEST(StatementShapeTest, FindsTheTableThatIsWritten) {
  auto target = [](std::string_view sql) { return shape_of(sql).target; };
  EXPECT_EQ(target("SELECT * FROM notes"), "");
  EXPECT_EQ(target("insert into notes values (1)"), "notes");
  EXPECT_EQ(target("INSERT OR IGNORE INTO \"no tes\" (a) VALUES (1)"), "no tes");
  EXPECT_EQ(target("UPDATE notes SET a = 1"), "notes");
  EXPECT_EQ(target("update or fail [notes] set a = 1"), "notes");
  EXPECT_EQ(target("/* DELETE FROM x */ -- y\n DELETE FROM notes"), "notes");
  EXPECT_EQ(target("WITH a AS (SELECT 'insert into b') UPDATE notes SET a = 1"), "notes");
  EXPECT_EQ(target("EXPLAIN QUERY PLAN DELETE FROM notes"), "notes");
  EXPECT_EQ(target("SELECT 'it''s', replace(a, 'delete', 'x') FROM t"), "");
  EXPECT_FALSE(shape_of("UPDATE t SET a = replace(a, 'x', 'y')").replaces);
  EXPECT_TRUE(shape_of("UPDATE OR REPLACE t SET a = 1").replaces);
  EXPECT_TRUE(shape_of("SELECT * FROM Main . t").names_schema);
  EXPECT_FALSE(shape_of("SELECT 'main.t' FROM domain.t").names_schema);
}

RC_GTEST_PROP(StatementShapeProperty, AnyTextHasAShape, (const std::string& text)) {
  const StatementShape shape = shape_of(text);
  RC_ASSERT(shape.target_at <= text.size());
  RC_ASSERT(text.find(shape.target) != std::string::npos);
}

}  // namespace
}  // namespace bedplate::sql
