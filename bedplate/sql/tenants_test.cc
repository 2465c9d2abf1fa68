// SPDX-License-Identifier: Apache-2.0
// Tenants on both engines: tries to cross over by every door that a statement has. Search, documents and the keys of
// requests have such tests where they live.
#include "bedplate/sql/tenants.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/sql/error.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::EngineKit;

const Uuid kAlice = *Uuid::parse("00000000-0000-4000-8000-00000000000a");
const Uuid kBob = *Uuid::parse("00000000-0000-4000-8000-00000000000b");

std::string schema_of(Dialect dialect) {
  const bool postgresql = dialect == Dialect::postgresql;
  const std::string id = postgresql ? "uuid" : "BLOB";
  std::string text = "CREATE TABLE notes (tenant " + id +
                     " NOT NULL, id INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (tenant, id));"
                     "CREATE TABLE tags (tenant " +
                     id +
                     " NOT NULL, note INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (tenant, note, tag));"
                     "CREATE TABLE plain (id INTEGER PRIMARY KEY, text TEXT);";
  if (postgresql) text += tenant_policy("notes") + tenant_policy("tags");
  return text;
}

class TenantsTest : public ::testing::TestWithParam<Dialect> {
 public:
  TenantsTest() : kit(GetParam(), schema_of(GetParam())) {
    for (const Uuid& tenant : {kAlice, kBob}) {
      for (int i = 1; i <= 3; ++i)
        must(tenant, "INSERT INTO notes (tenant, id, text) VALUES ($1, " + std::to_string(i) + ", 'secret')",
             tenant);
      must(tenant, "INSERT INTO tags (tenant, note, tag) VALUES ($1, 1, 'red')", tenant);
    }
  }

  Async<std::int64_t> change(Transaction& tx, const std::string& sql, const std::optional<Uuid>& param) {
    Params params;
    if (param) params.add(*param);
    std::int64_t changed = co_await ok(tx.run(sql, params));
    co_return changed;
  }
  Async<std::int64_t> count(Reader& db, const std::string& sql, const std::optional<Uuid>& param) {
    Params params;
    if (param) params.add(*param);
    std::int64_t rows = co_await ok(db.value<std::int64_t>(sql, params));
    co_return rows;
  }
  Result<std::int64_t> run(const std::optional<Uuid>& tenant, const std::string& sql,
                           const std::optional<Uuid>& param = {}) {
    const CallContext context(tenant);
    return kit.run(kit.database().transact(context, &TenantsTest::change, *this, sql, param));
  }
  Result<std::int64_t> read(const std::optional<Uuid>& tenant, const std::string& sql,
                            const std::optional<Uuid>& param = {}) {
    const CallContext context(tenant);
    return kit.run(kit.database().read(context, &TenantsTest::count, *this, sql, param));
  }
  std::int64_t must(const std::optional<Uuid>& tenant, const std::string& sql,
                    const std::optional<Uuid>& param = {}) {
    Result<std::int64_t> result = run(tenant, sql, param);
    if (!result)
      throw std::runtime_error(sql + ": " + result.error().code() + " " + result.error().subject());
    return *result;
  }
  void expect_untouched() {
    for (const Uuid& tenant : {kAlice, kBob}) {
      EXPECT_EQ(*read(tenant, "SELECT count(*) FROM notes WHERE text = 'secret'"), 3);
      EXPECT_EQ(*read(tenant, "SELECT count(*) FROM notes"), 3);
      EXPECT_EQ(*read(tenant, "SELECT count(*) FROM tags"), 1);
    }
  }

  EngineKit kit;
};

TEST_P(TenantsTest, ReadsSeeTheirOwnRowsOnly) {
  EXPECT_EQ(*read(kAlice, "SELECT count(*) FROM notes"), 3);
  EXPECT_EQ(*read(kAlice, "SELECT count(*) FROM notes WHERE tenant = $1", kBob), 0);
  EXPECT_EQ(*read(kAlice, "SELECT count(*) FROM notes n JOIN tags t ON t.note = n.id"), 1);
  EXPECT_EQ(
      *read(kAlice, "SELECT count(*) FROM notes n LEFT JOIN tags t ON t.tenant = $1 WHERE t.tag IS NOT NULL",
            kBob),
      0);
  EXPECT_EQ(
      *read(kAlice,
            "SELECT count(*) FROM (SELECT * FROM notes UNION ALL SELECT * FROM notes) x WHERE tenant = $1",
            kBob),
      0);
  EXPECT_EQ(*read(kAlice, "WITH x AS (SELECT * FROM notes) SELECT count(*) FROM x WHERE tenant = $1", kBob),
            0);
  EXPECT_EQ(*read(kAlice, "SELECT (SELECT count(*) FROM notes WHERE tenant = $1)", kBob), 0);
}

