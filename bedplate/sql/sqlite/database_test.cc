// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "bedplate/sql/database.h"
#include "bedplate/sql/drivers/open.h"
#include "bedplate/sql/error.h"
#include "tests/kits/faulty_disk_kit.h"
#include "tests/kits/sqlite_kit.h"

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

TEST(SqliteOpenTest, OnlyAFileIsADatabase) {
  for (const char* url :
       {"sqlite::memory:", "sqlite:file:x.db", "sqlite:file::memory:?cache=shared", "sqlite:x.db?mode=ro"}) {
    const Result<std::unique_ptr<Database>> opened = open_database(url, {});
    ASSERT_FALSE(opened) << url;
    EXPECT_EQ(opened.error().code(), "database_url");
    EXPECT_TRUE(opened.error().detail().starts_with("database.url must name a file: sqlite:PATH. ")) << url;
  }
  EXPECT_FALSE(std::filesystem::exists(":memory:"));
  EXPECT_FALSE(std::filesystem::exists("file:x.db"));
  TempDirectory directory;
  SqliteOptions options;
  options.path = directory.path();
  EXPECT_EQ(open_sqlite(options).error().detail(), directory.path() + " is not a file.");
}

/// What opening it says, in a child, to a user whom permissions stop: root, whom they do not, becomes nobody for it.
std::string opened_by_plain_user(const SqliteOptions& options) {
  int pipe[2];
  EXPECT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(1);
    const Result<std::unique_ptr<Database>> opened = open_sqlite(options);
    const std::string said = opened ? "opened" : opened.error().detail();
    ::_exit(::write(pipe[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  ::close(pipe[1]);
  std::string said(4096, '\0');
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(pipe[0], said.data(), said.size()))));
  ::close(pipe[0]);
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return said;
}

TEST(SqliteOpenTest, WhatCannotBeWrittenIsRefusedByName) {
  TempDirectory directory;
  const auto for_nobody = [](const std::string& path, mode_t mode) {
    if (::geteuid() == 0) {
      EXPECT_EQ(::chown(path.c_str(), 65534, 65534), 0);
    }
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
  };
  SqliteOptions options;
  options.path = directory.file("x.db");
  ASSERT_TRUE(open_sqlite(options));
  for_nobody(directory.path(), 0700);
  for_nobody(options.path, 0400);
  EXPECT_EQ(opened_by_plain_user(options), "Cannot write " + options.path + ": Permission denied.");
  for_nobody(options.path, 0600);
  for_nobody(directory.path(), 0500);
  EXPECT_EQ(opened_by_plain_user(options),
            "Cannot write files in the directory " + directory.path() + ": Permission denied.");
  for_nobody(directory.path(), 0700);
  std::ofstream(options.path + "-wal").put('x');
  for_nobody(options.path + "-wal", 0400);
  EXPECT_EQ(opened_by_plain_user(options), "Cannot write " + options.path + "-wal: Permission denied.");
}

TEST(SqliteOpenTest, AStorageErrorNamesTheFile) {
  FaultyDisk disk;
  TempDirectory directory;
  SqliteOptions options;
  options.path = directory.file("x.db");
  options.vfs = disk.name();
  disk.fail_writes_with(SQLITE_READONLY);  // which is no error of the system's
  const Result<std::unique_ptr<Database>> opened = open_sqlite(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), kStorageError);
  EXPECT_EQ(opened.error().subject(), options.path + ": attempt to write a readonly database");
}

}  // namespace
}  // namespace bedplate::sql
