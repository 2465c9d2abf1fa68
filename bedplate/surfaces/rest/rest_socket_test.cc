// SPDX-License-Identifier: Apache-2.0
// The surface over real sockets: what an in-process request cannot show.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <stdexcept>
#include <thread>

#include "bedplate/async/loop_group.h"
#include "bedplate/http/server.h"
#include "bedplate/surfaces/rest/problem.h"
#include "tests/kits/rest_kit.h"

namespace bedplate::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A kit behind a port, on two loops.
class SocketServer {
 public:
  explicit SocketServer(RestKit& kit, http::ServerSettings settings = {})
      : kit_(kit), problems_(kit.parts.rest, kit.parts.cors) {
    kit.start();
    server_.emplace(loops_, *kit.rest, std::move(settings), &problems_);
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

// What is answered before there is a request to route: a browser shows its page none of it without the field for CORS.
TEST(RestEarlyErrorTest, EarlyErrorsHaveTheFieldsOfLaterOnes) {
  RestKit kit;
  kit.parts.cors.allowed_origins = {"https://app.example.org"};
  http::ServerSettings settings;
  settings.allowed_hosts = {"a"};
  settings.header_timeout_ms = 200;
  const SocketServer server(kit, settings);
  const std::string origin = "Host: a\r\nOrigin: https://app.example.org\r\n";
  struct Early {
    std::string request;
    std::string_view status;
  };
  for (const Early& early : {
           Early{"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + origin + "\r\n", "414 "},
           Early{"GET /hello HTTP/1.1\r\n" + origin + "X: " + std::string(20'000, 'a') + "\r\n\r\n", "431 "},
           Early{"GET /v1/things/a%2Fb HTTP/1.1\r\n" + origin + "\r\n", "400 "},
           Early{"GET /hello HTTP/1.1\r\nHost: b\r\nOrigin: https://app.example.org\r\n\r\n", "421 "},
           Early{"GET /hello HTTP/1.1\r\n" + origin, "408 "},
           Early{"GET /hello HTTP/3.0\r\n" + origin + "\r\n", "505 "},
       }) {
    const std::string answer = server.exchange(early.request);
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 " + std::string(early.status)));
    for (std::string_view field :
         {"\r\nAccess-Control-Allow-Origin: *\r\n", "\r\nAccess-Control-Expose-Headers: ",
          "\r\nX-Content-Type-Options: nosniff\r\n", "\r\nContent-Security-Policy: default-src 'none'",
          "\r\nX-Request-Id: ", "\r\nCache-Control: no-store\r\n"})
      EXPECT_THAT(answer, HasSubstr(field)) << early.status;
  }
}

TEST(RestEarlyErrorTest, WithoutOriginsThereIsNoFieldForCors) {
  RestKit kit;
  const SocketServer server(kit);
  const std::string answer = server.exchange("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 400 "));
  EXPECT_THAT(answer, HasSubstr("nosniff"));
  EXPECT_THAT(answer, Not(HasSubstr("Access-Control")));
}

// RFC 9110 section 15.4.5.
TEST(RestNotModifiedTest, A304HasTheFieldsOfThe200) {
  RestKit kit;
  kit.parts.cors.allowed_origins = {"https://app.example.org"};
  http::ServerSettings settings;
  settings.compression_size_min = 16;
  const SocketServer server(kit, settings);
  const std::string made = server.create("Lamp", "key-1");
  const std::size_t at = made.find("\r\nLocation: ") + 12;
  const std::string path = made.substr(at, made.find("\r\n", at) - at);
  const auto get = [&](const std::string& fields) {
    return server.exchange("GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n" +
                           "Connection: close\r\n" + fields + "\r\n");
  };
  const auto lines_of = [](const std::string& answer, std::string_view name) {
    std::string lines;
    const std::string start = "\r\n" + std::string(name) + ": ";
    for (std::size_t line = answer.find(start); line != std::string::npos;
         line = answer.find(start, line + 1))
      lines += answer.substr(line, answer.find("\r\n", line + 2) - line);
    return lines;
  };
  for (const std::string& coding : {std::string(), std::string("Accept-Encoding: gzip\r\n")}) {
    const std::string whole = get(coding);
    EXPECT_THAT(whole, HasSubstr("HTTP/1.1 200 "));
    EXPECT_THAT(lines_of(whole, "Vary"), HasSubstr("Accept-Encoding"));
    const std::string etag = lines_of(whole, "ETag").substr(8);
    const std::string same = get(coding + "If-None-Match: " + etag + "\r\n");
    EXPECT_THAT(same, HasSubstr("HTTP/1.1 304 "));
    for (std::string_view name : {"Vary", "ETag", "Cache-Control"})
      EXPECT_EQ(lines_of(same, name), lines_of(whole, name)) << coding;
    EXPECT_NE(lines_of(same, "Date"), "");
    EXPECT_EQ(lines_of(same, "Content-Type"), "");
    EXPECT_TRUE(same.ends_with("\r\n\r\n")) << "it has no body";
  }
}

// A client that sends 50 MB before it reads: what is refused before the body is read is heard all the same.
TEST(RestEarlyErrorTest, RefusalsOfLargeUploadsAreHeard) {
  RestKit kit;
  kit.parts.rate_limit.address_burst = 20;
  kit.parts.rate_limit.address_rate = 0.01;
  http::ServerSettings settings;
  settings.linger_timeout_ms = 60'000;  // of a busy machine
  const SocketServer server(kit, settings);
  const std::string body(50'000'000, 'x');
  const auto upload = [&](std::string_view token) {
    return server.exchange(
        "POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: " +
        std::string(token) + "\r\nContent-Length: 50000000\r\n\r\n" + body);
  };
  EXPECT_THAT(upload("Bearer good"), HasSubstr("HTTP/1.1 413 "));
  EXPECT_THAT(upload("Bearer forged"), HasSubstr("HTTP/1.1 401 "));
  EXPECT_THAT(upload("Bearer good"), HasSubstr("HTTP/1.1 429 "));
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
  kit.execution.rate_limit.enabled = false;
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
