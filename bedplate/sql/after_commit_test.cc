// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/after_commit.h"

#include <gtest/gtest.h>

#include <string>

#include "bedplate/async/timer.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/postgresql.h"
#include "tests/kits/sqlite_kit.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::sql {
namespace {

class Note final : public CommitAction {
 public:
  Note(std::string& done, std::string text) : done_(done), text_(std::move(text)) {}
  Async<void> after_commit() override {
    done_ += text_;
    co_return;
  }

 private:
  std::string& done_;
  const std::string text_;
};

struct Store {
  std::string& done;

  Async<void> keep(Transaction& tx, std::string& text) {
    tx.after_commit(std::make_unique<Note>(done, text));
    co_await ok(tx.run("INSERT INTO t VALUES (1)"));
  }
  Async<void> fail_after(Transaction& tx) {
    tx.after_commit(std::make_unique<Note>(done, "never"));
    co_await fail(Category::conflict, "no", "No.");
  }
  Async<void> refuse(Transaction& tx) {
    tx.after_commit(std::make_unique<Note>(done, "refused"));
    co_await refuse_and_commit(Error(Category::conflict, "no", "No."));
  }
};

TEST(AfterCommit, HappensOnceItIsCommittedAndNotOtherwise) {
  SqliteKit kit("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  std::string done;
  Store store{done};
  std::string text = "kept,";
  EXPECT_TRUE(run_to_end(kit.loop(), kit.database().transact(&Store::keep, store, text)));
  EXPECT_EQ(done, "kept,");
  EXPECT_FALSE(run_to_end(kit.loop(), kit.database().transact(&Store::keep, store, text))) << "not unique";
  EXPECT_FALSE(run_to_end(kit.loop(), kit.database().transact(&Store::fail_after, store)));
  EXPECT_EQ(done, "kept,");
  EXPECT_FALSE(run_to_end(kit.loop(), kit.database().transact(&Store::refuse, store)));
  EXPECT_EQ(done, "kept,refused") << "a refusal that keeps its writes commits";
}

/// Cancels whoever waits for the commit, waits itself, and then notes.
class NoteLate final : public CommitAction {
 public:
  NoteLate(std::string& done, Scope& scope) : done_(done), scope_(scope) {}
  Async<void> after_commit() override {
    scope_.cancel(Category::cancelled);
    co_await ok(yield());
    done_ += "noted";
  }

 private:
  std::string& done_;
  Scope& scope_;
};

TEST(AfterCommit, HappensThoughTheClientHasGoneMeanwhile) {
  SqliteKit kit("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  std::string done;
  Scope scope;
  auto keep = [](Transaction& tx, std::string& notes, Scope& request) -> Async<void> {
    tx.after_commit(std::make_unique<NoteLate>(notes, request));
    co_await ok(tx.run("INSERT INTO t VALUES (1)"));
  };
  EXPECT_TRUE(run_to_end(kit.loop(), kit.database().transact(keep, done, scope), &scope));
  EXPECT_TRUE(scope.cancelled());
  EXPECT_EQ(done, "noted");
}

TEST(AfterCommitOnPostgresql, HappensWhenNobodyKnowsWhetherItCommitted) {
  testing::PostgresDatabase place = testing::shared_postgres().create_database();
  // The server ends the connection in the middle of COMMIT.
  place.rows(
      "CREATE TABLE t (id bigint); GRANT ALL ON t TO bedplate;"
      "CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
      "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';"
      "CREATE CONSTRAINT TRIGGER cut_off AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION cut_off()");
  PostgresqlOptions options;
  options.url = place.url();
  Loop loop;
  auto database = std::move(*open_postgresql(options));
  std::string done;
  Store store{done};
  std::string text = "perhaps";
  Result<void> kept = run_to_end(loop, database->transact(&Store::keep, store, text));
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code(), kCommitUnknown);
  EXPECT_EQ(done, "perhaps");
}

}  // namespace
}  // namespace bedplate::sql
