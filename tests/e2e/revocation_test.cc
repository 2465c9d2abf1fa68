// SPDX-License-Identifier: Apache-2.0
// How soon a token that was revoked at one server process is refused by the other: within a second, with and without a
// Redis, and whatever else keeps the other busy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server.h"
#include "tests/servers/postgresql_server.h"
#include "tests/servers/redis_server.h"

namespace bedplate::e2e {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using testing::PostgresDatabase;
using testing::PostgresServer;
using testing::PostgresSession;
using namespace std::chrono_literals;

constexpr milliseconds kPromised = 1s;
constexpr milliseconds kPatience = 30s;

/// Looks again and again until the bearer is refused: how long that took. Of each look no more counts than it takes on
/// a machine that has time for it: so a second here is one in which the replica got to run, and a machine that is busy
/// with other tests is not taken for a slow revocation.
milliseconds time_until_refused(User& bearer) {
  constexpr steady_clock::duration kLookMax = 20ms;
  const auto until = steady_clock::now() + kPatience;
  steady_clock::duration counted{0};
  while (steady_clock::now() < until) {
    const auto began = steady_clock::now();
    const HttpResponse look = bearer.call("GET", "/v1/me");
    if (look.status == 401) return std::chrono::duration_cast<milliseconds>(counted);
    EXPECT_EQ(look.status, 200) << look.body;
    std::this_thread::sleep_for(2ms);  // tidy: sleep because it polls until a deadline
    counted += std::min(steady_clock::now() - began, kLookMax);
  }
  ADD_FAILURE() << "the token is still good";
  return kPatience;
}

enum class Nudged { no, by_redis };

class RevocationTest : public ::testing::TestWithParam<Nudged> {
 protected:
  RevocationTest() {
    if (GetParam() == Nudged::by_redis) redis_.emplace();
    std::thread first([this] { first_ = start(first_data_); });
    second_ = start(second_data_, {"server.threads=1", "database.postgresql.transaction_connections=1"});
    first.join();
  }

  std::unique_ptr<Server> start(const TempDir& data, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"database.url=" + database_.url(), "rest.access_log=false",
                             "identity.key_file=" + first_data_.path() + "/shared.key"});
    if (redis_) more.push_back("cache.url=" + redis_->url());
    return std::make_unique<Server>(data.path(), Server::Options{.settings = std::move(more)});
  }
  /// A user with a session at the first replica, and the same session at the second.
  struct Pair {
    Pair(const RevocationTest& test, const std::string& email)
        : here(*test.first_, email), there(*test.second_, email, here.tokens()) {
      EXPECT_EQ(there.call("GET", "/v1/me").status, 200);
    }
    User here;
    User there;
  };

  TempDir first_data_;
  TempDir second_data_;
  PostgresDatabase database_ = testing::shared_postgres().create_database();
  std::optional<testing::RedisServer> redis_;
  std::unique_ptr<Server> first_;
  std::unique_ptr<Server> second_;
};

TEST_P(RevocationTest, ReachesTheOtherReplicaWithinASecond) {
  for (int round = 0; round < 3; ++round) {
    Pair user(*this, "out" + std::to_string(round) + "@example.com");
    ASSERT_EQ(user.here.call("POST", "/v1/auth/logout").status, 204);
    EXPECT_LE(time_until_refused(user.there), kPromised) << "logged out";
  }
  Pair ended(*this, "ended@example.com");
  User other(*first_, "ended@example.com",
             tokens_in(ended.here.http().post("/v1/auth/login", credentials("ended@example.com"))));
  ASSERT_EQ(other.call("DELETE", "/v1/me/sessions").status, 204);
  EXPECT_LE(time_until_refused(ended.there), kPromised) << "another session of the user ended it";
  EXPECT_EQ(other.call("GET", "/v1/me").status, 200);

  Pair disabled(*this, "disabled@example.com");
  run_well({"admin", "disable", "disabled@example.com", "--data", first_data_.path()},
           {{"BEDPLATE_DATABASE_URL", database_.url()},
            {"BEDPLATE_IDENTITY_KEY_FILE", first_data_.path() + "/shared.key"}});
  EXPECT_LE(time_until_refused(disabled.there), kPromised)
      << "disabled by a third process, which tells nobody";
}

TEST_P(RevocationTest, IsNotHeldUpByWhatElseTheReplicaWaitsFor) {
  Pair user(*this, "ada@example.com");
  PostgresSession lock(database_.admin_url());
  lock.rows("BEGIN; LOCK TABLE tasks IN EXCLUSIVE MODE");
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 3; ++i)
    waiting.push_back(std::async(std::launch::async, [&] {
      User user_of_it(*second_, "ada@example.com", user.here.tokens());
      return user_of_it.call("POST", "/v1/tasks", R"({"title": "Held up"})").status;
    }));
  ASSERT_TRUE(wait_until([&] {
    return database_.count(
               "SELECT count(*) FROM pg_locks WHERE relation = 'tasks'::regclass AND NOT granted AND "
               "database = "
               "(SELECT oid FROM pg_database WHERE datname = current_database())") == 1;
  })) << "its only connection for commands waits, and two more commands wait for that";

  ASSERT_EQ(user.here.call("POST", "/v1/auth/logout").status, 204);
  EXPECT_LE(time_until_refused(user.there), kPromised);
  lock.rows("COMMIT");
  for (std::future<int>& each : waiting) each.wait();
}

INSTANTIATE_TEST_SUITE_P(Replicas, RevocationTest, ::testing::Values(Nudged::no, Nudged::by_redis),
                         [](const auto& each) { return each.param == Nudged::no ? "Alone" : "WithRedis"; });

// It cannot know what others have revoked: so it takes no token, and says when to come back.
TEST(RevocationsUnknown, TokensAreRefusedWhileTheDatabaseIsAwayForLongAndTakenAgainAfter) {
  PostgresServer postgres;
  PostgresDatabase database = postgres.create_database();
  TempDir data;
  Server server(data.path(), {.settings = {"database.url=" + database.url(), "rest.access_log=false",
                                           "identity.revocations_age_max_seconds=1"}});
  User ada(server, "ada@example.com");
  EXPECT_TRUE(wait_until([&] { return ada.call("GET", "/v1/me").status == 200; }));
  postgres.kill();
  HttpResponse refused;
  EXPECT_TRUE(wait_until([&] {
    refused = ada.call("GET", "/v1/me");
    return refused.body.find("revocations_unknown") != std::string::npos;
  })) << refused.body;
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.field("Retry-After"), "1");
  postgres.start();
  EXPECT_TRUE(wait_until([&] { return ada.call("GET", "/v1/me").status == 200; })) << "without a restart";
  EXPECT_EQ(server.terminate().status, 0);
}

}  // namespace
}  // namespace bedplate::e2e
