// SPDX-License-Identifier: Apache-2.0
// Accounts and sessions, as a client sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "server.h"

namespace bedplate::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refresh_body(const std::string& token) {
  return R"({"refresh_token":")" + token + R"("})";
}

void expect_problem(const HttpResponse& response, int status, const std::string& code) {
  EXPECT_EQ(response.status, status) << response.body;
  EXPECT_EQ(response.field("Content-Type"), "application/problem+json") << response.body;
  EXPECT_EQ(Json::parse(response.body)["code"].text(), code);
}

class Auth : public ::testing::Test {
 protected:
  HttpResponse log_in(std::string_view email = "ada@example.com", std::string_view password = kPassword) {
    return http_.post("/v1/auth/login", credentials(email, password));
  }
  HttpResponse refresh(const std::string& token) {
    return http_.post("/v1/auth/refresh", refresh_body(token));
  }
  int status_of(const Tokens& tokens) { return http_.get("/v1/me", bearer(tokens.access)).status; }

  TempDir directory_;
  Server server_{directory_.path()};
  HttpConnection http_{server_.url()};
};

void expect_grant(const HttpResponse& response, int status) {
  EXPECT_EQ(response.status, status) << response.body;
  const Json grant = Json::parse(response.body);
  EXPECT_THAT(grant.names(),
              ElementsAre("user", "access_token", "refresh_token", "token_type", "expires_in"));
  EXPECT_EQ(grant["token_type"].text(), "Bearer");
  EXPECT_EQ(grant["expires_in"].number(), 600);
  EXPECT_EQ(grant["user"]["email"].text(), "ada@example.com");
  EXPECT_TRUE(grant["user"]["id"].is_text());
  EXPECT_FALSE(grant["user"].has("password"));
  EXPECT_EQ(response.field("Cache-Control"), "no-store");
}

TEST_F(Auth, SignUpLogInRefreshAndMe) {
  const HttpResponse made = http_.post(
      "/v1/auth/signup",
      R"({"email":"ada@example.com","password":"correct horse battery staple","name":"Ada Lovelace"})");
  expect_grant(made, 201);
  EXPECT_EQ(Json::parse(made.body)["user"]["name"].text(), "Ada Lovelace");
  expect_grant(log_in(), 200);
  expect_grant(log_in("ADA@Example.com"), 200);
  expect_grant(refresh(tokens_in(made).refresh), 200);
  const HttpResponse me = http_.get("/v1/me", bearer(tokens_in(made).access));
  EXPECT_EQ(me.status, 200);
  EXPECT_THAT(Json::parse(me.body).names(),
              ElementsAre("id", "email", "name", "roles", "created_at", "updated_at"));
}

TEST_F(Auth, SignUpRefusesATakenAddressAndBadInput) {
  User ada(server_, "ada@example.com");
  expect_problem(http_.post("/v1/auth/signup", credentials("Ada@example.com")), 409, "email_taken");
  const HttpResponse bad = http_.post("/v1/auth/signup", R"({"email":"nobody","password":"sh0rt","x":1})");
  expect_problem(bad, 422, "validation_failed");
  std::vector<std::string> pointers;
  const Json problem = Json::parse(bad.body);
  for (const Json& fault : problem["errors"].items()) pointers.push_back(fault["pointer"].text());
  EXPECT_THAT(pointers, ::testing::UnorderedElementsAre("/email", "/password", "/x"));
  EXPECT_THAT(bad.body, ::testing::Not(HasSubstr("sh0rt"))) << "a secret is never echoed";
}

TEST_F(Auth, AWrongPasswordAndAnUnknownAddressAreAlike) {
  User ada(server_, "ada@example.com");
  const HttpResponse wrong = log_in("ada@example.com", "wrong password");
  const HttpResponse unknown = log_in("nobody@example.com", "wrong password");
  expect_problem(wrong, 401, "invalid_credentials");
  expect_problem(unknown, 401, "invalid_credentials");
  EXPECT_EQ(Json::parse(wrong.body)["detail"].text(), Json::parse(unknown.body)["detail"].text());
  EXPECT_EQ(wrong.fields.size(), unknown.fields.size());
}

