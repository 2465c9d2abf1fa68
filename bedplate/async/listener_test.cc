// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/async/loop_group.h"
#include "bedplate/async/timer.h"
#include "tests/kits/patience_kit.h"

namespace bedplate {
namespace {

using namespace std::chrono_literals;

struct Keeper : ConnectionHandler {
  void on_connection(Stream stream) override { streams.push_back(std::move(stream)); }
  std::vector<Stream> streams;
};

SocketAddress any_port() {
  return *SocketAddress::parse("127.0.0.1:0");
}

bool has_ipv6() {
  return listen_on(*SocketAddress::parse("[::1]:0"), 1, {}).has_value();
}

struct TemporaryFolder {
  TemporaryFolder() {
    char name[] = "/tmp/bedplate-test-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TemporaryFolder() { ::rmdir(path.c_str()); }
  std::string path;
};

TEST(ListenTest, PortZeroIsOnePortForAllSockets) {
  auto sockets = listen_on(any_port(), 3, {});
  ASSERT_TRUE(sockets);
  EXPECT_NE(sockets->address().port(), 0);
  for (int i = 0; i < 3; ++i) {
    int fd = sockets->take();
    ASSERT_GE(fd, 0);
    ::close(fd);
  }
  EXPECT_EQ(sockets->take(), -1);
}

TEST(ListenTest, AnotherServersPortIsAnErrorEvenWhenItShares) {
  for (std::size_t count : {1u, 2u}) {
    auto first = listen_on(any_port(), count, {});
    ASSERT_TRUE(first);
    for (std::size_t mine : {1u, 2u}) {
      auto second = listen_on(first->address(), mine, {});
      ASSERT_FALSE(second);
      EXPECT_EQ(second.error().code(), "address_in_use");
      EXPECT_NE(second.error().detail().find(first->address().to_string()), std::string::npos);
      EXPECT_NE(second.error().detail().find("choose another"), std::string::npos);
    }
  }
}

TEST(ListenTest, OtherErrorsSayWhatIsWrong) {
  EXPECT_EQ(listen_on(*SocketAddress::parse("192.0.2.1:0"), 1, {}).error().code(), "address_not_available");
  EXPECT_EQ(listen_on(*SocketAddress::parse("unix:/nonexistent/folder/s"), 1, {}).error().code(),
            "listen_failed");
}

TEST(ListenTest, AnAddressIsTakenBeforeConnectionsAre) {
  auto sockets = bind_on(any_port(), 2, {});
  ASSERT_TRUE(sockets);
  const auto can_connect = [&] {
    Loop loop;
    return run_to_end(loop, connect(sockets->address())).has_value();
  };
  EXPECT_FALSE(can_connect());
  ASSERT_TRUE(sockets->listen());
  EXPECT_TRUE(can_connect());
}

TEST(ListenTest, AFileThatIsNoSocketIsLeftAlone) {
  TemporaryFolder folder;
  const std::string path = folder.path + "/plain";
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  ::close(fd);
  auto refused = listen_on(*SocketAddress::parse("unix:" + path), 1, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "not_a_socket");
  EXPECT_NE(refused.error().detail().find("it is not a socket"), std::string::npos);
  EXPECT_EQ(::unlink(path.c_str()), 0);
}

// What a killed server left is replaced by one of those who come at once; the others find it in use.
TEST(ListenTest, OfManyThatReplaceAStaleSocketOneSucceeds) {
  TemporaryFolder folder;
  const SocketAddress address = *SocketAddress::parse("unix:" + folder.path + "/s");
  for (int round = 0; round < 20; ++round) {
    sockaddr_storage storage;
    const socklen_t size = address.to_system(&storage);
    const int stale = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(stale, reinterpret_cast<sockaddr*>(&storage), size), 0);
    ::close(stale);
    std::vector<std::optional<Result<ListenSockets>>> results(4);
    std::vector<std::thread> threads;
    for (auto& result : results) threads.emplace_back([&] { result.emplace(bind_on(address, 1, {})); });
    for (std::thread& thread : threads) thread.join();
    int made = 0;
    for (const auto& result : results) made += result->has_value();
    EXPECT_EQ(made, 1);
    Loop loop;
    EXPECT_TRUE(run_to_end(loop, connect(address))) << "its socket is the one that has the name";
  }
}

struct Echo : ConnectionHandler {
  static Async<void> serve(Stream stream) {
    std::array<char, 256> buffer;
    for (;;) {
      Result<std::size_t> size = co_await stream.read(buffer);
      if (!size || *size == 0) co_return;
      co_await ok(stream.write_all(std::string_view(buffer.data(), *size)));
    }
  }
  void on_connection(Stream stream) override {
    accepted.fetch_add(1);
    serve(std::move(stream)).detach();
  }
  std::atomic<int> accepted{0};
};

Async<std::string> talk(SocketAddress address) {
  Stream stream = co_await ok(connect(address));
  co_await ok(stream.write_all("hello"));
  std::array<char, 256> buffer;
  std::size_t size = co_await ok(stream.read(buffer));
  co_return std::string(buffer.data(), size);
}

void serve_and_talk(const std::string& where, const std::string& dial = "") {
  LoopGroup loops(2);
  loops.start();
  ListenOptions options;
  auto sockets = listen_on(*SocketAddress::parse(where), loops.size(), options);
  ASSERT_TRUE(sockets) << sockets.error().detail();
  Echo echo;
  std::vector<std::unique_ptr<Listener>> listeners(loops.size());
  loops.for_each([&](Loop& loop, std::size_t i) {
    listeners[i] = std::make_unique<Listener>(loop, sockets->take(), echo, options);
  });
  Loop client;
  SocketAddress target = dial.empty() ? sockets->address() : *SocketAddress::parse(dial);
  if (!dial.empty()) target.set_port(sockets->address().port());
  for (int i = 0; i < 20; ++i) {
    auto answer = run_to_end(client, talk(target));
    ASSERT_TRUE(answer) << answer.error().detail();
    EXPECT_EQ(*answer, "hello");
  }
  EXPECT_EQ(echo.accepted.load(), 20);
  loops.for_each([&](Loop&, std::size_t i) {
    listeners[i]->drain();
    EXPECT_FALSE(listeners[i]->is_open());
    listeners[i].reset();
  });
  auto refused = run_to_end(client, talk(target));
  EXPECT_EQ(refused.error().code(), "connect_failed");
  loops.for_each([](Loop&, std::size_t) {});
}

TEST(ListenerTest, ServesIPv4OnTwoLoops) {
  serve_and_talk("127.0.0.1:0");
}

TEST(ListenerTest, ServesIPv6) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  serve_and_talk("[::1]:0");
}

TEST(ListenerTest, StarServesBothFamilies) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  serve_and_talk("*:0", "127.0.0.1:0");
  serve_and_talk("*:0", "[::1]:0");
}

