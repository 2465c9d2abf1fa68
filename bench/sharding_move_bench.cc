// SPDX-License-Identifier: Apache-2.0
// sharding_move_bench [URL of a PostgreSQL server]: what moving a bucket costs those who write it, on SQLite shards
// and, with a URL, on PostgreSQL ones (schemas of that database).
//   held     how long a move held the writes of a bucket of 20 000 rows while four callers change it, against a bucket
//            of 200 rows: about the same, or the time would depend on the bucket's size;
//   watched  inserts into a table with the triggers of the change log while no move is under way, against one without.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "bedplate/sql/drivers/open.h"
#include "bedplate/sql/migrate.h"
#include "extras/sharding/change_log.h"
#include "extras/sharding/migrations.h"
#include "extras/sharding/mover.h"
#include "extras/sharding/sharded_database.h"

namespace bedplate::sharding {
namespace {

using sql::Database;
using sql::Dialect;
using std::chrono::steady_clock;

constexpr int kRounds = 7;
constexpr int kWriters = 4;
constexpr int kInserts = 2'000;
struct Size {
  Bucket bucket;
  int rows;
};
constexpr Size kLarge{1, 20'000}, kSmall{2, 200};

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s: %s %s\n", result.error().code().c_str(), result.error().detail().c_str(),
                 result.error().subject().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void script(Database& database, const std::string& text) {
  const auto maintenance = must(database.maintenance());
  must(maintenance->begin());
  must(maintenance->run_script(text));
  must(maintenance->commit());
}

std::string tables(Dialect dialect) {
  const std::string columns = dialect == Dialect::sqlite
                                  ? " (id INTEGER PRIMARY KEY, bucket BIGINT NOT NULL, "
                                  : " (id BIGINT PRIMARY KEY, bucket BIGINT NOT NULL, ";
  std::string text;
  for (const std::string name : {"items", "plain"})
    text += "CREATE TABLE " + name + columns + "n BIGINT NOT NULL, body TEXT NOT NULL); CREATE INDEX " +
            name + "_by_bucket ON " + name + " (bucket, id);";
  return text;
}

std::string rows_of(Size size) {
  return "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < " +
         std::to_string(size.rows) + ") INSERT INTO items (id, bucket, n, body) SELECT i + 1000000 * " +
         std::to_string(size.bucket) + ", " + std::to_string(size.bucket) +
         ", 0, 'a row of an ordinary length, more or less, as they come' FROM r";
}

Async<void> change_row(sql::Transaction& tx, const std::int64_t& id) {
  co_await ok(tx.run("UPDATE items SET n = n + 1 WHERE id = $1", id));
}
Async<void> insert_rows(sql::Transaction& tx, const std::string& table, const std::int64_t& first) {
  const std::string text =
      "INSERT INTO " + table + " (id, bucket, n, body) VALUES ($1, 9, 0, 'a row of an ordinary length')";
  for (std::int64_t id = first; id < first + kInserts; ++id) co_await ok(tx.run(text, id));
}

/// A directory and two shards on one engine.
class Shards {
 public:
  explicit Shards(std::string base) : base_(std::move(base)) {
    directory_database_ = open("directory", "sharding_directory", directory_migrations());
    for (const char* name : {"a", "b"}) {
      databases_.push_back(open(name, "sharding", shard_migrations()));
      script(*databases_.back(), tables(databases_.back()->dialect()));
      shards_.push_back({name, databases_.back().get()});
    }
    directory_ = std::make_unique<Directory>(*directory_database_);
    sharded_ = std::make_unique<ShardedDatabase>(*directory_, shards_);
    must(run_to_end(loop_, directory_->create(kBucketsMin, {"a"})));
    must(run_to_end(loop_, sharded_->settle()));
    must(run_to_end(loop_, directory_->add_shard("b")));
    for (const Size size : {kLarge, kSmall}) script(*databases_[0], rows_of(size));
  }

  const char* engine() const { return databases_[0]->dialect() == Dialect::sqlite ? "SQLite" : "PostgreSQL"; }

  /// Microseconds for which writes were held.
  double move(Size size) {
    over_ = false;
    writers_ = kWriters;
    std::int64_t held_us = 0;
    for (int i = 0; i < kWriters; ++i) loop_.spawn(write(size, i));
    loop_.spawn(move_then_stop(size, held_us));
    loop_.run();
    return static_cast<double>(held_us);
  }
  double insert_us(const std::string& table) {
    const std::int64_t first = next_;
    next_ += kInserts;
    const auto began = steady_clock::now();
    must(run_to_end(loop_, databases_[0]->transact(&insert_rows, table, first)));
    return std::chrono::duration<double, std::micro>(steady_clock::now() - began).count() / kInserts;
  }

 private:
  std::unique_ptr<Database> open(const std::string& name, std::string_view module,
                                 std::span<const EmbeddedFile> migrations) {
    const bool server = base_.starts_with("postgres");
    const char joint = base_.find('?') == std::string::npos ? '?' : '&';
    std::string url = "sqlite:" + base_ + "/" + name + ".db";
    if (server) {
      script(*must(sql::open_database(base_)),
             "DROP SCHEMA IF EXISTS bench_" + name + " CASCADE; CREATE SCHEMA bench_" + name);
      url = base_ + joint + "options=-csearch_path%3Dbench_" + name;
    }
    auto database = must(sql::open_database(url));
    const sql::MigrationSource source{module, migrations};
    must(sql::migrate_up(*database, std::span(&source, 1)));
    return database;
  }
  Async<void> write(Size size, int writer) {
    std::string key = "k0";
    for (int i = 1; ShardKey(key).bucket(kBucketsMin) != size.bucket; ++i) key = "k" + std::to_string(i);
    for (std::int64_t i = writer; !over_; i += kWriters) {
      const std::int64_t id = 1'000'000 * size.bucket + 1 + i % size.rows;
      co_await ok(sharded_->transact(ShardKeys(key), &change_row, id));
      co_await ok(sleep_for(std::chrono::milliseconds(1)));
    }
    if (--writers_ == 0) loop_.stop();
  }
  Async<void> move_then_stop(Size size, std::int64_t& held_us) {
    Mover mover(*sharded_, {"items"});
    const std::string target = directory_->map()->shard_of(size.bucket) == "a" ? "b" : "a";
    const MoveReport report = must(co_await mover.move(size.bucket, target));
    held_us = report.held_us;
    over_ = true;
  }

  const std::string base_;
  Loop loop_;
  std::unique_ptr<Database> directory_database_;
  std::vector<std::unique_ptr<Database>> databases_;
  std::vector<Shard> shards_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<ShardedDatabase> sharded_;
  std::int64_t next_ = 100'000'000;
  int writers_ = 0;
  bool over_ = false;
};

void print(const std::string& measure, const char* yardstick, const std::vector<double>& ours,
           const std::vector<double>& theirs) {
  const auto list = [](const std::vector<double>& values) {
    std::string text;
    for (const double value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
    return text;
  };
  std::printf(
      "{\"measure\": \"%s\", \"yardstick\": \"%s\", \"unit\": \"us\", \"ours\": [%s], \"theirs\": [%s]}\n",
      measure.c_str(), yardstick, list(ours).c_str(), list(theirs).c_str());
}

void measure(const std::string& base) {
  Shards shards(base);
  std::vector<double> large, small, watched, plain;
  shards.move(kSmall);  // makes the triggers
  for (int i = 0; i < kRounds; ++i) {
    large.push_back(shards.move(kLarge));
    small.push_back(shards.move(kSmall));
    watched.push_back(shards.insert_us("items"));
    plain.push_back(shards.insert_us("plain"));
  }
  const std::string on = std::string(" on ") + shards.engine();
  print("held" + on, "a bucket of a hundredth", large, small);
  print("watched" + on, "a table without triggers", watched, plain);
}

}  // namespace
}  // namespace bedplate::sharding

int main(int argc, char** argv) {
  std::string folder = (std::filesystem::temp_directory_path() / "sharding-bench-XXXXXX").string();
  if (!::mkdtemp(folder.data())) return 1;
  bedplate::sharding::measure(folder);
  std::filesystem::remove_all(folder);
  if (argc > 1) bedplate::sharding::measure(argv[1]);
  return 0;
}