TEST_F(Auth, ALostRefreshIsAnsweredAgainAndLaterReuseEndsTheFamily) {
  User ada(server_, "ada@example.com");
  const Tokens other = tokens_in(log_in());
  const Tokens first = ada.tokens();
  const Tokens second = tokens_in(refresh(first.refresh));
  EXPECT_NE(second.refresh, first.refresh);
  EXPECT_EQ(tokens_in(refresh(first.refresh)).refresh, second.refresh);
  EXPECT_EQ(status_of(second), 200);
  DatabaseFile(directory_ / "bedplate.db")
      .run("UPDATE identity_refresh_tokens SET used_at = used_at - 60000000");
  expect_problem(refresh(first.refresh), 401, "invalid_refresh_token");
  expect_problem(refresh(second.refresh), 401, "invalid_refresh_token");
  EXPECT_EQ(status_of(second), 401) << "access tokens of the family end at once";
  EXPECT_EQ(status_of(first), 401);
  EXPECT_EQ(status_of(other), 200) << "another session of the user goes on";
  EXPECT_EQ(refresh(other.refresh).status, 200);
  expect_problem(refresh("nonsense"), 401, "invalid_refresh_token");
}

TEST_F(Auth, LogOutEndsThisSession) {
  User ada(server_, "ada@example.com");
  const Tokens other = tokens_in(log_in());
  const HttpResponse out = ada.call("POST", "/v1/auth/logout");
  EXPECT_EQ(out.status, 204);
  EXPECT_EQ(out.body, "");
  expect_problem(ada.call("GET", "/v1/me"), 401, "token_revoked");
  EXPECT_EQ(refresh(ada.tokens().refresh).status, 401);
  EXPECT_EQ(status_of(other), 200);
}

TEST_F(Auth, SessionsAreListedAndEnded) {
  User ada(server_, "ada@example.com");
  const Tokens second = tokens_in(log_in()), third = tokens_in(log_in());
  Json list = Json::parse(ada.call("GET", "/v1/me/sessions").body);
  ASSERT_EQ(list["data"].size(), 3u);
  std::string another;
  int current = 0;
  for (const Json& session : list["data"].items()) {
    EXPECT_THAT(session.names(), ElementsAre("id", "current", "address", "user_agent", "created_at",
                                             "last_used_at", "expires_at"));
    EXPECT_EQ(session["address"].text(), "127.0.0.1");
    if (session["current"].boolean())
      ++current;
    else
      another = session["id"].text();
  }
  EXPECT_EQ(current, 1);
  User grace(server_, "grace@example.com");
  EXPECT_EQ(grace.call("DELETE", "/v1/me/sessions/" + another).status, 404) << "another's session";
  EXPECT_EQ(ada.call("DELETE", "/v1/me/sessions/" + another).status, 204);
  EXPECT_EQ(ada.call("DELETE", "/v1/me/sessions/" + another).status, 404);
  EXPECT_EQ((status_of(second) == 200) + (status_of(third) == 200), 1);
  EXPECT_EQ(ada.call("DELETE", "/v1/me/sessions").status, 204);
  EXPECT_EQ(status_of(second), 401);
  EXPECT_EQ(status_of(third), 401);
  EXPECT_EQ(ada.call("GET", "/v1/me").status, 200);
}

TEST_F(Auth, ChangingThePasswordEndsTheOtherSessions) {
  User ada(server_, "ada@example.com");
  const Tokens other = tokens_in(log_in());
  expect_problem(ada.call("POST", "/v1/me/password",
                          R"({"current_password":"no","new_password":"a new one, much longer"})"),
                 403, "wrong_password");
  EXPECT_EQ(
      ada.call("POST", "/v1/me/password",
               R"({"current_password":"correct horse battery staple","new_password":"a new one, longer"})")
          .status,
      204);
  EXPECT_EQ(status_of(other), 401);
  EXPECT_EQ(refresh(other.refresh).status, 401);
  EXPECT_EQ(log_in().status, 401);
  EXPECT_EQ(log_in("ada@example.com", "a new one, longer").status, 200);
  const HttpResponse renewed = refresh(ada.tokens().refresh);
  EXPECT_EQ(renewed.status, 200) << "this session goes on";
}

