// SPDX-License-Identifier: Apache-2.0
// async_bench: what the loop and its streams cost: raw_limit's constant answer, given by a coroutine a
// connection over Loop, Listener and Stream. Its throughput beside raw_limit's, each pinned to one core, is
// the library's own price.
//
//   taskset -c 0 ./async_bench 18081 [idle time-out in ms]
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "bedplate/async/listener.h"
#include "bedplate/async/loop.h"
#include "bedplate/async/stream.h"

namespace {

using namespace bedplate;

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nServer: raw\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\nContent-Type: "
    "application/json\r\n"
    "Content-Length: 27\r\n\r\n{\"message\":\"Hello, World!\"}";

Async<void> serve(Stream stream, std::chrono::milliseconds idle_timeout) {
  stream.set_idle_timeout(idle_timeout);
  std::array<char, 16384> buffer;
  std::size_t have = 0;
  std::string out;
  for (;;) {
    std::size_t size = co_await ok(stream.read(std::span(buffer).subspan(have)));
    if (size == 0) co_return;
    have += size;
    std::string_view in(buffer.data(), have);
    out.clear();
    std::size_t at = 0;
    for (std::size_t end; (end = in.find("\r\n\r\n", at)) != in.npos; at = end + 4) out += kAnswer;
    have -= at;
    std::copy_n(buffer.data() + at, have, buffer.data());
    if (have == buffer.size()) co_return;
    if (!out.empty()) co_await ok(stream.write_all(out));
  }
}

struct Server : ConnectionHandler {
  explicit Server(std::chrono::milliseconds timeout) : idle_timeout(timeout) {}
  void on_connection(Stream stream) override { serve(std::move(stream), idle_timeout).detach(); }
  std::chrono::milliseconds idle_timeout;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string port = argc > 1 ? argv[1] : "18081";
  Server server(std::chrono::milliseconds(argc > 2 ? std::atoi(argv[2]) : 60'000));
  Loop loop;
  ListenOptions options;
  Result<SocketAddress> address = SocketAddress::parse("127.0.0.1:" + port);
  if (!address) return 2;
  Result<ListenSockets> sockets = listen_on(*address, 1, options);
  if (!sockets) {
    std::fprintf(stderr, "%s\n", sockets.error().detail().c_str());
    return 2;
  }
  Listener listener(loop, sockets->take(), server, options);
  std::printf("%s\n", sockets->address().to_string().c_str());
  std::fflush(stdout);
  loop.run();
}
