// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/async/listener.h"
#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"

namespace bedplate {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Two connected streams of one loop.
struct Pair {
  Stream a, b;
};

Pair make_pair(Loop& loop, int send_buffer_bytes = 0) {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  if (send_buffer_bytes > 0)
    for (int fd : fds) ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);
  sockaddr local{};
  local.sa_family = AF_UNIX;
  SocketAddress peer = SocketAddress::from_system(&local, sizeof local.sa_family);
  return {*Stream::adopt(loop, fds[0], peer), *Stream::adopt(loop, fds[1], peer)};
}

struct Collector : ConnectionHandler {
  void on_connection(Stream stream) override {
    streams.push_back(std::move(stream));
    if (waiting) std::exchange(waiting, nullptr)->resume();
  }
  std::vector<Stream> streams;
  Op* waiting = nullptr;
};

Async<std::string> read_all(Stream& stream) {
  std::string all;
  std::array<char, 4096> buffer;
  for (;;) {
    std::size_t size = co_await ok(stream.read(buffer));
    if (size == 0) co_return all;
    all.append(buffer.data(), size);
  }
}
Async<void> write_and_shut(Stream& stream, std::string data) {
  co_await ok(stream.write_all(data));
  stream.shutdown_write();
}
Async<std::string> read_once(Stream& stream) {
  std::array<char, 4096> buffer;
  std::size_t size = co_await ok(stream.read(buffer));
  co_return std::string(buffer.data(), size);
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

TEST(StreamTest, LargeTransferThroughASmallBufferArrivesWhole) {
  Loop loop;
  Pair pair = make_pair(loop, 4096);
  const std::string data = pattern(3'000'000);
  loop.spawn(write_and_shut(pair.a, data));
  EXPECT_EQ(*run_to_end(loop, read_all(pair.b)), data);
}

Async<void> write_pieces(Stream& stream, std::span<const std::string_view> pieces) {
  co_await ok(stream.write_all(pieces));
  stream.shutdown_write();
}

TEST(StreamTest, GatheredWriteKeepsOrderOverManyPiecesAndShortWrites) {
  Loop loop;
  Pair pair = make_pair(loop, 4096);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 300; ++i) texts.push_back(pattern(i % 7 == 0 ? 0 : i * 37 % 5000));
  std::vector<std::string_view> pieces(texts.begin(), texts.end());
  std::string expected;
  for (const std::string& text : texts) expected += text;
  loop.spawn(write_pieces(pair.a, pieces));
  EXPECT_EQ(*run_to_end(loop, read_all(pair.b)), expected);
}

TEST(StreamTest, GatheredWriteOfNothingSucceeds) {
  Loop loop;
  Pair pair = make_pair(loop);
  std::vector<std::string_view> pieces(3);
  ASSERT_TRUE(run_to_end(loop, write_pieces(pair.a, pieces)));
  EXPECT_EQ(*run_to_end(loop, read_all(pair.b)), "");
}

Async<int> ping_pong(Stream& mine, Stream& theirs, int rounds) {
  std::array<char, 64> buffer;
  int done = 0;
  for (; done < rounds; ++done) {
    co_await ok(mine.write_all("ping"));
    std::size_t size = co_await ok(theirs.read(buffer));
    co_await ok(theirs.write_all(std::string_view(buffer.data(), size)));
    size = co_await ok(mine.read(buffer));
    if (std::string_view(buffer.data(), size) != "ping") break;
  }
  co_return done;
}

TEST(StreamTest, ReadyOperationsDoNotStarveTheLoop) {
  Loop loop;
  Pair pair = make_pair(loop);
  int others = 0;
  struct Again : Work {
    Loop* loop;
    int* count;
  } again;
  again.loop = &loop;
  again.count = &others;
  again.run = [](Work* work) {
    auto* self = static_cast<Again*>(work);
    if (++*self->count < 50) self->loop->post(*self);
  };
  loop.post(again);
  EXPECT_EQ(*run_to_end(loop, ping_pong(pair.a, pair.b, 2000)), 2000);
  EXPECT_EQ(others, 50);
}

