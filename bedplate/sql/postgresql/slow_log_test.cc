// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/slow_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/base/log.h"
#include "bedplate/sql/database.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::PostgresDatabase;
using bedplate::testing::PostgresSession;
using bedplate::testing::shared_postgres;
using ::testing::HasSubstr;
using ::testing::Not;

/// The program's log, read line by line while it is there.
class LogLines {
 public:
  LogLines() {
    EXPECT_EQ(::pipe(ends_.data()), 0);
    before_ = set_log_output(ends_[1]);
  }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;
  ~LogLines() {
    set_log_output(before_);
    for (const int end : ends_) ::close(end);
  }
  /// Waits for a line with these words.
  std::string with(std::string_view words) {
    for (std::string line;; line.clear()) {
      for (char c = 0; ::read(ends_[0], &c, 1) == 1 && c != '\n';) line += c;
      if (line.find(words) != std::string::npos) return line;
    }
  }

 private:
  std::array<int, 2> ends_{};
  int before_ = -1;
};

Async<std::int64_t> count_of(Reader& db, const std::string& name) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>(
      "SELECT count(*) + (SELECT 0 FROM pg_sleep(0.1)) FROM entries WHERE name = $1 AND id > $2::bigint",
      name, std::int64_t{271'828}));
  co_return n;
}

class PostgresqlSlowLogTest : public ::testing::Test {
 protected:
  PostgresqlSlowLogTest() {
    place_.rows(
        "CREATE TABLE entries (id bigint NOT NULL, name text NOT NULL); GRANT ALL ON entries TO bedplate");
    options_.url = place_.url();
    options_.slow_query_ms = 10;
    database_ = std::move(*open_postgresql(options_));
  }

  PostgresDatabase place_ = shared_postgres().create_database();
  PostgresqlOptions options_;
  Loop loop_;
  std::unique_ptr<Database> database_;
};

TEST_F(PostgresqlSlowLogTest, AStatementIsLoggedWithItsPlanAndWithoutItsValues) {
  LogLines log;
  const std::string secret = "of nobody's business";
  ASSERT_TRUE(run_to_end(loop_, database_->read(&count_of, secret)));
  ASSERT_GE(database_->stats().slow_queries, 1u);
  const std::string line = log.with("slow query");
  EXPECT_THAT(line, HasSubstr("pg_sleep(0.1)) FROM entries"));
  EXPECT_THAT(line, HasSubstr("Seq Scan on entries"));
  EXPECT_THAT(line, HasSubstr("name = $1")) << "the plan for any values";
  EXPECT_THAT(line, Not(HasSubstr("nobody")));
  EXPECT_THAT(line, Not(HasSubstr("271828")));
}

TEST_F(PostgresqlSlowLogTest, OneWhosePlanCannotBeHadInTimeIsLoggedWithoutIt) {
  PostgresqlSlowLog slow(options_);
  LogLines log;
  PostgresSession lock(place_.admin_url());
  lock.rows("BEGIN; LOCK TABLE entries IN ACCESS EXCLUSIVE MODE");
  slow.note(500, "", "SELECT count(*) FROM entries");
  EXPECT_THAT(log.with("slow query"),
              HasSubstr(R"("ms":500,"sql":"SELECT count(*) FROM entries","plan":"unknown")"));
  EXPECT_EQ(slow.count(), 1u);
}

TEST_F(PostgresqlSlowLogTest, NothingIsWrittenByAskingForAPlan) {
  PostgresqlSlowLog slow(options_);
  LogLines log;
  slow.note(500, "", "INSERT INTO entries (id, name) VALUES ($1, $2)");
  EXPECT_THAT(log.with("slow query"), HasSubstr("Insert on entries"));
  EXPECT_EQ(place_.count("SELECT count(*) FROM entries"), 0);
}

TEST_F(PostgresqlSlowLogTest, EveryOneIsCountedAndFewAreLogged) {
  PostgresqlSlowLog slow(options_);
  LogLines log;
  for (int i = 0; i < 1000; ++i) slow.note(i, "", "SELECT 1");
  EXPECT_THAT(log.with("slow query"), HasSubstr("\"ms\":0,"));
  EXPECT_EQ(slow.count(), 1000u);
}

}  // namespace
}  // namespace bedplate::sql
