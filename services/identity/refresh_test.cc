// SPDX-License-Identifier: Apache-2.0
// When a refresh token is answered, answered again, refused, and taken for stolen; on each engine.
#include <gtest/gtest.h>

#include <string>

#include "tests/kits/identity_kit.h"

namespace bedplate::identity {
namespace {

using namespace std::chrono_literals;

Async<std::int64_t> count_tokens(sql::Reader& db, const std::string& condition) {
  const std::string sql = "SELECT count(*) FROM identity_refresh_tokens WHERE " + condition;
  std::int64_t count = co_await ok(db.value<std::int64_t>(sql));
  co_return count;
}
Async<void> lose_what_is_sealed(sql::Transaction& tx) {
  co_await ok(tx.run("UPDATE identity_refresh_tokens SET sealed_token = NULL"));
}
Async<void> swap_what_is_sealed(sql::Transaction& tx) {
  co_await ok(
      tx.run("UPDATE identity_refresh_tokens SET sealed_token = "
             "(SELECT max(sealed_token) FROM identity_refresh_tokens) WHERE sealed_token = "
             "(SELECT min(sealed_token) FROM identity_refresh_tokens)"));
}

class RefreshTest : public fixture::IdentityTest {
 protected:
  std::int64_t count(const std::string& condition) { return *run(db_->read(&count_tokens, condition)); }
  std::int64_t sealed() { return count("sealed_token IS NOT NULL"); }

  void expect_session_is_over(const Grant& newest) {
    EXPECT_FALSE(is_good(newest));
    EXPECT_EQ(code_of(refresh(newest.refresh_token)), "invalid_refresh_token");
    EXPECT_EQ(count("1 = 1"), 0);
  }
};

TEST_P(RefreshTest, Rotates) {
  auto first = sign_up("ada@example.com");
  clock_.advance(601s);
  EXPECT_FALSE(is_good(*first));
  auto second = refresh(first->refresh_token);
  ASSERT_TRUE(second) << second.error().detail();
  EXPECT_TRUE(is_good(*second));
  EXPECT_NE(second->refresh_token, first->refresh_token);
  EXPECT_EQ(second->user.id, first->user.id);
  EXPECT_EQ(sessions(*second).size(), 1u);
  EXPECT_TRUE(refresh(second->refresh_token));
}

TEST_P(RefreshTest, ALostAnswerIsGivenAgainForAMinute) {
  auto first = sign_up("ada@example.com");
  auto lost = refresh(first->refresh_token);
  clock_.advance(60s - 1us);
  auto again = refresh(first->refresh_token);
  ASSERT_TRUE(again) << again.error().code();
  EXPECT_EQ(again->refresh_token, lost->refresh_token);
  EXPECT_NE(again->access_token, lost->access_token);
  EXPECT_TRUE(is_good(*again));
  EXPECT_TRUE(is_good(*lost));
  EXPECT_EQ(count("used_at IS NULL"), 1) << "never a second successor";
  EXPECT_EQ(sessions(*again).size(), 1u);

  // The same one step on: it is the next token's turn to be answered again.
  auto lost_too = refresh(again->refresh_token);
  ASSERT_TRUE(lost_too);
  auto third = refresh(again->refresh_token);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->refresh_token, lost_too->refresh_token);
  EXPECT_TRUE(refresh(third->refresh_token));
}

TEST_P(RefreshTest, AfterAMinuteAUsedTokenEndsTheSession) {
  auto first = sign_up("ada@example.com");
  auto second = refresh(first->refresh_token);
  auto other = log_in("ada@example.com");
  clock_.advance(60s);
  auto replayed = refresh(first->refresh_token);
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().code(), "invalid_refresh_token");
  EXPECT_EQ(replayed.error().category(), Category::unauthenticated);
  EXPECT_FALSE(is_good(*first));
  EXPECT_FALSE(is_good(*second));
  EXPECT_EQ(code_of(refresh(second->refresh_token)), "invalid_refresh_token");
  EXPECT_TRUE(is_good(*other)) << "another session goes on";
  EXPECT_TRUE(refresh(other->refresh_token));
}

TEST_P(RefreshTest, AnsweringAgainDoesNotMakeTheMinuteLonger) {
  auto first = sign_up("ada@example.com");
  auto second = refresh(first->refresh_token);
  clock_.advance(40s);
  ASSERT_TRUE(refresh(first->refresh_token));
  clock_.advance(20s);
  EXPECT_EQ(code_of(refresh(first->refresh_token)), "invalid_refresh_token");
  expect_session_is_over(*second);
}

TEST_P(RefreshTest, ALateRequestIsRefusedWithoutHarmForTenSeconds) {
  auto first = sign_up("ada@example.com");
  auto second = refresh(first->refresh_token);
  clock_.advance(1s);
  auto third = refresh(second->refresh_token);
  ASSERT_TRUE(third);
  clock_.advance(9s - 1us);
  auto late = refresh(first->refresh_token);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), "refresh_token_superseded");
  EXPECT_EQ(late.error().category(), Category::unauthenticated);
  EXPECT_TRUE(is_good(*third));
  auto fourth = refresh(third->refresh_token);
  ASSERT_TRUE(fourth) << "nothing has ended";
  clock_.advance(1us);
  EXPECT_EQ(code_of(refresh(first->refresh_token)), "invalid_refresh_token");
  expect_session_is_over(*fourth);
}

