// SPDX-License-Identifier: Apache-2.0
// What was acknowledged survives: power cuts at random moments, full and failing disks, SIGKILL under load.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/sql/database.h"
#include "tests/kits/faulty_disk_kit.h"
#include "tests/kits/sqlite_kit.h"
#include "tests/servers/daemon.h"

namespace bedplate::sql {
namespace {

// A command writes two rows that belong together.
constexpr const char* kSchema =
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE lines (order_id INTEGER PRIMARY KEY, text TEXT NOT NULL);";

Async<void> place(Transaction& tx, std::int64_t id, std::string_view text) {
  co_await ok(tx.run("INSERT INTO orders (id, text) VALUES ($1, $2)", id, text));
  co_await ok(tx.run("INSERT INTO lines (order_id, text) VALUES ($1, $2)", id, text));
}

std::set<std::int64_t> ids_of(sqlite3* db, const char* sql) {
  std::set<std::int64_t> ids;
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(db, sql, -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  while (sqlite3_step(statement) == SQLITE_ROW) ids.insert(sqlite3_column_int64(statement, 0));
  sqlite3_finalize(statement);
  return ids;
}

/// Opens the files of a crash as the next start would, and compares them with what was acknowledged.
std::set<std::int64_t> check_files(const std::string& path, const std::vector<std::int64_t>& acknowledged) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  std::string verdict;
  sqlite3_exec(
      db, "PRAGMA integrity_check",
      [](void* out, int, char** columns, char**) {
        *static_cast<std::string*>(out) += columns[0];
        return 0;
      },
      &verdict, nullptr);
  EXPECT_EQ(verdict, "ok");
  const std::set<std::int64_t> orders = ids_of(db, "SELECT id FROM orders");
  EXPECT_EQ(orders, ids_of(db, "SELECT order_id FROM lines")) << "a command is half done";
  for (std::int64_t id : acknowledged)
    EXPECT_TRUE(orders.contains(id)) << "lost an acknowledged write: " << id;
  sqlite3_close(db);
  return orders;
}

/// Callers that place orders until they are told to stop, and note what they were told.
class Load {
 public:
  Load(SqliteKit& kit, int callers) : kit_(kit) {
    thread_ = std::thread([this, callers] {
      running_ = callers;
      Loop loop;
      for (int i = 0; i < callers; ++i) loop.spawn(place_orders(loop));
      loop.run();
    });
  }
  ~Load() { stop(); }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::vector<std::int64_t> acknowledged() {
    std::lock_guard lock(mutex_);
    return acknowledged_;
  }
  int failures() const { return failures_; }

 private:
  Async<void> place_orders(Loop& loop) {
    const std::string text(300, 'x');
    while (!stop_) {
      const std::int64_t id = ++next_;
      Result<void> done = co_await kit_.database().transact(&place, id, std::string_view(text));
      if (done) {
        std::lock_guard lock(mutex_);
        acknowledged_.push_back(id);
      } else {
        EXPECT_EQ(done.error().category(), Category::unavailable) << done.error().code();
        ++failures_;
      }
    }
    if (--running_ == 0) loop.stop();
  }

