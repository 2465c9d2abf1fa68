// SPDX-License-Identifier: Apache-2.0
// Scripts and their errors, and two runners at once, on PostgreSQL.
#include "bedplate/sql/maintenance.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bedplate/sql/postgresql/columns.h"
#include "bedplate/sql/postgresql/postgresql.h"
#include "bedplate/sql/postgresql/script.h"
#include "bedplate/sql/postgresql/session.h"
#include "tests/servers/daemon.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::sql {
namespace {

class PostgresqlMaintenanceTest : public ::testing::Test {
 protected:
  PostgresqlMaintenanceTest() : place_(bedplate::testing::shared_postgres().create_database()) {
    PostgresqlOptions options;
    options.url = place_.url();
    database_ = std::move(*open_postgresql(options));
  }
  std::unique_ptr<Maintenance> begin() {
    auto maintenance = std::move(*database_->maintenance());
    EXPECT_TRUE(maintenance->begin());
    return maintenance;
  }
  std::string error_of(std::string_view script) {
    Result<void> ran = begin()->run_script(script);
    return ran ? "" : ran.error().subject();
  }

  bedplate::testing::PostgresDatabase place_;
  std::unique_ptr<Database> database_;
};

TEST_F(PostgresqlMaintenanceTest, ErrorsNameTheLine) {
  EXPECT_EQ(error_of("CREATE TABLE a (id int);\n\nCREATE TABEL b (id int);"),
            "line 3: syntax error at or near \"TABEL\"");
  EXPECT_EQ(error_of("-- ümläut\nSELECT 1;\nSELECT nothing;"), "line 3: column \"nothing\" does not exist");
  // Errors of running say no place: the statement's line.
  EXPECT_EQ(error_of("CREATE TABLE a (id int UNIQUE);\nINSERT INTO a VALUES (1);\n/* ; */\n"
                     "INSERT INTO a\n VALUES (1);"),
            "line 4: duplicate key value violates unique constraint \"a_id_key\"");
}

TEST_F(PostgresqlMaintenanceTest, AScriptDoesNotEndItsTransaction) {
  EXPECT_FALSE(error_of("CREATE TABLE a (id int); COMMIT;").empty());
  EXPECT_EQ(error_of("CREATE TABLE b (id int); SELECT 'a;b', $$ COMMIT; $$; -- COMMIT\n"), "");
}

TEST_F(PostgresqlMaintenanceTest, ASecondRunnerWaitsForTheFirst) {
  auto first = begin();
  ASSERT_TRUE(first->run_script("CREATE TABLE a (id int)"));
  std::thread second([this] {
    auto maintenance = begin();  // waits
    EXPECT_TRUE(maintenance->run_script("INSERT INTO a VALUES (1)"));
    EXPECT_TRUE(maintenance->commit());
  });
  EXPECT_TRUE(bedplate::testing::wait_until([this] {
    return place_.count(
               "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = "
               "(SELECT oid FROM pg_database WHERE datname = current_database())") == 1;
  }));
  EXPECT_TRUE(first->commit());
  second.join();
  EXPECT_EQ(place_.count("SELECT count(*) FROM a"), 1);
}

TEST(PostgresqlScript, StatementsBeginAfterSemicolonsThatEndOne) {
  const auto starts = [](std::string_view script) { return statement_starts(script); };
  using At = std::vector<std::size_t>;
  EXPECT_EQ(starts(""), At{});
  EXPECT_EQ(starts(" ;; -- a;b\n /* ; /* ; */ ; */ ;"), At{});
  EXPECT_EQ(starts("a;b"), (At{0, 2}));
  EXPECT_EQ(starts("'a;''b';c"), (At{0, 8}));
  EXPECT_EQ(starts("\"a;b\";c"), (At{0, 6}));
  EXPECT_EQ(starts("E'a\\';b';c"), (At{0, 9}));
  EXPECT_EQ(starts("$$a;b$$;c"), (At{0, 8}));
  EXPECT_EQ(starts("$x$a;$$;$x$;c"), (At{0, 12}));
  EXPECT_EQ(starts("a$1;b"), (At{0, 4}));
}

TEST(PostgresqlValues, PositionsOfTheLog) {
  EXPECT_EQ(read_postgresql_lsn("0/16B3740"), 0x16B3740u);
  EXPECT_EQ(read_postgresql_lsn("A/1"), 0xA'00000001u);
  for (const char* text : {"", "/", "1/", "/1", "0/x", "0/1 ", "123456789/0"})
    EXPECT_FALSE(read_postgresql_lsn(text)) << text;
}

TEST(PostgresqlValues, Numerics) {
  const auto numeric = [](std::vector<std::uint16_t> words) {
    std::string bytes;
    for (const std::uint16_t word : words) {
      bytes += static_cast<char>(word >> 8);
      bytes += static_cast<char>(word);
    }
    return read_postgresql_numeric(bytes);
  };
  EXPECT_EQ(numeric({0, 0, 0, 0})->integer, 0);
  EXPECT_EQ(numeric({2, 1, 0x4000, 0, 12, 3456})->integer, -123456);
  EXPECT_EQ(numeric({1, 2, 0, 0, 5})->integer, 5'0000'0000);
  EXPECT_FALSE(numeric({2, 0, 0, 2, 1, 5000})->integer);
  EXPECT_DOUBLE_EQ(numeric({2, 0, 0, 2, 1, 5000})->real, 1.5);
  EXPECT_EQ(numeric({5, 4, 0, 0, 922, 3372, 368, 5477, 5807})->integer, 9'223'372'036'854'775'807);
  EXPECT_EQ(numeric({5, 4, 0x4000, 0, 922, 3372, 368, 5477, 5808})->integer,
            std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(numeric({5, 4, 0, 0, 922, 3372, 368, 5477, 5808})->integer);
  EXPECT_FALSE(numeric({2, 0, 0, 0, 1}));
  EXPECT_FALSE(numeric({1, 0}));
}

}  // namespace
}  // namespace bedplate::sql
