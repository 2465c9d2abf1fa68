// SPDX-License-Identifier: Apache-2.0
// Identity as clients meet it: over real sockets, through the whole chain.
#include "services/identity/api.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/base/text.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/testing/http.h"
#include "bedplate/testing/test_app.h"
#include "identity_migrations.h"
#include "services/identity/service.h"
#include "tests/kits/database_kit.h"

namespace bedplate::identity {
namespace {

using testing::HttpConnection;
using testing::HttpFields;
using testing::HttpResponse;

/// The parts of a Grant and of a problem that a client looks at.
struct Answer {
  std::string code;
  std::string access_token;
  std::string refresh_token;
  std::string token_type;
  std::int64_t expires_in = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Answer>("What a client looks at", {
                                                        field<&Answer::code>(optional_with_default),
                                                        field<&Answer::access_token>(optional_with_default),
                                                        field<&Answer::refresh_token>(optional_with_default),
                                                        field<&Answer::token_type>(optional_with_default),
                                                        field<&Answer::expires_in>(optional_with_default),
                                                    });
  }
};

std::string refresh_body(const std::string& token) {
  return R"({"refresh_token":")" + token + "\"}";
}

/// Clients on connections of their own that all do `ask` at the same time, and what each of them got.
template <class Ask>
std::vector<std::vector<HttpResponse>> at_once(int clients, const std::string& url, Ask ask) {
  std::vector<std::vector<HttpResponse>> answers(static_cast<std::size_t>(clients));
  std::latch all_there(clients);
  std::vector<std::jthread> threads;
  for (std::vector<HttpResponse>& mine : answers)
    threads.emplace_back([&] {
      HttpConnection http(url);
      all_there.arrive_and_wait();
      mine = ask(http);
    });
  threads.clear();
  return answers;
}

class IdentityApiTest : public testing::EngineTest {
 protected:
  explicit IdentityApiTest(const char* isolation = "serializable")
      : app_([this](app::Application& application) { build(application); },
             {{"database.url", database_url()}, {"database.postgresql.isolation", isolation}}),
        http_(app_.url()) {}

  void build(app::Application& application) {
    application.migrations("identity", identity_migrations());
    application.wire([this](app::Host& host) -> Result<void> {
      auto& identity = host.make<Identity>(settings_, auth::SealingKey::generate(), host.clock(),
                                           auth::PasswordCost::worthless_for_tests());
      host.authenticate_with(identity.authenticator());
      host.on_start([&] { return host.wait_for(identity.start(host.database())); });
      host.serve(identity_api(identity));
      return {};
    });
  }

  static Answer read(const HttpResponse& response) {
    JsonLimits limits;
    limits.ignore_unknown_fields = true;
    auto answer = from_json<Answer>(response.body, limits);
    EXPECT_TRUE(answer) << response.body;
    return answer ? std::move(*answer) : Answer();
  }
  static HttpFields bearer(const Answer& grant) {
    return {{"Authorization", "Bearer " + grant.access_token}};
  }

  Answer sign_up() {
    HttpResponse made =
        http_.post("/v1/auth/signup", R"({"email":"ada@example.com","password":"correct horse battery"})");
    EXPECT_EQ(made.status, 201) << made.body;
    return read(made);
  }

  /// Each count of clients in turn sends the newest token at the same time.
  void refresh_at_once(std::initializer_list<int> counts) {
    Answer newest = sign_up();
    for (int clients : counts) {
      const std::string body = refresh_body(newest.refresh_token);
      auto answers = at_once(clients, app_.url(), [&](HttpConnection& http) {
        return std::vector<HttpResponse>{http.post("/v1/auth/refresh", body)};
      });
      std::set<std::string> successors;
      for (const std::vector<HttpResponse>& mine : answers) {
        const HttpResponse& answer = mine[0];
        ASSERT_EQ(answer.status, 200) << clients << ": " << answer.body;
        const Answer grant = read(answer);
        successors.insert(grant.refresh_token);
        EXPECT_EQ(http_.get("/v1/me", bearer(grant)).status, 200) << "every one of them got tokens that work";
      }
      ASSERT_EQ(successors.size(), 1u) << clients;
      EXPECT_NE(*successors.begin(), newest.refresh_token);
      newest.refresh_token = *successors.begin();
    }
  }

  IdentitySettings settings_;
  testing::TestApp app_;
  HttpConnection http_;
};