TEST(StreamTest, WritingAfterTheOtherSideClosedIsConnectionClosed) {
  Loop loop;
  Pair pair = make_pair(loop);
  pair.b.close();
  auto result = run_to_end(loop, write_and_shut(pair.a, "hello"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().category(), Category::cancelled);
  EXPECT_EQ(result.error().code(), "connection_closed");
}

TEST(StreamTest, AClosedStreamFailsEverything) {
  Loop loop;
  Stream stream;
  EXPECT_FALSE(stream.is_open());
  EXPECT_EQ(run_to_end(loop, read_all(stream)).error().code(), "connection_closed");
  EXPECT_EQ(run_to_end(loop, write_and_shut(stream, "x")).error().code(), "connection_closed");
  stream.set_idle_timeout(1s);
  stream.shutdown_write();
  stream.close();
  EXPECT_EQ(stream.fd(), -1);
  EXPECT_EQ(stream.peer().family(), SocketAddress::Family::none);
}

TEST(StreamTest, ClosingEndsTheOperationsThatWait) {
  Loop loop;
  Pair pair = make_pair(loop);
  loop.post_callable([&] { loop.post_callable([&] { pair.a.close(); }); });
  EXPECT_EQ(run_to_end(loop, read_all(pair.a)).error().code(), "connection_closed");
}

TEST(StreamTest, IdleTimeoutIsToldFromAClosedConnection) {
  Loop loop;
  Pair pair = make_pair(loop);
  pair.a.set_idle_timeout(50ms);
  auto start = Clock::now();
  auto result = run_to_end(loop, read_all(pair.a));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().category(), Category::request_timeout);
  EXPECT_EQ(result.error().code(), "connection_timeout");
  EXPECT_GE(Clock::now() - start, 50ms);
  EXPECT_TRUE(pair.a.is_open());  // so that an answer can be sent
  EXPECT_TRUE(run_to_end(loop, write_and_shut(pair.a, "408")));
  EXPECT_EQ(*run_to_end(loop, read_all(pair.b)), "408");
}

TEST(StreamTest, IdleTimeoutEndsAWriteThatNobodyReads) {
  Loop loop;
  Pair pair = make_pair(loop, 4096);
  pair.a.set_idle_timeout(50ms);
  const std::string data = pattern(1'000'000);
  EXPECT_EQ(run_to_end(loop, write_and_shut(pair.a, data)).error().category(), Category::request_timeout);
}

Async<void> drip(Stream& stream, int times) {
  for (int i = 0; i < times; ++i) {
    co_await ok(sleep_for(20ms));
    co_await ok(stream.write_all("."));
  }
}

TEST(StreamTest, DeadlineEndsAReadThatMakesProgressAllTheTime) {
  Loop loop;
  Pair pair = make_pair(loop);
  loop.spawn(drip(pair.b, 1000));
  pair.a.set_idle_timeout(10s);
  loop.post_callable([&] { pair.a.set_deadline(100ms); });
  auto result = run_to_end(loop, read_all(pair.a));
  EXPECT_EQ(result.error().category(), Category::request_timeout);
  pair.b.close();  // the drip ends
  struct Nap {
    static Async<void> take() { co_await ok(sleep_for(50ms)); }
  };
  EXPECT_TRUE(run_to_end(loop, Nap::take()));
}

TEST(StreamTest, ClearedDeadlineDoesNotFire) {
  Loop loop;
  Pair pair = make_pair(loop);
  loop.spawn(drip(pair.b, 20));
  pair.a.set_deadline(1ms);
  pair.a.clear_deadline();
  EXPECT_EQ(*run_to_end(loop, read_once(pair.a)), ".");
  struct Rest {
    static Async<int> count(Stream& stream) {
      int size = 1;
      std::array<char, 16> buffer;
      while (size < 20) size += static_cast<int>(co_await ok(stream.read(buffer)));
      co_return size;
    }
  };
  EXPECT_EQ(*run_to_end(loop, Rest::count(pair.a)), 20);
}

