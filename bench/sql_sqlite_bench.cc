// SPDX-License-Identifier: Apache-2.0
// sql-sqlite: what the Database port costs on SQLite.
//   point_read    one task by a random id of 100 k, through Database::read() on one loop (64 reads a tick, as
//                 from 64 connections), against bare prepared statements in one read transaction that fill
//                 the same struct;
//   group_commit  durable inserts from 64 coroutines, against the same with every command in a commit of its own.
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/sqlite/sqlite.h"

namespace {

using namespace bedplate;

constexpr int kTasks = 100'000;
constexpr int kRounds = 9;
constexpr int kReadsPerRound = 100'000;
constexpr int kReadsPerTick = 64;
constexpr int kWriters = 64;
constexpr int kWritesPerRound = 2'000;

constexpr const char* kSchema =
    "CREATE TABLE tasks (id BLOB PRIMARY KEY, owner BLOB NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, "
    "created_at INTEGER NOT NULL) WITHOUT ROWID";
constexpr const char* kFind = "SELECT id, owner, title, body, created_at FROM tasks WHERE id = $1";
constexpr const char* kInsert =
    "INSERT INTO tasks (id, owner, title, body, created_at) VALUES ($1, $2, $3, $4, $5)";

struct User;
struct Task {
  Id<Task> id;
  Id<User> owner;
  std::string title;
  std::string body;
  Time created_at;

  static consteval auto describe() {
    using namespace schema;
    return object<Task>("A task", {
                                      field<&Task::id>(),
                                      field<&Task::owner>(),
                                      field<&Task::title>(),
                                      field<&Task::body>(),
                                      field<&Task::created_at>(),
                                  });
  }
};

struct Store {
  Async<Task> find(sql::Reader& db, Id<Task> id) {
    Task task = co_await ok(db.one<Task>(kFind, id));
    co_return task;
  }
  Async<void> insert(sql::Transaction& tx, const Task& task) {
    co_await ok(tx.run(kInsert, task.id, task.owner, task.title, task.body, task.created_at));
  }
};

void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "sql_sqlite_bench: %s\n", what);
  std::exit(1);
}

Task a_task() {
  Task task;
  task.id = new_id<Id<Task>>();
  task.owner = new_id<Id<User>>();
  task.title = "Fix the flaky reconnect test";
  task.body = std::string(120, 'x');
  task.created_at = SystemClock().now();
  return task;
}

class Rng {
 public:
  std::size_t below(std::size_t n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state_ >> 33) % n;
  }

 private:
  std::uint64_t state_ = 42;
};

/// Goes on in the next tick of the loop.
struct NextTick : Op, Work {
  NextTick() {
    run = [](Work* work) { static_cast<NextTick*>(work)->resume(); };
  }
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    wait(h);
    Loop::current()->post(*this);
    return true;
  }
  void await_resume() {}
};

// ---- bare SQLite

class Bare {
 public:
  explicit Bare(const std::string& path) {
    require(
        sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr) == SQLITE_OK,
        "cannot open");
    sqlite3_exec(db_, "PRAGMA mmap_size=1073741824; PRAGMA cache_size=-16384", nullptr, nullptr, nullptr);
    sqlite3_prepare_v3(db_, kFind, -1, SQLITE_PREPARE_PERSISTENT, &find_, nullptr);
  }
  ~Bare() {
    sqlite3_finalize(find_);
    sqlite3_close(db_);
  }
  void exec(const char* sql) { sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }

  Task find(const Id<Task>& id) {
    sqlite3_bind_blob(find_, 1, id.bytes.data(), 16, SQLITE_STATIC);
    require(sqlite3_step(find_) == SQLITE_ROW, "row missing");
    Task task;
    std::memcpy(task.id.bytes.data(), sqlite3_column_blob(find_, 0), 16);
    std::memcpy(task.owner.bytes.data(), sqlite3_column_blob(find_, 1), 16);
    task.title = text(2);
    task.body = text(3);
    task.created_at = Time(std::chrono::microseconds(sqlite3_column_int64(find_, 4)));
    sqlite3_reset(find_);
    return task;
  }

 private:
  std::string_view text(int column) {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(find_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(find_, column))};
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* find_ = nullptr;
};

// ---- measuring

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

void print_list(const char* name, const std::vector<double>& times) {
  std::printf("\"%s\": [", name);
  for (std::size_t i = 0; i < times.size(); ++i) std::printf("%s%.1f", i == 0 ? "" : ", ", times[i]);
  std::printf("]");
}