TEST_P(IdentityApiTest, SignsUpAndUsesTheToken) {
  HttpResponse made = http_.post(
      "/v1/auth/signup", R"({"email":"ada@example.com","password":"correct horse battery","name":"Ada"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.field("Location"), "/v1/me");
  EXPECT_EQ(made.field("Cache-Control"), "no-store");
  EXPECT_FALSE(made.has_field("Content-Encoding"));
  EXPECT_EQ(made.body.find("correct horse"), std::string::npos);
  Answer grant = read(made);
  EXPECT_EQ(grant.token_type, "Bearer");
  EXPECT_EQ(grant.expires_in, 600);
  HttpResponse me = http_.get("/v1/me", bearer(grant));
  EXPECT_EQ(me.status, 200);
  EXPECT_NE(me.body.find(R"("email":"ada@example.com","name":"Ada","roles":["user"])"), std::string::npos)
      << me.body;
  EXPECT_TRUE(me.has_field("ETag"));
}

TEST_P(IdentityApiTest, RefusesBadInputWithEveryFault) {
  HttpResponse bad = http_.post("/v1/auth/signup", R"({"email":"nobody","password":"short","admin":true})");
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(bad.field("Content-Type"), "application/problem+json");
  for (std::string_view pointer : {"/email", "/password", "/admin"})
    EXPECT_NE(bad.body.find(pointer), std::string::npos) << bad.body;
  EXPECT_EQ(bad.body.find("\"short\""), std::string::npos);
}

TEST_P(IdentityApiTest, SaysWhatANewPasswordLacks) {
  auto sign_up_with = [&](std::string_view password) {
    return http_.post("/v1/auth/signup",
                      R"({"email":"ada@example.com","password":")" + std::string(password) + "\"}");
  };
  HttpResponse shorter = sign_up_with("fourteen chars");
  EXPECT_EQ(shorter.status, 422);
  EXPECT_EQ(read(shorter).code, "password_length");
  EXPECT_NE(shorter.body.find(R"("pointer":"/password")"), std::string::npos) << shorter.body;
  EXPECT_EQ(shorter.body.find("fourteen"), std::string::npos);
  HttpResponse control = sign_up_with(R"(with a tab\tinside it)");
  EXPECT_EQ(control.status, 422);
  EXPECT_NE(control.body.find("must not have control characters"), std::string::npos) << control.body;
  EXPECT_EQ(sign_up_with(std::string(600, 'x')).status, 422);
  EXPECT_EQ(sign_up_with(std::string(128, 'x')).status, 201);
}

TEST_P(IdentityApiTest, AnAddressMayHaveSpaceAroundItAndNoIpAddress) {
  auto sign_up_as = [&](std::string_view email) {
    return http_.post("/v1/auth/signup",
                      R"({"email":")" + std::string(email) + R"(","password":"correct horse battery"})");
  };
  HttpResponse made = sign_up_as(" ada@b\u00fccher.example ");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_NE(made.body.find(R"("email":"ada@xn--bcher-kva.example")"), std::string::npos) << made.body;
  HttpResponse refused = sign_up_as("x@1.2.3.4");
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.body.find(R"("pointer":"/email")"), std::string::npos) << refused.body;
}

TEST_P(IdentityApiTest, StrangersCannotSendMuch) {
  const std::string padded = R"({"email":"ada@example.com","password":"x")" + std::string(20'000, ' ') + "}";
  for (std::string_view path : {"/v1/auth/signup", "/v1/auth/login", "/v1/auth/refresh"})
    EXPECT_EQ(http_.post(path, padded).status, 413) << path;
}

TEST_P(IdentityApiTest, ATakenAddressIs409) {
  sign_up();
  HttpResponse again =
      http_.post("/v1/auth/signup", R"({"email":"ADA@example.com","password":"correct horse battery"})");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(read(again).code, "email_taken");
}

TEST_P(IdentityApiTest, LogInAnswersAlike) {
  sign_up();
  HttpResponse wrong = http_.post("/v1/auth/login", R"({"email":"ada@example.com","password":"incorrect"})");
  HttpResponse unknown =
      http_.post("/v1/auth/login", R"({"email":"bob@example.com","password":"incorrect"})");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(unknown.status, 401);
  auto without_id = [](const std::string& body) {
    return std::string_view(body).substr(0, body.find("\"request_id\""));
  };
  EXPECT_EQ(without_id(wrong.body), without_id(unknown.body));
  EXPECT_EQ(read(wrong).code, "invalid_credentials");
}

// So /docs can ask for the address and the password instead of for a token.
TEST_P(IdentityApiTest, TheDocumentNamesTheLogIn) {
  EXPECT_NE(http_.get("/openapi.json")
                .body.find(R"("x-log-in":{"operationId":"identity.log_in","token":"access_token"})"),
            std::string::npos);
}

TEST_P(IdentityApiTest, GuessingGets429AndWhenToComeBack) {
  HttpResponse answer;
  for (int i = 0; i < 6; ++i)
    answer = http_.post("/v1/auth/login", R"({"email":"nobody@example.com","password":"guess"})");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.field("Retry-After"), "1");
  EXPECT_NE(answer.body.find("Try again in 1 s."), std::string::npos) << answer.body;
  EXPECT_EQ(read(answer).code, "too_many_attempts");
}

