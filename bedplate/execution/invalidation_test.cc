// SPDX-License-Identifier: Apache-2.0
#include "bedplate/execution/invalidation.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "bedplate/cache/memory_cache.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/postgresql.h"
#include "tests/kits/engine_kit.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::api {
namespace {

/// Notes, read through the cache.
class Notes final : public cache::BytesLoader {
 public:
  Notes(sql::Database& db, cache::LoadingCache& cache) : db_(db), cache_(cache) {}

  Async<std::string> find(std::string key) {
    cache::Policy policy;
    cache::Found found = co_await ok(cache_.get(key, policy, *this));
    co_return std::string(found.value.view());
  }
  Async<void> change(sql::Transaction& tx, std::string_view text, bool fails) {
    invalidate_after_commit(tx, cache_, "note");
    co_await ok(tx.run("UPDATE notes SET text = $1", text));
    // Before the commit everybody still gets what was there, and it may be kept.
    if (fails) co_await fail(Category::conflict, "no", "No.");
  }
  Async<std::optional<std::string>> load_bytes(std::string) override {
    ++loads;
    std::string text = co_await ok(db_.read(&Notes::read, *this));
    co_return text;
  }
  Async<std::string> read(sql::Reader& db) {
    std::string text = co_await ok(db.one<std::string>("SELECT text FROM notes"));
    co_return text;
  }

  int loads = 0;

 private:
  sql::Database& db_;
  cache::LoadingCache& cache_;
};

class Invalidation : public ::testing::TestWithParam<sql::Dialect> {};
INSTANTIATE_TEST_SUITE_P(, Invalidation, testing::every_dialect(), testing::dialect_name);

TEST_P(Invalidation, HappensAfterTheCommitAndOnlyThen) {
  testing::EngineKit kit(GetParam(), "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('old')");
  cache::MemoryCache memory;
  cache::LoadingCache cache(memory);
  Notes notes(kit.database(), cache);
  EXPECT_EQ(*kit.run(notes.find("note")), "old");
  EXPECT_EQ(*kit.run(notes.find("note")), "old");
  EXPECT_EQ(notes.loads, 1);
  std::string_view text = "never";
  bool fails = true;
  EXPECT_FALSE(kit.run(kit.database().transact(&Notes::change, notes, text, fails)));
  EXPECT_EQ(*kit.run(notes.find("note")), "old");
  EXPECT_EQ(notes.loads, 1) << "what was rolled back invalidates nothing";
  text = "new";
  fails = false;
  EXPECT_TRUE(kit.run(kit.database().transact(&Notes::change, notes, text, fails)));
  EXPECT_EQ(*kit.run(notes.find("note")), "new") << "whoever committed reads what he wrote";
  EXPECT_EQ(notes.loads, 2);
}

// The commit is durable, and its answer is lost with the connection: here, because the server is made to wait for a
// standby that there is not, and the connection is cut off in that wait.
TEST(InvalidationOnPostgresql, HappensWhenTheAnswerOfTheCommitIsLost) {
  testing::PostgresServer server(
      {.settings = {"synchronous_standby_names = 'nobody'", "synchronous_commit = local"}});
  testing::PostgresDatabase place = server.create_database();
  place.rows(
      "CREATE TABLE notes (text text); GRANT ALL ON notes TO bedplate; INSERT INTO notes VALUES ('old');"
      "ALTER ROLE bedplate SET synchronous_commit = on");
  place.rows("CHECKPOINT");  // done by the process that tells the others of standbys
  sql::PostgresqlOptions options;
  options.url = place.url();
  options.command_time_max_ms = options.connect_timeout_ms = 60'000;
  Loop loop;  // the database's connections are on it, and end first
  auto database = std::move(*sql::open_postgresql(options));
  cache::MemoryCache memory;
  cache::LoadingCache cache(memory);
  Notes notes(*database, cache);
  EXPECT_EQ(*run_to_end(loop, notes.find("note")), "old");

  constexpr const char* kCut =
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
  std::thread cutter([&] { EXPECT_TRUE(testing::wait_until([&] { return place.count(kCut) > 0; })); });
  std::string_view text = "new";
  bool fails = false;
  Result<void> changed = run_to_end(loop, database->transact(&Notes::change, notes, text, fails));
  cutter.join();
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code(), sql::kCommitUnknown);
  EXPECT_EQ(*run_to_end(loop, notes.find("note")), "new") << "it was stored, and the cache does not hide it";
}

}  // namespace
}  // namespace bedplate::api
