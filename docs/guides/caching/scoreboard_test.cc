// SPDX-License-Identifier: Apache-2.0
// Two replicas of the scoreboard on one PostgreSQL and one Redis, asked over HTTP.
#include "scoreboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/auth/authenticator.h"
#include "bedplate/auth/token.h"
#include "bedplate/testing/test_app.h"
#include "tests/servers/postgresql_server.h"
#include "tests/servers/redis_server.h"

namespace scoreboard {
namespace {

using bedplate::testing::HttpConnection;
using bedplate::testing::HttpResponse;
using bedplate::testing::PostgresDatabase;
using bedplate::testing::RedisServer;
using bedplate::testing::TestApp;
using ::testing::HasSubstr;
using ::testing::Not;

/// Players of two tenants; the token says which.
class Players final : public bedplate::auth::Authenticator {
 public:
  bedplate::Result<bedplate::auth::PrincipalRef> authenticate(const bedplate::auth::Credentials& credentials,
                                                              bedplate::Time) override {
    const std::string_view bearer = credentials.bearer;
    if (bearer != "red" && bearer != "blue") return bedplate::auth::invalid_token();
    auto principal = std::make_shared<bedplate::auth::Principal>();
    principal->user = user_;
    principal->scopes = {"play"};
    principal->expires_at = bedplate::Time::max();
    principal->tenant = bearer == "red" ? red_ : blue_;
    return principal;
  }

 private:
  const bedplate::auth::UserId user_ = bedplate::new_id<bedplate::auth::UserId>();
  const bedplate::Uuid red_ = bedplate::new_uuid();
  const bedplate::Uuid blue_ = bedplate::new_uuid();
};

class ScoreboardTest : public ::testing::Test {
 protected:
  /// A machine that runs tests is busy: by default a Redis that takes its time is not taken for away.
  explicit ScoreboardTest(std::string timeout_ms = "10000") : timeout_ms_(std::move(timeout_ms)) {}

  bedplate::testing::Settings settings() const {
    return {{"database.url", database_.url()},
            {"cache.url", redis_.url()},
            {"cache.timeout_ms", timeout_ms_},
            {"cache.connect_timeout_ms", timeout_ms_}};
  }
  std::function<void(bedplate::app::Application&)> build() {
    return [this](bedplate::app::Application& app) { add_to(app, players_); };
  }
  static HttpResponse ask(TestApp& replica, std::string_view token, std::string_view method,
                          std::string_view target, std::string_view body = {}) {
    HttpConnection http(replica.url());
    return http.request(
        method, target,
        {{"Authorization", "Bearer " + std::string(token)}, {"Content-Type", "application/json"}}, body);
  }
  static int score(TestApp& replica, std::string_view token, const std::string& player, int points) {
    return ask(replica, token, "POST", "/v1/games/chess/scores",
               R"({"player":")" + player + R"(","points":)" + std::to_string(points) + "}")
        .status;
  }
  static std::string standings(TestApp& replica, std::string_view token) {
    HttpResponse answer = ask(replica, token, "GET", "/v1/games/chess/standings");
    return answer.status == 200 ? answer.body : "status " + std::to_string(answer.status);
  }
  static std::uint64_t loads(TestApp& replica) { return replica.host().cache().stats().loads; }

  const std::string timeout_ms_;
  Players players_;
  PostgresDatabase database_ = bedplate::testing::shared_postgres().create_database();
  RedisServer redis_;
  TestApp one_{build(), settings()};
  TestApp two_{build(), settings()};
};

TEST_F(ScoreboardTest, ItIsCountedOnceForAllReplicasUntilSomebodyScores) {
  ASSERT_EQ(score(one_, "red", "Ada", 3), 204);
  const std::string stands = R"({"scores":1,"best":[{"player":"Ada","points":3}]})";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(standings(one_, "red"), stands);
    EXPECT_EQ(standings(two_, "red"), stands);
  }
  EXPECT_EQ(loads(one_) + loads(two_), 1u);

  ASSERT_EQ(score(one_, "red", "Ada", 4), 204);
  EXPECT_THAT(standings(one_, "red"), HasSubstr(R"("points":7)")) << "where it was written: at once";
  // Elsewhere when the message has come: long before the minute that the entry would live.
  EXPECT_TRUE(
      bedplate::testing::wait_until([&] { return standings(two_, "red") == standings(one_, "red"); }));
  EXPECT_THAT(standings(two_, "red"), HasSubstr(R"("points":7)"));
}

TEST_F(ScoreboardTest, NoTenantSeesAnothers) {
  ASSERT_EQ(score(one_, "red", "Ada", 3), 204);
  ASSERT_EQ(score(one_, "blue", "Bob", 5), 204);
  for (TestApp* replica : {&one_, &two_, &one_}) {
    EXPECT_THAT(standings(*replica, "red"), Not(HasSubstr("Bob")));
    EXPECT_THAT(standings(*replica, "blue"), Not(HasSubstr("Ada")));
  }
  const std::uint64_t before = loads(one_) + loads(two_);
  ASSERT_EQ(score(two_, "blue", "Bob", 1), 204);
  EXPECT_EQ(standings(one_, "red"), standings(two_, "red"));
  EXPECT_EQ(loads(one_) + loads(two_), before) << "what one tenant does costs the other nothing";
  EXPECT_THAT(standings(two_, "blue"), HasSubstr(R"("points":6)"));
}

class ScoreboardOutage : public ScoreboardTest {
 protected:
  ScoreboardOutage() : ScoreboardTest("250") {}
};

TEST_F(ScoreboardOutage, NoRequestFailsWhileRedisComesAndGoes) {
  std::atomic<bool> go_on = true;
  std::atomic<int> failed = 0;
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (TestApp* replica : {&one_, &two_})
    clients.emplace_back([&, replica] {
      while (go_on) {
        failed += score(*replica, "red", "Ada", 1) != 204;
        failed += !standings(*replica, "red").starts_with('{');
        ++answered;
      }
    });
  auto some_more = [&] {
    const int before = answered;
    EXPECT_TRUE(bedplate::testing::wait_until([&] { return answered >= before + 20; }));
  };
  some_more();
  redis_.kill();
  some_more();
  redis_.start();
  some_more();
  redis_.pause();
  some_more();
  redis_.resume();
  some_more();
  go_on = false;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failed, 0);

  // It is back at work: what is written at one replica is seen at the other. The first writes may come before either
  // has connected again.
  EXPECT_TRUE(bedplate::testing::wait_until([&] {
    if (score(one_, "red", "Ada", 1) != 204) return false;
    const std::string now = standings(one_, "red");
    for (int look = 0; look < 50; ++look)
      if (standings(two_, "red") == now) return true;
    return false;
  }));
}

}  // namespace
}  // namespace scoreboard