template <class Ours, class Theirs>
void measure(const char* name, const char* yardstick, const char* unit, Ours&& ours, Theirs&& theirs) {
  std::vector<double> our_times;
  std::vector<double> their_times;
  ours();  // warm up both
  theirs();
  for (int round = 0; round < kRounds; ++round) {
    our_times.push_back(ours());
    their_times.push_back(theirs());
  }
  std::printf("{\"measure\": \"%s\", \"yardstick\": \"%s\", \"unit\": \"%s\", ", name, yardstick, unit);
  print_list("ours", our_times);
  std::printf(", ");
  print_list("theirs", their_times);
  std::printf("}\n");
}

Async<void> fill(sql::Database& db, Store& store, std::vector<Id<Task>>& ids, int from, int step) {
  for (int i = from; i < kTasks; i += step) {
    Task task = a_task();
    task.id.bytes[0] = static_cast<std::uint8_t>(i * 7919 >> 3);
    task.id.bytes[1] = static_cast<std::uint8_t>(i * 104729 >> 5);
    ids.push_back(task.id);
    co_await ok(db.transact(&Store::insert, store, task));
  }
}

Async<void> read_many(sql::Database& db, Store& store, const std::vector<Id<Task>>& ids, Rng& rng) {
  for (int i = 0; i < kReadsPerRound; ++i) {
    if (i % kReadsPerTick == 0) {
      NextTick next;
      co_await next;
    }
    const Id<Task>& id = ids[rng.below(ids.size())];
    Task task = co_await ok(db.read(&Store::find, store, id));
    require(task.id == id, "read another row");
  }
}

Async<void> write_many(sql::Database& db, Store& store, int& running, Loop& loop) {
  for (int i = 0; i < kWritesPerRound / kWriters; ++i) {
    const Task task = a_task();
    Result<void> done = co_await db.transact(&Store::insert, store, task);
    require(done.has_value(), "insert failed");
  }
  if (--running == 0) loop.stop();
}

double write_round(sql::Database& db, Store& store, Loop& loop) {
  int running = kWriters;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kWriters; ++i) loop.spawn(write_many(db, store, running, loop));
  loop.run();
  return since(start) / kWritesPerRound;
}

Async<void> fill_from_many(sql::Database& db, Store& store, std::vector<Id<Task>>& ids, int i, int& running,
                           Loop& loop) {
  Result<void> done = co_await fill(db, store, ids, i, kWriters);
  require(done.has_value(), "cannot fill");
  if (--running == 0) loop.stop();
}

std::unique_ptr<sql::Database> open(const std::string& path, std::size_t batch_max) {
  sql::SqliteOptions options;
  options.path = path;
  options.batch_max = batch_max;
  auto opened = sql::open_sqlite(options);
  require(opened.has_value(), "cannot open the database");
  return std::move(*opened);
}

void create(const std::string& path) {
  sqlite3* db = nullptr;
  sqlite3_open(path.c_str(), &db);
  require(sqlite3_exec(db, kSchema, nullptr, nullptr, nullptr) == SQLITE_OK, "cannot create the table");
  sqlite3_close(db);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  std::string folder = std::filesystem::current_path() / "sql_bench-XXXXXX";
  require(::mkdtemp(folder.data()) != nullptr, "cannot make a directory");
  Loop loop;
  Store store;
  Rng rng;
  {
    const std::string path = folder + "/read.db";
    create(path);
    auto db = open(path, 256);
    std::vector<Id<Task>> ids;
    int running = kWriters;
    for (int i = 0; i < kWriters; ++i) loop.spawn(fill_from_many(*db, store, ids, i, running, loop));
    loop.run();
    if (only != "group_commit") {
      Bare bare(path);
      measure(
          "point_read", "bare prepared statements in one read transaction", "ns",
          [&] {
            const auto start = std::chrono::steady_clock::now();
            require(run_to_end(loop, read_many(*db, store, ids, rng)).has_value(), "read failed");
            return since(start) / kReadsPerRound;
          },
          [&] {
            const auto start = std::chrono::steady_clock::now();
            bare.exec("BEGIN");
            for (int i = 0; i < kReadsPerRound; ++i) {
              const Id<Task>& id = ids[rng.below(ids.size())];
              require(bare.find(id).id == id, "read another row");
            }
            bare.exec("COMMIT");
            return since(start) / kReadsPerRound;
          });
    }
  }
  if (only != "point_read") {
    create(folder + "/grouped.db");
    create(folder + "/alone.db");
    auto grouped = open(folder + "/grouped.db", 256);
    auto alone = open(folder + "/alone.db", 1);
    measure(
        "group_commit", "the same, one command a commit", "ns",
        [&] { return write_round(*grouped, store, loop); }, [&] { return write_round(*alone, store, loop); });
  }
  std::filesystem::remove_all(folder);
}
