// Time limits: slow and silent clients, slow handlers, clients that go away.
#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <string>
#include <thread>

#include "bedplate/http/server_fixture.h"

namespace bedplate::http {
namespace {

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(ServerTimeTest, SlowHeadersGet408) {
  ServerSettings settings;
  settings.header_timeout_ms = 100;
  TestServer server(settings);
  RawClient half(server.port());
  EXPECT_EQ(status_of(half.send("GET /hello HT").read_to_end()), 408);
  RawClient silent(server.port());
  EXPECT_TRUE(silent.closed_by_server());
  RawClient second(server.port());
  EXPECT_EQ(second.send(kHello).read_answer().status, 200);
  EXPECT_EQ(status_of(second.send("GET /hello HTTP/1.1\r\nHost: a\r\n").read_to_end()), 408);
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
  ServerSettings settings;
  settings.body_timeout_ms = 1000;
  settings.body_rate_min_bytes = 100'000;
  TestServer server(settings);
  RawClient client(server.port());
  client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  while (server.server().stats().connections_open == 0) std::this_thread::yield();
  while (server.server().stats().connections_open > 0) {
    client.send("x");
    ::poll(nullptr, 0, 20);  // the pace of a slow client
  }
  std::string answer = client.read_to_end();
  EXPECT_EQ(status_of(answer), 408);
  EXPECT_NE(answer.find("The body arrives too slowly."), std::string::npos) << answer;
}

TEST(ServerTimeTest, ClientsThatDoNotReadAreCutOff) {
  ServerSettings settings;
  settings.write_timeout_ms = 100;
  TestServer server(settings);
  RawClient client(server.port());
  client.send("GET /big?n=64000000 HTTP/1.1\r\nHost: a\r\n\r\n");
  while (server.server().stats().connections_open == 0) std::this_thread::yield();
  while (server.server().stats().connections_open > 0) std::this_thread::yield();
  EXPECT_FALSE(client.read_answer().whole);
  RawClient next(server.port());
  EXPECT_EQ(next.send(kHello).read_answer().status, 200);
}

TEST(ServerTimeTest, IdleConnectionsCloseSilently) {
  ServerSettings settings;
  settings.idle_timeout_ms = 100;
  TestServer server(settings);
  RawClient client(server.port());
  EXPECT_EQ(client.send(kHello).read_answer().status, 200);
  EXPECT_TRUE(client.closed_by_server());
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
  while (server.handler().waiting < 1) std::this_thread::yield();
  reset.reset();
  while (server.handler().cancelled < 1) std::this_thread::yield();
  // An orderly end is taken for one only after a while: the client may still listen.
  auto closing = std::make_unique<RawClient>(server.port());
  closing->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  while (server.handler().waiting < 2) std::this_thread::yield();
  closing.reset();
  while (server.handler().cancelled < 2) std::this_thread::yield();
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