TEST_P(TenantsTest, WritesReachTheirOwnRowsOnly) {
  EXPECT_EQ(must(kAlice, "UPDATE notes SET text = 'x' WHERE tenant = $1", kBob), 0);
  EXPECT_EQ(must(kAlice, "DELETE FROM notes WHERE tenant = $1", kBob), 0);
  EXPECT_EQ(must(kAlice, "DELETE FROM tags WHERE note IN (SELECT id FROM notes WHERE tenant = $1)", kBob), 0);
  expect_untouched();
  EXPECT_EQ(must(kAlice, "UPDATE notes SET text = 'mine'"), 3);
  EXPECT_EQ(must(kAlice, "DELETE FROM notes"), 3);
  EXPECT_EQ(*read(kBob, "SELECT count(*) FROM notes WHERE text = 'secret'"), 3);
}

TEST_P(TenantsTest, NoRowIsMadeForAnother) {
  // Of what type a parameter is that is only selected, PostgreSQL wants to be told.
  const std::string typed = GetParam() == Dialect::postgresql ? "$1::uuid" : "$1";
  const std::string statements[] = {
      "INSERT INTO notes (tenant, id, text) VALUES ($1, 9, 'x')",
      "UPDATE notes SET tenant = $1, id = id + 10",
      "INSERT INTO notes (tenant, id, text) SELECT " + typed + ", id + 10, text FROM notes",
      "INSERT INTO notes (tenant, id, text) VALUES ($1, 1, 'x') "
      "ON CONFLICT (tenant, id) DO UPDATE SET text = excluded.text"};
  for (const std::string& sql : statements) {
    Result<std::int64_t> crossed = run(kAlice, sql, kBob);
    ASSERT_FALSE(crossed) << sql;
    EXPECT_EQ(crossed.error().code(), kTenantViolation) << sql;
  }
  expect_untouched();
}

TEST_P(TenantsTest, ACallWithoutATenantReachesNothing) {
  EXPECT_EQ(*read({}, "SELECT count(*) FROM notes"), 0);
  EXPECT_EQ(must({}, "UPDATE notes SET text = 'x'"), 0);
  EXPECT_EQ(must({}, "DELETE FROM notes"), 0);
  EXPECT_FALSE(run({}, "INSERT INTO notes (tenant, id, text) VALUES ($1, 9, 'x')", kAlice));
  EXPECT_EQ(must({}, "INSERT INTO plain (id, text) VALUES (1, 'x')"), 1) << "other tables are anybody's";
  expect_untouched();
}

// Reads of many tenants share connections, on PostgreSQL one pipeline: each must keep its own tenant, also when its
// neighbours fail and all of them are sent again.
struct Crowd {
  TenantsTest& test;
  int left = 0;
  int wrong = 0;

  Async<void> one(Uuid tenant, int i) {
    const CallContext context(tenant);
    const std::string good = "SELECT count(*) FROM notes WHERE tenant = $1";
    const std::string bad =
        "SELECT 1 / (count(*) - 3) FROM notes WHERE text = 'no such column' OR missing = $1";
    const Uuid other = tenant == kAlice ? kBob : kAlice;
    if (i % 5 == 0) {
      Result<std::int64_t> failed = co_await test.kit.database().read(context, &TenantsTest::count, test, bad,
                                                                      std::optional<Uuid>(tenant));
      if (failed) ++wrong;
    } else {
      const bool own = i % 2 == 0;
      Result<std::int64_t> rows = co_await test.kit.database().read(
          context, &TenantsTest::count, test, good, std::optional<Uuid>(own ? tenant : other));
      if (!rows || *rows != (own ? 3 : 0)) ++wrong;
    }
    if (--left == 0) test.kit.loop().stop();
  }
};

TEST_P(TenantsTest, NeighboursThatFailMixNothing) {
  Crowd crowd{*this};
  crowd.left = 400;
  for (int i = 0; i < 400; ++i) kit.loop().spawn(crowd.one(i % 3 ? kAlice : kBob, i), nullptr);
  kit.loop().run();
  EXPECT_EQ(crowd.wrong, 0);
  expect_untouched();
}

TEST_P(TenantsTest, AreCheckedBeforeServing) {
  EXPECT_TRUE(check_tenants(kit.database()));
  if (GetParam() == Dialect::sqlite) return;
  kit.script("CREATE TABLE forgotten (tenant uuid NOT NULL)");
  Result<void> unguarded = check_tenants(kit.database());
  ASSERT_FALSE(unguarded);
  EXPECT_EQ(unguarded.error().code(), "tenants_unguarded");
  EXPECT_NE(unguarded.error().detail().find("forgotten"), std::string::npos) << unguarded.error().detail();
  kit.script("ALTER TABLE forgotten ENABLE ROW LEVEL SECURITY");
  EXPECT_FALSE(check_tenants(kit.database())) << "without FORCE the owner passes";

  Result<std::unique_ptr<Database>> superuser = open_database(kit.server_database().admin_url());
  ASSERT_TRUE(superuser);
  Result<void> bypassing = check_tenants(**superuser);
  ASSERT_FALSE(bypassing);
  EXPECT_NE(bypassing.error().detail().find("superuser"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(, TenantsTest, bedplate::testing::every_dialect(), bedplate::testing::dialect_name);

}  // namespace
}  // namespace bedplate::sql
