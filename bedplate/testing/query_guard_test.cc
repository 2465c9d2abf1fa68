// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/query_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "bedplate/testing/seed.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Row {
  std::int64_t id = 0;
  std::string name;
  static consteval auto describe() {
    using namespace schema;
    return object<Row>("A row", {field<&Row::id>(key, range{0, 100'000}, "Its number"),
                                 field<&Row::name>(length{1, 50}, "Its name")});
  }
};
constexpr sql::Table<Row> kLargeTable("large", sql::key<&Row::id>);
constexpr sql::Table<Row> kSmallTable("small", sql::key<&Row::id>);

class QueryGuardTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  QueryGuardTest()
      : kit_(GetParam(),
             "CREATE TABLE large (id INTEGER PRIMARY KEY, name TEXT);"
             "CREATE TABLE small (id INTEGER PRIMARY KEY, name TEXT);"),
        guard_(kit_.database()) {
    seed(kit_.database(), kLargeTable, 6'000);
    seed(kit_.database(), kSmallTable, 1);
  }
  static Async<void> ask(sql::Reader& db, const std::string& text) {
    std::vector<std::int64_t> rows = co_await ok(db.all<std::int64_t>(text, std::string("name 7")));
    static_cast<void>(rows);
  }
  void ask(const std::string& text) {
    kit_.get(guard_.database().read(
        static_cast<Async<void> (*)(sql::Reader&, const std::string&)>(&QueryGuardTest::ask), text));
  }

  EngineKit kit_;
  QueryGuard guard_;
};

TEST_P(QueryGuardTest, FindsWhatReadsALargeTableToItsEnd) {
  ask("SELECT id FROM small WHERE name = $1");
  ask("SELECT id FROM large WHERE id = 7 AND name = $1");
  EXPECT_EQ(guard_.statements(), 2U);
  EXPECT_THAT(guard_.findings(kit_.loop()), IsEmpty());
  ask("SELECT l.id FROM large l WHERE l.name = $1");
  EXPECT_THAT(guard_.findings(kit_.loop()), ElementsAre(HasSubstr("reads all of large")));
  kit_.script("CREATE INDEX large_name ON large (name)");
  EXPECT_THAT(guard_.findings(kit_.loop()), IsEmpty());
}

TEST_P(QueryGuardTest, AllowsWhatIsAllowedAndAsksForEveryAllowanceToBeNeeded) {
  ask("SELECT id FROM large WHERE name = $1");
  guard_.allow("large", "WHERE name", "the test says so");
  EXPECT_THAT(guard_.findings(kit_.loop()), IsEmpty());
  guard_.allow("large", "WHERE color", "nobody asks this");
  EXPECT_THAT(guard_.findings(kit_.loop()), ElementsAre(HasSubstr("nothing needs the allowance")));
}

INSTANTIATE_TEST_SUITE_P(, QueryGuardTest, every_dialect(), dialect_name);

}  // namespace
}  // namespace bedplate::testing