  SqliteKit& kit_;
  std::atomic<bool> stop_{false};
  std::atomic<int> failures_{0};
  int running_ = 0;
  std::int64_t next_ = 0;
  std::mutex mutex_;
  std::vector<std::int64_t> acknowledged_;
  std::thread thread_;
};

SqliteOptions on(const FaultyDisk& disk) {
  SqliteOptions options;
  options.vfs = disk.name();
  options.wal_checkpoint_mib = 0;  // the checkpointer copies at every look
  options.wal_size_max_mib = 1;    // and the log starts over again and again
  options.mmap_size_mib = 0;
  return options;
}

void expect_same(SqliteKit& kit, const std::vector<std::int64_t>& acknowledged) {
  kit.close();
  const std::set<std::int64_t> stored = check_files(kit.directory().file("test.db"), acknowledged);
  EXPECT_EQ(stored.size(), acknowledged.size()) << "something that was refused is there";
}

/// On a disk that makes SQLite write as it comes, and on one where a commit's writes are gathered.
class SqliteDurability : public ::testing::TestWithParam<FaultyDisk::Promise> {};

INSTANTIATE_TEST_SUITE_P(, SqliteDurability,
                         ::testing::Values(FaultyDisk::Promise::nothing,
                                           FaultyDisk::Promise::powersafe_overwrite),
                         [](const auto& of) {
                           return std::string(of.param == FaultyDisk::Promise::nothing ? "Padded"
                                                                                       : "Gathered");
                         });

struct Cut {
  TempDirectory files;
  std::vector<std::int64_t> acknowledged;
};

TEST_P(SqliteDurability, APowerCutLosesNothingThatWasAcknowledgedAndLeavesNothingHalfDone) {
  constexpr int kDatabases = 3;  // of each kind of disk
  constexpr int kCuts = 15;
  std::mt19937 rng(20261121);
  for (int database = 0; database < kDatabases && !::testing::Test::HasFailure(); ++database) {
    FaultyDisk disk(GetParam());
    SqliteKit kit(kSchema, on(disk));
    std::vector<std::unique_ptr<Cut>> cuts;
    {
      Load load(kit, 16);
      for (int i = 0; i < kCuts; ++i) {
        const std::chrono::microseconds moment(rng() % 15'000);
        std::this_thread::sleep_for(moment);  // tidy: sleep because the moment is random
        auto cut = std::make_unique<Cut>();
        cut->acknowledged = load.acknowledged();
        disk.cut_power(cut->files.path(), rng);
        cuts.push_back(std::move(cut));
      }
      EXPECT_TRUE(bedplate::testing::wait_until([&] { return load.acknowledged().size() > 20; }));
      load.stop();
      EXPECT_EQ(load.failures(), 0);
    }
    for (const auto& cut : cuts) check_files(cut->files.file("test.db"), cut->acknowledged);
  }
}

TEST_P(SqliteDurability, TheAnswerComesAfterTheSync) {
  FaultyDisk disk(GetParam());
  SqliteOptions options = on(disk);
  options.wal_checkpoint_mib = 16;
  SqliteKit kit(kSchema, options);
  struct Ops {
    static Async<void> one_by_one(Database& db, FaultyDisk& on_disk) {
      std::mt19937 rng(1);
      std::vector<std::int64_t> acknowledged;
      for (std::int64_t id = 1; id <= 30; ++id) {
        const std::uint64_t before = on_disk.syncs();
        co_await ok(db.transact(&place, id, std::string_view("x")));
        EXPECT_GT(on_disk.syncs(), before);
        acknowledged.push_back(id);
        TempDirectory after;
        on_disk.cut_power(after.path(), rng, /*lose_all=*/true);
        check_files(after.file("test.db"), acknowledged);
      }
    }
  };
  EXPECT_TRUE(kit.run(Ops::one_by_one(kit.database(), disk)));
}

TEST_P(SqliteDurability, AFullDiskIsSaidAndIsOverWhenItIsOver) {
  FaultyDisk disk(GetParam());
  SqliteKit kit(kSchema, on(disk));
  std::vector<std::int64_t> acknowledged;
  auto try_place = [&](std::int64_t id) {
    Result<void> r = kit.run(kit.database().transact(&place, id, std::string_view("x")));
    if (r) acknowledged.push_back(id);
    return r ? std::string("ok") : r.error().code();
  };
  EXPECT_EQ(try_place(1), "ok");
  disk.fail_writes_with(SQLITE_FULL);
  EXPECT_EQ(try_place(2), kStorageFull);
  disk.fail_writes_with(SQLITE_IOERR_WRITE);
  EXPECT_EQ(try_place(3), kStorageError);
  disk.fail_writes_with(0);
  EXPECT_EQ(try_place(4), "ok");
  disk.fail_syncs_with(SQLITE_IOERR_FSYNC);
  EXPECT_EQ(try_place(5), kStorageError);
  disk.fail_syncs_with(0);
  EXPECT_EQ(try_place(6), "ok");
  EXPECT_EQ(try_place(2), "ok");
  expect_same(kit, acknowledged);
}

TEST_P(SqliteDurability, ADiskThatFailsNowAndThenHurtsOnlyTheCommandsItHits) {
  FaultyDisk disk(GetParam());
  SqliteKit kit(kSchema, on(disk));
  Load load(kit, 16);
  disk.fail_sometimes(20);
  EXPECT_TRUE(
      bedplate::testing::wait_until([&] { return load.failures() > 0 && load.acknowledged().size() > 100; }));
  disk.fail_sometimes(0);
  load.stop();
  expect_same(kit, load.acknowledged());
}

// Transactions that do not fit into the page cache write to the log before they commit, and read it back.
struct LongCommand {
  int rows = 0;

  Async<void> run(Transaction& tx) const {
    const std::string text(1000, 'x');
    for (std::int64_t id = 1; id <= rows; ++id)
      co_await ok(tx.run("INSERT INTO orders (id, text) VALUES ($1, $2)", id, text));
    co_await ok(tx.run("INSERT INTO lines (order_id, text) SELECT id, text FROM orders"));
    co_await ok(tx.run("UPDATE orders SET text = text || 'y'"));
  }
};

TEST_P(SqliteDurability, ACommandLargerThanTheCacheReadsWhatItWrote) {
  FaultyDisk disk(GetParam());
  SqliteOptions options = on(disk);
  options.cache_size_kib = 64;
  options.wal_size_max_mib = 64;
  SqliteKit kit(kSchema, options);
  LongCommand command{.rows = 600};
  disk.fail_writes_with(SQLITE_FULL);
  Result<void> refused = kit.run(kit.database().transact(&LongCommand::run, command));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), kStorageFull);
  disk.fail_writes_with(0);
  ASSERT_TRUE(kit.run(kit.database().transact(&LongCommand::run, command)));
  std::mt19937 rng(3);
  TempDirectory after;
  disk.cut_power(after.path(), rng, /*lose_all=*/true);
  EXPECT_EQ(check_files(after.file("test.db"), {}).size(), 600u);
}

TEST(SqliteDurabilityTest, ACommitIsOneWriteToTheLog) {
  FaultyDisk disk(FaultyDisk::Promise::powersafe_overwrite);
  SqliteOptions options = on(disk);
  options.wal_checkpoint_mib = 16;
  SqliteKit kit(kSchema, options);
  ASSERT_TRUE(kit.run(kit.database().transact(&place, std::int64_t{1000}, std::string_view("x"))));
  const std::uint64_t before = disk.writes();
  ASSERT_TRUE(kit.run(kit.database().transact(&place, std::int64_t{1001}, std::string_view("x"))));
  EXPECT_EQ(disk.writes() - before, 1u);
}

/// Places orders for ever and writes to `out` the id of each that was acknowledged. In a process of its own.
[[noreturn]] void serve_until_killed(const std::string& path, std::int64_t first, int out) {
  SqliteOptions options;
  options.path = path;
  options.command_time_max_ms = options.busy_timeout_ms = 60'000;  // a busy machine fails no order
  Result<std::unique_ptr<Database>> database = open_sqlite(options);
  if (!database) ::_exit(1);
  struct Ops {
    static Async<void> place_orders(Database& db, std::int64_t& next, int fd) {
      const std::string text(300, 'x');
      for (;;) {
        const std::int64_t id = ++next;
        Result<void> done = co_await db.transact(&place, id, std::string_view(text));
        if (!done || ::write(fd, &id, sizeof id) != sizeof id) ::_exit(2);
      }
    }
  };
  Loop loop;
  std::int64_t next = first;
  for (int i = 0; i < 32; ++i) loop.spawn(Ops::place_orders(**database, next, out));
  loop.run();
  ::_exit(3);
}

TEST(SqliteDurabilityTest, KilledUnderLoadAgainAndAgainEveryAcknowledgedWriteIsThere) {
  SqliteKit kit(kSchema);
  kit.close();
  const std::string path = kit.directory().file("test.db");
  std::mt19937 rng(4711);
  std::vector<std::int64_t> acknowledged;
  for (int round = 0; round < 8; ++round) {
    int pipe_fds[2];
    ASSERT_EQ(::pipe(pipe_fds), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe_fds[0]);
      serve_until_killed(path, (round + 1) * 1'000'000, pipe_fds[1]);
    }
    ::close(pipe_fds[1]);
    const std::size_t enough = acknowledged.size() + 50 + rng() % 500;
    std::int64_t id = 0;
    while (::read(pipe_fds[0], &id, sizeof id) == sizeof id) {
      acknowledged.push_back(id);
      if (acknowledged.size() == enough) ::kill(child, SIGKILL);
    }
    ::close(pipe_fds[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    check_files(path, acknowledged);
  }
}

}  // namespace
}  // namespace bedplate::sql
