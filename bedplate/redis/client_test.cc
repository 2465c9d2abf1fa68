// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/kits/redis_kit.h"
#include "tests/servers/redis_server.h"

namespace bedplate::redis {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::RedisServer;
using testing::wait_until;

class RedisClient : public ::testing::Test {
 protected:
  void connect(const std::string& url, Options changed = {}) {
    Result<Options> options = Options::from_url(url);
    ASSERT_TRUE(options) << options.error().detail();
    options->tls_options = changed.tls_options;
    options->pending_max = changed.pending_max;
    // Machines that run tests are busy: a time-out is only short where it is what a test is about.
    options->call_timeout = changed.call_timeout == Options().call_timeout ? 10s : changed.call_timeout;
    options->connect_timeout =
        changed.connect_timeout == Options().connect_timeout ? 10s : changed.connect_timeout;
    options->backoff_min = 1ms;
    options->backoff_max = 20ms;
    auto made = Client::make(std::move(*options));
    ASSERT_TRUE(made) << made.error().detail();
    client_ = std::move(*made);
  }
  void TearDown() override {
    if (client_) client_->close();
  }
  template <class... Words>
  std::string call(const Words&... words) {
    Command command(words...);
    return shown(loops_.wait_for(client_->call(std::move(command))));
  }
  /// Calls until the answer is `expected`: for what takes its time, such as a server's return.
  bool comes_to_answer(std::string_view expected, const std::vector<std::string_view>& words) {
    return wait_until([&] { return shown(loops_.wait_for(client_->call(Command(words)))) == expected; });
  }

  RunningLoops loops_{2};
  std::unique_ptr<Client> client_;
};

TEST_F(RedisClient, CallsCommands) {
  connect(testing::shared_redis().new_url());
  EXPECT_EQ(call("SET", "a", "one\r\n\0two"), "OK");
  EXPECT_EQ(call("GET", "a"), "one\r\n");
  EXPECT_EQ(call("GET", "b"), "nil");
  EXPECT_EQ(call("INCR", "n"), "1");
  EXPECT_EQ(call("INCRBY", "n", 41), "42");
  const std::string large(3 << 20, 'x');
  EXPECT_EQ(call("SET", "large", large), "OK");
  EXPECT_EQ(call("GET", "large"), large);
}

TEST_F(RedisClient, TellsWhatRedisRefused) {
  connect(testing::shared_redis().new_url());
  call("SET", "a", "text");
  Command wrong("LPUSH", "a", "x");
  Result<Reply> reply = loops_.wait_for(client_->call(std::move(wrong)));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().category(), Category::internal);
  EXPECT_THAT(reply.error().subject(), HasSubstr("WRONGTYPE"));
}

Async<void> count_up(Client& client, std::atomic<int>& left, std::atomic<int>& wrong, int from) {
  for (int i = 0; i < 20; ++i) {
    const std::string value = std::to_string(from * 1000 + i);
    Command echo("ECHO", value);
    Result<Reply> reply = co_await client.call(std::move(echo));
    wrong += !reply || reply->text != value;
  }
  --left;
}

TEST_F(RedisClient, SharesAConnectionAmongManyCallers) {
  connect(testing::shared_redis().new_url());
  std::atomic<int> left = 400;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 400; ++i)
    loops_.loop(static_cast<std::size_t>(i) % 2).spawn(count_up(*client_, left, wrong, i));
  EXPECT_TRUE(wait_until([&] { return left == 0; }));
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(client_->stats().calls, 8000u);
  EXPECT_EQ(client_->stats().connects, 2u) << "one a loop";
}

TEST_F(RedisClient, RunsScriptsByTheirHash) {
  RedisServer server;
  connect(server.url());
  const Script script("return KEYS[1] .. ARGV[1]");
  const std::vector<std::string> arguments{"b"};
  EXPECT_EQ(shown(loops_.wait_for(client_->eval(script, "a", arguments))), "ab");
  EXPECT_EQ(shown(loops_.wait_for(client_->eval(script, "a", arguments))), "ab");
  EXPECT_THAT(server.command({"INFO", "commandstats"}), HasSubstr("cmdstat_eval:calls=1"));
  EXPECT_EQ(call("SCRIPT", "FLUSH"), "OK");
  EXPECT_EQ(shown(loops_.wait_for(client_->eval(script, "a", arguments))), "ab") << "and learns it anew";
}

