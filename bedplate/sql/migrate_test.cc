// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/migrate.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

using Files = std::vector<EmbeddedFile>;

constexpr EmbeddedFile kUsers{"0001_users.up.sql",
                              "-- people; with a semicolon in a comment\n"
                              "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
                              "INSERT INTO users (name) VALUES ('semi;colon');\n"};
constexpr EmbeddedFile kUsersDown{"migrations/0001_users.down.sql", "DROP TABLE users;"};
constexpr EmbeddedFile kTrigger{"0002_trigger.sqlite.up.sql",
                                "CREATE TABLE log (name TEXT);\n"
                                "CREATE TRIGGER users_log AFTER INSERT ON users BEGIN\n"
                                "  INSERT INTO log VALUES (new.name);\n"
                                "  INSERT INTO log VALUES ('again');\n"
                                "END;\n"};
constexpr EmbeddedFile kTriggerOther{"0002_trigger.postgresql.up.sql", "not for this engine"};
constexpr EmbeddedFile kTriggerDown{"0002_trigger.down.sql", "DROP TRIGGER users_log; DROP TABLE log"};

class MigrateTest : public testing::Test, public SqliteKit {
 protected:
  MigrateTest() : SqliteKit("") {}

  static MigrationSource source(const Files& files) { return {"users", files}; }
  /// "ok", with the number of steps, or the error's code.
  std::string up(const Files& files, MigrateOptions options = {}) {
    const MigrationSource from = source(files);
    Result<std::vector<MigrationStep>> done = migrate_up(database(), {&from, 1}, options);
    if (done) return "ok " + std::to_string(done->size());
    detail_ = done.error().detail();
    return done.error().code();
  }
  std::string down(const Files& files, std::int64_t steps, MigrateOptions options = {}) {
    Result<std::vector<MigrationStep>> done = migrate_down(database(), source(files), steps, options);
    if (done) return "ok " + std::to_string(done->size());
    detail_ = done.error().detail();
    return done.error().code();
  }
  std::string check(const Files& files) {
    const MigrationSource from = source(files);
    Result<void> fits = check_migrated(database(), {&from, 1});
    return fits ? "ok" : fits.error().code();
  }
  bool has_table(std::string_view name) {
    struct Ops {
      static Async<std::int64_t> count(Reader& db, std::string_view table) {
        const std::int64_t n =
            co_await ok(db.value<std::int64_t>("SELECT count(*) FROM sqlite_schema WHERE name = $1", table));
        co_return n;
      }
    };
    return get(run(database().read(&Ops::count, name))) == 1;
  }
  bool says(std::string_view words) const { return detail_.find(words) != std::string::npos; }

  std::string detail_;
};

TEST_F(MigrateTest, UpAndDownAndUpAgain) {
  const Files files = {kTrigger, kTriggerOther, kTriggerDown, kUsers, kUsersDown};
  EXPECT_EQ(check(files), "schema_older");
  EXPECT_EQ(up(files), "ok 2") << detail_;
  EXPECT_TRUE(has_table("log"));
  EXPECT_EQ(up(files), "ok 0");
  EXPECT_EQ(check(files), "ok");
  EXPECT_EQ(down(files, 1), "ok 1") << detail_;
  EXPECT_FALSE(has_table("log"));
  EXPECT_TRUE(has_table("users"));
  EXPECT_EQ(down(files, 5), "ok 1");
  EXPECT_FALSE(has_table("users"));
  EXPECT_EQ(up(files), "ok 2");
}

TEST_F(MigrateTest, StatusTellsWhatIsAppliedPendingChangedAndUnknown) {
  const Files both = {kUsers, kTrigger};
  ASSERT_EQ(up({kUsers}), "ok 1");
  const MigrationSource from = source(both);
  std::vector<MigrationStep> steps = get(migration_status(database(), {&from, 1}));
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_TRUE(steps[0].applied_at.has_value());
  EXPECT_EQ(steps[0].name, "users");
  EXPECT_FALSE(steps[1].applied_at.has_value());

  ASSERT_EQ(up(both), "ok 1");
  const Files changed = {{"0001_users.up.sql", "CREATE TABLE other (id INTEGER)"}};
  const MigrationSource newer = source(changed);
  steps = get(migration_status(database(), {&newer, 1}));
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_TRUE(steps[0].changed);
  EXPECT_TRUE(steps[1].unknown);
}

TEST_F(MigrateTest, AChangedFileIsAnErrorThatNamesIt) {
  ASSERT_EQ(up({kUsers}), "ok 1");
  const Files changed = {{"0001_users.up.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY)"}};
  EXPECT_EQ(up(changed), "migration_changed");
  EXPECT_TRUE(says("0001_users.up.sql")) << detail_;
  EXPECT_EQ(check(changed), "migration_changed");
}

TEST_F(MigrateTest, ASchemaNewerThanTheProgramIsRefusedWithASentence) {
  ASSERT_EQ(up({kUsers, kTrigger}), "ok 2");
  EXPECT_EQ(up({kUsers}), "schema_newer");
  EXPECT_TRUE(says("version 2, this program knows up to 1")) << detail_;
  EXPECT_EQ(check({kUsers}), "schema_newer");
  EXPECT_EQ(down({kUsers}, 1), "schema_newer");
}

