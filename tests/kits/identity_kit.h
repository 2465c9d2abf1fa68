// SPDX-License-Identifier: Apache-2.0
// For the tests of this room: an Identity over a real database, on each engine in turn, and a clock to set.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/sql/drivers/open.h"
#include "bedplate/sql/migrate.h"
#include "services/identity/administration.h"
#include "services/identity/migrations.h"
#include "services/identity/service.h"
#include "tests/kits/database_kit.h"
#include "tests/kits/patient_kit.h"

namespace bedplate::identity::fixture {

/// Starts at a whole second, as tokens count.
class SetClock final : public Clock {
 public:
  Time now() const override { return Time(std::chrono::microseconds(now_.load())); }
  void advance(std::chrono::microseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'800'000'000'000'000};
};

/// A call as a surface makes it: a principal with views into it.
struct Call {
  auth::PrincipalRef principal;
  auth::Caller caller;

  explicit Call(std::string_view address = "192.0.2.1") {
    caller.address = address;
    caller.request_id = "test";
    caller.user_agent = "tests/1";
  }
};

class IdentityTest : public testing::EngineTest {
 protected:
  static constexpr std::string_view kPassword = "correct horse battery";

  IdentityTest() : sealing_(auth::SealingKey::generate()) {
    db_ = open();
    sql::MigrationSource source = migrations();
    auto migrated = sql::migrate_up(*db_, std::span(&source, 1));
    EXPECT_TRUE(migrated) << migrated.error().detail();
    restart();
  }
  ~IdentityTest() override {
    identity_.reset();
    db_.reset();
  }

  std::unique_ptr<sql::Database> open() {
    auto db = sql::open_database(database_url(), bedplate::testing::patient());
    EXPECT_TRUE(db) << db.error().detail();
    return std::move(*db);
  }
  std::unique_ptr<Identity> make_identity() {
    return std::make_unique<Identity>(settings_, sealing_, clock_, auth::PasswordCost::worthless_for_tests());
  }
  /// A server process that has just begun, with the settings as they are now.
  void restart() {
    identity_ = make_identity();
    auto started = run(identity_->start(*db_));
    EXPECT_TRUE(started) << started.error().detail();
  }

  template <class T>
  Result<T> run(Async<T> coroutine) {
    return run_to_end(loop_, std::move(coroutine));
  }

  Result<Grant> sign_up(std::string email, std::string_view password = kPassword) {
    Call call;
    SignUp input;
    input.email = std::move(email);
    input.password = password;
    input.name = "Ada";
    return run(identity_->sign_up(call.caller, *db_, input));
  }
  Result<Grant> log_in(std::string email, std::string_view password = kPassword,
                       std::string_view address = "192.0.2.1") {
    Call call(address);
    LogIn input;
    input.email = std::move(email);
    input.password = password;
    return run(identity_->log_in(call.caller, *db_, input));
  }
  Result<Grant> refresh(std::string token) {
    Call call;
    Refresh input;
    input.refresh_token = std::move(token);
    return run(identity_->refresh(call.caller, *db_, input));
  }

  /// The call that a surface makes for a bearer of this token.
  Call as(const Grant& grant) {
    Call call;
    auto principal = identity_->authenticator().authenticate({.bearer = grant.access_token}, clock_.now());
    EXPECT_TRUE(principal) << principal.error().code();
    if (principal) call.principal = *principal;
    call.caller.principal = call.principal.get();
    return call;
  }
  bool is_good(const Grant& grant) {
    return identity_->authenticator().authenticate({.bearer = grant.access_token}, clock_.now()).has_value();
  }

  static Async<UserView> do_me(sql::Reader& db, Identity& identity, const auth::Caller& caller) {
    return identity.me(caller, db);
  }
  static Async<SessionList> do_sessions(sql::Reader& db, Identity& identity, const auth::Caller& caller) {
    return identity.sessions(caller, db);
  }
  static Async<UserView> do_update(sql::Transaction& tx, Identity& identity, const auth::Caller& caller,
                                   const UpdateMe& input) {
    return identity.update_me(caller, tx, input);
  }
  Result<UserView> me(const Grant& grant) {
    Call call = as(grant);
    return run(db_->read(&do_me, *identity_, call.caller));
  }
  std::vector<SessionView> sessions(const Grant& grant) {
    Call call = as(grant);
    return run(db_->read(&do_sessions, *identity_, call.caller))->data;
  }

  template <class T>
  static std::string code_of(const Result<T>& result) {
    return result ? "" : result.error().code();
  }

  Loop loop_;
  SetClock clock_;
  IdentitySettings settings_;
  auth::SealingKey sealing_;
  std::unique_ptr<sql::Database> db_;
  std::unique_ptr<Identity> identity_;
};

}  // namespace bedplate::identity::fixture
