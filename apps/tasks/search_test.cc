#include "apps/tasks/search.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <random>
#include <string>

namespace bedplate::tasks {
namespace {

const auth::UserId kOwner(*Uuid::parse("00112233-4455-6677-8899-aabbccddeeff"));

std::string with_owner(std::string_view rest) {
  return "(owner : \"00112233445566778899aabbccddeeff\"" + std::string(rest);
}

TEST(SearchTest, WordsPhrasesBeginningsExclusions) {
  EXPECT_EQ(search_expression(kOwner, "milk"), with_owner(" AND ({title description} : \"milk\"))"));
  EXPECT_EQ(search_expression(kOwner, "\"two litres\" sup*"),
            with_owner(" AND ({title description} : \"two litres\") AND ({title description} : \"sup\" *))"));
  EXPECT_EQ(search_expression(kOwner, "milk -blue"),
            with_owner(" AND ({title description} : \"milk\")) NOT ({title description} : \"blue\")"));
}

TEST(SearchTest, NothingToLookForIsEmpty) {
  for (const char* text : {"", "   ", "\"", "*", "-", "\"\"", "...", "- *"})
    EXPECT_EQ(search_expression(kOwner, text), "");
}

// Whatever a user types, FTS5 can read it.
class Index {
 public:
  Index() {
    sqlite3_open(":memory:", &db_);
    sqlite3_exec(db_, "CREATE VIRTUAL TABLE s USING fts5(owner, title, description)", nullptr, nullptr,
                 nullptr);
    sqlite3_prepare_v2(db_, "SELECT rowid FROM s WHERE s MATCH ?", -1, &find_, nullptr);
  }
  ~Index() {
    sqlite3_finalize(find_);
    sqlite3_close(db_);
  }
  std::string problem(const std::string& expression) {
    sqlite3_bind_text(find_, 1, expression.data(), static_cast<int>(expression.size()), SQLITE_TRANSIENT);
    int rc = sqlite3_step(find_);
    std::string message = rc == SQLITE_DONE || rc == SQLITE_ROW ? "" : sqlite3_errmsg(db_);
    sqlite3_reset(find_);
    return message;
  }

 private:
  sqlite3* db_ = nullptr;
  sqlite3_stmt* find_ = nullptr;
};

TEST(SearchTest, NoInputIsASyntaxError) {
  Index index;
  std::mt19937 random(7);
  const std::string alphabet = "ab\"*- ()^:+{}'\\NOTANDOR,.\xc3\xa4\n";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t n = random() % 24; n > 0; --n) text += alphabet[random() % alphabet.size()];
    std::string expression = search_expression(kOwner, text);
    if (expression.empty()) continue;
    ASSERT_EQ(index.problem(expression), "") << text << "\n" << expression;
  }
}

}  // namespace
}  // namespace bedplate::tasks
