// SPDX-License-Identifier: Apache-2.0
// No query of this service reads a large table to its end: on both engines, with 6 000 users and their sessions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "bedplate/testing/fake_clock.h"
#include "bedplate/testing/query_guard.h"
#include "services/identity/administration.h"
#include "services/identity/migrations.h"
#include "services/identity/service.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::identity {
namespace {

using bedplate::testing::EngineKit;
using bedplate::testing::QueryGuard;
using ::testing::IsEmpty;

constexpr std::string_view kSeedSqlite = R"(
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
SELECT i, CAST(printf('%016d', i) AS BLOB) AS id, 1900000000000000 + i AS at FROM n;
INSERT INTO identity_users SELECT id, 'u' || i || '@example.com', 'u' || i || '@example.com', NULL, 'x',
  '["user"]', 1, NULL, 1, at, at FROM n;
INSERT INTO identity_sessions SELECT id, id, '', '', at, at, at, 1 FROM n;
INSERT INTO identity_refresh_tokens SELECT 'token' || i, id, at, NULL, 'parent' || i,
  CASE WHEN i % 100 = 0 THEN 'sealed' END FROM n;
INSERT INTO identity_revocations (session_id, expires_at) SELECT id, at FROM n;
)";

constexpr std::string_view kSeedPostgresql = R"(
CREATE TEMP TABLE n AS SELECT i, lpad(to_hex(i), 32, '0')::uuid AS id,
  timestamptz '2030-03-17' + i * interval '1 s' AS at
FROM generate_series(1, 6000) i;
INSERT INTO identity_users SELECT id, 'u' || i || '@example.com', 'u' || i || '@example.com', NULL, 'x',
  '["user"]', 1, NULL, 1, at, at FROM n;
INSERT INTO identity_sessions SELECT id, id, '', '', at, at, at, 1 FROM n;
INSERT INTO identity_refresh_tokens SELECT 'token' || i, id, at, NULL, 'parent' || i,
  CASE WHEN i % 100 = 0 THEN 'sealed' END FROM n;
INSERT INTO identity_revocations (session_id, expires_at) SELECT id, at FROM n;
)";

class IdentityQueriesTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  IdentityQueriesTest() : kit_(GetParam(), ""), guard_(kit_.database()) {
    const sql::MigrationSource source = migrations();
    auto migrated = sql::migrate_up(kit_.database(), std::span(&source, 1));
    EXPECT_TRUE(migrated) << migrated.error().detail();
    kit_.script(std::string(GetParam() == sql::Dialect::sqlite ? kSeedSqlite : kSeedPostgresql));
    kit_.get(identity_.start(db()));
  }
  sql::Database& db() { return guard_.database(); }

  // A call with this token.
  void act_as(const Grant& grant) {
    auto principal = identity_.authenticator().authenticate({.bearer = grant.access_token}, clock_.now());
    ASSERT_TRUE(principal) << principal.error().code();
    principal_ = *principal;
    caller_.principal = principal_.get();
  }
  static Async<UserView> me(sql::Reader& reader, Identity& identity, const auth::Caller& caller) {
    return identity.me(caller, reader);
  }
  static Async<SessionList> sessions(sql::Reader& reader, Identity& identity, const auth::Caller& caller) {
    return identity.sessions(caller, reader);
  }
  static Async<UserView> update(sql::Transaction& tx, Identity& identity, const auth::Caller& caller,
                                const UpdateMe& input) {
    return identity.update_me(caller, tx, input);
  }

  EngineKit kit_;
  QueryGuard guard_;
  testing::FakeClock clock_;
  IdentitySettings settings_;
  Identity identity_{settings_, auth::SealingKey::generate(), clock_,
                     auth::PasswordCost::worthless_for_tests()};
  auth::PrincipalRef principal_;
  auth::Caller caller_;
};

TEST_P(IdentityQueriesTest, ReadNoLargeTableToItsEnd) {
  constexpr const char* kPassword = "correct horse battery";
  SignUp sign_up;
  sign_up.email = "ada@example.com";
  sign_up.password = kPassword;
  act_as(kit_.get(identity_.sign_up(caller_, db(), sign_up)));
  LogIn log_in;
  log_in.email = sign_up.email;
  log_in.password = kPassword;
  const Grant grant = kit_.get(identity_.log_in(caller_, db(), log_in));
  Refresh refresh;
  refresh.refresh_token = grant.refresh_token;
  act_as(kit_.get(identity_.refresh(caller_, db(), refresh)));
  kit_.get(identity_.refresh(caller_, db(), refresh));  // again: the answer was lost
  clock_.advance(std::chrono::minutes(1));
  kit_.get(identity_.forget_sealed_tokens(db()));
  EXPECT_FALSE(kit_.run(identity_.refresh(caller_, db(), refresh))) << "a stolen one ends its session";
  act_as(kit_.get(identity_.log_in(caller_, db(), log_in)));

  kit_.get(db().read(&IdentityQueriesTest::me, identity_, caller_));
  kit_.get(db().read(&IdentityQueriesTest::sessions, identity_, caller_));
  UpdateMe changes;
  changes.name = std::string("Ada L.");
  kit_.get(db().transact(&IdentityQueriesTest::update, identity_, caller_, changes));
  ChangePassword change;
  change.current_password = kPassword;
  change.new_password = "battery staple horse";
  kit_.get(identity_.change_password(caller_, db(), change));
  log_in.password = change.new_password;
  act_as(kit_.get(identity_.log_in(caller_, db(), log_in)));
  kit_.get(identity_.end_other_sessions(caller_, db()));
  kit_.get(identity_.log_out(caller_, db()));
  act_as(kit_.get(identity_.log_in(caller_, db(), log_in)));
  DeleteMe removal;
  removal.password = change.new_password;
  kit_.get(identity_.delete_me(caller_, db(), removal));

  kit_.get(identity_.read_revocations(db()));
  kit_.get(identity_.refresh_keys(db()));
  kit_.get(db().transact(&store::delete_expired, clock_.now()));
  Administration administration(db(), settings_, clock_, identity_.passwords());
  kit_.get(administration.create("eve@example.com", std::nullopt));
  kit_.get(administration.grant("eve@example.com", "admin"));
  kit_.get(administration.disable("eve@example.com"));
  kit_.get(administration.enable("eve@example.com"));
  kit_.get(administration.remove("eve@example.com"));
  kit_.get(administration.count_users());
  kit_.get(administration.list(""));
  kit_.get(administration.list("u300@example.com"));
  guard_.allow("identity_users", "SELECT count(*)", "a command of the operator's, not a request");

  EXPECT_GT(guard_.statements(), 20U);
  EXPECT_THAT(guard_.findings(kit_.loop()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(, IdentityQueriesTest, bedplate::testing::every_dialect(),
                         bedplate::testing::dialect_name);

}  // namespace
}  // namespace bedplate::identity
