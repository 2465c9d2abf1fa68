// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/client.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bedplate/async/listener.h"
#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"

namespace bedplate::http {
namespace {

using namespace std::chrono_literals;

/// What one connection of the server under script does: an answer for each request, in order, then it closes.
using Script = std::vector<std::string>;

/// A server that gives prepared bytes, whatever it is asked. Requests have Content-Length bodies.
class ScriptedServer : public ConnectionHandler {
 public:
  ScriptedServer(Loop& loop, std::vector<Script> scripts) : scripts_(std::move(scripts)) {
    ListenOptions options;
    auto sockets = listen_on(*SocketAddress::parse("127.0.0.1:0"), 1, options);
    address = sockets->address();
    listener_ = std::make_unique<Listener>(loop, sockets->take(), *this, options);
  }

  void on_connection(Stream stream) override {
    ++connections;
    ++serving;
    Script script = scripts_.empty() ? Script() : std::move(scripts_.front());
    if (!scripts_.empty()) scripts_.erase(scripts_.begin());
    serve(std::move(stream), std::move(script)).detach();
  }

  SocketAddress address;
  int connections = 0;
  int serving = 0;  ///< of which so many are open here
  std::vector<std::string> requests;
  bool keeps_open = false;  ///< after the script, until the client closes

 private:
  Async<void> serve(Stream stream, Script script) {
    std::ignore = co_await converse(stream, script);
    stream.close();
    --serving;
  }

  Async<void> converse(Stream& stream, const Script& script) {
    for (const std::string& answer : script) {
      std::string request = co_await ok(read_request(stream));
      if (request.empty()) co_return;
      requests.push_back(request);
      co_await ok(stream.write_all(answer));
    }
    if (!keeps_open) co_return;
    std::array<char, 4096> buffer;
    for (std::size_t size = 1; size > 0;) size = co_await ok(stream.read(buffer));
  }

  static Async<std::string> read_request(Stream& stream) {
    std::string request;
    std::array<char, 4096> buffer;
    for (;;) {
      std::size_t end = request.find("\r\n\r\n");
      std::size_t length_at = request.find("Content-Length: ");
      std::size_t length = length_at < end ? std::stoul(request.substr(length_at + 16)) : 0;
      if (end != request.npos && request.size() >= end + 4 + length) co_return request;
      std::size_t size = co_await ok(stream.read(buffer));
      if (size == 0) co_return "";
      request.append(buffer.data(), size);
    }
  }

