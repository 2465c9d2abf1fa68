// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/backup.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/sql/sqlite/data_lock.h"
#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

constexpr const char* kSchema =
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL); CREATE INDEX by_text ON notes (text);"
    "CREATE TABLE twins (id INTEGER PRIMARY KEY, text TEXT NOT NULL);";

// Both tables, so that a snapshot from between two commits would show.
Async<void> insert(Transaction& tx, std::string_view text) {
  co_await ok(tx.run("INSERT INTO notes (text) VALUES ($1)", text));
  co_await ok(tx.run("INSERT INTO twins (text) VALUES ($1)", text));
}
Async<std::int64_t> difference(Reader& db) {
  const std::int64_t n = co_await ok(
      db.value<std::int64_t>("SELECT (SELECT count(*) FROM notes) - (SELECT count(*) FROM twins)"));
  co_return n;
}
Async<std::int64_t> count(Reader& db) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM notes"));
  co_return n;
}

class BackupTest : public testing::Test, public SqliteKit {
 protected:
  BackupTest() : SqliteKit(kSchema) {}
  void add(std::string_view text) { get(run(database().transact(&insert, text))); }
  std::int64_t notes() { return get(run(database().read(&count))); }
  std::string path() const { return directory().file("test.db"); }
  std::string backup() const { return directory().file("backup.db"); }
};

TEST_F(BackupTest, ABackupHoldsWhatWasThereAndRestoringBringsItBack) {
  add("kept");
  BackupReport report = get(back_up_sqlite(path(), backup()));
  EXPECT_GT(report.size_bytes, 0);
  struct stat info{};
  ASSERT_EQ(::stat(backup().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  add("later");
  EXPECT_EQ(notes(), 2);

  close();
  get(restore_sqlite(backup(), path()));
  open({});
  EXPECT_EQ(notes(), 1);
  EXPECT_TRUE(std::filesystem::exists(path() + ".before-restore"));

  close();
  get(restore_sqlite(path() + ".before-restore", path()));
  open({});
  EXPECT_EQ(notes(), 2) << "what was replaced can be had back";
}

TEST_F(BackupTest, ABackupWhileServingIsOneSnapshot) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    Loop loop;
    struct Ops {
      static Async<void> write(Database& db, std::atomic<bool>& until) {
        while (!until) co_await ok(db.transact(&insert, std::string_view("text")));
      }
    };
    EXPECT_TRUE(run_to_end(loop, Ops::write(database(), stop)));
  });
  for (int i = 0; i < 5; ++i) {
    const std::string file = directory().file("backup" + std::to_string(i));
    get(back_up_sqlite(path(), file));
    SqliteOptions options;
    options.path = file;
    auto copy = get(open_sqlite(options));
    Loop loop;
    EXPECT_EQ(get(run_to_end(loop, copy->read(&difference))), 0);
  }
  stop = true;
  writer.join();
}

TEST_F(BackupTest, NothingIsOverwrittenAndNothingHalfMadeStays) {
  std::ofstream(backup()) << "precious";
  EXPECT_EQ(back_up_sqlite(path(), backup()).error().code(), "file_exists");
  EXPECT_EQ(back_up_sqlite(directory().file("none.db"), directory().file("x")).error().code(), "no_database");
  EXPECT_FALSE(back_up_sqlite(path(), directory().file("no/such/folder/x")));
  EXPECT_EQ(restore_sqlite(directory().file("none.db"), path()).error().code(), "no_backup");
}

