// SPDX-License-Identifier: Apache-2.0
#include "services/identity/administration.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/kits/identity_kit.h"

namespace bedplate::identity {
namespace {

using namespace std::chrono_literals;

/// The command line beside a running server: another connection to the same database.
class AdministrationTest : public fixture::IdentityTest {
 protected:
  AdministrationTest() : beside_(open()), admin_(*beside_, settings_, clock_, passwords_) {}

  /// What a running server does several times a second.
  void server_looks() { ASSERT_TRUE(run(identity_->read_revocations(*db_))); }

  std::unique_ptr<sql::Database> beside_;
  auth::PasswordHasher passwords_{auth::PasswordCost::worthless_for_tests(), {}};
  Administration admin_;
};

TEST_P(AdministrationTest, AGrantedRoleCountsFromTheNextRefresh) {
  settings_.admin_scopes = {"admin", "account"};
  restart();
  auto grant = sign_up("ada@example.com");
  ASSERT_TRUE(run(admin_.grant("ADA@example.com", "admin")));
  server_looks();
  EXPECT_FALSE(is_good(*grant));
  auto renewed = refresh(grant->refresh_token);
  ASSERT_TRUE(renewed);
  auto principal = as(*renewed).principal;
  EXPECT_TRUE(principal->has_role("admin"));
  EXPECT_EQ(principal->scopes, (std::vector<std::string>{"account", "admin"}));

  ASSERT_TRUE(run(admin_.revoke("ada@example.com", "admin")));
  server_looks();
  EXPECT_FALSE(is_good(*renewed));
  EXPECT_FALSE(as(*refresh(renewed->refresh_token)).principal->has_role("admin"));
}

TEST_P(AdministrationTest, WhatIsSoAlreadyDisturbsNobody) {
  auto grant = sign_up("ada@example.com");
  ASSERT_TRUE(run(admin_.grant("ada@example.com", "user")));
  ASSERT_TRUE(run(admin_.revoke("ada@example.com", "admin")));
  ASSERT_TRUE(run(admin_.enable("ada@example.com")));
  server_looks();
  EXPECT_TRUE(is_good(*grant));
}

TEST_P(AdministrationTest, ListsAccounts) {
  ASSERT_TRUE(sign_up("Grace@example.com"));
  clock_.advance(5s);
  auto ada = sign_up("ada@example.com");
  ASSERT_TRUE(run(admin_.create("bob@example.com", std::nullopt)));
  clock_.advance(5s);
  auto seen = refresh(ada->refresh_token);
  ASSERT_TRUE(run(admin_.grant("ada@example.com", "admin")));
  ASSERT_TRUE(run(admin_.disable("grace@example.com")));
  auto list = run(admin_.list(""));
  ASSERT_TRUE(list) << list.error().detail();
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ((*list)[0].email, "ada@example.com");
  EXPECT_EQ((*list)[0].name, "Ada");
  EXPECT_EQ((*list)[0].roles, (std::vector<std::string>{"user", "admin"}));
  EXPECT_EQ((*list)[0].disabled_at, std::nullopt);
  EXPECT_EQ((*list)[0].created_at, clock_.now() - 5s);
  EXPECT_EQ((*list)[0].last_seen_at, clock_.now());
  EXPECT_EQ((*list)[1].email, "bob@example.com");
  EXPECT_EQ((*list)[1].last_seen_at, std::nullopt) << "nobody has logged in";
  EXPECT_EQ((*list)[2].email, "Grace@example.com");
  EXPECT_EQ((*list)[2].disabled_at, clock_.now());
  EXPECT_EQ((*list)[2].last_seen_at, std::nullopt) << "its sessions have ended";
  EXPECT_EQ(run(admin_.list("BOB@example.com"))->size(), 1u);
  EXPECT_EQ(run(admin_.list("grace@example.com"))->size(), 0u);
}

TEST_P(AdministrationTest, AnUnknownUserIsNamed) {
  for (const auto& failed : {run(admin_.grant("bob", "admin")), run(admin_.remove("bob"))}) {
    ASSERT_EQ(code_of(failed), "user_not_found");
    EXPECT_EQ(failed.error().detail(), "There is no user with the e-mail address bob.");
  }
  EXPECT_EQ(run(admin_.find("bob")).error().detail(), "There is no user with the e-mail address bob.");
}

TEST_P(AdministrationTest, ClearErrors) {
  EXPECT_EQ(code_of(run(admin_.grant("nobody@example.com", "admin"))), "user_not_found");
  ASSERT_TRUE(sign_up("ada@example.com"));
  EXPECT_EQ(code_of(run(admin_.grant("ada@example.com", "wizard"))), "unknown_role");
  EXPECT_EQ(code_of(run(admin_.create("ada@example.com", std::nullopt))), "email_taken");
  EXPECT_EQ(code_of(run(admin_.create("not an address", std::nullopt))), "validation_failed");
}

TEST_P(AdministrationTest, DisablingLocksOutAtOnceAndEnablingLetsBackIn) {
  auto grant = sign_up("ada@example.com");
  ASSERT_TRUE(run(admin_.disable("ada@example.com")));
  server_looks();
  EXPECT_FALSE(is_good(*grant));
  EXPECT_EQ(code_of(refresh(grant->refresh_token)), "invalid_refresh_token");
  EXPECT_EQ(code_of(log_in("ada@example.com")), "account_disabled");
  ASSERT_TRUE(run(admin_.enable("ada@example.com")));
  auto again = log_in("ada@example.com");
  ASSERT_TRUE(again);
  server_looks();
  EXPECT_TRUE(is_good(*again));
}

TEST_P(AdministrationTest, AResetPasswordIsTheOnlyOne) {
  auto grant = sign_up("ada@example.com");
  auto password = run(admin_.reset_password("ada@example.com"));
  ASSERT_TRUE(password);
  server_looks();
  EXPECT_FALSE(is_good(*grant));
  EXPECT_EQ(code_of(refresh(grant->refresh_token)), "invalid_refresh_token");
  EXPECT_EQ(code_of(log_in("ada@example.com")), "invalid_credentials");
  EXPECT_TRUE(log_in("ada@example.com", *password));
}

TEST_P(AdministrationTest, RemovesAnAccount) {
  auto grant = sign_up("ada@example.com");
  ASSERT_TRUE(run(admin_.remove("ada@example.com")));
  server_looks();
  EXPECT_FALSE(is_good(*grant));
  EXPECT_EQ(*run(admin_.count_users()), 0);
  EXPECT_EQ(code_of(run(admin_.remove("ada@example.com"))), "user_not_found");
}

TEST_P(AdministrationTest, MakesUsersWithRandomPasswords) {
  auto password = run(admin_.create("ada@example.com", "Ada"));
  ASSERT_TRUE(password) << password.error().detail();
  EXPECT_TRUE(log_in("ada@example.com", *password));
  std::set<std::string> different;
  for (int i = 0; i < 100; ++i) different.insert(random_password());
  EXPECT_EQ(different.size(), 100u);
}

TEST_P(AdministrationTest, AfterARestoreNoTokenIsGood) {
  auto grant = sign_up("ada@example.com");
  ASSERT_TRUE(run(admin_.forget_all_tokens()));
  restart();
  EXPECT_FALSE(is_good(*grant));
  EXPECT_EQ(code_of(refresh(grant->refresh_token)), "invalid_refresh_token");
  EXPECT_TRUE(log_in("ada@example.com"));
}

INSTANTIATE_TEST_SUITE_P(Engines, AdministrationTest, testing::every_engine(), testing::engine_name);

}  // namespace
}  // namespace bedplate::identity
