// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "bedplate/sql/database.h"
#include "bedplate/sql/open.h"
#include "bedplate/sql/sql_test_kit.h"

namespace bedplate::sql {
namespace {

// What every driver gives alike is in sql/conformance_test.cc; here is what only this one has.
class SqliteTest : public testing::Test, public SqliteKit {
 protected:
  SqliteTest() : SqliteKit("CREATE TABLE notes (title TEXT NOT NULL)") {}
};

Async<void> insert_note(Transaction& tx) {
  co_await ok(tx.run("INSERT INTO notes (title) VALUES ('a')"));
}

TEST_F(SqliteTest, FullTextSearchKeptByTriggersWorks) {
  script(
      "CREATE VIRTUAL TABLE found USING fts5(title, content='');"
      "CREATE TABLE texts (id INTEGER PRIMARY KEY, title TEXT NOT NULL);"
      "CREATE TRIGGER texts_found AFTER INSERT ON texts BEGIN"
      "  INSERT INTO found (rowid, title) VALUES (new.id, new.title); END;");
  struct Ops {
    static Async<void> add(Transaction& tx) {
      co_await ok(tx.run("INSERT INTO texts (title) VALUES ($1)", "the quick brown fox"));
    }
    static Async<std::int64_t> find(Reader& db, std::string_view words) {
      const std::int64_t n =
          co_await ok(db.value<std::int64_t>("SELECT count(*) FROM found WHERE found MATCH $1", words));
      co_return n;
    }
  };
  Result<void> added = run(database().transact(&Ops::add));
  ASSERT_TRUE(added) << added.error().subject();
  EXPECT_EQ(get(run(database().read(&Ops::find, std::string_view("quick fox")))), 1);
}

// ---- files

TEST_F(SqliteTest, FilesAreTheOwnersAlone) {
  ASSERT_TRUE(run(database().transact(&insert_note)));
  for (const char* name : {"test.db", "test.db-wal", "test.db-shm"}) {
    struct stat info{};
    ASSERT_EQ(::stat(directory().file(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST(SqliteOpenTest, MakesItsFolderPrivateAndSaysWhatIsWrong) {
  TempDirectory directory;
  SqliteOptions options;
  options.path = directory.file("a/b/c.db");
  ASSERT_TRUE(open_sqlite(options));
  struct stat info{};
  ASSERT_EQ(::stat(directory.file("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);

  std::ofstream(directory.file("not.db")) << std::string(5000, 'x');
  options.path = directory.file("not.db");
  Result<std::unique_ptr<Database>> opened = open_sqlite(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().detail(), options.path + " is not a SQLite database.");
}

TEST(SqliteOpenTest, TheUrlChoosesTheDriver) {
  TempDirectory directory;
  EXPECT_TRUE(open_database("sqlite:" + directory.file("x.db"), {}));
  EXPECT_TRUE(open_database("sqlite://" + directory.file("y.db"), {}));
  EXPECT_EQ(open_database("mysql://localhost", {}).error().code(), "database_url");
  EXPECT_EQ(get(dialect_of("postgres://localhost/x")), Dialect::postgresql);
  const Error unknown = std::move(open_database("pg://me:hunter2@localhost", {}).error());
  EXPECT_EQ(unknown.detail().find("hunter2"), std::string::npos);
  EXPECT_EQ(open_database("sqlite:", {}).error().code(), "database_url");
}

}  // namespace
}  // namespace bedplate::sql