TEST_P(IdentityApiTest, RefreshesAndRefusesReuse) {
  Answer first = sign_up();
  HttpResponse renewed = http_.post("/v1/auth/refresh", refresh_body(first.refresh_token));
  ASSERT_EQ(renewed.status, 200) << renewed.body;
  EXPECT_EQ(renewed.field("Cache-Control"), "no-store");
  EXPECT_EQ(http_.get("/v1/me", bearer(read(renewed))).status, 200);
  const Answer second = read(renewed);
  renewed = http_.post("/v1/auth/refresh", refresh_body(second.refresh_token));
  ASSERT_EQ(renewed.status, 200) << renewed.body;
  HttpResponse late = http_.post("/v1/auth/refresh", refresh_body(first.refresh_token));
  EXPECT_EQ(late.status, 401);
  EXPECT_EQ(read(late).code, "refresh_token_superseded");
  app_.clock().advance(std::chrono::seconds(61));
  HttpResponse reused = http_.post("/v1/auth/refresh", refresh_body(second.refresh_token));
  EXPECT_EQ(reused.status, 401);
  EXPECT_EQ(read(reused).code, "invalid_refresh_token");
  EXPECT_EQ(http_.get("/v1/me", bearer(read(renewed))).status, 401);
}

/// The least that can be set: PostgreSQL then shows a transaction what others commit meanwhile.
class IdentityApiReadCommittedTest : public IdentityApiTest {
 protected:
  IdentityApiReadCommittedTest() : IdentityApiTest("read_committed") {}
};

TEST_P(IdentityApiTest, RefreshesAtOnceGetOneSuccessor) {
  refresh_at_once({2, 6, 20, 50});
}
TEST_P(IdentityApiReadCommittedTest, RefreshesAtOnceGetOneSuccessor) {
  refresh_at_once({2, 20});
}

// As a page does that was opened in many tabs: each renews, and goes on to renew with what it got.
TEST_P(IdentityApiTest, RefreshesThatMeetTheUseOfTheSuccessorEndNothing) {
  const std::string first = sign_up().refresh_token;
  auto answers = at_once(20, app_.url(), [&](HttpConnection& http) {
    std::vector<HttpResponse> mine{http.post("/v1/auth/refresh", refresh_body(first))};
    if (mine[0].status == 200)
      mine.push_back(http.post("/v1/auth/refresh", refresh_body(read(mine[0]).refresh_token)));
    return mine;
  });
  std::set<std::string> newest;
  for (const std::vector<HttpResponse>& mine : answers) {
    const Answer last = read(mine.back());
    if (mine.size() == 1) {
      EXPECT_EQ(last.code, "refresh_token_superseded");
    } else {
      ASSERT_EQ(mine.back().status, 200) << mine.back().body;
      newest.insert(last.refresh_token);
      EXPECT_EQ(http_.get("/v1/me", bearer(last)).status, 200);
    }
  }
  ASSERT_EQ(newest.size(), 1u);
  EXPECT_EQ(http_.post("/v1/auth/refresh", refresh_body(*newest.begin())).status, 200);
}

TEST_P(IdentityApiTest, LoggingOutEndsTheTokenOnEveryConnection) {
  Answer grant = sign_up();
  HttpConnection others[4] = {HttpConnection(app_.url()), HttpConnection(app_.url()),
                              HttpConnection(app_.url()), HttpConnection(app_.url())};
  for (HttpConnection& other : others) EXPECT_EQ(other.get("/v1/me", bearer(grant)).status, 200);
  HttpResponse out = http_.request("POST", "/v1/auth/logout", bearer(grant));
  EXPECT_EQ(out.status, 204) << out.body;
  for (HttpConnection& other : others) {
    HttpResponse refused = other.get("/v1/me", bearer(grant));
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(read(refused).code, "token_revoked");
    EXPECT_NE(refused.field("WWW-Authenticate").find("Bearer"), std::string::npos);
  }
}

TEST_P(IdentityApiTest, TokensExpire) {
  Answer grant = sign_up();
  app_.clock().advance(std::chrono::seconds(601));
  HttpResponse refused = http_.get("/v1/me", bearer(grant));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(read(refused).code, "expired_token");
}

TEST_P(IdentityApiTest, WithoutATokenNothingOfAnAccountIsShown) {
  for (std::string_view path : {"/v1/me", "/v1/me/sessions"}) EXPECT_EQ(http_.get(path).status, 401) << path;
  EXPECT_EQ(http_.post("/v1/auth/logout", "").status, 401);
  EXPECT_EQ(http_.post("/v1/me/password", R"({"current_password":"a","new_password":"12345678"})").status,
            401);
  EXPECT_EQ(http_.request("DELETE", "/v1/me/sessions").status, 401);
}