TEST_P(RefreshTest, AThiefWhoIsFirstIsFoundOut) {
  auto owner = sign_up("ada@example.com");
  auto thief = refresh(owner->refresh_token);
  ASSERT_TRUE(thief);
  clock_.advance(61s);
  EXPECT_EQ(code_of(refresh(owner->refresh_token)), "invalid_refresh_token");
  expect_session_is_over(*thief);
}

TEST_P(RefreshTest, AThiefWithinTheMinuteSharesOneChainAndIsFoundOutAtItsNextUse) {
  auto owner = sign_up("ada@example.com");
  auto thief = refresh(owner->refresh_token);
  clock_.advance(30s);
  owner = refresh(owner->refresh_token);
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->refresh_token, thief->refresh_token);
  thief = refresh(thief->refresh_token);
  ASSERT_TRUE(thief);
  clock_.advance(601s);
  EXPECT_EQ(code_of(refresh(owner->refresh_token)), "invalid_refresh_token");
  expect_session_is_over(*thief);
}

TEST_P(RefreshTest, AThiefWhoIsLateIsFoundOut) {
  auto first = sign_up("ada@example.com");
  auto second = refresh(first->refresh_token);
  clock_.advance(11s);
  auto third = refresh(second->refresh_token);
  ASSERT_TRUE(third);
  EXPECT_EQ(code_of(refresh(first->refresh_token)), "invalid_refresh_token")
      << "within the minute, but its successor was used";
  expect_session_is_over(*third);
}

TEST_P(RefreshTest, EveryBadTokenGetsTheSameAnswer) {
  auto grant = sign_up("ada@example.com");
  auto unknown = refresh("bpr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  auto rubbish = refresh("x");
  clock_.advance(std::chrono::hours(24 * 31));
  auto expired = refresh(grant->refresh_token);
  for (auto* bad : {&unknown, &rubbish, &expired}) {
    ASSERT_FALSE(*bad);
    EXPECT_EQ(bad->error().code(), "invalid_refresh_token");
    EXPECT_EQ(bad->error().detail(), unknown.error().detail());
    EXPECT_EQ(bad->error().category(), Category::unauthenticated);
  }
}

TEST_P(RefreshTest, ASessionInUseDoesNotExpire) {
  auto grant = sign_up("ada@example.com");
  for (int i = 0; i < 4; ++i) {
    clock_.advance(std::chrono::hours(24 * 20));
    grant = refresh(grant->refresh_token);
    ASSERT_TRUE(grant);
  }
}

TEST_P(RefreshTest, ASealedSuccessorIsForgottenOnceItIsUsedOrTooOld) {
  auto first = sign_up("ada@example.com");
  EXPECT_EQ(sealed(), 0) << "the first token of a session is nobody's successor";
  auto second = refresh(first->refresh_token);
  EXPECT_EQ(sealed(), 1);
  EXPECT_EQ(count("sealed_token LIKE '%" + second->refresh_token.substr(4, 20) + "%'"), 0);
  auto third = refresh(second->refresh_token);
  EXPECT_EQ(sealed(), 1) << "of the newest alone";
  EXPECT_EQ(count("sealed_token IS NOT NULL AND used_at IS NOT NULL"), 0);

  clock_.advance(60s - 1us);
  ASSERT_TRUE(run(identity_->forget_sealed_tokens(*db_)));
  EXPECT_EQ(sealed(), 1) << "it may be asked for again";
  EXPECT_TRUE(refresh(second->refresh_token));
  clock_.advance(2us);
  ASSERT_TRUE(run(identity_->forget_sealed_tokens(*db_)));
  EXPECT_EQ(sealed(), 0);
  EXPECT_TRUE(refresh(third->refresh_token)) << "its owner has it";
}

TEST_P(RefreshTest, WithoutTheRightSealedSuccessorAUsedTokenEndsTheSession) {
  auto first = sign_up("ada@example.com");
  auto second = refresh(first->refresh_token);
  ASSERT_TRUE(run(db_->transact(&lose_what_is_sealed)));
  EXPECT_EQ(code_of(refresh(first->refresh_token)), "invalid_refresh_token");
  expect_session_is_over(*second);

  auto ada = log_in("ada@example.com");
  auto bob = sign_up("bob@example.com");
  ASSERT_TRUE(refresh(ada->refresh_token));
  ASSERT_TRUE(refresh(bob->refresh_token));
  ASSERT_TRUE(run(db_->transact(&swap_what_is_sealed)));
  EXPECT_EQ(refresh(ada->refresh_token).has_value() + refresh(bob->refresh_token).has_value(), 1)
      << "a row with another's sealed token gives it to nobody";
}

INSTANTIATE_TEST_SUITE_P(Engines, RefreshTest, testing::every_engine(), testing::engine_name);

}  // namespace
}  // namespace bedplate::identity
