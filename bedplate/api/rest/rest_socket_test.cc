// SPDX-License-Identifier: Apache-2.0
// The surface over real sockets: what an in-process request cannot show.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <stdexcept>
#include <thread>

#include "bedplate/api/rest/problem.h"
#include "bedplate/api/rest/rest_test_kit.h"
#include "bedplate/async/loop_group.h"
#include "bedplate/http/server.h"

namespace bedplate::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A kit behind a port, on two loops.
class SocketServer {
 public:
  explicit SocketServer(RestKit& kit) : kit_(kit) {
    kit.start();
    server_.emplace(loops_, *kit.rest, http::ServerSettings{}, &problems_);
    loops_.start();
    Result<void> listening = server_->listen("127.0.0.1:0");
    if (!listening) throw std::runtime_error(listening.error().detail());
    port_ = static_cast<std::uint16_t>(std::stoi(server_->urls().front().substr(17)));
  }
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;
  ~SocketServer() {
    server_->drain(testing::kPatience);
    loops_.stop();
    loops_.join();
    kit_.sql.database().close();  // before the loops go, and on no thread but this one
  }

  /// Sends the bytes on a connection of their own and returns everything that comes until it closes.
  std::string exchange(std::string_view bytes) const {
    int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    std::string answer;
    char chunk[4096];
    for (ssize_t n; (n = ::recv(socket, chunk, sizeof chunk, 0)) > 0;)
      answer.append(chunk, static_cast<std::size_t>(n));
    ::close(socket);
    return answer;
  }
  std::string create(std::string_view title, std::string_view key) const {
    std::string body = R"({"title":")" + std::string(title) + "\"}";
    return exchange(
        "POST /v1/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nIdempotency-Key: " +
        std::string(key) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

 private:
  RestKit& kit_;
  LoopGroup loops_{2};
  ServerProblems problems_;
  std::optional<http::Server> server_;
  std::uint16_t port_ = 0;
};

class RestSocketTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  std::string exchange(std::string_view bytes) const { return server_.exchange(bytes); }
  std::string create(std::string_view title, std::string_view key) const {
    return server_.create(title, key);
  }

  RestKit kit_{GetParam()};
  SocketServer server_{kit_};
};
INSTANTIATE_TEST_SUITE_P(, RestSocketTest, testing::every_dialect(), testing::dialect_name);

TEST_P(RestSocketTest, AnswersOverASocket) {
  std::string made = create("Lamp", "key-1");
  EXPECT_THAT(made, HasSubstr("HTTP/1.1 201 Created\r\n"));
  EXPECT_THAT(made, HasSubstr("\r\nLocation: /v1/things/"));
  std::string listed = exchange(
      "GET /v1/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(listed, HasSubstr(R"("title":"Lamp")"));
}

TEST_P(RestSocketTest, TheServersOwnErrorsHaveTheSameShape) {
  std::string bad =
      exchange("GET /v1/things HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
  EXPECT_THAT(bad, HasSubstr("HTTP/1.1 400 "));
  EXPECT_THAT(bad, HasSubstr("application/problem+json"));
  EXPECT_THAT(bad, HasSubstr(R"("code":)"));
  EXPECT_THAT(bad, HasSubstr(R"("request_id":)"));
}

TEST_P(RestSocketTest, HeadHasNoBody) {
  std::string head = exchange("HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 16\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST_P(RestSocketTest, ManyWithOneKeyRunOnce) {
  std::vector<std::thread> clients;
  std::vector<std::string> answers(8);
  for (std::string& answer : answers) clients.emplace_back([&] { answer = create("Lamp", "one-key"); });
  for (std::thread& client : clients) client.join();
  for (const std::string& answer : answers)
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 201 ") || answer.starts_with("HTTP/1.1 409 ")) << answer;
  EXPECT_EQ(kit_.things.runs, 1);
  EXPECT_THAT(create("Lamp", "one-key"), HasSubstr("Idempotency-Replayed: true"));
}

TEST(RestOutageTest, AKeyWhoseRequestWasCutShortByAKillRunsOnceWhenItIsSentAgain) {
  testing::PostgresServer postgres;
  testing::PostgresDatabase place = postgres.create_database();
  RestKit kit(place);
  kit.parts.rate_limit.enabled = false;
  SocketServer server(kit);
  testing::PostgresSession lock(place.admin_url());
  lock.rows("BEGIN; LOCK TABLE things IN EXCLUSIVE MODE");
  std::future<std::string> cut =
      std::async(std::launch::async, [&] { return server.create("Lamp", "key-1"); });
  ASSERT_TRUE(testing::wait_until([&] {
    return place.count("SELECT count(*) FROM pg_locks WHERE relation = 'things'::regclass AND NOT granted") >
           0;
  })) << "it has its key and waits for the table";
  EXPECT_THAT(server.create("Lamp", "key-1"), HasSubstr("HTTP/1.1 409 "));
  postgres.kill();
  const std::string refused = cut.get();
  EXPECT_THAT(refused, HasSubstr("HTTP/1.1 503 "));
  EXPECT_THAT(refused, HasSubstr("Retry-After: "));
  postgres.start();
  // Each loop connects again when it comes to it.
  const auto create_in_time = [&](std::string_view title) {
    std::string answer;
    testing::wait_until([&] {
      answer = server.create(title, "key-1");
      return !answer.starts_with("HTTP/1.1 503 ");
    });
    return answer;
  };
  const std::string made = create_in_time("Lamp");
  EXPECT_THAT(made, HasSubstr("HTTP/1.1 201 "));
  EXPECT_THAT(made, Not(HasSubstr("Idempotency-Replayed"))) << "nothing of the first was kept";
  EXPECT_THAT(create_in_time("Lamp"), HasSubstr("Idempotency-Replayed: true"));
  EXPECT_THAT(create_in_time("Desk"), HasSubstr("HTTP/1.1 422 "));
  EXPECT_EQ(place.count("SELECT count(*) FROM things"), 1);
}

}  // namespace
}  // namespace bedplate::api