TEST_F(RedisClient, SaysWhyItIsNotLetIn) {
  RedisServer server;
  connect("redis://default:wrong@127.0.0.1:" + std::to_string(server.address().port()));
  EXPECT_THAT(call("PING"), "cache_unavailable");
}

TEST_F(RedisClient, ComesBackWhenTheServerDoes) {
  RedisServer server;
  connect(server.url());
  EXPECT_EQ(call("PING"), "PONG");
  server.kill();
  EXPECT_EQ(call("PING"), "cache_unavailable");
  server.start();
  EXPECT_TRUE(comes_to_answer("PONG", {"PING"}));
  server.restart();
  EXPECT_TRUE(comes_to_answer("PONG", {"PING"}));
}

TEST_F(RedisClient, FailsAtOnceWhileTheServerIsAway) {
  connect("redis://127.0.0.1:1");
  EXPECT_EQ(call("PING"), "cache_unavailable");
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(call("PING"), "cache_unavailable");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 100s) << "and not a time-out of ten seconds each";
}

// A reply that comes after its caller has gone is nobody's. A server that is silent for two time-outs is given up: so
// it must come before.
TEST_F(RedisClient, ALateReplyGoesToNobody) {
  RedisServer server;
  EXPECT_TRUE(testing::with_growing_limits(300ms, [&](std::chrono::milliseconds limit) {
    connect(server.url(), {.call_timeout = limit});
    EXPECT_TRUE(comes_to_answer("OK", {"SET", "a", "mine"}));
    const std::uint64_t connects = client_->stats().connects;
    const auto began = std::chrono::steady_clock::now();
    server.pause();
    const std::string answer = call("ECHO", "late");
    server.resume();
    EXPECT_TRUE(comes_to_answer("mine", {"GET", "a"}));
    if (std::chrono::steady_clock::now() - began > 2 * limit) return false;
    EXPECT_EQ(answer, "cache_timeout");
    EXPECT_EQ(client_->stats().connects, connects) << "the connection lived on";
    return true;
  }));
}

TEST_F(RedisClient, ACancelledCallKeepsItsPlace) {
  connect(testing::shared_redis().new_url());
  EXPECT_EQ(call("SET", "a", "mine"), "OK");
  Scope scope;
  std::atomic<bool> ended = false;
  auto cancelled = [](Client& client, std::atomic<bool>& over) -> Async<void> {
    Command get("ECHO", "not yours");
    Result<Reply> reply = co_await client.call(std::move(get));
    EXPECT_EQ(shown(reply), "cancelled");
    over = true;
  };
  loops_.loop().call([&] {
    cancelled(*client_, ended).detach(&scope);
    scope.cancel(Category::cancelled);
  });
  EXPECT_EQ(call("GET", "a"), "mine");
  EXPECT_TRUE(ended);
}

TEST_F(RedisClient, GivesUpOnAServerThatHangs) {
  RedisServer server;
  connect(server.url(), {.call_timeout = 100ms, .connect_timeout = 200ms});
  EXPECT_TRUE(comes_to_answer("PONG", {"PING"}));
  server.pause();
  EXPECT_EQ(call("PING"), "cache_timeout");
  EXPECT_TRUE(comes_to_answer("cache_unavailable", {"PING"})) << "then it fails without waiting";
  server.resume();
  EXPECT_TRUE(comes_to_answer("PONG", {"PING"}));
}

TEST_F(RedisClient, BoundsWhatWaits) {
  connect(testing::shared_redis().new_url(), {.pending_max = 4});
  std::atomic<int> busy = 0;
  std::atomic<int> answered = 0;
  auto ping = [](Client& client, std::atomic<int>& refused, std::atomic<int>& done) -> Async<void> {
    Command command("PING");
    Result<Reply> reply = co_await client.call(std::move(command));
    refused += shown(reply) == "cache_busy";
    ++done;
  };
  loops_.loop().call([&] {
    for (int i = 0; i < 10; ++i) ping(*client_, busy, answered).detach();
  });
  EXPECT_TRUE(wait_until([&] { return answered == 10; }));
  EXPECT_EQ(busy, 6);
}

