// SPDX-License-Identifier: Apache-2.0
// What a transaction that ignores the failure of a statement leaves in the log, and what two statements at once on one
// session come to, on both engines.
#include "bedplate/sql/failed_statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "bedplate/async/gather.h"
#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::EngineKit;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kSchema = "CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY)";

class FailedStatementTest : public ::testing::TestWithParam<Dialect> {};

Async<void> ignores_a_failure(Transaction& tx) {
  co_await ok(tx.run("INSERT INTO notes (id) VALUES ($1)", std::int64_t{7}));
  Result<std::int64_t> again = co_await tx.run("INSERT INTO notes (id) VALUES ($1)", std::int64_t{7});
  EXPECT_EQ(again.error().code(), kUniqueViolation);
}

TEST_P(FailedStatementTest, TheLogNamesTheStatementThatWasIgnored) {
  EngineKit kit(GetParam(), kSchema);
  const int log = ::memfd_create("log", 0);
  const int before = set_log_output(log);
  const Result<void> done = kit.run(kit.database().transact(&ignores_a_failure));
  set_log_output(before);
  std::string lines(static_cast<std::size_t>(::lseek(log, 0, SEEK_END)), '\0');
  EXPECT_EQ(::pread(log, lines.data(), lines.size(), 0), static_cast<ssize_t>(lines.size()));
  ::close(log);
  EXPECT_EQ(done.error().code(), kTransactionFailed);
  EXPECT_THAT(lines, AllOf(HasSubstr("\"code\":\"unique_violation\""), HasSubstr("INSERT INTO notes (id)")));
}

Async<std::int64_t> count(Reader& db) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM notes"));
  co_return n;
}
Async<void> count_twice_at_once(Transaction& tx) {
  Async<std::int64_t> one = count(tx);
  Async<std::int64_t> two = count(tx);
  co_await ok(gather(std::move(one), std::move(two)));
}

// On SQLite a statement of a transaction is done before the next can begin.
TEST(PostgresqlSessionDeathTest, TwoStatementsAtOnceAreABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EngineKit kit(Dialect::postgresql, kSchema);
  EXPECT_DEBUG_DEATH(std::ignore = kit.run(kit.database().transact(&count_twice_at_once)),
                     "two statements at once on one session");
}

INSTANTIATE_TEST_SUITE_P(, FailedStatementTest, bedplate::testing::every_dialect(),
                         bedplate::testing::dialect_name);

}  // namespace
}  // namespace bedplate::sql
