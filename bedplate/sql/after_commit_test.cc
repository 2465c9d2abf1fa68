#include "bedplate/sql/after_commit.h"

#include <gtest/gtest.h>

#include <string>

#include "bedplate/sql/sql_test_kit.h"

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

}  // namespace
}  // namespace bedplate::sql
