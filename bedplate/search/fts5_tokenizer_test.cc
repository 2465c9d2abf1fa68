// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/fts5_tokenizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/kits/sqlite_kit.h"

namespace bedplate::search {
namespace {

using sql::get;
using sql::Reader;
using sql::Transaction;

constexpr std::string_view kAlice = "000102030405060708090a0b0c0d0e0f";
constexpr std::string_view kBob = "000102030405060708090a0b0c0d0e10";

sql::SqliteOptions with_tokenizer() {
  sql::SqliteOptions options;
  options.extensions.push_back(&register_fts5_tokenizer);
  return options;
}

class Kit : public sql::SqliteKit {
 public:
  explicit Kit(std::string schema) : SqliteKit(std::move(schema), with_tokenizer()) {}
};

// Tables of terms are how one sees what is in an FTS5 index.
class TokenizerTest : public testing::Test {
 public:
  Async<void> put(Transaction& tx, std::int64_t row, std::string text) {
    co_await ok(tx.run("INSERT INTO notes (rowid, text) VALUES ($1, $2)", row, text));
  }
  Async<std::vector<std::int64_t>> matches(Reader& db, std::string expression) {
    std::vector<std::int64_t> rows = co_await ok(
        db.all<std::int64_t>("SELECT rowid FROM notes WHERE notes MATCH $1 ORDER BY rowid", expression));
    co_return rows;
  }
  void add(Kit& kit, std::int64_t row, const std::string& text) {
    get(kit.run(kit.database().transact(&TokenizerTest::put, *this, row, text)));
  }
  std::vector<std::int64_t> find(Kit& kit, const std::string& expression) {
    return get(kit.run(kit.database().read(&TokenizerTest::matches, *this, expression)));
  }
  using Rows = std::vector<std::int64_t>;
};

TEST_F(TokenizerTest, TextsAndQueriesAreReadAlike) {
  Kit kit("CREATE VIRTUAL TABLE notes USING fts5(text, content='', tokenize='bedplate english')");
  add(kit, 1, "Running to the cafés");
  add(kit, 2, "He runs a café");
  add(kit, 3, "nothing of the kind");
  EXPECT_EQ(find(kit, "run"), (Rows{1, 2}));
  EXPECT_EQ(find(kit, "\"CAFE\""), (Rows{1, 2}));
  EXPECT_EQ(find(kit, "\"the cafe\""), (Rows{1})) << "forms of a word stand in one place";
  EXPECT_EQ(find(kit, "runni *"), (Rows{1})) << "beginnings of what is written";
  EXPECT_EQ(find(kit, "\"\x1erun|nothing\""), (Rows{1, 2, 3})) << "terms as they are";
  EXPECT_EQ(find(kit, "\"\x1ethe cafe|kind\""), (Rows{1, 3}));
}

TEST_F(TokenizerTest, PartitionsDoNotMeet) {
  Kit kit("CREATE VIRTUAL TABLE notes USING fts5(text, content='', tokenize='bedplate none partitioned')");
  add(kit, 1, std::string(kAlice) + "milk and bread");
  add(kit, 2, std::string(kBob) + "milk");
  const std::string verbatim = "\"\x1e";
  EXPECT_EQ(find(kit, verbatim + std::string(kAlice) + "milk\""), (Rows{1}));
  EXPECT_EQ(find(kit, verbatim + std::string(kBob) + "milk\""), (Rows{2}));
  EXPECT_EQ(find(kit, verbatim + std::string(kBob) + "m\" *"), (Rows{2}));
  EXPECT_EQ(find(kit, "milk"), Rows{}) << "without a partition there is nothing to find";
  EXPECT_EQ(find(kit, "\"" + std::string(kAlice) + "milk\""), Rows{});
  // The key is no word, and no part of the text.
  EXPECT_EQ(find(kit, verbatim + std::string(kAlice) + "\""), Rows{});
}

TEST_F(TokenizerTest, ATextWithoutItsKeyIsRefused) {
  Kit kit("CREATE VIRTUAL TABLE notes USING fts5(text, content='', tokenize='bedplate none partitioned')");
  const std::string text = "too short";
  const std::int64_t row = 1;
  Result<void> put = kit.run(kit.database().transact(&TokenizerTest::put, *this, row, text));
  EXPECT_FALSE(put);
}

TEST_F(TokenizerTest, BadArgumentsMakeNoTable) {
  for (const char* arguments :
       {"bedplate", "bedplate klingon", "bedplate english porter", "bedplate none partitioned x"})
    EXPECT_THROW(
        Kit("CREATE VIRTUAL TABLE notes USING fts5(text, tokenize='" + std::string(arguments) + "')"),
        std::runtime_error);
}

}  // namespace
}  // namespace bedplate::search
