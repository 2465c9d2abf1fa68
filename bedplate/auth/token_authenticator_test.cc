// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/token_authenticator.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/base/log.h"
#include "tests/kits/patience_kit.h"
#include "tests/kits/token_kit.h"

namespace bedplate::auth {
namespace {

using namespace fixture;
using std::chrono::seconds;

class TokenAuthenticatorTest : public ::testing::Test {
 protected:
  TokenAuthenticatorTest() { put_into(ring_, key_); }

  std::string token(const TokenClaims& claims) { return sign_token(key_, policy_, claims); }
  std::string code_of(std::string_view bearer, Time now = kNow) {
    auto who = authenticator_.authenticate({.bearer = bearer}, now);
    return who ? "good" : who.error().code();
  }

  SigningKey key_ = rfc_key();
  KeyRing ring_;
  Revocations revocations_;
  TokenPolicy policy_;
  TokenAuthenticator authenticator_{ring_, revocations_, policy_, 64};
};

TEST_F(TokenAuthenticatorTest, SaysWhoBearsIt) {
  TokenClaims claims = good_claims();
  auto who = authenticator_.authenticate({.bearer = token(claims)}, kNow);
  ASSERT_TRUE(who);
  EXPECT_EQ((*who)->user, claims.user);
  EXPECT_EQ((*who)->session, claims.session);
  EXPECT_TRUE((*who)->has_scope("account"));
  EXPECT_FALSE((*who)->has_scope("admin"));
  EXPECT_TRUE((*who)->has_role("user"));
}

TEST_F(TokenAuthenticatorTest, ChecksASignatureOnce) {
  std::string bearer = token(good_claims());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(code_of(bearer), "good");
  EXPECT_EQ(authenticator_.verifications(), 1u);
}

TEST_F(TokenAuthenticatorTest, ACachedTokenExpires) {
  std::string bearer = token(good_claims(seconds(10)));
  EXPECT_EQ(code_of(bearer, kNow + seconds(9)), "good");
  EXPECT_EQ(code_of(bearer, kNow + seconds(10)), "expired_token");
  EXPECT_EQ(code_of(bearer, kNow + seconds(10)), "expired_token");
}

TEST_F(TokenAuthenticatorTest, ARevokedSessionIsRefusedAtOnce) {
  TokenClaims claims = good_claims();
  TokenClaims others = good_claims();
  std::string bearer = token(claims);
  std::string other = token(others);
  EXPECT_EQ(code_of(bearer), "good");
  EXPECT_EQ(code_of(other), "good");
  revocations_.revoke_session(claims.session, claims.expires_at, kNow);
  EXPECT_EQ(code_of(bearer), "token_revoked");
  EXPECT_EQ(code_of(other), "good");
  EXPECT_EQ(authenticator_.verifications(), 2u);  // looked at again, not verified again
  EXPECT_EQ(code_of(bearer), "token_revoked");
}

TEST_F(TokenAuthenticatorTest, NoTokenIsTakenWhileRevocationsAreUnknown) {
  std::string seen = token(good_claims());
  std::string fresh = token(good_claims());
  EXPECT_EQ(code_of(seen), "good");
  revocations_.mark_stale();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(code_of(seen), "revocations_unknown");
    EXPECT_EQ(code_of(fresh), "revocations_unknown");
  }
  EXPECT_EQ(code_of("nonsense"), "invalid_token") << "what is bad in itself is said to be";
  revocations_.mark_current();
  EXPECT_EQ(code_of(seen), "good");
  EXPECT_EQ(code_of(fresh), "good");
}

/// What is logged while it lives.
class Log {
 public:
  Log() : file_(memfd_create("log", MFD_CLOEXEC)), before_(set_log_output(file_)) {}
  ~Log() {
    set_log_output(before_);
    close(file_);
  }
  std::string text() const {
    char bytes[4096];
    const ssize_t size = pread(file_, bytes, sizeof bytes, 0);
    return {bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

 private:
  int file_;
  int before_;
};

TEST_F(TokenAuthenticatorTest, AClockThatIsBehindIsLoggedOnceAMinute) {
  const std::string bearer = token(good_claims());
  const Log log;
  EXPECT_EQ(code_of(bearer, kNow - seconds(5)), "good");
  EXPECT_EQ(log.text(), "");
  TokenAuthenticator behind(ring_, revocations_, policy_, 64);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(behind.authenticate({.bearer = bearer}, kNow - seconds(20 + i)).error().code(),
              "token_not_yet_valid");
  const std::string once = log.text();
  EXPECT_NE(once.find("the clocks differ"), std::string::npos) << once;
  EXPECT_EQ(std::count(once.begin(), once.end(), '\n'), 1);
  EXPECT_FALSE(behind.authenticate({.bearer = bearer}, kNow - seconds(90)));
  const std::string twice = log.text();
  EXPECT_EQ(std::count(twice.begin(), twice.end(), '\n'), 2);
}

TEST_F(TokenAuthenticatorTest, AnOlderGenerationIsRefused) {
  TokenClaims old = good_claims();
  TokenClaims fresh = old;
  fresh.generation = old.generation + 1;
  std::string old_token = token(old);
  EXPECT_EQ(code_of(old_token), "good");
  revocations_.revoke_user(old.user, fresh.generation, old.expires_at, kNow);
  EXPECT_EQ(code_of(old_token), "token_revoked");
  EXPECT_EQ(code_of(token(fresh)), "good");
  EXPECT_EQ(code_of(token(old)), "token_revoked") << "nor if it was never seen before";
}

TEST_F(TokenAuthenticatorTest, AKeyThatLeftTheRingTakesItsTokensAlong) {
  std::string bearer = token(good_claims());
  EXPECT_EQ(code_of(bearer), "good");
  ASSERT_TRUE(ring_.replace({RingKey{SigningKey::generate(), Time{}, Time::max()}}));
  revocations_.bump();
  EXPECT_EQ(code_of(bearer), "invalid_token");
}

TEST_F(TokenAuthenticatorTest, BadTokensPushNothingOut) {
  std::vector<std::string> good;
  for (int i = 0; i < 8; ++i) good.push_back(token(good_claims()));
  for (const std::string& bearer : good) ASSERT_EQ(code_of(bearer), "good");
  const std::uint64_t before = authenticator_.verifications();
  SigningKey stranger = SigningKey::generate();
  for (int i = 0; i < 500; ++i) {
    std::string forged = token_of(stranger, good_header(key_), std::to_string(i));
    ASSERT_EQ(code_of(forged), "invalid_token");
  }
  for (const std::string& bearer : good) ASSERT_EQ(code_of(bearer), "good");
  EXPECT_EQ(authenticator_.verifications(), before + 500);
}

TEST_F(TokenAuthenticatorTest, MoreTokensThanPlacesStillWork) {
  std::vector<std::string> many;
  for (int i = 0; i < 500; ++i) many.push_back(token(good_claims()));
  for (int round = 0; round < 2; ++round)
    for (const std::string& bearer : many) ASSERT_EQ(code_of(bearer), "good");
}

TEST_F(TokenAuthenticatorTest, APrincipalOutlivesItsPlace) {
  TokenClaims claims = good_claims();
  PrincipalRef held = *authenticator_.authenticate({.bearer = token(claims)}, kNow);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(code_of(token(good_claims())), "good");
  EXPECT_EQ(held->user, claims.user);
}

TEST_F(TokenAuthenticatorTest, AuthenticatorsDoNotShareACache) {
  std::string bearer = token(good_claims());
  EXPECT_EQ(code_of(bearer), "good");
  KeyRing empty;
  for (int i = 0; i < 3; ++i) {
    TokenAuthenticator other(empty, revocations_, policy_, 64);  // likely at the same address each time
    EXPECT_FALSE(other.authenticate({.bearer = bearer}, kNow));
    EXPECT_EQ(code_of(bearer), "good");
  }
}

// Under ThreadSanitizer this is the test of the epoch: once revoke_session() has returned, no thread lets it
// pass.
TEST_F(TokenAuthenticatorTest, EveryThreadSeesARevocationAtOnce) {
  TokenClaims claims = good_claims();
  const std::string bearer = token(claims);
  std::atomic<bool> revoked = false;
  std::atomic<bool> stop = false;
  std::atomic<int> warm = 0;
  std::atomic<int> passed_after = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      bool counted = false;
      while (!stop) {
        const bool must_fail = revoked;
        const bool good = authenticator_.authenticate({.bearer = bearer}, kNow).has_value();
        if (must_fail && good) ++passed_after;
        if (!counted && good) counted = true, ++warm;
        if (must_fail) break;
      }
    });
  }
  EXPECT_TRUE(testing::wait_until([&] { return warm == 3; }));
  for (int i = 0; i < 1000; ++i) revocations_.revoke_session(new_id<SessionId>(), claims.expires_at, kNow);
  revocations_.revoke_session(claims.session, claims.expires_at, kNow);
  revoked = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed_after, 0);
}

}  // namespace
}  // namespace bedplate::auth
