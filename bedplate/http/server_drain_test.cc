// SPDX-License-Identifier: Apache-2.0
// What a server does with its connections when it stops.
#include <gtest/gtest.h>

#include <chrono>
#include <string_view>
#include <thread>

#include "tests/kits/http_server_kit.h"
#include "tests/kits/patience_kit.h"

namespace bedplate::http {
namespace {

using namespace std::chrono_literals;
using testing::wait_until;

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(ServerDrainTest, FinishesWhatRuns) {
  TestServer server;
  RawClient idle(server.port());
  EXPECT_EQ(idle.send(kHello).read_answer().status, 200);
  RawClient busy(server.port());
  busy.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(busy.read_answer().status, 100);
  std::thread drainer([&] { EXPECT_TRUE(server.drain(testing::kPatience)); });
  EXPECT_TRUE(idle.closed_by_server());
  const Answer answer = busy.send("abcdef").read_answer();
  EXPECT_EQ(answer.body, "6");
  EXPECT_EQ(answer.field("Connection"), "close");
  busy.shutdown_write();
  drainer.join();
}

// For half a second: whoever is slower than that has shown nothing, and tries again.
bool is_let_in_and_answered() {
  TestServer server;
  RawClient idle(server.port());
  EXPECT_EQ(idle.send(kHello).read_answer().status, 200);
  RawClient let_in(server.port());
  EXPECT_TRUE(wait_until([&] { return server.server().stats().connections_accepted == 2; }));
  const auto began = std::chrono::steady_clock::now();
  std::thread drainer([&] { EXPECT_TRUE(server.drain(testing::kPatience)); });
  EXPECT_TRUE(idle.closed_by_server()) << "which says that draining has begun";
  let_in.send(kHello);
  const bool in_time = std::chrono::steady_clock::now() - began < 400ms;
  const Answer answer = let_in.read_answer();
  let_in.shutdown_write();
  drainer.join();
  if (!in_time) return false;
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Connection"), "close");
  return true;
}

TEST(ServerDrainTest, StillAnswersWhoWasLetIn) {
  EXPECT_TRUE(wait_until(is_let_in_and_answered));
}

// A head that has begun: of a new connection, and of one that is kept.
TEST(ServerDrainTest, DoesNotWaitForTheRestOfAHead) {
  TestServer server;
  constexpr std::string_view kHalf = "GET /hello HT";
  RawClient half(server.port());
  half.send(kHalf);
  RawClient second(server.port());
  EXPECT_EQ(second.send(kHello).read_answer().status, 200);
  second.send(kHalf);
  EXPECT_TRUE(
      wait_until([&] { return server.server().stats().bytes_in == kHello.size() + 2 * kHalf.size(); }));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(server.drain(testing::kPatience));
  EXPECT_LT(std::chrono::steady_clock::now() - began, testing::kPatience / 2) << "the time-out of a header";
  EXPECT_EQ(status_of(half.read_to_end()), 408);
  EXPECT_EQ(status_of(second.read_to_end()), 408);
}

// For a second: whoever is slower than that has shown nothing, and tries again.
bool is_answered_though_half_a_head_was_there() {
  TestServer server;
  RawClient idle(server.port());
  EXPECT_EQ(idle.send(kHello).read_answer().status, 200);
  RawClient half(server.port());
  half.send(kHello.substr(0, 10));
  EXPECT_TRUE(wait_until([&] { return server.server().stats().bytes_in == kHello.size() + 10; }));
  const auto began = std::chrono::steady_clock::now();
  std::thread drainer([&] { EXPECT_TRUE(server.drain(testing::kPatience)); });
  EXPECT_TRUE(idle.closed_by_server()) << "which says that draining has begun";
  half.send(kHello.substr(10));
  const bool in_time = std::chrono::steady_clock::now() - began < 800ms;
  const Answer answer = half.read_answer();
  half.shutdown_write();
  drainer.join();
  if (!in_time) return false;
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Connection"), "close");
  return true;
}

TEST(ServerDrainTest, AnswersAHeadWhoseRestComesInASecond) {
  EXPECT_TRUE(wait_until(is_answered_though_half_a_head_was_there));
}

TEST(ServerDrainTest, CutsOffWhatDoesNotEnd) {
  TestServer server;
  RawClient client(server.port());
  client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(wait_until([&] { return server.handler().waiting == 1; }));
  EXPECT_FALSE(server.drain(50ms));
  EXPECT_EQ(server.handler().cancelled, 1);
  EXPECT_TRUE(client.closed_by_server());
}

}  // namespace
}  // namespace bedplate::http