TEST(ListenerTest, IPv6AnyDoesNotServeIPv4) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  auto sockets = listen_on(*SocketAddress::parse("[::]:0"), 1, {});
  ASSERT_TRUE(sockets);
  Loop loop;
  SocketAddress target = any_port();
  target.set_port(sockets->address().port());
  EXPECT_FALSE(run_to_end(loop, connect(target)));
}

TEST(ListenerTest, ServesAUnixSocketAndRemovesItsFile) {
  TemporaryFolder folder;
  std::string path = folder.path + "/s";
  serve_and_talk("unix:" + path);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(ListenTest, AStaleSocketFileIsReplacedALiveOneIsNot) {
  TemporaryFolder folder;
  auto address = *SocketAddress::parse("unix:" + folder.path + "/s");
  {
    // As a killed server leaves it: bound, not removed.
    std::optional<ListenSockets> dead(*listen_on(address, 1, {}));
    std::string aside = address.path() + ".aside";
    ASSERT_EQ(::rename(address.path().c_str(), aside.c_str()), 0);
    dead.reset();
    ASSERT_EQ(::rename(aside.c_str(), address.path().c_str()), 0);
  }
  auto second = listen_on(address, 2, {});
  ASSERT_TRUE(second) << second.error().detail();
  auto third = listen_on(address, 1, {});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code(), "address_in_use");
  struct stat status{};
  ASSERT_EQ(::stat(address.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
}

Async<void> nap(std::chrono::milliseconds time) {
  co_await ok(sleep_for(time));
}
/// Runs the loop until it is so, with a patience that only what never happens uses up.
bool comes_about(Loop& loop, const std::function<bool()>& is_so) {
  return testing::wait_until([&] { return run_to_end(loop, nap(1ms)) && is_so(); });
}

TEST(ListenerTest, TheCapHoldsConnectionsBackUntilOneCloses) {
  Loop loop;
  Keeper keeper;
  ListenOptions options;
  options.connections_max = 2;
  auto sockets = listen_on(any_port(), 1, options);
  Listener listener(loop, sockets->take(), keeper, options);
  std::vector<Stream> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(*run_to_end(loop, connect(sockets->address())));
  EXPECT_TRUE(comes_about(loop, [&] { return keeper.streams.size() == 2; }));
  ASSERT_TRUE(run_to_end(loop, nap(20ms)));
  EXPECT_EQ(keeper.streams.size(), 2u);
  EXPECT_EQ(listener.connections(), 2u);
  keeper.streams.erase(keeper.streams.begin());
  EXPECT_TRUE(comes_about(loop, [&] { return keeper.streams.size() == 2; }));
  ASSERT_TRUE(run_to_end(loop, nap(20ms)));
  EXPECT_EQ(keeper.streams.size(), 2u);
  EXPECT_EQ(listener.connections(), 2u);
  keeper.streams.clear();
  EXPECT_TRUE(comes_about(loop, [&] { return keeper.streams.size() == 1; }));
}

TEST(ListenerTest, DrainTakesWhoeverTheKernelLetIn) {
  Loop loop;
  Keeper keeper;
  ListenOptions options;
  options.connections_max = 1;
  auto sockets = listen_on(any_port(), 1, options);
  int fd = sockets->take();
  std::vector<Stream> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(*run_to_end(loop, connect(sockets->address())));
  {
    Listener listener(loop, fd, keeper, options);
    listener.drain();
    EXPECT_EQ(keeper.streams.size(), 5u);
    EXPECT_FALSE(listener.is_open());
    EXPECT_EQ(listener.connections(), 5u);
  }
  keeper.streams.clear();  // after their listener: its count outlives it
}

TEST(ListenerTest, OutOfDescriptorsItWaitsAndRecovers) {
  Loop loop;
  Keeper keeper;
  ListenOptions options;
  auto sockets = listen_on(any_port(), 1, options);
  Listener listener(loop, sockets->take(), keeper, options);
  int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(client) + 1;  // every number below is in use or gets used up here
  std::vector<int> holes;
  for (int fd; (fd = ::dup(client)) <= client && fd >= 0;) holes.push_back(fd);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  sockaddr_storage storage;
  unsigned size = sockets->address().to_system(&storage);
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&storage), size), 0);
  EXPECT_TRUE(comes_about(loop, [&] { return listener.starved(); }));
  EXPECT_TRUE(keeper.streams.empty());
  std::uint64_t ticks = loop.stats().ticks;
  ASSERT_TRUE(run_to_end(loop, nap(50ms)));
  EXPECT_LT(loop.stats().ticks - ticks, 20u);  // it does not spin
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(comes_about(loop, [&] { return keeper.streams.size() == 1; }));
  EXPECT_FALSE(listener.starved());
  for (int fd : holes) ::close(fd);
  ::close(client);
}

struct OneShot : ConnectionHandler {
  void on_connection(Stream stream) override {
    last = std::move(stream);
    listener.reset();  // from within its own callback
  }
  std::unique_ptr<Listener> listener;
  Stream last;
};

TEST(ListenerTest, TheHandlerMayDestroyTheListener) {
  Loop loop;
  OneShot once;
  ListenOptions options;
  auto sockets = listen_on(any_port(), 1, options);
  once.listener = std::make_unique<Listener>(loop, sockets->take(), once, options);
  Stream client = *run_to_end(loop, connect(sockets->address()));
  EXPECT_TRUE(comes_about(loop, [&] { return once.last.is_open(); }));
  EXPECT_EQ(once.listener, nullptr);
}

}  // namespace
}  // namespace bedplate
