// SPDX-License-Identifier: Apache-2.0
// What replicas share through Redis, with two processes of the real server, and that nothing fails without it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "server.h"
#include "tests/servers/redis_server.h"

namespace bedplate::e2e {
namespace {

using ::testing::HasSubstr;

class SharedState : public ::testing::Test {
 protected:
  /// A replica on one database file, one key file and one Redis.
  std::unique_ptr<Server> replica(const TempDir& data, std::vector<std::string> more = {}) {
    Server::Options options;
    options.settings = {"database.url=sqlite:" + shared_.path() + "/shared.db",
                        "identity.key_file=" + shared_.path() + "/key", "cache.url=" + redis_.url()};
    for (std::string& setting : more) options.settings.push_back(std::move(setting));
    return std::make_unique<Server>(data.path(), options);
  }

  TempDir shared_;
  TempDir first_;
  TempDir second_;
  testing::RedisServer redis_;
};

TEST_F(SharedState, ASessionThatEndsAtOneReplicaEndsAtAll) {
  auto one = replica(first_);
  auto two = replica(second_);
  User ada(*one, "ada@example.com");
  User ada_there(*two, "ada@example.com", ada.tokens());
  EXPECT_EQ(ada_there.call("GET", "/v1/me").status, 200);
  EXPECT_EQ(ada.call("POST", "/v1/auth/logout").status, 204);
  EXPECT_EQ(ada.call("GET", "/v1/me").status, 401) << "at once where it happened";
  EXPECT_TRUE(wait_until([&] { return ada_there.call("GET", "/v1/me").status == 401; }));
}

TEST_F(SharedState, ReplicasCountRequestsTogetherAndEachForItselfWithoutRedis) {
  const std::vector<std::string> limits = {"rate_limit.enabled=true", "rate_limit.address_burst=6",
                                           "rate_limit.address_rate=0.01", "server.trusted_proxies=127.0.0.1",
                                           "telemetry.metrics_token=operator",
                                           // A machine that runs tests is busy: do not take it for away.
                                           "cache.timeout_ms=10000", "cache.connect_timeout_ms=10000"};
  auto one = replica(first_, limits);
  auto two = replica(second_, limits);
  HttpConnection to_one(one->url());
  HttpConnection to_two(two->url());
  const HttpFields somebody = {{"X-Forwarded-For", "192.0.2.7"}};
  auto ask = [&](HttpConnection& replica) { return replica.get("/nothing", somebody).status; };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(to_one), 404);
    EXPECT_EQ(ask(to_two), 404);
  }
  EXPECT_EQ(ask(to_one), 429) << "six of six, three here and three there";
  EXPECT_EQ(ask(to_two), 429);
  redis_.kill();
  EXPECT_EQ(ask(to_one), 404) << "its own limit has room";
  EXPECT_EQ(ask(to_two), 404);
  const HttpFields operator_of_it = bearer("operator");
  EXPECT_THAT(to_one.get("/healthz", operator_of_it).body, HasSubstr(R"("name":"cache","status":"warn")"));
  EXPECT_THAT(to_two.get("/metrics", operator_of_it).body, HasSubstr("bedplate_rate_limit_local_total"));
}

/// Clients of a server that read and write all the time.
class Load {
 public:
  Load(const Server& server, const Tokens& tokens) {
    for (int i = 0; i < 3; ++i) clients_.emplace_back([this, &server, tokens] { use(server, tokens); });
  }
  ~Load() { stop(); }

  void some_more() {
    const int before = answered_;
    EXPECT_TRUE(wait_until([&] { return answered_ >= before + 20; }));
  }
  void stop() {
    go_on_ = false;
    for (std::thread& client : clients_) client.join();
    clients_.clear();
  }
  int failed() const { return failed_; }

 private:
  void use(const Server& server, const Tokens& tokens) {
    User user(server, "ada@example.com", tokens);
    while (go_on_) {
      failed_ += user.call("GET", "/v1/tasks").status != 200;
      failed_ += user.call("POST", "/v1/tasks", R"({"title": "Buy milk"})").status != 201;
      ++answered_;
    }
  }

  std::atomic<bool> go_on_ = true;
  std::atomic<int> failed_ = 0;
  std::atomic<int> answered_ = 0;
  std::vector<std::thread> clients_;
};

const std::vector<std::string> kCountedGenerously = {
    "rate_limit.enabled=true", "rate_limit.address_burst=1000000", "rate_limit.principal_burst=1000000"};

TEST_F(SharedState, NoRequestFailsWhileRedisIsKilledAndComesBack) {
  std::vector<std::string> settings = kCountedGenerously;
  settings.push_back("cache.timeout_ms=100");  // while it hangs, each request waits for that
  auto one = replica(first_, settings);
  User ada(*one, "ada@example.com");
  Load load(*one, ada.tokens());
  load.some_more();
  for (int round = 0; round < 2; ++round) {
    redis_.kill();
    load.some_more();
    redis_.start();
    load.some_more();
    redis_.pause();
    load.some_more();
    redis_.resume();
    load.some_more();
  }
  load.stop();
  EXPECT_EQ(load.failed(), 0);
  EXPECT_EQ(one->terminate().status, 0);
}

TEST_F(SharedState, NoRequestFailsWhileAMasterOfAClusterFailsOver) {
  testing::RedisCluster cluster;
  auto standby = cluster.replica_of(0);
  std::vector<std::string> settings = kCountedGenerously;
  settings.insert(settings.end(), {"cache.url=" + cluster.url(0), "telemetry.metrics_token=operator",
                                   "cache.timeout_ms=10000", "cache.connect_timeout_ms=10000"});
  auto one = replica(first_, settings);
  User ada(*one, "ada@example.com");
  HttpConnection http(one->url());
  auto weighed_together = [&] {
    const std::string metrics = http.get("/metrics", bearer("operator")).body;
    constexpr std::string_view kName = "\nbedplate_rate_limit_shared_total ";
    const std::size_t at = metrics.find(kName);
    return at == std::string::npos ? 0 : std::atoi(metrics.c_str() + at + kName.size());
  };
  Load load(*one, ada.tokens());
  load.some_more();
  cluster.node(0).kill();
  load.some_more();
  cluster.promote(*standby, "TAKEOVER");
  load.some_more();
  const int before = weighed_together();
  EXPECT_TRUE(wait_until([&] { return weighed_together() > before + 50; }))
      << "also those of the user, whose bucket may have been on that node";
  load.stop();
  EXPECT_EQ(load.failed(), 0);
  EXPECT_EQ(one->terminate().status, 0);
}

TEST(CacheSettings, AreRefusedWithASentence) {
  TempDir directory;
  const Output output =
      run({"serve", "--data", directory.path(), "--set", "cache.url=memcached://:secret@host"});
  EXPECT_NE(output.exit.status, 0);
  EXPECT_THAT(output.err, HasSubstr("cache.url"));
  EXPECT_THAT(output.err, ::testing::Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace bedplate::e2e
