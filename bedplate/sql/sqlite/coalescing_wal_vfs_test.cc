// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/coalescing_wal_vfs.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using Handle = std::unique_ptr<sqlite3, CloseDatabase>;

Handle open(const std::string& path, const char* vfs, const std::string& pragmas = {}) {
  sqlite3* raw = nullptr;
  if (sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs) != SQLITE_OK)
    return nullptr;
  Handle db(raw);
  sqlite3_busy_timeout(raw, 60'000);
  const std::string all = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + pragmas;
  return sqlite3_exec(raw, all.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK ? std::move(db) : nullptr;
}

bool run(const Handle& db, const std::string& sql) {
  return sqlite3_exec(db.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::string text_of(const Handle& db, const char* sql) {
  std::string text;
  sqlite3_exec(
      db.get(), sql,
      [](void* out, int, char** columns, char**) {
        static_cast<std::string*>(out)->append(columns[0] ? columns[0] : "NULL");
        return 0;
      },
      &text, nullptr);
  return text;
}

// Never returns: the child of a fork has no test to go on with.
[[noreturn]] void insert_in_another_process(const std::string& path, int start, int who, int commits) {
  char go = 0;
  if (::read(start, &go, 1) != 1) ::_exit(2);
  const Handle db = open(path, nullptr);
  if (!db) ::_exit(3);
  for (int i = 0; i < commits; ++i)
    if (!run(db, "INSERT INTO rows (who, text) VALUES (" + std::to_string(who) + ", hex(randomblob(700)))"))
      ::_exit(4);
  ::_exit(0);
}

// Transactions that spill into the WAL long before they end, of which every second is rolled back: what they leave
// buffered must not reach the file when others have committed there.
TEST(CoalescingWalVfsTest, OtherProcessesCommitWhileItBuffers) {
  constexpr int kProcesses = 2;
  constexpr int kCommits = 150;
  constexpr int kOwn = 60;
  const TempDirectory directory;
  const std::string path = directory.file("test.db");
  std::array<int, 2> start{};
  ASSERT_EQ(::pipe(start.data()), 0);
  std::vector<pid_t> children;
  for (int who = 1; who <= kProcesses; ++who) {  // before this process opens the file: its locks are its own
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) insert_in_another_process(path, start[0], who, kCommits);
    children.push_back(child);
  }
  std::atomic<std::uint64_t> fallbacks{0};
  CoalescingWalVfs vfs("", fallbacks);
  const Handle db = open(path, vfs.name(), "PRAGMA cache_size=10; PRAGMA cache_spill=5;");
  ASSERT_TRUE(db);
  ASSERT_TRUE(
      run(db, "CREATE TABLE rows (id INTEGER PRIMARY KEY, who INTEGER NOT NULL, text TEXT NOT NULL)"));
  ASSERT_EQ(::write(start[1], "gogo", kProcesses), kProcesses);
  const Handle other = open(path, nullptr);
  const std::string all_of_theirs = std::to_string(kProcesses * kCommits);
  const auto theirs = [&] { return text_of(other, "SELECT count(*) FROM rows WHERE who > 0"); };
  for (int i = 0; i < kOwn; ++i) {
    ASSERT_TRUE(run(db, "BEGIN IMMEDIATE"));
    for (int row = 0; row < 40; ++row)
      ASSERT_TRUE(run(db, "INSERT INTO rows (who, text) VALUES (0, hex(randomblob(1000)))"));
    ASSERT_TRUE(run(db, i % 2 == 0 ? "ROLLBACK" : "COMMIT"));
    const std::string before = theirs();
    while (theirs() == before && before != all_of_theirs) std::this_thread::yield();  // somebody commits now
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
  }
  ::close(start[0]);
  ::close(start[1]);
  EXPECT_EQ(text_of(other, "PRAGMA integrity_check"), "ok");
  EXPECT_EQ(theirs(), all_of_theirs);
  EXPECT_EQ(text_of(other, "SELECT count(*) FROM rows WHERE who = 0"), std::to_string(kOwn / 2 * 40));
  EXPECT_EQ(fallbacks, 0U);
}

// synchronous=NORMAL does what SQLite might do one day: a commit publishes its frames without a sync.
TEST(CoalescingWalVfsTest, FallsBackWhenFramesArePublishedBeforeTheyAreSynced) {
  const TempDirectory directory;
  const std::string path = directory.file("test.db");
  std::atomic<std::uint64_t> fallbacks{0};
  CoalescingWalVfs vfs("", fallbacks);
  const Handle db = open(path, vfs.name());
  ASSERT_TRUE(db);
  ASSERT_TRUE(run(db, "CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"));
  const Handle reader = open(path, nullptr);
  EXPECT_EQ(fallbacks, 0U);
  ASSERT_TRUE(run(db, "PRAGMA synchronous=NORMAL"));
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(run(db, "INSERT INTO rows (text) VALUES (hex(randomblob(3000)))"));
    EXPECT_EQ(text_of(reader, "SELECT count(*) FROM rows"), std::to_string(i))
        << "what is published is in the file";
    EXPECT_EQ(fallbacks, 1U);
  }
  EXPECT_EQ(text_of(reader, "PRAGMA integrity_check"), "ok");
}

TEST(CoalescingWalVfsTest, ALayerThatDoesNotExistHasNoName) {
  std::atomic<std::uint64_t> fallbacks{0};
  EXPECT_EQ(CoalescingWalVfs("no such layer", fallbacks).name(), nullptr);
}

}  // namespace
}  // namespace bedplate::sql
