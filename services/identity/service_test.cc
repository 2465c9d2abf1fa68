// SPDX-License-Identifier: Apache-2.0
#include "services/identity/service.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/async/timer.h"
#include "tests/kits/identity_kit.h"

namespace bedplate::identity {
namespace {

using namespace std::chrono_literals;
using fixture::Call;
using fixture::IdentityTest;

// ---- signing up

TEST_P(IdentityTest, SigningUpLogsIn) {
  auto grant = sign_up("Ada@Example.com");
  ASSERT_TRUE(grant) << grant.error().detail();
  EXPECT_EQ(grant->user.email, "Ada@Example.com");
  EXPECT_EQ(grant->user.name, "Ada");
  EXPECT_EQ(grant->user.roles, std::vector<std::string>{"user"});
  EXPECT_EQ(grant->token_type, "Bearer");
  EXPECT_EQ(grant->expires_in, 600);
  Call call = as(*grant);
  EXPECT_EQ(call.caller.user(), grant->user.id);
  EXPECT_EQ(call.principal->scopes, (std::vector<std::string>{"account"}));
  EXPECT_EQ(me(*grant)->email, "Ada@Example.com");
}

TEST_P(IdentityTest, AnAddressIsTakenInEveryCase) {
  ASSERT_TRUE(sign_up("ada@example.com"));
  auto again = sign_up("ADA@example.COM");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().category(), Category::conflict);
  EXPECT_EQ(again.error().code(), "email_taken");
}

Async<void> sign_up_into(Identity& identity, sql::Database& db, const SignUp& input, std::string& code,
                         int& left) {
  Call call;
  Result<Grant> grant = co_await identity.sign_up(call.caller, db, input);
  code = grant ? "made" : grant.error().code();
  if (--left == 0) Loop::current()->stop();
}

TEST_P(IdentityTest, OfTwoSignUpsAtOnceOneIsRefused) {
  SignUp input;
  input.email = "ada@example.com";
  input.password = kPassword;
  std::string codes[2];
  int left = 2;
  for (std::string& code : codes) loop_.spawn(sign_up_into(*identity_, *db_, input, code, left));
  loop_.run();
  std::sort(std::begin(codes), std::end(codes));
  EXPECT_EQ(codes[0], "email_taken");
  EXPECT_EQ(codes[1], "made");
}

TEST_P(IdentityTest, SignUpsAreThrottled) {
  settings_.login_throttle.sign_ups_per_address = 2;
  restart();
  EXPECT_TRUE(sign_up("a@example.com"));
  EXPECT_EQ(code_of(sign_up("a@example.com")), "email_taken");
  auto third = sign_up("b@example.com");
  ASSERT_EQ(code_of(third), "too_many_attempts");
  EXPECT_EQ(third.error().retry_after(), 1s);
  EXPECT_EQ(third.error().detail(), "Too many sign-ups from your address. Try again in 1 s.");
}

TEST_P(IdentityTest, AnAddressIsTrimmedAndItsDomainIsInALabels) {
  auto grant = sign_up(" Ada@b\u00fccher.example\t");
  ASSERT_TRUE(grant) << grant.error().detail();
  EXPECT_EQ(grant->user.email, "Ada@xn--bcher-kva.example");
  for (const char* typed :
       {"ada@b\u00fccher.example", "ADA@XN--BCHER-KVA.EXAMPLE", " ada@bu\u0308cher.example "}) {
    EXPECT_TRUE(log_in(typed)) << typed;
    EXPECT_EQ(code_of(sign_up(typed)), "email_taken") << typed;
  }
  Administration admin(*db_, settings_, clock_, identity_->passwords());
  EXPECT_EQ(run(admin.find(" ada@b\u00fccher.example"))->id, grant->user.id);
  EXPECT_EQ(code_of(run(admin.create("x@1.2.3.4", std::nullopt))), "validation_failed");
}

// ---- what a new password must be

TEST_P(IdentityTest, ANewPasswordHasALengthInCodePointsAfterNormalizing) {
  const std::string decomposed = "a\u0308";  // two code points that become one
  auto repeated = [](std::string_view what, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += what;
    return text;
  };
  EXPECT_EQ(code_of(sign_up("ada@example.com", "fourteen chars")), "password_length");
  EXPECT_EQ(code_of(sign_up("ada@example.com", repeated(decomposed, 14))), "password_length");
  EXPECT_EQ(code_of(sign_up("ada@example.com", repeated("\U0001F40E", 14))), "password_length");
  EXPECT_EQ(code_of(sign_up("ada@example.com", repeated("x", 129))), "password_length");
  EXPECT_EQ(identity_->passwords().runs(), 0u) << "before the work of hashing it";
  EXPECT_TRUE(sign_up("a@example.com", "fifteen letters"));
  EXPECT_TRUE(sign_up("b@example.com", repeated(decomposed, 128)));
  EXPECT_TRUE(log_in("b@example.com", repeated("\u00e4", 128)));
  auto grant = sign_up("c@example.com");
  Call call = as(*grant);
  ChangePassword input;
  input.current_password = kPassword;
  input.new_password = "fourteen chars";
  auto refused = run(identity_->change_password(call.caller, *db_, input));
  ASSERT_EQ(code_of(refused), "password_length");
  EXPECT_EQ(refused.error().category(), Category::invalid);
  EXPECT_EQ(refused.error().detail(), "The new password must have at least 15 characters.");
  ASSERT_EQ(refused.error().faults().size(), 1u);
  EXPECT_EQ(refused.error().faults()[0].pointer, "/new_password");
  EXPECT_EQ(refused.error().faults()[0].code, "too_short");
}

TEST_P(IdentityTest, TheLengthIsASettingAndLogInTakesWhatWasSetBefore) {
  settings_.password_length_min = 8;
  restart();
  ASSERT_TRUE(sign_up("ada@example.com", "eight ch"));
  EXPECT_EQ(code_of(sign_up("bob@example.com", "seven c")), "password_length");
  settings_.password_length_min = 15;
  restart();
  EXPECT_TRUE(log_in("ada@example.com", "eight ch"));
}

TEST_P(IdentityTest, APasswordIsTheSameHoweverItIsTyped) {
  ASSERT_TRUE(sign_up("ada@example.com", "p\u00e4ssw\u00f6rd in \u00fcnicode"));
  EXPECT_TRUE(log_in("ada@example.com", "pa\u0308sswo\u0308rd\u00a0in\u3000u\u0308nicode"));
  EXPECT_EQ(code_of(log_in("ada@example.com", "passw\u00f6rd in \u00fcnicode")), "invalid_credentials");
  EXPECT_EQ(code_of(log_in("ada@example.com", "p\u00e4ssw\u00f6rd\tin")), "invalid_credentials");
}

// ---- passwords that everybody knows

TEST_P(IdentityTest, ACommonPasswordIsRefused) {
  EXPECT_EQ(code_of(sign_up("ada@example.com", "Administrator123")), "password_known");
  EXPECT_EQ(identity_->passwords().runs(), 0u) << "before the work of hashing it";
  auto grant = sign_up("ada@example.com");
  ASSERT_TRUE(grant);
  Call call = as(*grant);
  ChangePassword input;
  input.current_password = kPassword;
  input.new_password = "PasswordPassword";
  EXPECT_EQ(code_of(run(identity_->change_password(call.caller, *db_, input))), "password_known");
  EXPECT_TRUE(log_in("ada@example.com")) << "nothing has changed";
  settings_.refuse_common_passwords = false;
  restart();
  EXPECT_TRUE(sign_up("bob@example.com", "Administrator123"));
}

/// A list of the application's own, behind something that takes a while and may be away.
class Leaked final : public auth::KnownPasswords {
 public:
  Async<bool> contains(std::string_view password) override {
    co_await ok(yield());
    if (away) co_return fail(Category::unavailable, "list_away", "The list is away.");
    co_return password == "leaked long ago";
  }
  bool away = false;
};

TEST_P(IdentityTest, TheApplicationCanRefuseMorePasswords) {
  Leaked leaked;
  identity_->refuse_passwords_in(leaked);
  EXPECT_EQ(code_of(sign_up("ada@example.com", "leaked long ago")), "password_known");
  EXPECT_EQ(code_of(sign_up("ada@example.com", "Administrator123")), "password_known")
      << "beside the common ones";
  EXPECT_TRUE(sign_up("ada@example.com"));
  leaked.away = true;
  EXPECT_TRUE(sign_up("bob@example.com", "leaked long ago")) << "nobody is kept out because the list is away";
}

// ---- logging in

TEST_P(IdentityTest, LogsInInAnyCase) {
  ASSERT_TRUE(sign_up("ada@example.com"));
  auto grant = log_in("ADA@EXAMPLE.COM");
  ASSERT_TRUE(grant) << grant.error().detail();
  EXPECT_EQ(sessions(*grant).size(), 2u);
}

TEST_P(IdentityTest, AWrongPasswordAndAnUnknownAddressLookAndCostTheSame) {
  ASSERT_TRUE(sign_up("ada@example.com"));
  const std::uint64_t start = identity_->passwords().runs();
  auto wrong = log_in("ada@example.com", "incorrect horse");
  const std::uint64_t after_wrong = identity_->passwords().runs();
  auto unknown = log_in("bob@example.com", "incorrect horse");
  const std::uint64_t after_unknown = identity_->passwords().runs();
  ASSERT_FALSE(wrong);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(wrong.error().category(), Category::unauthenticated);
  EXPECT_EQ(unknown.error().category(), wrong.error().category());
  EXPECT_EQ(unknown.error().code(), wrong.error().code());
  EXPECT_EQ(unknown.error().detail(), wrong.error().detail());
  EXPECT_EQ(after_wrong - start, 1u);
  EXPECT_EQ(after_unknown - after_wrong, 1u);
}

TEST_P(IdentityTest, GuessingIsSlowedDownWhetherOrNotTheAccountExists) {
  settings_.login_throttle.attempts_per_account_and_address = 3;
  restart();
  ASSERT_TRUE(sign_up("ada@example.com"));
  for (std::string email : {"ada@example.com", "nobody@example.com"}) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(code_of(log_in(email, "wrong")), "invalid_credentials");
    const std::uint64_t runs = identity_->passwords().runs();
    auto refused = log_in(email, kPassword);
    ASSERT_EQ(code_of(refused), "too_many_attempts") << email;
    EXPECT_EQ(refused.error().category(), Category::rate_limited);
    EXPECT_EQ(refused.error().retry_after(), 1s);
    EXPECT_EQ(
        refused.error().detail(),
        "Too many wrong passwords for this account or from your address; until the wait is over the right "
        "one is refused too. Try again in 1 s.");
    EXPECT_EQ(identity_->passwords().runs(), runs);
  }
  EXPECT_TRUE(log_in("ada@example.com", kPassword, "198.51.100.7"));
  clock_.advance(1s);
  EXPECT_TRUE(log_in("ada@example.com"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(code_of(log_in("ada@example.com", "wrong")), "invalid_credentials");
}

TEST_P(IdentityTest, ADisabledAccountSaysSoOnlyToWhoKnowsThePassword) {
  ASSERT_TRUE(sign_up("ada@example.com"));
  Administration admin(*db_, settings_, clock_, identity_->passwords());
  ASSERT_TRUE(run(admin.disable("ada@example.com")));
  EXPECT_EQ(code_of(log_in("ada@example.com", "wrong")), "invalid_credentials");
  EXPECT_EQ(code_of(log_in("ada@example.com")), "account_disabled");
}

TEST_P(IdentityTest, AHashOfAnotherCostIsMadeAnewAtLogIn) {
  ASSERT_TRUE(sign_up("ada@example.com"));
  identity_ = std::make_unique<Identity>(settings_, sealing_, clock_, auth::PasswordCost(0, 0));
  ASSERT_TRUE(run(identity_->start(*db_)));
  ASSERT_TRUE(log_in("ada@example.com"));
  EXPECT_EQ(identity_->passwords().runs(), 2u);
  ASSERT_TRUE(log_in("ada@example.com"));
  EXPECT_EQ(identity_->passwords().runs(), 3u);
}

TEST_P(IdentityTest, TooManySessionsEndTheOldest) {
  settings_.sessions_per_user_max = 3;
  restart();
  auto first = sign_up("ada@example.com");
  std::vector<Grant> later;
  for (int i = 0; i < 3; ++i) {
    clock_.advance(1s);
    later.push_back(*log_in("ada@example.com"));
  }
  EXPECT_FALSE(is_good(*first));
  EXPECT_EQ(code_of(refresh(first->refresh_token)), "invalid_refresh_token");
  EXPECT_EQ(sessions(later.back()).size(), 3u);
}

// ---- sessions

TEST_P(IdentityTest, LoggingOutEndsTheSessionAtOnce) {
  auto grant = sign_up("ada@example.com");
  auto elsewhere = log_in("ada@example.com");
  ASSERT_TRUE(run(identity_->log_out(as(*grant).caller, *db_)));
  EXPECT_FALSE(is_good(*grant));
  EXPECT_EQ(code_of(refresh(grant->refresh_token)), "invalid_refresh_token");
  EXPECT_TRUE(is_good(*elsewhere));
}

TEST_P(IdentityTest, ListsSessionsAndEndsOne) {
  auto first = sign_up("ada@example.com");
  clock_.advance(1s);
  auto second = log_in("ada@example.com");
  std::vector<SessionView> list = sessions(*second);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_TRUE(list[0].current);
  EXPECT_FALSE(list[1].current);
  EXPECT_EQ(list[0].address, "192.0.2.1");
  EXPECT_EQ(list[0].user_agent, "tests/1");
  const api::Ref<SessionView> other({.id = list[1].id});
  Call call = as(*second);
  ASSERT_TRUE(run(identity_->end_session(call.caller, *db_, other)));
  EXPECT_FALSE(is_good(*first));
  EXPECT_TRUE(is_good(*second));
  EXPECT_EQ(code_of(run(identity_->end_session(call.caller, *db_, other))), "session_not_found");
}

TEST_P(IdentityTest, AnothersSessionIsNotThere) {
  auto ada = sign_up("ada@example.com");
  auto bob = sign_up("bob@example.com");
  const api::Ref<SessionView> of_ada({.id = as(*ada).caller.session()});
  Call call = as(*bob);
  auto ended = run(identity_->end_session(call.caller, *db_, of_ada));
  EXPECT_EQ(code_of(ended), "session_not_found");
  EXPECT_EQ(ended.error().category(), Category::not_found);
  EXPECT_TRUE(is_good(*ada));
}

TEST_P(IdentityTest, EndsAllOtherSessions) {
  auto first = sign_up("ada@example.com");
  auto second = log_in("ada@example.com");
  auto third = log_in("ada@example.com");
  ASSERT_TRUE(run(identity_->end_other_sessions(as(*second).caller, *db_)));
  EXPECT_FALSE(is_good(*first));
  EXPECT_TRUE(is_good(*second));
  EXPECT_FALSE(is_good(*third));
}

// ---- one's own account

TEST_P(IdentityTest, ChangesTheName) {
  auto grant = sign_up("ada@example.com");
  Call call = as(*grant);
  UpdateMe input;
  input.name = Patch<std::string>("Countess");
  auto view = run(db_->transact(&do_update, *identity_, call.caller, input));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->name, "Countess");
  EXPECT_EQ(view->version, 2);
  input.name.set_null();
  input.if_match = api::IfMatch({1});
  EXPECT_EQ(code_of(run(db_->transact(&do_update, *identity_, call.caller, input))), "version_mismatch");
  input.if_match = api::IfMatch({2});
  ASSERT_TRUE(run(db_->transact(&do_update, *identity_, call.caller, input)));
  EXPECT_EQ(me(*grant)->name, std::nullopt);
}

TEST_P(IdentityTest, ChangingThePasswordEndsOtherSessions) {
  auto here = sign_up("ada@example.com");
  auto elsewhere = log_in("ada@example.com");
  Call call = as(*here);
  ChangePassword input;
  input.current_password = "wrong";
  input.new_password = "a better horse battery";
  auto refused = run(identity_->change_password(call.caller, *db_, input));
  EXPECT_EQ(code_of(refused), "wrong_password");
  EXPECT_TRUE(is_good(*elsewhere));

  input.current_password = kPassword;
  ASSERT_TRUE(run(identity_->change_password(call.caller, *db_, input)));
  EXPECT_TRUE(is_good(*here));
  EXPECT_TRUE(refresh(here->refresh_token));
  EXPECT_FALSE(is_good(*elsewhere));
  EXPECT_EQ(code_of(refresh(elsewhere->refresh_token)), "invalid_refresh_token");
  EXPECT_EQ(code_of(log_in("ada@example.com")), "invalid_credentials");
  EXPECT_TRUE(log_in("ada@example.com", "a better horse battery"));
}

TEST_P(IdentityTest, AStolenAccessTokenIsNoFreeGuess) {
  settings_.login_throttle.attempts_per_account_and_address = 3;
  restart();
  auto grant = sign_up("ada@example.com");
  Call call = as(*grant);
  DeleteMe input;
  input.password = "guess";
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(code_of(run(identity_->delete_me(call.caller, *db_, input))), "wrong_password");
  EXPECT_EQ(code_of(run(identity_->delete_me(call.caller, *db_, input))), "too_many_attempts");
}

/// Stands for an app with rows of its own.
class Notes final : public UserDataOwner {
 public:
  Async<void> delete_user_data(sql::Transaction& tx, UserId user) override {
    co_await ok(tx.run("DELETE FROM notes WHERE owner = $1", user));
    if (fails) co_await fail(Category::unavailable, "notes_busy", "Try again.");
  }
  bool fails = false;
};

Async<void> make_notes(sql::Transaction& tx, UserId user) {
  co_await ok(
      tx.run("CREATE TABLE IF NOT EXISTS notes AS "
             "SELECT id AS owner, email AS text FROM identity_users WHERE 1 = 0"));
  co_await ok(tx.run("INSERT INTO notes (owner, text) VALUES ($1, 'a'), ($1, 'b')", user));
}
Async<std::int64_t> count_notes(sql::Reader& db) {
  std::int64_t count = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM notes"));
  co_return count;
}

TEST_P(IdentityTest, DeletingTheAccountTakesEverythingAlongOrNothing) {
  Notes notes;
  identity_->add_data_owner(notes);
  auto ada = sign_up("ada@example.com");
  auto bob = sign_up("bob@example.com");
  for (auto* grant : {&*ada, &*bob}) {
    UserId id = grant->user.id;
    ASSERT_TRUE(run(db_->transact(&make_notes, id)));
  }
  Call call = as(*ada);
  DeleteMe input;
  input.password = kPassword;
  notes.fails = true;
  EXPECT_EQ(code_of(run(identity_->delete_me(call.caller, *db_, input))), "notes_busy");
  EXPECT_EQ(*run(db_->read(&count_notes)), 4);
  EXPECT_TRUE(is_good(*ada));

  notes.fails = false;
  ASSERT_TRUE(run(identity_->delete_me(call.caller, *db_, input)));
  EXPECT_EQ(*run(db_->read(&count_notes)), 2);
  EXPECT_FALSE(is_good(*ada));
  EXPECT_EQ(code_of(refresh(ada->refresh_token)), "invalid_refresh_token");
  EXPECT_EQ(code_of(log_in("ada@example.com")), "invalid_credentials");
  EXPECT_TRUE(is_good(*bob));
  EXPECT_TRUE(sign_up("ada@example.com"));
}

// ---- housekeeping

TEST_P(IdentityTest, WhatHasExpiredIsDeleted) {
  auto grant = sign_up("ada@example.com");
  auto other = log_in("ada@example.com");
  ASSERT_TRUE(run(identity_->log_out(as(*other).caller, *db_)));
  Time now = clock_.now();
  EXPECT_EQ(*run(db_->transact(&store::delete_expired, now)), 0);
  clock_.advance(std::chrono::hours(24 * 31));
  now = clock_.now();
  EXPECT_EQ(*run(db_->transact(&store::delete_expired, now)), 2);
}

TEST_P(IdentityTest, RevocationsSurviveARestart) {
  auto grant = sign_up("ada@example.com");
  ASSERT_TRUE(run(identity_->log_out(as(*grant).caller, *db_)));
  restart();
  EXPECT_FALSE(is_good(*grant));
}

INSTANTIATE_TEST_SUITE_P(Engines, IdentityTest, testing::every_engine(), testing::engine_name);

}  // namespace
}  // namespace bedplate::identity