  std::vector<Script> scripts_;
  std::unique_ptr<Listener> listener_;
};

Async<ClientResponse> get(Client& client) {
  ClientResponse response = co_await ok(client.get("/x?y=z"));
  co_return response;
}
Async<ClientResponse> send(Client& client, ClientRequest request) {
  ClientResponse response = co_await ok(client.send(std::move(request)));
  co_return response;
}
/// The server has closed every connection.
Async<void> until_closed(ScriptedServer& server) {
  while (server.serving > 0) co_await ok(sleep_for(1ms));
}

/// The answer to one GET that a server gives these bytes for.
Result<ClientResponse> answer_to(const std::string& bytes, std::string_view method = "GET",
                                 ClientSettings settings = ClientSettings()) {
  Loop loop;
  ScriptedServer server(loop, {{bytes}});
  Client client(server.address, settings);
  Result<ClientResponse> response = run_to_end(loop, send(client, ClientRequest(method, "/")));
  client.close_idle();
  EXPECT_TRUE(run_to_end(loop, until_closed(server)));
  return response;
}

TEST(ClientTest, WritesTheRequestAndReadsTheAnswer) {
  Loop loop;
  ScriptedServer server(loop, {{"HTTP/1.1 201 Created\r\nLocation: /t/1\r\nContent-Length: 2\r\n\r\n{}"}});
  Client client(server.address);
  ClientRequest request("POST", "/t");
  request.add_field("Content-Type", "application/json");
  request.body = "[1,2]";
  auto response = run_to_end(loop, send(client, std::move(request)));
  ASSERT_TRUE(response) << response.error().detail();
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->head.reason, "Created");
  EXPECT_EQ(response->field("LOCATION"), "/t/1");
  EXPECT_EQ(response->field("nothing"), "");
  EXPECT_EQ(response->body, "{}");
  EXPECT_EQ(server.requests.at(0), "POST /t HTTP/1.1\r\nContent-Type: application/json\r\nHost: " +
                                       server.address.to_string() + "\r\nContent-Length: 5\r\n\r\n[1,2]");
}

TEST(ClientTest, ARequestJoinsTheTraceOfItsCallerAsASpanOfItsOwn) {
  Loop loop;
  ScriptedServer server(loop, {{"HTTP/1.1 204 No Content\r\n\r\n"}});
  Client client(server.address);
  telemetry::RequestTrace caller;
  caller.span = *telemetry::parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  caller.tracestate = "vendor=1";
  ClientRequest request;
  request.trace(&caller);
  ASSERT_TRUE(run_to_end(loop, send(client, std::move(request))));
  const std::string& sent = server.requests.at(0);
  EXPECT_NE(sent.find("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"), std::string::npos) << sent;
  EXPECT_EQ(sent.find("00f067aa0ba902b7"), std::string::npos) << "the span is the caller's own";
  EXPECT_NE(sent.find("tracestate: vendor=1\r\n"), std::string::npos) << sent;
}

TEST(ClientTest, KeepsTheConnectionForTheNextRequest) {
  Loop loop;
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1";
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\nExpires: never\r\n\r\n";
  ScriptedServer server(loop, {{sized, chunked, "HTTP/1.1 204 No Content\r\n\r\n"}});
  Client client(server.address);
  EXPECT_EQ(run_to_end(loop, get(client))->body, "1");
  EXPECT_EQ(run_to_end(loop, get(client))->body, "2");
  EXPECT_EQ(run_to_end(loop, get(client))->status, 204);
  EXPECT_EQ(server.connections, 1);
  EXPECT_EQ(client.connections_made(), 1u);
}

TEST(ClientTest, AConnectionClosedMeanwhileIsReplacedForSafeMethodsOnly) {
  Loop loop;
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  ScriptedServer server(loop, {{answer}, {answer}, {answer}});
  Client client(server.address);
  ASSERT_TRUE(run_to_end(loop, get(client)));
  // Not yet seen as closed, or seen: both work.
  ASSERT_TRUE(run_to_end(loop, get(client)));
  ASSERT_TRUE(run_to_end(loop, until_closed(server)));
  ASSERT_TRUE(run_to_end(loop, send(client, ClientRequest("POST", "/"))));
  EXPECT_EQ(server.connections, 3);
}

TEST(ClientTest, BytesThatCameUnaskedAreNotTakenForTheNextAnswer) {
  Loop loop;
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
  ScriptedServer server(loop, {{answer + "1" + answer + "X"}, {answer + "2"}});
  server.keeps_open = true;
  Client client(server.address);
  EXPECT_EQ(run_to_end(loop, get(client))->body, "1");
  EXPECT_EQ(run_to_end(loop, get(client))->body, "2");
  EXPECT_EQ(server.connections, 2);
  client.close_idle();
  ASSERT_TRUE(run_to_end(loop, until_closed(server)));
}

TEST(ClientTest, ResponsesWithoutABody) {
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "HEAD")->body, "");
  EXPECT_EQ(answer_to("HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n")->status, 304);
  EXPECT_EQ(answer_to("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n")->status, 204);
}

TEST(ClientTest, InterimAnswersAreSkipped) {
  auto response = answer_to(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->field("link"), "");
  std::string endless;
  for (int i = 0; i < 50; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(answer_to(endless).error().code(), "bad_response");
}

TEST(ClientTest, WithoutALengthTheBodyEndsWithTheConnection) {
  auto response = answer_to("HTTP/1.0 200 OK\r\n\r\nall of it");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "all of it");
}

TEST(ClientTest, WhatTwoReadersCouldReadDifferentlyIsRefused) {
  for (std::string bytes : {
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n1",
           "HTTP/1.1 200 OK\r\nContent-Length: 1 1\r\n\r\n1",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n1",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n1\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
           "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
           "HTTP/2 200\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 099 No\r\n\r\n",
           "HTTP/1.1 600 No\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
           "SSH-2.0-OpenSSH_9.2\r\n",
       }) {
    auto response = answer_to(bytes);
    ASSERT_FALSE(response) << bytes;
    EXPECT_EQ(response.error().category(), Category::unavailable) << bytes;
    EXPECT_EQ(response.error().code(), "bad_response") << bytes;
  }
}

