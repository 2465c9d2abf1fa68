// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "bedplate/async/timer.h"
#include "bedplate/outbound/client.h"
#include "tests/kits/outbound_kit.h"
#include "tests/kits/patience_kit.h"
#include "tests/kits/raw_server_kit.h"

namespace bedplate::outbound {
namespace {

using namespace std::chrono_literals;
using testing::OutboundRoom;
using testing::RawServer;
using Peer = RawServer::Connection;

class Pieces final : public BodySource {
 public:
  Pieces(int count, std::size_t size) : left_(count), size_(size) {}
  Async<std::string> next() override {
    co_await ok(yield());
    ++asked;
    if (left_-- == 0) co_return std::string();
    co_return std::string(size_, 'p');
  }
  int asked = 0;

 private:
  int left_;
  const std::size_t size_;
};

/// Never has a piece.
class Silent final : public BodySource {
 public:
  Async<std::string> next() override {
    Result<void> slept = co_await sleep_for(1h);
    cancelled = !slept;
    co_return std::string();
  }
  bool cancelled = false;
};

TEST(OutboundStream, SendsABodyPieceByPieceAsTheOtherSideTakesIt) {
  std::size_t size = 0;
  RawServer server([&](Peer& peer, int) {
    const std::string head = peer.read_until("\r\n\r\n");
    EXPECT_NE(head.find("Transfer-Encoding: chunked"), head.npos) << head;
    for (;;) {
      const std::string line = peer.read_until("\r\n");
      const std::size_t chunk = std::stoul(line, nullptr, 16);
      peer.read(chunk + 2);
      size += chunk;
      if (chunk == 0) break;
    }
    peer.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  OutboundRoom room;
  Pieces pieces(100, 10'000);
  Request request("POST", server.url("/"));
  request.source = &pieces;
  EXPECT_EQ(room.send(std::move(request)).value().status, 204);
  EXPECT_EQ(size, 1'000'000u);
  EXPECT_EQ(pieces.asked, 101);
}

TEST(OutboundStream, AsksForNoPieceWithoutAConnectionAndCancelsTheSourceAtTheEnd) {
  RawServer server([](Peer& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });
  OutboundRoom room;
  Pieces pieces(1, 1);
  Request unreachable("PUT", "http://127.0.0.1:1/");
  unreachable.source = &pieces;
  EXPECT_EQ(room.send(std::move(unreachable)).error().code(), "connect_failed");
  EXPECT_EQ(pieces.asked, 0);
  Silent silent;
  Request refused("PUT", server.url("/"));
  refused.source = &silent;
  const Result<Response> result = room.send(std::move(refused));
  ASSERT_TRUE(result) << result.error().code();
  EXPECT_EQ(result->status, 413);
  EXPECT_TRUE(silent.cancelled);
}

struct Reading {
  std::size_t size = 0;
  std::size_t largest = 0;
};

Async<Reading> read_all(Client& client, Request request, int& status, const std::function<bool()>& ready) {
  ResponseStream answer = co_await ok(client.open(std::move(request)));
  status = answer.status();
  while (!ready()) co_await ok(sleep_for(2ms));
  Reading reading;
  for (;;) {
    const std::string piece = co_await ok(answer.read());
    if (piece.empty()) break;
    reading.size += piece.size();
    reading.largest = std::max(reading.largest, piece.size());
  }
  co_return reading;
}

TEST(OutboundStream, LetsTheSenderWaitWhileNobodyReads) {
  constexpr std::size_t kSize = 64 << 20;
  std::atomic<std::size_t> sent{0};
  RawServer server([&](Peer& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
    const std::string block(64 << 10, 'x');
    while (sent < kSize && peer.write(block)) sent += block.size();
  });
  OutboundRoom room;
  int status = 0;
  // Nothing is read until the sender has stood still for a while.
  std::size_t last = 0;
  int still = 0;
  const std::function<bool()> stands_still = [&] {
    const std::size_t now = sent;
    still = now > 0 && now == last ? still + 1 : 0;
    last = now;
    return still > 50;
  };
  Request request("GET", server.url("/"));
  const Result<Reading> read =
      run_to_end(room.loop, read_all(*room.client, std::move(request), status, stands_still));
  ASSERT_TRUE(read) << read.error().detail();
  EXPECT_EQ(status, 200);
  EXPECT_LT(last, kSize / 2);
  EXPECT_EQ(read->size, kSize);
  EXPECT_LE(read->largest, 128u << 10);
}

TEST(OutboundStream, SaysWhenTheAnswerWasCutOff) {
  RawServer server([](Peer& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    peer.reset();
  });
  OutboundRoom room;
  int status = 0;
  const std::function<bool()> ready = [] { return true; };
  Request request("GET", server.url("/"));
  const Result<Reading> read =
      run_to_end(room.loop, read_all(*room.client, std::move(request), status, ready));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), "connection_closed");
}

Async<std::string> read_one(Client& client, Request request) {
  ResponseStream answer = co_await ok(client.open(std::move(request)));
  std::string piece = co_await ok(answer.read());
  co_return std::move(piece);
}

TEST(OutboundStream, ClosesTheConnectionWhenItIsDroppedHalfRead) {
  RawServer server([](Peer& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    peer.read_to_end();
  });
  OutboundRoom room;
  Request request("GET", server.url("/"));
  EXPECT_EQ(run_to_end(room.loop, read_one(*room.client, std::move(request))).value(), "half");
  EXPECT_TRUE(testing::wait_until([&] { return server.ended() == 1; }));
}

}  // namespace
}  // namespace bedplate::outbound