TEST(StreamTest, CancellingTheScopeEndsReadsAndWrites) {
  Loop loop;
  for (bool writes : {false, true}) {
    Pair pair = make_pair(loop, 4096);
    Scope scope;
    const std::string data = pattern(1'000'000);
    loop.post_callable([&] { loop.post_callable([&] { scope.cancel(Category::timeout); }); });
    if (writes) {
      EXPECT_EQ(run_to_end(loop, write_and_shut(pair.a, data), &scope).error().category(), Category::timeout);
    } else {
      EXPECT_EQ(run_to_end(loop, read_all(pair.a), &scope).error().category(), Category::timeout);
    }
  }
}

Async<std::string> waits_then_reads(Stream& stream) {
  co_await ok(stream.readable());
  Result<std::string> text = co_await read_once(stream);
  co_return text;
}

TEST(StreamTest, ReadableWaitsWithoutABuffer) {
  Loop loop;
  Pair pair = make_pair(loop);
  loop.spawn(drip(pair.b, 1));
  EXPECT_EQ(*run_to_end(loop, waits_then_reads(pair.a)), ".");
  loop.spawn(write_and_shut(pair.b, ""));
  EXPECT_EQ(*run_to_end(loop, waits_then_reads(pair.a)), "");
}

Async<void> sleeps_a_minute() {
  co_await ok(sleep_for(1min));
}

/// A TCP connection over loopback: the accepted end and the connecting one.
struct TcpPair {
  explicit TcpPair(Loop& loop) {
    ListenOptions options;
    auto sockets = listen_on(*SocketAddress::parse("127.0.0.1:0"), 1, options);
    Collector collector;
    Listener listener(loop, sockets->take(), collector, options);
    client = *run_to_end(loop, connect(sockets->address()));
    listener.drain();
    server = std::move(collector.streams.at(0));
  }
  Stream client, server;
};

