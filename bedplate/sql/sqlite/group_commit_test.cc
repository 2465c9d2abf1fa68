// SPDX-License-Identifier: Apache-2.0
// Commands that share a commit: whoever fails, and whenever, takes nothing of the others along.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/sql/database.h"
#include "bedplate/sql/error.h"
#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

constexpr const char* kSchema = "CREATE TABLE items (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)";

Result<void> refuse_but_keep() {
  return std::unexpected(Error(Category::conflict, "refused_but_kept", "No.").keeping_writes());
}

/// Inserts rows, and then perhaps fails.
struct Command {
  enum class End : std::uint8_t { well, refused, refused_but_kept };
  std::vector<std::int64_t> ids;
  End end = End::well;

  int runs = 0;
  std::string code;

  Async<void> run(Transaction& tx) {
    ++runs;
    for (std::int64_t id : ids)
      co_await ok(tx.run("INSERT INTO items (id, value) VALUES ($1, $2)", id, std::int64_t{1}));
    if (end == End::refused) co_await fail(Category::conflict, "refused", "No.");
    if (end == End::refused_but_kept) co_await ok(refuse_but_keep());
  }
};

class SqliteGroupCommitTest : public testing::Test, public SqliteKit {
 public:
  SqliteGroupCommitTest() : SqliteKit(kSchema) {}

  /// All of them in one group: the writer is held until the last one waits.
  void run_together(std::vector<Command>& commands) {
    std::atomic<bool> entered{false};
    std::atomic<bool> open{false};
    struct Gate {
      std::atomic<bool>& entered;
      std::atomic<bool>& open;
      Async<void> hold(Transaction&) {
        entered = true;
        entered.notify_all();
        open.wait(false);
        co_return;
      }
    } gate{entered, open};
    start(pass(gate));
    start(wait_and_go(entered, open, commands));
    finish();
  }
  std::vector<std::int64_t> stored() {
    struct Ops {
      static Async<std::vector<std::int64_t>> all(Reader& db) {
        std::vector<std::int64_t> ids = co_await ok(db.all<std::int64_t>("SELECT id FROM items ORDER BY id"));
        co_return ids;
      }
    };
    return get(run(database().read(&Ops::all)));
  }

 private:
  template <class Gate>
  Async<void> pass(Gate& gate) {
    co_await ok(database().transact(&Gate::hold, gate));
  }
  Async<void> wait_and_go(std::atomic<bool>& entered, std::atomic<bool>& open,
                          std::vector<Command>& commands) {
    entered.wait(false);
    for (Command& command : commands) start(submit(command));
    start(let_go(open));  // started after them, for start() only posts
    co_return;
  }
  Async<void> let_go(std::atomic<bool>& open) {
    open = true;
    open.notify_all();
    co_return;
  }
  Async<void> submit(Command& command) {
    Result<void> done = co_await database().transact(&Command::run, command);
    command.code = done ? "ok" : done.error().code();
  }
};

TEST_F(SqliteGroupCommitTest, WhoFailsAfterItWroteIsUndoneAlone) {
  using End = Command::End;
  std::vector<Command> commands{
      {.ids = {1, 2}}, {.ids = {3, 4}, .end = End::refused}, {.ids = {5}}, {.ids = {6, 1}}};
  run_together(commands);
  EXPECT_EQ(commands[0].code, "ok");
  EXPECT_EQ(commands[1].code, "refused");
  EXPECT_EQ(commands[2].code, "ok");
  EXPECT_EQ(commands[3].code, kUniqueViolation);
  EXPECT_EQ(stored(), (std::vector<std::int64_t>{1, 2, 5}));
  // A round without savepoints up to the first that failed late, and one with them.
  EXPECT_EQ(commands[0].runs, 2);
  EXPECT_EQ(commands[2].runs, 1);
  EXPECT_EQ(database().stats().batches_retried, 1u);
  EXPECT_EQ(database().stats().commits, 1u);
}

