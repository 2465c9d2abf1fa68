// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/health_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <optional>
#include <string>

#include "tests/kits/engine_kit.h"
#include "tests/kits/faulty_disk_kit.h"

namespace bedplate::app {
namespace {

using sql::Dialect;
using telemetry::CheckResult;
using telemetry::HealthStatus;
using testing::EngineKit;
using ::testing::HasSubstr;

std::string schema_of(Dialect dialect) {
  return std::string("CREATE TABLE schema_migrations (module TEXT, version BIGINT, applied_at ") +
         (dialect == Dialect::sqlite ? "BIGINT" : "timestamptz") +
         "); INSERT INTO schema_migrations VALUES ('api', 1, " +
         (dialect == Dialect::sqlite ? "0" : "now()") + ")";
}

class DatabaseCheckTest : public ::testing::TestWithParam<Dialect> {};

TEST_P(DatabaseCheckTest, ReadsAndWrites) {
  EngineKit kit(GetParam(), schema_of(GetParam()));
  DatabaseCheck check(kit.database());
  const CheckResult well = kit.get(check.run());
  EXPECT_EQ(well.status, HealthStatus::pass);
  EXPECT_EQ(well.detail, "It reads and writes.");
}
INSTANTIATE_TEST_SUITE_P(Engine, DatabaseCheckTest, testing::every_dialect(), testing::dialect_name);

TEST(SqliteDatabaseCheckTest, FailsWhileTheDiskIsFull) {
  sql::FaultyDisk disk;
  sql::DatabaseOptions options;
  options.sqlite.vfs = disk.name();
  EngineKit kit(Dialect::sqlite, schema_of(Dialect::sqlite), options);
  DatabaseCheck check(kit.database());
  EXPECT_EQ(kit.get(check.run()).status, HealthStatus::pass);
  disk.fail_writes_with(SQLITE_FULL);
  const CheckResult full = kit.get(check.run());
  EXPECT_EQ(full.status, HealthStatus::fail);
  EXPECT_THAT(full.detail, HasSubstr("It does not take writes: There is no space left"));
  disk.fail_writes_with(SQLITE_OK);
  EXPECT_EQ(kit.get(check.run()).status, HealthStatus::pass);
}

/// The real time, moved.
class MovedClock final : public Clock {
 public:
  Time now() const override { return SystemClock().now() + moved; }
  std::chrono::milliseconds moved{0};
};

TEST(PostgresqlClockCheckTest, WarnsWhenTheClocksDifferByMoreThanTwoSeconds) {
  EngineKit kit(Dialect::postgresql, "");
  MovedClock clock;
  ClockCheck check(kit.database(), clock);
  EXPECT_EQ(kit.get(check.run()).status, HealthStatus::pass);
  clock.moved = std::chrono::milliseconds(-10'000);
  const CheckResult behind = kit.get(check.run());
  EXPECT_EQ(behind.status, HealthStatus::warn);
  // How long the question takes is taken off: a busy machine may find less.
  EXPECT_THAT(behind.detail, HasSubstr("s behind the database server's."));
  clock.moved = std::chrono::milliseconds(10'000);
  EXPECT_THAT(kit.get(check.run()).detail, HasSubstr("s ahead of the database server's."));
}

}  // namespace
}  // namespace bedplate::app