TEST_F(BackupTest, ADamagedBackupIsRefusedAndTheDatabaseStaysAsItWas) {
  for (int i = 0; i < 500; ++i) add(std::string(200, 'x') + std::to_string(i));
  get(back_up_sqlite(path(), backup()));
  {
    std::fstream file(backup(), std::ios::in | std::ios::out | std::ios::binary);
    for (int page = 2; page < 30; ++page) {
      file.seekp(page * 4096 + 100);
      file << std::string(2000, '\xff');
    }
  }
  const std::string text = directory().file("text");
  std::ofstream(text) << std::string(10000, 'x');
  close();
  EXPECT_EQ(restore_sqlite(backup(), path()).error().code(), "damaged");
  EXPECT_EQ(restore_sqlite(text, path()).error().code(), "not_a_backup");
  open({});
  EXPECT_EQ(notes(), 500);
  for (const auto& entry : std::filesystem::directory_iterator(directory().path()))
    EXPECT_EQ(entry.path().string().find(".restore"), std::string::npos) << entry.path();
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

TEST_F(BackupTest, ABackupIsReadWhereNothingCanBeWrittenAndNothingIsLeftBesideIt) {
  add("kept");
  const std::string medium = directory().file("medium");
  std::filesystem::create_directory(medium);
  get(back_up_sqlite(path(), medium + "/b.db"));
  EXPECT_EQ(names_in(medium), std::vector<std::string>{"b.db"});
  std::filesystem::permissions(medium,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  add("later");
  close();
  get(restore_sqlite(medium + "/b.db", path()));
  EXPECT_EQ(names_in(medium), std::vector<std::string>{"b.db"});
  std::filesystem::permissions(medium, std::filesystem::perms::owner_all);
  open({});
  EXPECT_EQ(notes(), 1);
}

TEST_F(BackupTest, ALogBesideItBelongsToIt) {
  add("kept");
  // Both files of a database that was not closed.
  const std::string copied = directory().file("copied.db");
  std::filesystem::copy_file(path(), copied);
  std::filesystem::copy_file(path() + "-wal", copied + "-wal");
  ASSERT_GT(std::filesystem::file_size(copied + "-wal"), 0U);
  get(fetch_backup(copied, backup()));
  close();
  get(restore_sqlite(backup(), path()));
  open({});
  EXPECT_EQ(notes(), 1);
}

TEST_F(BackupTest, OneThatWasCutOffAnywhereIsRefused) {
  for (int i = 0; i < 200; ++i) add(std::string(200, 'x') + std::to_string(i));
  get(back_up_sqlite(path(), backup()));
  const auto size = std::filesystem::file_size(backup());
  ASSERT_GT(size, 5 * 4096U);
  close();
  const std::string target = directory().file("fetched.db");
  for (const std::uintmax_t left :
       {size - 1, size - 4096, size / 4096 / 2 * 4096, std::uintmax_t{4096}, std::uintmax_t{100},
        std::uintmax_t{16}, std::uintmax_t{15}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(backup(), left);
    const Result<BackupReport> fetched = fetch_backup(backup(), target);
    ASSERT_FALSE(fetched) << left;
    EXPECT_EQ(fetched.error().code(), left < 16 ? "not_a_backup" : "damaged")
        << left << fetched.error().detail();
    EXPECT_FALSE(std::filesystem::exists(target)) << left;
  }
}

TEST_F(BackupTest, WhoDoesNotAcceptTheCopyKeepsTheDatabase) {
  add("kept");
  get(back_up_sqlite(path(), backup()));
  add("later");
  close();
  const auto refuse = [](const std::string&) -> Result<void> {
    return fail(Category::invalid, "not_ours", "No.");
  };
  EXPECT_EQ(restore_sqlite(backup(), path(), {.accept = refuse, .watch = {}}).error().code(), "not_ours");
  EXPECT_FALSE(std::filesystem::exists(path() + ".before-restore"));
  EXPECT_FALSE(std::filesystem::exists(path() + ".restore"));
  open({});
  EXPECT_EQ(notes(), 2);
}

TEST_F(BackupTest, TellsHowFarItIs) {
  add("kept");
  std::vector<BackupProgress> heard;
  const auto watch = [&](const BackupProgress& progress) { heard.push_back(progress); };
  const BackupReport report = get(back_up_sqlite(path(), backup(), watch));
  ASSERT_GE(heard.size(), 2U);
  EXPECT_EQ(heard[heard.size() - 2].bytes, report.size_bytes);
  EXPECT_EQ(heard[heard.size() - 2].bytes_total, report.size_bytes);
  EXPECT_TRUE(heard.back().checking);
  heard.clear();
  get(fetch_backup(backup(), directory().file("fetched.db"), watch));
  ASSERT_GE(heard.size(), 2U);
  EXPECT_EQ(heard[heard.size() - 2].bytes, report.size_bytes);
  EXPECT_TRUE(heard.back().checking);
}

TEST_F(BackupTest, ADamagedDatabaseCanBeReplaced) {
  add("kept");
  get(back_up_sqlite(path(), backup()));
  close();
  std::ofstream(path(), std::ios::trunc) << std::string(10000, 'x');
  get(restore_sqlite(backup(), path()));
  open({});
  EXPECT_EQ(notes(), 1);
}

TEST(DataLockTest, OnlyOneAtATimeAndTheOtherIsNamed) {
  TempDirectory directory;
  const std::string data = directory.file("data");
  {
    DataLock lock = get(DataLock::acquire(data));
    Result<DataLock> second = DataLock::acquire(data);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), "data_in_use");
    EXPECT_EQ(second.error().detail(),
              "Another process (pid " + std::to_string(::getpid()) + ") serves '" + data + "'.");
  }
  EXPECT_TRUE(DataLock::acquire(data));
  struct stat info{};
  ASSERT_EQ(::stat(data.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST(DataLockTest, ItGoesWithItsProcess) {
  TempDirectory directory;
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Result<DataLock> lock = DataLock::acquire(directory.path());
    static_cast<void>(::write(pipe_fds[1], lock ? "y" : "n", 1));
    for (;;) ::pause();
  }
  char locked = 0;
  ASSERT_EQ(::read(pipe_fds[0], &locked, 1), 1);
  ASSERT_EQ(locked, 'y');
  EXPECT_NE(DataLock::acquire(directory.path()).error().detail().find(std::to_string(child)),
            std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(DataLock::acquire(directory.path()));
  ::close(pipe_fds[0]);
  ::close(pipe_fds[1]);
}

}  // namespace
}  // namespace bedplate::sql