TEST_F(SqliteGroupCommitTest, CommandsThatKeepFailingLateFindSavepoints) {
  using End = Command::End;
  for (int i = 0; i < 10; ++i) {
    std::vector<Command> commands{{.ids = {i}}, {.ids = {100}, .end = End::refused}};
    run_together(commands);
    EXPECT_EQ(commands[0].code, "ok");
    EXPECT_EQ(commands[1].code, "refused");
  }
  EXPECT_EQ(stored().size(), 10u);
  EXPECT_EQ(database().stats().batches_retried, 1u);
}

TEST_F(SqliteGroupCommitTest, WhoFailsAtItsFirstWriteCostsTheOthersNothing) {
  std::vector<Command> commands{{.ids = {1}}, {.ids = {1, 2}}, {.ids = {3}}};
  run_together(commands);
  EXPECT_EQ(commands[0].code, "ok");
  EXPECT_EQ(commands[1].code, kUniqueViolation);
  EXPECT_EQ(commands[2].code, "ok");
  EXPECT_EQ(stored(), (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(database().stats().batches_retried, 0u);
}

TEST_F(SqliteGroupCommitTest, AStatementThatFailsHalfWayIsUndoneWhole) {
  struct Ops {
    static Async<void> insert_or_fail(Transaction& tx) {
      co_await ok(tx.run("INSERT OR FAIL INTO items (id, value) VALUES (2, 1), (1, 1)"));
    }
  };
  std::vector<Command> first{{.ids = {1}}};
  run_together(first);
  Result<void> failed = run(database().transact(&Ops::insert_or_fail));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), kUniqueViolation);
  EXPECT_EQ(stored(), (std::vector<std::int64_t>{1}));
}

TEST_F(SqliteGroupCommitTest, WhoFailsLateBeforeAllOthersRunsOnce) {
  std::vector<Command> commands{{.ids = {1}, .end = Command::End::refused}, {.ids = {1}}};
  run_together(commands);
  EXPECT_EQ(commands[0].code, "refused");
  EXPECT_EQ(commands[0].runs, 1);
  EXPECT_EQ(commands[1].code, "ok");
  EXPECT_EQ(stored(), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(database().stats().batches_retried, 0u);
}

/// What one command after another would leave.
class Model {
 public:
  std::string run(const Command& command) {
    std::set<std::int64_t> after = rows_;
    for (std::int64_t id : command.ids)
      if (!after.insert(id).second) return std::string(kUniqueViolation);
    if (command.end == Command::End::refused) return "refused";
    rows_ = std::move(after);
    return command.end == Command::End::well ? "ok" : "refused_but_kept";
  }
  std::vector<std::int64_t> rows() const { return {rows_.begin(), rows_.end()}; }

 private:
  std::set<std::int64_t> rows_;
};

struct Kit : SqliteGroupCommitTest {
  void TestBody() override {}
};

RC_GTEST_PROP(SqliteGroupCommitProperty, AGroupLeavesWhatOneAfterAnotherWould, ()) {
  static Kit kit;  // opening one for each case would be most of the work
  kit.script("DELETE FROM items");
  Model model;
  const int groups = *rc::gen::inRange(1, 4);
  for (int group = 0; group < groups; ++group) {
    std::vector<Command> commands(*rc::gen::inRange<std::size_t>(1, 12));
    for (Command& command : commands) {
      command.ids = *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, 30));
      command.ids.resize(std::min<std::size_t>(command.ids.size(), 4));
      command.end = *rc::gen::element(Command::End::well, Command::End::well, Command::End::refused,
                                      Command::End::refused_but_kept);
    }
    kit.run_together(commands);
    for (const Command& command : commands) RC_ASSERT(command.code == model.run(command));
    RC_ASSERT(kit.stored() == model.rows());
  }
}

}  // namespace
}  // namespace bedplate::sql
