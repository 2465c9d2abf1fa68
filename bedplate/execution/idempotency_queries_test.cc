// SPDX-License-Identifier: Apache-2.0
// What a command under an Idempotency-Key asks beside its own reads no table to its end, with 20 000 records kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "bedplate/execution/idempotency.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/testing/query_guard.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::testing {
namespace {

using api::Idempotency;
using ::testing::IsEmpty;

constexpr std::string_view kSeedSqlite = R"(
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
INSERT INTO idempotency_keys (id, salt, input_hash, refused, outcome, expires_at)
SELECT CAST(printf('%016d', i) AS BLOB), x'00', x'00', 0, '{}', 1800000000000000 + i * 1000000 FROM n;
)";
constexpr std::string_view kSeedPostgresql = R"(
INSERT INTO idempotency_keys (id, salt, input_hash, refused, outcome, expires_at)
SELECT lpad(to_hex(i), 32, '0')::uuid, gen_random_uuid(), gen_random_uuid(), FALSE, '{}',
       timestamptz '2027-01-15' + i * interval '1 s'
FROM generate_series(0, 19999) i;
ANALYZE idempotency_keys;
)";

struct Kept {
  std::string text = "kept";

  static consteval auto describe() {
    using namespace schema;
    return object<Kept>("What is kept", {field<&Kept::text>()});
  }
};

struct Command {
  Idempotency& idempotency;
  Time now;

  Async<void> run(sql::Transaction& tx, Idempotency::Claim& claim) const {
    Idempotency::Record record;
    Kept output;
    const bool replayed = co_await ok(idempotency.replay(tx, claim, now, &type_of<Kept>(), &output, record));
    if (replayed) co_return;
    co_await ok(idempotency.keep(tx, claim, record, now, &type_of<Kept>(), &output, nullptr));
  }
};

class IdempotencyQueriesTest : public ::testing::TestWithParam<sql::Dialect> {};

TEST_P(IdempotencyQueriesTest, ReadNoLargeTableToItsEnd) {
  EngineKit kit(GetParam(), "");
  const sql::MigrationSource source{"idempotency", api::idempotency_migrations()};
  ASSERT_TRUE(sql::migrate_up(kit.database(), std::span(&source, 1)));
  kit.script(std::string(GetParam() == sql::Dialect::sqlite ? kSeedSqlite : kSeedPostgresql));
  QueryGuard guard(kit.database());
  Idempotency idempotency({}, GetParam());
  auth::Principal caller;
  caller.user = new_id<auth::UserId>();
  // In the middle of what is kept: some records have expired.
  const Time now{std::chrono::seconds(1'800'000'100)};
  const auto run = [&](const char* key) {
    Idempotency::Claim claim = *idempotency.claim(key, caller, "operation", nullptr, nullptr);
    const Command command{idempotency, now};
    kit.get(guard.database().transact(&Command::run, command, claim));
  };
  run("one");
  run("one");  // the kept outcome
  run("two");
  EXPECT_GE(guard.statements(), 3U);
  EXPECT_THAT(guard.findings(kit.loop()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(, IdempotencyQueriesTest, every_dialect(), dialect_name);

}  // namespace
}  // namespace bedplate::testing
