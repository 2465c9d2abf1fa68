// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/token.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/auth/jwks.h"
#include "bedplate/describe/json/json.h"
#include "tests/kits/token_kit.h"

namespace bedplate::auth {
namespace {

using namespace fixture;
using std::chrono::seconds;

constexpr std::string_view kPayload =
    R"({"iss":"bedplate","aud":"bedplate","sub":"01890000-0000-7000-8000-000000000001",)"
    R"("sid":"01890000-0000-7000-8000-000000000002","jti":"01890000-0000-7000-8000-000000000003",)"
    R"("iat":1800000000,"nbf":1800000000,"exp":1800000600,"scope":"tasks:read account","roles":["user"],"gen":1})";

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string copy(text);
  std::size_t at = copy.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return copy.replace(at, from.size(), to);
}

class TokenTest : public testing::Test {
 protected:
  TokenTest() { put_into(ring_, key_); }

  std::string code_of(std::string_view token, Time now = kNow) {
    auto claims = verify_token(token, ring_, policy_, now);
    return claims ? "good" : claims.error().code();
  }
  std::string code_of_header(std::string_view header) { return code_of(token_of(key_, header, kPayload)); }
  std::string code_of_payload(std::string_view payload) {
    return code_of(token_of(key_, good_header(key_), payload));
  }