// ---- TLS

TEST_F(RedisClient, SpeaksTlsAndChecksWhoAnswers) {
  RedisServer server(RedisServer::Options{.tls = true});
  Options trusting;
  trusting.tls_options.authorities_file = server.tls()->authority;
  connect(server.url(), trusting);
  const std::string large(300'000, 'x');
  EXPECT_EQ(call("SET", "a", large), "OK");
  EXPECT_EQ(call("GET", "a"), large);
}

TEST_F(RedisClient, TrustsNoStranger) {
  RedisServer server(RedisServer::Options{.tls = true});
  connect(server.url());
  EXPECT_EQ(call("PING"), "cache_unavailable") << "the system does not know its authority";
}

// ---- Cluster

TEST_F(RedisClient, FindsTheNodeThatHoldsAKey) {
  testing::RedisCluster cluster;
  connect(cluster.url());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(call("SET", "key" + std::to_string(i), i), "OK");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(call("GET", "key" + std::to_string(i)), std::to_string(i));
  EXPECT_GE(client_->stats().redirections, 1u);
  EXPECT_LT(client_->stats().redirections, 50u) << "the map of slots was read";
  const Script script("return redis.call('GET', KEYS[1])");
  EXPECT_EQ(shown(loops_.wait_for(client_->eval(script, "key7", {}))), "7");
}

TEST_F(RedisClient, FollowsASlotThatMoves) {
  testing::RedisCluster cluster;
  connect(cluster.url());
  EXPECT_EQ(call("SET", "foo", "bar"), "OK");  // slot 12182, of the third node
  const std::string from = cluster.node(2).command({"CLUSTER", "MYID"});
  const std::string to = cluster.node(0).command({"CLUSTER", "MYID"});
  const std::string slot = std::to_string(slot_of("foo"));
  cluster.node(0).command({"CLUSTER", "SETSLOT", slot, "IMPORTING", from});
  cluster.node(2).command({"CLUSTER", "SETSLOT", slot, "MIGRATING", to});
  const testing::RedisAddress& target = cluster.node(0).address();
  cluster.node(2).command(
      {"MIGRATE", "127.0.0.1", std::to_string(target.port()), "foo", "0", "5000", "AUTH", target.password()});
  EXPECT_EQ(call("GET", "foo"), "bar") << "ASK";
  for (int i = 0; i < 3; ++i)
    cluster.node(static_cast<std::size_t>(i)).command({"CLUSTER", "SETSLOT", slot, "NODE", to});
  EXPECT_EQ(call("GET", "foo"), "bar") << "MOVED";
}

// ---- URLs

TEST(RedisOptions, ReadsUrls) {
  Result<Options> options = Options::from_url("rediss://ada:p%40ss@[::1]:7000/3");
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->tls);
  EXPECT_EQ(options->user, "ada");
  EXPECT_EQ(options->password, "p@ss");
  EXPECT_EQ(options->endpoint.to_string(), "[::1]:7000");
  EXPECT_EQ(options->database, 3);
  options = Options::from_url("redis://:pw@cache");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->user, "");
  EXPECT_EQ(options->endpoint.to_string(), "cache:6379");
  EXPECT_EQ(Options::from_url("redis+unix:/run/redis.sock")->endpoint.socket_path, "/run/redis.sock");
}

TEST(RedisOptions, RefusesUrlsWithoutShowingThem) {
  for (std::string_view url :
       {"http://a", "redis://", "redis://a:port", "redis://a/x", "redis://a:0", "redis://u:secret%zz@a",
        "redis://a?b=c", "redis://:secret@[::1", "redis+unix:run"}) {
    Result<Options> options = Options::from_url(url);
    ASSERT_FALSE(options) << url;
    EXPECT_EQ(options.error().code(), "redis_url");
    EXPECT_EQ(options.error().detail().find("secret"), std::string::npos) << url;
  }
}

}  // namespace
}  // namespace bedplate::redis
