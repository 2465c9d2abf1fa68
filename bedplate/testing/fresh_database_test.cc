// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/fresh_database.h"

#include <gtest/gtest.h>

#include <optional>

#include "bedplate/testing/database_suite.h"
#include "bedplate/testing/test_app.h"
#include "tests/kits/postgresql_url_kit.h"

namespace bedplate::testing {
namespace {

class FreshDatabaseTest : public DatabaseTest {
 protected:
  TestApp app{[](app::Application&) {}, {{"database.url", database_url()}}};
};

TEST_P(FreshDatabaseTest, AProgramServesOnIt) {
  const bool is_sqlite = app.host().dialect() == sql::Dialect::sqlite;
  EXPECT_EQ(is_sqlite, std::string(GetParam()) == "sqlite");
  HttpConnection http(app.url());
  EXPECT_EQ(http.get("/readyz").status, 200);
}

INSTANTIATE_TEST_SUITE_P(, FreshDatabaseTest, every_database(), database_name);

TEST(FreshDatabaseOnPostgresql, GoesWithTheObject) {
  const std::string databases = "SELECT count(*) FROM pg_database WHERE datname = '";
  std::string name;
  {
    const FreshDatabase database("postgresql");
    name = database.url().substr(database.url().rfind('/') + 1);
    EXPECT_EQ(run_sql(shared_postgres().admin_url(), databases + name + "'").at(0), "1");
  }
  EXPECT_EQ(run_sql(shared_postgres().admin_url(), databases + name + "'").at(0), "0");
}

}  // namespace
}  // namespace bedplate::testing
