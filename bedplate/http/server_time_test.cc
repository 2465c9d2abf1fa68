// SPDX-License-Identifier: Apache-2.0
// Time limits: slow and silent clients, slow handlers, clients that go away.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "tests/kits/http_server_kit.h"
#include "tests/kits/patience_kit.h"

namespace bedplate::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::wait_until;
using testing::with_growing_limits;

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(ServerTimeTest, SlowHeadersGet408) {
  EXPECT_TRUE(with_growing_limits(100ms, [](milliseconds limit) {
    ServerSettings settings;
    settings.header_timeout_ms = static_cast<std::uint32_t>(limit.count());
    TestServer server(settings);
    const auto began = steady_clock::now();
    RawClient silent(server.port());
    RawClient half(server.port());
    half.send("GET /hello HT");
    RawClient second(server.port());
    const int first_status = second.send(kHello).read_answer().status;
    second.send("GET /hello HTTP/1.1\r\nHost: a\r\n");
    const bool in_time = steady_clock::now() - began < limit;
    const bool silence = silent.closed_by_server();
    const int half_status = status_of(half.read_to_end()), second_status = status_of(second.read_to_end());
    if (!in_time) return false;
    EXPECT_TRUE(silence);
    EXPECT_EQ(half_status, 408);
    EXPECT_EQ(first_status, 200);
    EXPECT_EQ(second_status, 408);
    return true;
  }));
}

TEST(ServerTimeTest, SlowBodiesGet408) {
  ServerSettings settings;
  settings.body_timeout_ms = 100;
  TestServer server(settings);
  RawClient client(server.port());
  EXPECT_EQ(
      status_of(client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").read_to_end()),
      408);
}

// Never silent for long, and never done either: the least rate ends it.
TEST(ServerTimeTest, BodiesThatDribbleGet408) {
  EXPECT_TRUE(with_growing_limits(1s, [](milliseconds limit) {
    ServerSettings settings;
    settings.body_timeout_ms = static_cast<std::uint32_t>(limit.count());
    settings.body_rate_min_bytes = 100'000;
    TestServer server(settings);
    RawClient client(server.port());
    client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    steady_clock::duration longest_silence{0};
    for (auto last = steady_clock::now(); !client.hears_within(20ms); last = steady_clock::now()) {
      client.send("x");
      longest_silence = std::max(longest_silence, steady_clock::now() - last);
    }
    const std::string answer = client.read_to_end();
    EXPECT_EQ(status_of(answer), 408);
    if (longest_silence > limit / 2) return false;
    EXPECT_NE(answer.find("The body arrives too slowly."), std::string::npos) << answer;
    return true;
  }));
}

TEST(ServerTimeTest, ClientsThatDoNotReadAreCutOff) {
  ServerSettings settings;
  settings.write_timeout_ms = 100;
  TestServer server(settings);
  RawClient client(server.port());
  client.send("GET /big?n=64000000 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(wait_until([&] {
    const ServerStats stats = server.server().stats();
    return stats.connections_accepted == 1 && stats.connections_open == 0;
  }));
  EXPECT_FALSE(client.read_answer().whole);
  RawClient next(server.port());
  EXPECT_EQ(next.send(kHello).read_answer().status, 200);
}

TEST(ServerTimeTest, IdleConnectionsCloseSilently) {
  EXPECT_TRUE(with_growing_limits(100ms, [](milliseconds limit) {
    ServerSettings settings;
    settings.idle_timeout_ms = static_cast<std::uint32_t>(limit.count());
    TestServer server(settings);
    const auto began = steady_clock::now();
    RawClient client(server.port());
    client.send(kHello);
    const bool in_time = steady_clock::now() - began < limit;
    const int status = client.read_answer().status;
    const bool silence = client.closed_by_server();
    if (!in_time) return false;
    EXPECT_EQ(status, 200);
    EXPECT_TRUE(silence);
    return true;
  }));
}

TEST(ServerTimeTest, HandlersHaveADeadline) {
  ServerSettings settings;
  settings.request_timeout_ms = 100;
  TestServer server(settings);
  RawClient client(server.port());
  EXPECT_EQ(client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").read_answer().status, 504);
  EXPECT_EQ(server.handler().timed_out, 1);
  EXPECT_EQ(client.send(kHello).read_answer().status, 200);
}

TEST(ServerTimeTest, ClientsThatGoAwayCancelTheirRequest) {
  TestServer server;
  RawClient reset(server.port());
  reset.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(wait_until([&] { return server.handler().waiting == 1; }));
  reset.reset();
  EXPECT_TRUE(wait_until([&] { return server.handler().cancelled == 1; }));
  // An orderly end is taken for one only after a while: the client may still listen.
  auto closing = std::make_unique<RawClient>(server.port());
  closing->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(wait_until([&] { return server.handler().waiting == 2; }));
  closing.reset();
  EXPECT_TRUE(wait_until([&] { return server.handler().cancelled == 2; }));
}

TEST(ServerTimeTest, HalfClosedClientsHearTheirAnswer) {
  TestServer server;
  RawClient client(server.port());
  client.send("GET /stream?n=4 HTTP/1.1\r\nHost: a\r\n\r\n");
  client.shutdown_write();
  EXPECT_TRUE(client.read_answer().whole);
}

TEST(ServerTimeTest, AbruptEndsHurtNobody) {
  TestServer server;
  for (std::string_view request : {"", "GET", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
                                   "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc",
                                   "GET /big?n=10000000 HTTP/1.1\r\nHost: a\r\n\r\n",
                                   "GET /stream?n=100000 HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    for (int i = 0; i < 5; ++i) {
      RawClient client(server.port());
      client.send(request);
      if (i % 2 == 0) client.reset();
    }
  }
  EXPECT_EQ(RawClient(server.port()).send(kHello).read_answer().body, "Hello");
}

}  // namespace
}  // namespace bedplate::http
