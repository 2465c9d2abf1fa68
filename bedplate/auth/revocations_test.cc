// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/revocations.h"

#include <gtest/gtest.h>

namespace bedplate::auth {
namespace {

using std::chrono::seconds;

constexpr Time kNow{seconds(1'800'000'000)};

Principal bearer(Time issued_at = kNow) {
  Principal principal;
  principal.user = new_id<UserId>();
  principal.session = new_id<SessionId>();
  principal.generation = 5;
  principal.issued_at = issued_at;
  principal.expires_at = issued_at + seconds(600);
  return principal;
}

TEST(Revocations, TheEpochMovesOnlyForNews) {
  Revocations revocations;
  Principal who = bearer();
  const std::uint64_t start = revocations.epoch();
  revocations.revoke_session(who.session, kNow + seconds(600), kNow);
  const std::uint64_t after = revocations.epoch();
  EXPECT_GT(after, start);
  revocations.revoke_session(who.session, kNow + seconds(600), kNow);  // read a second time from the table
  EXPECT_EQ(revocations.epoch(), after);
  revocations.revoke_user(who.user, 6, kNow + seconds(600), kNow);
  revocations.revoke_user(who.user, 4, kNow + seconds(600), kNow);
  EXPECT_EQ(revocations.epoch(), after + 1);
  EXPECT_TRUE(revocations.revoked(who));
}

TEST(Revocations, WhatHasRunOutIsNotTaken) {
  Revocations revocations;
  Principal who = bearer();
  revocations.revoke_session(who.session, kNow, kNow);
  EXPECT_EQ(revocations.size(), 0u);
}

TEST(Revocations, MakesRoomByForgettingWhatHasRunOut) {
  Revocations revocations(100);
  for (int i = 0; i < 99; ++i) revocations.revoke_session(new_id<SessionId>(), kNow + seconds(10), kNow);
  Principal who = bearer();
  revocations.revoke_session(who.session, kNow + seconds(600), kNow);
  revocations.revoke_session(new_id<SessionId>(), kNow + seconds(600), kNow + seconds(10));
  EXPECT_EQ(revocations.size(), 2u);
  EXPECT_TRUE(revocations.revoked(who));
  EXPECT_FALSE(revocations.revoked(bearer()));
}

TEST(Revocations, PastTheBoundEveryOlderTokenIsRefused) {
  Revocations revocations(100);
  Principal first = bearer();
  Principal bystander = bearer();
  revocations.revoke_session(first.session, kNow + seconds(600), kNow);
  for (int i = 0; i < 1000; ++i) revocations.revoke_session(new_id<SessionId>(), kNow + seconds(600), kNow);
  EXPECT_LE(revocations.size(), 100u);
  EXPECT_TRUE(revocations.revoked(first));
  EXPECT_TRUE(revocations.revoked(bystander));  // refreshes, and goes on
  EXPECT_FALSE(revocations.revoked(bearer(kNow + seconds(1))));
}

}  // namespace
}  // namespace bedplate::auth