TEST_F(Auth, UsersDeleteTheirOwnAccount) {
  User ada(server_, "ada@example.com");
  ada.create("Soon gone");
  expect_problem(ada.call("POST", "/v1/me/delete", R"({"password":"no"})"), 403, "wrong_password");
  EXPECT_EQ(ada.call("POST", "/v1/me/delete", R"({"password":"correct horse battery staple"})").status, 204);
  EXPECT_EQ(ada.call("GET", "/v1/me").status, 401);
  EXPECT_EQ(log_in().status, 401);
  EXPECT_EQ(DatabaseFile(directory_ / "bedplate.db").count("SELECT count(*) FROM tasks"), 0);
  EXPECT_EQ(http_.post("/v1/auth/signup", credentials("ada@example.com")).status, 201)
      << "the address is free";
}

// Five guesses are free; before each further one the wait doubles, from a second on. On a slow machine some of these
// waits pass while it works, and then one more guess is right.
TEST_F(Auth, GuessingIsSlowedDownAlsoWithoutRateLimits) {
  using std::chrono::seconds;
  using std::chrono::steady_clock;
  User ada(server_, "ada@example.com");
  steady_clock::time_point waits_until;  // at least
  for (const char* email : {"nobody@example.com", "ada@example.com"}) {
    HttpResponse answer;
    for (int guess = 1;; ++guess) {
      const steady_clock::time_point began = steady_clock::now();
      answer = log_in(email, "wrong password");
      if (answer.status != 401) {
        EXPECT_GT(guess, 5) << email;
        break;
      }
      if (guess > 5) {
        EXPECT_GE(steady_clock::now(), waits_until) << email << " " << guess;
      }
      ASSERT_LT(guess, 10);
      waits_until = began + seconds{1 << std::max(guess - 5, 0)};
    }
    expect_problem(answer, 429, "too_many_attempts");
    EXPECT_GE(std::atoi(answer.field("Retry-After").c_str()), 1);
  }
  const int right = log_in().status;
  if (steady_clock::now() < waits_until) {
    EXPECT_EQ(right, 429) << "the right password waits too";
  }
  EXPECT_EQ(ada.call("GET", "/v1/me").status, 200) << "who is in stays in";
}

TEST_F(Auth, TokensThatAreNotOurs) {
  User ada(server_, "ada@example.com");
  expect_problem(http_.get("/v1/me"), 401, "token_required");
  std::string bent = ada.tokens().access;
  bent[bent.size() - 10] = bent[bent.size() - 10] == 'A' ? 'B' : 'A';
  for (const std::string& token :
       {bent, std::string("x"), ada.tokens().refresh, std::string("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.")}) {
    const HttpResponse refused = http_.get("/v1/me", bearer(token));
    expect_problem(refused, 401, "invalid_token");
    EXPECT_THAT(refused.field("WWW-Authenticate"), HasSubstr("Bearer"));
  }
  expect_problem(http_.get("/v1/me", {{"Authorization", "Basic YTpi"}}), 401, "invalid_token");
}

TEST_F(Auth, TheKeysOfTokensArePublicAndOutliveARestart) {
  User ada(server_, "ada@example.com");
  const HttpResponse keys = http_.get("/.well-known/jwks.json");
  EXPECT_EQ(keys.status, 200);
  const Json set = Json::parse(keys.body);
  ASSERT_GE(set["keys"].size(), 1u);
  EXPECT_EQ(set["keys"][0]["kty"].text(), "OKP");
  EXPECT_EQ(set["keys"][0]["crv"].text(), "Ed25519");
  EXPECT_FALSE(set["keys"][0].has("d"));
  ASSERT_EQ(server_.terminate().status, 0);
  Server again(directory_.path());
  User back(again, "ada@example.com", ada.tokens());
  EXPECT_EQ(back.call("GET", "/v1/me").status, 200);
}

TEST(Scopes, WhatATokenDoesNotAllowIs403) {
  TempDir directory;
  Server server(directory.path(),
                {.listen = "127.0.0.1:0", .settings = {"identity.user_scopes=account, tasks:read"}});
  User ada(server, "ada@example.com");
  EXPECT_EQ(ada.call("GET", "/v1/tasks").status, 200);
  const HttpResponse refused = ada.call("POST", "/v1/tasks", R"({"title":"x"})");
  expect_problem(refused, 403, "scope_missing");
  EXPECT_THAT(refused.field("WWW-Authenticate"), HasSubstr("scope=\"tasks:write\""));
}

}  // namespace
}  // namespace bedplate::e2e