TEST_F(MigrateTest, GapsTwinsAndStrangeNamesAreErrors) {
  EXPECT_EQ(up({{"0002_users.up.sql", "SELECT 1"}}), "bad_migration");
  EXPECT_TRUE(says("version 1 is missing")) << detail_;
  EXPECT_EQ(up({kUsers, {"0001_people.up.sql", "SELECT 1"}}), "bad_migration");
  EXPECT_TRUE(says("twice")) << detail_;
  EXPECT_EQ(up({kUsers, kUsers}), "bad_migration");
  EXPECT_EQ(up({kUsersDown}), "bad_migration");
  EXPECT_EQ(up({kUsers, kTriggerOther}), "bad_migration");
  EXPECT_TRUE(says("no .up.sql for sqlite")) << detail_;
  for (const char* name : {"1_users.up.sql", "0001.up.sql", "0001_users.sql", "0001_users.oracle.up.sql",
                           "users.up.sql", "0000_users.up.sql", "-001_users.up.sql", "0001_.up.sql"}) {
    const Files files = {{name, "SELECT 1"}};
    EXPECT_EQ(up(files), "bad_migration") << name;
  }
}

TEST_F(MigrateTest, VersionsMissingInTheMiddleOfTheDatabaseAreNoticed) {
  ASSERT_EQ(up({kUsers, kTrigger}), "ok 2");
  script("DELETE FROM schema_migrations WHERE version = 1");
  EXPECT_EQ(up({kUsers, kTrigger}), "migration_gap");
}

TEST_F(MigrateTest, AFileThatFailsLeavesNothingAndSaysWhere) {
  const Files files = {
      kUsers, {"0002_bad.up.sql", "CREATE TABLE half (id INTEGER);\n\nINSERT INTO nowhere VALUES (1);"}};
  EXPECT_EQ(up(files), "migration_failed");
  EXPECT_TRUE(says("0002_bad.up.sql")) << detail_;
  EXPECT_TRUE(says("line 3: no such table: nowhere")) << detail_;
  EXPECT_FALSE(has_table("half"));
  EXPECT_TRUE(has_table("users")) << "what went before stays";
  EXPECT_EQ(up({kUsers, {"0002_bad.up.sql", "CREATE TABLE half (id INTEGER); COMMIT; SELECT 1"}}),
            "migration_failed");
  EXPECT_FALSE(has_table("half")) << "a script does not end the transaction it runs in";
}

TEST_F(MigrateTest, ABrokenReferenceIsRefused) {
  const Files files = {kUsers,
                       {"0002_orphan.up.sql",
                        "CREATE TABLE pets (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES users (id));"
                        "INSERT INTO pets (owner) VALUES (4711);"}};
  EXPECT_EQ(up(files), "migration_failed");
  EXPECT_TRUE(says("pets")) << detail_;
  EXPECT_FALSE(has_table("pets"));
}

TEST_F(MigrateTest, ADryRunChangesNothing) {
  EXPECT_EQ(up({kUsers, kTrigger}, {.dry_run = true}), "ok 2") << detail_;
  EXPECT_FALSE(has_table("users"));
  EXPECT_FALSE(has_table("schema_migrations"));
  EXPECT_EQ(up({kUsers, {"0002_bad.up.sql", "nonsense"}}, {.dry_run = true}), "migration_failed");
  EXPECT_FALSE(has_table("users"));
  const Files files = {kUsers, kUsersDown};
  ASSERT_EQ(up(files), "ok 1");
  EXPECT_EQ(down(files, 1, {.dry_run = true}), "ok 1");
  EXPECT_TRUE(has_table("users"));
}

TEST_F(MigrateTest, WithoutADownFileThereIsNoWayBack) {
  ASSERT_EQ(up({kUsers}), "ok 1");
  EXPECT_EQ(down({kUsers}, 1), "migration_one_way");
  EXPECT_TRUE(has_table("users"));
}

Files many_files(std::vector<std::string>& names) {
  static const std::string kText = "CREATE TABLE once_@ (id INTEGER); INSERT INTO once_@ VALUES (1);";
  static std::vector<std::string> texts;
  texts.reserve(20);
  names.reserve(20);
  Files files;
  for (int i = 1; i <= 9; ++i) {
    std::string text = kText;
    for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@'))
      text[at] = static_cast<char>('0' + i);
    texts.push_back(text);
    names.push_back("000" + std::to_string(i) + "_step.up.sql");
    files.push_back({names.back(), texts.back()});
  }
  return files;
}

TEST_F(MigrateTest, TwoRunnersAtOnceApplyEachFileOnce) {
  std::vector<std::string> names;
  const Files files = many_files(names);
  const MigrationSource from = source(files);
  std::atomic<std::size_t> applied{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> runners;
  for (int i = 0; i < 4; ++i)
    runners.emplace_back([&] {
      Result<std::vector<MigrationStep>> done = migrate_up(database(), {&from, 1});
      if (done)
        applied += done->size();
      else
        ++failed;
    });
  for (std::thread& runner : runners) runner.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(applied, files.size());
}

TEST_F(MigrateTest, TwoProcessesAtOnceApplyEachFileOnce) {
  std::vector<std::string> names;
  const Files files = many_files(names);
  const SqliteOptions at = options();
  close();
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Result<std::unique_ptr<Database>> mine = open_sqlite(at);
      if (!mine) ::_exit(100);
      const MigrationSource from = source(files);
      Result<std::vector<MigrationStep>> done = migrate_up(**mine, {&from, 1});
      ::_exit(done ? static_cast<int>(done->size()) : 101);
    }
    children.push_back(child);
  }
  int applied = 0;
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_LT(WEXITSTATUS(status), 100);
    applied += WEXITSTATUS(status);
  }
  EXPECT_EQ(applied, static_cast<int>(files.size()));
}

}  // namespace
}  // namespace bedplate::sql