TEST(ClientTest, TruncatedAnswersAreConnectionClosed) {
  for (std::string bytes : {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n1234"}) {
    auto response = answer_to(bytes);
    ASSERT_FALSE(response) << bytes;
    EXPECT_EQ(response.error().code(), "connection_closed") << bytes;
  }
}

TEST(ClientTest, LimitsHold) {
  ClientSettings settings;
  settings.body_size_max = 10;
  settings.limits.head_size_max = 200;
  settings.limits.field_count_max = 3;
  for (std::string bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n12345678901"})
    EXPECT_EQ(answer_to(bytes, "GET", settings).error().code(), "response_too_large") << bytes;
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nA: " + std::string(300, 'a'), "GET", settings).error().code(),
            "bad_response");
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n", "GET", settings).error().code(),
            "bad_response");
}

TEST(ClientTest, ASlowServerIsATimeout) {
  Loop loop;
  ScriptedServer server(loop, {{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1"}});
  server.keeps_open = true;
  ClientSettings settings;
  settings.timeout = 50ms;
  Client client(server.address, settings);
  auto response = run_to_end(loop, get(client));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().category(), Category::timeout);
  EXPECT_EQ(response.error().code(), "response_timeout");
  EXPECT_EQ(client.idle_connections(), 0u);
  ASSERT_TRUE(run_to_end(loop, until_closed(server)));
}

TEST(ClientTest, CancellingTheScopeEndsIt) {
  Loop loop;
  ScriptedServer server(loop, {Script()});
  server.keeps_open = true;
  Client client(server.address);
  Scope scope;
  loop.spawn([](Scope& to_cancel) -> Async<void> {
    co_await ok(sleep_for(20ms));
    to_cancel.cancel(Category::cancelled);
  }(scope));
  auto response = run_to_end(loop, get(client), &scope);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().category(), Category::cancelled);
  EXPECT_EQ(response.error().code(), "cancelled");
  ASSERT_TRUE(run_to_end(loop, until_closed(server)));
}

TEST(ClientTest, RequestsThatCouldBecomeTwoAreRefused) {
  Loop loop;
  Client client(*SocketAddress::parse("127.0.0.1:1"));
  std::vector<ClientRequest> requests(7);
  requests[0].method = "GET /";
  requests[1].target = "/a b";
  requests[2].target = "/a\r\nX: y";
  requests[3].add_field("A\r\n", "b");
  requests[4].add_field("A", "b\r\nC: d");
  requests[5].add_field("Content-Length", "3");
  requests[6].add_field("transfer-encoding", "chunked");
  for (ClientRequest& request : requests) {
    auto response = run_to_end(loop, send(client, std::move(request)));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code(), "bad_request");
  }
}

TEST(ClientTest, AnswerBeforeTheBodyWasReadIsStillAnAnswer) {
  Loop loop;
  struct Refuser : ConnectionHandler {
    Async<void> serve(Stream stream) {
      std::array<char, 1024> buffer;
      co_await ok(stream.read(buffer));
      co_await ok(
          stream.write_all("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
      co_await ok(stream.close_gently(1min, 100'000'000));
      is_over = true;
    }
    void on_connection(Stream stream) override { serve(std::move(stream)).detach(); }
    Async<void> until_over() {
      while (!is_over) co_await ok(sleep_for(1ms));
    }
    bool is_over = false;
  } refuser;
  ListenOptions options;
  auto sockets = listen_on(*SocketAddress::parse("127.0.0.1:0"), 1, options);
  Listener listener(loop, sockets->take(), refuser, options);
  Client client(sockets->address());
  ClientRequest request("POST", "/");
  request.body.assign(20'000'000, 'x');
  auto response = run_to_end(loop, send(client, std::move(request)));
  ASSERT_TRUE(response) << response.error().detail();
  EXPECT_EQ(response->status, 413);
  EXPECT_EQ(client.idle_connections(), 0u);
  ASSERT_TRUE(run_to_end(loop, refuser.until_over()));
}

}  // namespace
}  // namespace bedplate::http