  SigningKey key_ = rfc_key();
  KeyRing ring_;
  TokenPolicy policy_;
};

TEST_F(TokenTest, SignsAsRfc8037Does) {
  EXPECT_EQ(key_.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");  // appendix A.3
  EXPECT_EQ(signed_with(key_, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"),
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");  // A.4
}

TEST_F(TokenTest, ReadsWhatItSigned) {
  TokenClaims claims = good_claims();
  auto read = verify_token(sign_token(key_, policy_, claims), ring_, policy_, kNow);
  ASSERT_TRUE(read) << read.error().code();
  EXPECT_EQ(read->user, claims.user);
  EXPECT_EQ(read->session, claims.session);
  EXPECT_EQ(read->id, claims.id);
  EXPECT_EQ(read->roles, claims.roles);
  EXPECT_EQ(read->scopes, claims.scopes);
  EXPECT_EQ(read->generation, 3);
  EXPECT_EQ(read->issued_at, claims.issued_at);
  EXPECT_EQ(read->expires_at, claims.expires_at);
  EXPECT_EQ(read->kid, key_.kid());
}

TEST_F(TokenTest, NamesTheTenantOrNone) {
  TokenClaims claims = good_claims();
  EXPECT_FALSE(verify_token(sign_token(key_, policy_, claims), ring_, policy_, kNow)->tenant);
  claims.tenant = new_uuid();
  EXPECT_EQ(verify_token(sign_token(key_, policy_, claims), ring_, policy_, kNow)->tenant, claims.tenant);
  EXPECT_EQ(code_of_payload(replaced(kPayload, R"("gen":1)", R"("gen":1,"tid":"nobody")")), "invalid_token");
}

TEST_F(TokenTest, NoScopesAndNoRolesAreFine) {
  TokenClaims claims = good_claims();
  claims.scopes.clear();
  claims.roles.clear();
  auto read = verify_token(sign_token(key_, policy_, claims), ring_, policy_, kNow);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->scopes.empty());
}

TEST_F(TokenTest, TheHeaderIsComparedNotBelieved) {
  ASSERT_EQ(code_of_header(good_header(key_)), "good");
  const std::string kid = R"("kid":")" + key_.kid() + "\"";
  const std::vector<std::string> bad = {
      R"({"alg":"none","typ":"at+jwt",)" + kid + "}",
      R"({"alg":"HS256","typ":"at+jwt",)" + kid + "}",
      R"({"alg":"eddsa","typ":"at+jwt",)" + kid + "}",
      R"({"alg":"EdDSA","typ":"JWT",)" + kid + "}",
      R"({"alg":"EdDSA",)" + kid + "}",
      R"({"typ":"at+jwt",)" + kid + "}",
      R"({"alg":"EdDSA","typ":"at+jwt"})",
      R"({"alg":"EdDSA","typ":"at+jwt","kid":"another"})",
      R"({"alg":"EdDSA","typ":"at+jwt","kid":null})",
      R"({"alg":"none","alg":"EdDSA","typ":"at+jwt",)" + kid + "}",
      R"({"alg":"EdDSA","alg":"EdDSA","typ":"at+jwt",)" + kid + "}",
      R"({"alg":"EdDSA","typ":"at+jwt","crit":["exp"],)" + kid + "}",
      R"({"alg":"EdDSA","typ":"at+jwt","jwk":{"kty":"OKP"},)" + kid + "}",
      R"(["EdDSA"])",
      R"({"alg":"EdDSA","typ":"at+jwt",)" + kid,
      "",
  };
  for (const std::string& header : bad) EXPECT_EQ(code_of_header(header), "invalid_token") << header;
}

TEST_F(TokenTest, EveryClaimIsAskedFor) {
  ASSERT_EQ(code_of_payload(kPayload), "good");
  const std::pair<std::string_view, std::string_view> bad[] = {
      {R"("iss":"bedplate",)", ""},
      {R"("iss":"bedplate")", R"("iss":"other")"},
      {R"("iss":"bedplate")", R"("iss":"bedplate","iss":"bedplate")"},
      {R"("aud":"bedplate",)", ""},
      {R"("aud":"bedplate")", R"("aud":"other")"},
      {R"("aud":"bedplate")", R"("aud":["bedplate"])"},
      {R"("sub":"01890000-0000-7000-8000-000000000001",)", ""},
      {"01890000-0000-7000-8000-000000000001", "1"},
      {R"("sid":"01890000-0000-7000-8000-000000000002",)", ""},
      {R"("jti":"01890000-0000-7000-8000-000000000003",)", ""},
      {R"("iat":1800000000,)", ""},
      {R"("nbf":1800000000,)", ""},
      {R"("exp":1800000600,)", ""},
      {R"("exp":1800000600)", R"("exp":"1800000600")"},
      {R"("exp":1800000600)", R"("exp":1800000600.5)"},
      {R"("exp":1800000600)", R"("exp":1e300)"},
      {R"("exp":1800000600)", R"("exp":9223372036854775807)"},
      {R"("exp":1800000600)", R"("exp":-1)"},
      {R"("exp":1800000600)", R"("exp":1800000600,"exp":1900000000)"},
      {R"("scope":"tasks:read account",)", ""},
      {"tasks:read account", "tasks:read  account"},
      {"tasks:read account", " account"},
      {"tasks:read account", "account "},
      {R"("roles":["user"],)", ""},
      {R"(,"gen":1)", ""},
      {"}", ""},
  };
  for (auto [from, to] : bad) {
    std::string payload = replaced(kPayload, from, to);
    EXPECT_EQ(code_of_payload(payload), "invalid_token") << payload;
  }
}

TEST_F(TokenTest, AClaimOfANewerReplicaIsIgnored) {
  EXPECT_EQ(code_of_payload(replaced(kPayload, "}", R"(,"act":{"sub":"x"}})")), "good");
}

TEST_F(TokenTest, TimeRunsOutToTheSecond) {
  std::string token = sign_token(key_, policy_, good_claims(seconds(600)));
  EXPECT_EQ(code_of(token, kNow + seconds(600) - std::chrono::microseconds(1)), "good");
  EXPECT_EQ(code_of(token, kNow + seconds(600)), "expired_token");
  EXPECT_EQ(code_of(token, kNow - seconds(5)), "good");  // another machine's clock
  EXPECT_EQ(code_of(token, kNow - seconds(6)), "token_not_yet_valid");
}

TEST_F(TokenTest, WhatIsRefusedForItsTimeNamesTheClock) {
  const std::string token = sign_token(key_, policy_, good_claims(seconds(600)));
  EXPECT_EQ(verify_token(token, ring_, policy_, kNow + seconds(612)).error().detail(),
            "The access token expired 12 s ago by this server's clock. Refresh it.");
  EXPECT_EQ(verify_token(token, ring_, policy_, kNow - seconds(20)).error().detail(),
            "The access token is valid only in 20 s by this server's clock: it differs from the clock of the "
            "server that issued the token.");
  for (std::string_view claim : {"iat", "nbf"}) {
    const std::string name = "\"" + std::string(claim) + "\":";
    EXPECT_EQ(code_of_payload(replaced(kPayload, name + "1800000000", name + "1800000006")),
              "token_not_yet_valid")
        << "one of them is enough: " << claim;
  }
  std::string forged = token;
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(code_of(forged, kNow + seconds(612)), "invalid_token")
      << "says nothing about one that is not ours";
}

TEST_F(TokenTest, NothingButTheWholeTokenIsGood) {
  const std::string good = sign_token(key_, policy_, good_claims());
  ASSERT_EQ(code_of(good), "good");
  for (std::size_t size = 0; size < good.size(); ++size)
    ASSERT_EQ(code_of(std::string_view(good).substr(0, size)), "invalid_token") << size;
  for (std::string bad :
       {good + "=", good + "A", good + ".", "." + good, " " + good, good + "\n", std::string(4097, 'a')})
    EXPECT_EQ(code_of(bad), "invalid_token") << bad;
}

TEST_F(TokenTest, EveryChangedCharacterIsNoticed) {
  const std::string good = sign_token(key_, policy_, good_claims());
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = good[i] == '.' ? 'A' : kAlphabet[(kAlphabet.find(good[i]) + 1) % kAlphabet.size()];
    ASSERT_EQ(code_of(bad), "invalid_token") << "character " << i;  // the last one: only stray bits differ
  }
}

TEST_F(TokenTest, AnotherKeyUnderAKnownNameIsNoticed) {
  SigningKey other = SigningKey::generate();
  EXPECT_EQ(code_of(token_of(other, good_header(key_), kPayload)), "invalid_token");
  EXPECT_EQ(code_of(token_of(other, good_header(other), kPayload)), "invalid_token");
}

TEST_F(TokenTest, KeysRotate) {
  SigningKey next = SigningKey::generate();
  const Time switch_at = kNow + seconds(100);
  ring_.replace({RingKey{key_, Time{}, switch_at + seconds(600)}, RingKey{next, switch_at, Time::max()}});
  EXPECT_EQ(ring_.signing_key(kNow)->kid(), key_.kid());
  EXPECT_EQ(ring_.signing_key(switch_at)->kid(), next.kid());
  EXPECT_EQ(ring_.published(kNow).size(), 2u);

  std::string old = sign_token(key_, policy_, good_claims(seconds(3600)));
  EXPECT_EQ(code_of(old, switch_at + seconds(599)), "good");
  EXPECT_EQ(code_of(old, switch_at + seconds(600)), "invalid_token");
  EXPECT_EQ(ring_.published(switch_at + seconds(600)).size(), 1u);

  EXPECT_FALSE(ring_.replace({RingKey{key_, Time{}, Time::max()}, RingKey{next, switch_at, Time::max()}}));
  EXPECT_TRUE(ring_.replace({RingKey{next, switch_at, Time::max()}}));
  EXPECT_EQ(code_of(old), "invalid_token");
}

TEST_F(TokenTest, AnEmptyRingSignsAndVerifiesNothing) {
  KeyRing empty;
  EXPECT_EQ(empty.signing_key(kNow), nullptr);
  EXPECT_FALSE(verify_token(sign_token(key_, policy_, good_claims()), empty, policy_, kNow));
}

TEST_F(TokenTest, JwksIsThatOfRfc8037) {
  std::string json = to_json(jwk_set(ring_, kNow));
  EXPECT_EQ(json, R"({"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA",)"
                  R"("kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",)"
                  R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
}

}  // namespace
}  // namespace bedplate::auth
