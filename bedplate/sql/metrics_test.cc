// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/metrics.h"

#include <gtest/gtest.h>

#include <string>

#include "bedplate/base/buffer.h"
#include "tests/kits/sqlite_kit.h"

namespace bedplate::sql {
namespace {

Async<void> insert(Transaction& tx) {
  co_await ok(tx.run("INSERT INTO items (id) VALUES (1)"));
}

TEST(DatabaseMetricsTest, NumbersOfTheDatabaseAreShown) {
  SqliteKit kit("CREATE TABLE items (id INTEGER)");
  telemetry::Registry registry;
  DatabaseMetrics metrics(kit.database());
  const telemetry::Watch watch = registry.watch(metrics);
  get(kit.run(kit.database().transact(&insert)));
  Buffer text;
  registry.write_prometheus(text);
  const std::string shown(text.view());
  EXPECT_NE(shown.find("\nbedplate_database_commands_total 1\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("\nbedplate_database_commits_total 1\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("# TYPE bedplate_database_wal_size_bytes gauge"), std::string::npos) << shown;
}

}  // namespace
}  // namespace bedplate::sql