TEST_P(IdentityApiTest, ListsAndEndsSessions) {
  Answer here = sign_up();
  HttpResponse logged_in =
      http_.post("/v1/auth/login", R"({"email":"ada@example.com","password":"correct horse battery"})");
  ASSERT_EQ(logged_in.status, 200);
  HttpResponse list = http_.get("/v1/me/sessions", bearer(here));
  EXPECT_EQ(list.status, 200);
  EXPECT_NE(list.body.find(R"("current":true)"), std::string::npos);
  EXPECT_EQ(http_.request("DELETE", "/v1/me/sessions/" + new_uuid().to_string(), bearer(here)).status, 404);
  EXPECT_EQ(http_.request("DELETE", "/v1/me/sessions/x", bearer(here)).status / 100, 4);
  EXPECT_EQ(http_.request("DELETE", "/v1/me/sessions", bearer(here)).status, 204);
  EXPECT_EQ(http_.get("/v1/me", bearer(read(logged_in))).status, 401);
  EXPECT_EQ(http_.get("/v1/me", bearer(here)).status, 200);
}

TEST_P(IdentityApiTest, ChangesTheAccountUnderItsETag) {
  Answer grant = sign_up();
  std::string etag = http_.get("/v1/me", bearer(grant)).field("ETag");
  HttpFields fields = bearer(grant);
  fields.emplace_back("Content-Type", "application/merge-patch+json");
  fields.emplace_back("If-Match", etag);
  EXPECT_EQ(http_.request("PATCH", "/v1/me", fields, R"({"name":"Ada"})").status, 200);
  EXPECT_EQ(http_.request("PATCH", "/v1/me", fields, R"({"name":"Bob"})").status, 412);
}

TEST_P(IdentityApiTest, AnAccountThatWasReadCanBeSentBack) {
  Answer grant = sign_up();
  const HttpResponse me = http_.get("/v1/me", bearer(grant));
  HttpFields fields = bearer(grant);
  fields.emplace_back("Content-Type", "application/json");
  HttpResponse back = http_.request("PATCH", "/v1/me", fields, me.body);
  EXPECT_EQ(back.status, 200) << back.body;
  back =
      http_.request("PATCH", "/v1/me", fields, R"({"roles":["admin"],"email":"eve@example.com","name":"A"})");
  EXPECT_EQ(back.status, 200) << back.body;
  EXPECT_NE(back.body.find(R"("name":"A","roles":["user"])"), std::string::npos) << back.body;
  EXPECT_EQ(back.body.find("eve@example.com"), std::string::npos);
  EXPECT_EQ(http_.request("PATCH", "/v1/me", fields, R"({"password":"x"})").status, 422);
  EXPECT_EQ(http_.request("PATCH", "/v1/me", fields, R"({"name":" "})").status, 422);
}

TEST_P(IdentityApiTest, ChangesThePasswordAndDeletesTheAccount) {
  Answer grant = sign_up();
  EXPECT_EQ(
      http_
          .post("/v1/me/password", R"({"current_password":"wrong","new_password":"a better horse battery"})",
                bearer(grant))
          .status,
      403);
  EXPECT_EQ(
      http_
          .post("/v1/me/password",
                R"({"current_password":"correct horse battery","new_password":"a better horse battery"})",
                bearer(grant))
          .status,
      204);
  EXPECT_EQ(http_.post("/v1/me/delete", R"({"password":"a better horse battery"})", bearer(grant)).status,
            204);
  EXPECT_EQ(http_.get("/v1/me", bearer(grant)).status, 401);
  EXPECT_EQ(http_.post("/v1/auth/login", R"({"email":"ada@example.com","password":"a better horse battery"})")
                .status,
            401);
}

TEST_P(IdentityApiTest, PublishesItsKeys) {
  Answer grant = sign_up();
  HttpResponse jwks = http_.get("/.well-known/jwks.json?v=1");  // against a cache
  EXPECT_EQ(jwks.status, 200);
  EXPECT_NE(jwks.field("Cache-Control").find("max-age=300"), std::string::npos);
  std::string header = *from_base64url(grant.access_token.substr(0, grant.access_token.find('.')));
  std::string kid = header.substr(header.find("\"kid\":\"") + 7, 43);
  EXPECT_NE(jwks.body.find(kid), std::string::npos) << jwks.body << header;
}

INSTANTIATE_TEST_SUITE_P(Engines, IdentityApiTest, testing::every_engine(), testing::engine_name);
INSTANTIATE_TEST_SUITE_P(Engines, IdentityApiReadCommittedTest, testing::every_engine(),
                         testing::engine_name);

}  // namespace
}  // namespace bedplate::identity