TEST(StreamTest, AResetCancelsTheScopeOfWhoWaitsForSomethingElse) {
  Loop loop;
  TcpPair tcp(loop);
  Scope scope;
  tcp.server.cancel_when_gone(&scope);
  linger reset{1, 0};
  ::setsockopt(tcp.client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  loop.post_callable([&] { tcp.client.close(); });
  auto result = run_to_end(loop, sleeps_a_minute(), &scope);
  EXPECT_EQ(result.error().category(), Category::cancelled);
  EXPECT_TRUE(tcp.server.peer_has_closed());
}

TEST(StreamTest, AHalfClosedConnectionIsNotGone) {
  Loop loop;
  TcpPair tcp(loop);
  Scope scope;
  tcp.server.cancel_when_gone(&scope);
  tcp.client.shutdown_write();
  EXPECT_EQ(*run_to_end(loop, read_all(tcp.server), &scope), "");
  EXPECT_FALSE(scope.cancelled());
  EXPECT_TRUE(run_to_end(loop, write_and_shut(tcp.server, "answer"), &scope));
  EXPECT_EQ(*run_to_end(loop, read_all(tcp.client)), "answer");
}

Async<void> answer_and_close_gently(Stream& stream) {
  std::array<char, 100> buffer;
  co_await ok(stream.read(buffer));
  co_await ok(stream.write_all("413"));
  co_await ok(stream.close_gently(1min, 100'000'000));
}
Async<std::string> send_much_then_read(Stream& stream, const std::string& data) {
  Result<void> sent = co_await stream.write_all(data);
  if (!sent) co_return "reset while sending";
  stream.shutdown_write();
  Result<std::string> answer = co_await read_all(stream);
  co_return answer;
}

Async<void> until_closed(Stream& stream) {
  while (stream.is_open()) co_await ok(yield());
}

TEST(StreamTest, CloseGentlyLetsTheAnswerReachAClientThatStillSends) {
  Loop loop;
  TcpPair tcp(loop);
  const std::string data = pattern(20'000'000);
  loop.spawn(answer_and_close_gently(tcp.server));
  EXPECT_EQ(*run_to_end(loop, send_much_then_read(tcp.client, data)), "413");
  EXPECT_TRUE(run_to_end(loop, until_closed(tcp.server)));
}

TEST(StreamTest, CloseGentlyIsBoundedInTime) {
  Loop loop;
  Pair pair = make_pair(loop);
  auto start = Clock::now();
  EXPECT_TRUE(run_to_end(loop, pair.a.close_gently(100ms)));
  EXPECT_FALSE(pair.a.is_open());
  EXPECT_LT(Clock::now() - start, 30s);
}

TEST(StreamTest, KnowsItsEnds) {
  Loop loop;
  TcpPair tcp(loop);
  EXPECT_EQ(tcp.server.peer().to_string(), tcp.client.local().to_string());
  EXPECT_EQ(tcp.client.peer().to_string(), tcp.server.local().to_string());
  EXPECT_EQ(tcp.server.peer().host(), "127.0.0.1");
  EXPECT_FALSE(tcp.server.peer_credentials());
  Pair pair = make_pair(loop);
  ASSERT_TRUE(pair.a.peer_credentials());
  EXPECT_EQ(pair.a.peer_credentials()->user_id, ::getuid());
}

TEST(ConnectTest, RefusedNamesTheAddress) {
  Loop loop;
  std::string where;
  {
    auto sockets = listen_on(*SocketAddress::parse("127.0.0.1:0"), 1, {});
    where = sockets->address().to_string();
  }
  auto result = run_to_end(loop, connect(*SocketAddress::parse(where)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().category(), Category::unavailable);
  EXPECT_EQ(result.error().code(), "connect_failed");
  EXPECT_NE(result.error().detail().find(where), std::string::npos);
}

TEST(ConnectTest, TimesOutAndCanBeCancelled) {
  // A listener whose backlog is full does not answer: the kernel drops what comes.
  Loop loop;
  ListenOptions options;
  options.backlog = 0;
  auto sockets = listen_on(*SocketAddress::parse("127.0.0.1:0"), 1, options);
  sockaddr_storage storage;
  const unsigned size = sockets->address().to_system(&storage);
  std::vector<int> filling;
  for (int i = 0; i < 20; ++i) {
    filling.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    static_cast<void>(::connect(filling.back(), reinterpret_cast<sockaddr*>(&storage), size));
  }
  auto late = run_to_end(loop, connect(sockets->address(), ConnectOptions(100ms)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().category(), Category::timeout);
  EXPECT_EQ(late.error().code(), "connect_timeout");
  Scope scope;
  loop.post_callable([&] { loop.post_callable([&] { scope.cancel(Category::cancelled); }); });
  auto cancelled = run_to_end(loop, connect(sockets->address(), ConnectOptions(1h)), &scope);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().category(), Category::cancelled);
  for (int fd : filling) ::close(fd);
}

Async<void> nothing() {
  co_return;
}

// A child process holds every descriptor between fork() and exec(): epoll then would go on watching what was closed
// here, and the sanitizers find the event for an object that is no more.
TEST(StreamTest, NoEventReachesAClosedStreamWhoseDescriptorLivesOn) {
  Loop loop;
  Pair pair = make_pair(loop);
  const int kept = ::dup(pair.a.fd());
  ASSERT_GE(kept, 0);
  pair.a.close();
  ASSERT_EQ(::send(pair.b.fd(), "late", 4, MSG_NOSIGNAL), 4);
  ASSERT_TRUE(run_to_end(loop, nothing()));  // one turn at least, in which epoll reports all that is ready
  ::close(kept);
}

Async<void> reads_twice_at_once(Stream& stream) {
  static constexpr auto reader = [](Stream& from) -> Async<void> {
    std::array<char, 8> buffer;
    co_await ok(from.read(buffer));
  };
  Loop::current()->spawn(reader(stream));
  co_await ok(reader(stream));
}

void break_the_rule() {
  Loop loop;
  Pair pair = make_pair(loop);
  static_cast<void>(run_to_end(loop, reads_twice_at_once(pair.a)));
}

TEST(StreamDeathTest, TwoReadsAtOnceAbort) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(break_the_rule(), "two operations read one stream");
}

TEST(AsyncDeathTest, WaitingWhereItMayNotAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // On no loop at all, as on a database's thread.
  struct Never : Op {
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> h) { waiter = h; }
    void await_resume() const {}
  };
  static constexpr auto command = []() -> Async<void> {
    Never never;
    co_await never;
  };
  EXPECT_DEATH(static_cast<void>(command().run_without_waiting()), "waited where it may not");
}

}  // namespace
}  // namespace bedplate
