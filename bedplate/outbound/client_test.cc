// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/client.h"

#include <gtest/gtest.h>

#include <string>

#include "bedplate/async/gather.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/buffer.h"
#include "tests/kits/outbound_kit.h"
#include "tests/kits/patience_kit.h"
#include "tests/kits/raw_server_kit.h"

namespace bedplate::outbound {
namespace {

using namespace std::chrono_literals;
using testing::OutboundRoom;
using testing::RawServer;
using Peer = RawServer::Connection;

std::string answer(std::string_view body, std::string_view fields = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(fields) +
         "\r\n" + std::string(body);
}

/// Answers every request without a body of a connection.
void answer_all(Peer& peer, std::string_view text) {
  while (!peer.read_until("\r\n\r\n").empty())
    if (!peer.write(text)) return;
}

std::string code_of(const Result<Response>& result) {
  return result ? "status " + std::to_string(result->status) : result.error().code();
}

TEST(OutboundClient, SendsMethodTargetFieldsAndBodyAndReadsTheAnswer) {
  std::string seen;
  RawServer server([&](Peer& peer, int) {
    seen = peer.read_until("\r\n\r\n");
    seen += peer.read(5);
    peer.write(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nX-A:  b \r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n");
  });
  OutboundRoom room;
  Request request("POST", server.url("/a%20b/../c?d#e"));
  request.add_field("X-Empty", "");
  request.add_field("X-One", "1");
  telemetry::RequestTrace trace{telemetry::new_trace(true), "vendor=1"};
  request.trace(&trace);
  request.body = "hello";
  const Response response = room.send(std::move(request)).value();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.field("x-a"), "b");
  EXPECT_FALSE(response.head.has_field("link"));
  EXPECT_FALSE(response.head.has_field("trailer"));
  EXPECT_EQ(response.body, "abcde");
  EXPECT_TRUE(seen.starts_with("POST /a%20b/../c?d HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("Host: 127.0.0.1:" + std::to_string(server.port())), seen.npos);
  EXPECT_NE(seen.find("\r\nX-Empty:\r\n"), seen.npos) << seen;
  EXPECT_NE(seen.find("\r\nContent-Length: 5\r\n"), seen.npos);
  EXPECT_NE(seen.find("\r\nUser-Agent: bedplate\r\n"), seen.npos);
  EXPECT_NE(seen.find("traceparent: " + telemetry::to_traceparent(trace.span).substr(0, 36)), seen.npos)
      << seen;
  EXPECT_NE(seen.find("tracestate: vendor=1"), seen.npos);
  EXPECT_EQ(seen.find("Expect"), seen.npos);
  EXPECT_EQ(seen.find("Content-Type"), seen.npos);
  EXPECT_TRUE(seen.ends_with("\r\n\r\nhello"));
}

TEST(OutboundClient, RefusesWhatCannotBeWritten) {
  OutboundRoom room;
  const auto refusal = [&](std::string_view method, std::string_view name, std::string_view value) {
    Request request(method, "http://127.0.0.1:1/");
    request.add_field(name, value);
    return code_of(room.send(std::move(request)));
  };
  EXPECT_EQ(refusal("GET", "X", "a\r\nY: b"), "bad_request");
  EXPECT_EQ(refusal("GET", "X\r\nY", "a"), "bad_request");
  EXPECT_EQ(refusal("GET /", "X", "a"), "bad_request");
  EXPECT_EQ(refusal("GET", "Content-Length", "3"), "bad_request");
  EXPECT_EQ(refusal("GET", "host", "other"), "bad_request");
  EXPECT_EQ(code_of(room.get("ftp://127.0.0.1/")), "bad_url");
}

TEST(OutboundClient, KeepsConnectionsAndConnectsToWhatTheResolverSays) {
  RawServer server([](Peer& peer, int) { answer_all(peer, answer("hi")); });
  OutboundRoom room;
  room.resolver.add("api.example.com", std::vector<std::string>{"127.0.0.1"});
  const std::string url = "http://api.example.com:" + std::to_string(server.port()) + "/";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(room.get(url).value().body, "hi");
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(room.resolver.lookups(), 1);
  EXPECT_EQ(code_of(room.get("http://other.example.com/")), "resolve_failed");
}

TEST(OutboundClient, WaitsForItsTurnAndRefusesWhenTooManyWait) {
  RawServer server([](Peer& peer, int) { answer_all(peer, answer("hi")); });
  ClientOptions options;
  options.settings.requests_per_host_max = 2;
  options.settings.waiting_max = 3;
  OutboundRoom room(std::move(options));
  std::vector<Async<Response>> sent;
  for (int i = 0; i < 6; ++i) sent.push_back(room.client->send(Request("GET", server.url("/"))));
  const auto results = run_to_end(room.loop, gather_results(std::move(sent))).value();
  int good = 0;
  int busy = 0;
  for (const Result<Response>& result : results) (result ? good : busy) += 1;
  EXPECT_EQ(good, 5);
  EXPECT_EQ(busy, 1);
  EXPECT_LE(server.connections(), 2);
}

TEST(OutboundClient, NeverSendsAPostTwiceOnAKeptConnectionThatCloses) {
  std::atomic<int> posts{0};
  RawServer server([&](Peer& peer, int number) {
    const auto take = [&](const std::string& head) {
      if (head.starts_with("POST") && peer.read(4) == "once") ++posts;
    };
    take(peer.read_until("\r\n\r\n"));
    if (number > 0) return;
    peer.write(answer("first"));
    take(peer.read_until("\r\n\r\n"));
  });
  OutboundRoom room;
  EXPECT_EQ(room.get(server.url("/")).value().body, "first");
  Request post("POST", server.url("/"));
  post.body = "once";
  EXPECT_EQ(code_of(room.send(std::move(post))), "connection_closed");
  EXPECT_TRUE(testing::wait_until([&] { return server.ended() == server.connections(); }));
  EXPECT_EQ(posts, 1);
}

TEST(OutboundClient, TriesAgainWhatMayBeRepeatedAndOnlyBeforeAnAnswer) {
  RawServer server([](Peer& peer, int number) {
    peer.read_until("\r\n\r\n");
    if (number == 0) return;
    if (number == 1) peer.write(answer("second"));
    if (number == 2) peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    if (number == 4) peer.write(answer("keyed"));
    if (number == 5) peer.write("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n");
    if (number == 6) peer.write(answer("after 503"));
  });
  OutboundRoom room;
  EXPECT_EQ(room.get(server.url("/")).value().body, "second");
  Request cut("GET", server.url("/"));
  cut.attempts_max = 1;
  EXPECT_EQ(code_of(room.send(std::move(cut))), "connection_closed");
  Request keyed("POST", server.url("/"));
  keyed.add_field("Idempotency-Key", "k");
  EXPECT_EQ(room.send(std::move(keyed)).value().body, "keyed");
  Request patient("GET", server.url("/"));
  patient.retry_statuses = true;
  EXPECT_EQ(room.send(std::move(patient)).value().body, "after 503");
  EXPECT_EQ(server.connections(), 7);
}

TEST(OutboundClient, StopsTryingWhenTheRetriesAreUsedUp) {
  RawServer server([](Peer& peer, int) { peer.read_until("\r\n\r\n"); });
  ClientOptions options;
  options.settings.retry_percent = 0;
  OutboundRoom room(std::move(options));
  std::vector<Async<Response>> sent;
  for (int i = 0; i < 20; ++i) sent.push_back(room.client->send(Request("GET", server.url("/"))));
  for (const Result<Response>& result : run_to_end(room.loop, gather_results(std::move(sent))).value())
    EXPECT_EQ(code_of(result), "connection_closed");
  EXPECT_EQ(server.connections(), 30);  // and ten retries in reserve
}

TEST(OutboundClient, EndsAtEachOfItsTimeLimits) {
  RawServer server([](Peer& peer, int) {
    const std::string head = peer.read_until("\r\n\r\n");
    if (head.starts_with("GET /half")) peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    if (head.starts_with("GET /trickle")) {
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
      while (peer.write("x"))
        std::this_thread::sleep_for(5ms);  // tidy: sleep because a server that trickles is tested
    }
    peer.read_to_end();
  });
  ClientOptions options;
  options.settings.first_byte_timeout_ms = 300;
  options.settings.idle_timeout_ms = 400;
  OutboundRoom room(std::move(options));
  const Result<Response> silent = room.get(server.url("/silent"));
  EXPECT_EQ(code_of(silent), "response_timeout");
  EXPECT_NE(silent.error().detail().find("begin"), std::string::npos);
  EXPECT_EQ(code_of(room.get(server.url("/half"))), "response_timeout");
  Request trickle("GET", server.url("/trickle"));
  trickle.timeout = 1s;
  EXPECT_EQ(code_of(room.send(std::move(trickle))), "deadline_exceeded");
  EXPECT_TRUE(testing::wait_until([&] { return server.ended() == 3; }));
}

TEST(OutboundClient, BoundsHeadersAndBodies) {
  RawServer server([](Peer& peer, int) {
    const std::string head = peer.read_until("\r\n\r\n");
    if (head.starts_with("GET /fields")) {
      peer.write("HTTP/1.1 200 OK\r\n");
      while (peer.write("A: b\r\n")) {
      }
    } else if (head.starts_with("GET /long")) {
      peer.write("HTTP/1.1 200 OK\r\nA: ");
      while (peer.write(std::string(1000, 'a'))) {
      }
    } else if (head.starts_with("GET /endless")) {
      peer.write("HTTP/1.1 200 OK\r\n\r\n");
      while (peer.write(std::string(10000, 'a'))) {
      }
    } else {
      peer.write("SSH-2.0-OpenSSH_9\r\n");
    }
  });
  ClientOptions options;
  options.settings.body_size_max = 100'000;
  OutboundRoom room(std::move(options));
  EXPECT_EQ(code_of(room.get(server.url("/fields"))), "response_too_large");
  EXPECT_FALSE(room.get(server.url("/long")).has_value());
  EXPECT_EQ(code_of(room.get(server.url("/endless"))), "response_too_large");
  EXPECT_EQ(code_of(room.get(server.url("/ssh"))), "bad_response");
}

TEST(OutboundClient, FollowsRedirectsOnlyWhenAskedAndOnlyToTheSameOrigin) {
  RawServer server([](Peer& peer, int) {
    for (;;) {
      const std::string head = peer.read_until("\r\n\r\n");
      if (head.empty()) return;
      const bool away = head.starts_with("GET /away");
      if (head.starts_with("GET /there"))
        peer.write(answer("there"));
      else
        peer.write("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " +
                   std::string(away ? "http://169.254.169.254/latest" : "/there") + "\r\n\r\n");
    }
  });
  OutboundRoom room;
  const auto fetch = [&](std::string_view target, int redirects) {
    Request request("GET", server.url(target));
    request.redirects_max = redirects;
    return code_of(room.send(std::move(request)));
  };
  EXPECT_EQ(fetch("/here", 0), "status 302");
  EXPECT_EQ(fetch("/here", 1), "status 200");
  EXPECT_EQ(fetch("/away", 5), "status 302");
}

Async<void> cancel_soon(Scope& scope, const std::atomic<int>& begun) {
  while (begun == 0) co_await ok(sleep_for(2ms));
  scope.cancel(Category::cancelled);
}

TEST(OutboundClient, EndsTheConnectionAtOnceWhenItsScopeIsCancelled) {
  std::atomic<int> begun{0};
  RawServer server([&](Peer& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    ++begun;
    peer.read_to_end();
  });
  OutboundRoom room;
  Scope scope;
  room.loop.spawn(cancel_soon(scope, begun));
  EXPECT_EQ(code_of(room.send(Request("GET", server.url("/")), &scope)), "cancelled");
  EXPECT_TRUE(testing::wait_until([&] { return server.ended() == 1; }));
}

}  // namespace
}  // namespace bedplate::outbound
