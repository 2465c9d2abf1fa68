// SPDX-License-Identifier: Apache-2.0
// The HTTP/1.1 server (RFC 9110, RFC 9112).
//
//   http::Server server(loops, handler, settings);
//   auto bound = server.listen("127.0.0.1:0");   // or listen_all() for settings.listen
//   log(server.urls().front());
//   ...
//   server.drain(20s);                           // stop accepting, finish what runs, close
//
// One shard a loop: a connection stays on the loop that accepted it, and nothing on its way is locked.
// Requests that could be read in two ways (smuggling) are answered 400 and their connection is closed; see
// parser.h and framing.h for the list. Pipelined requests are answered in order, the answers of one batch in
// one write.
//
// Back-pressure: a connection reads its next request only after the answer before it has gone to the socket;
// bodies stream both ways at the speed of the slower side.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/http/handler.h"
#include "bedplate/http/settings.h"

namespace bedplate {
class ListenSockets;
class LoopGroup;
}  // namespace bedplate

namespace bedplate::http {

/// Sums over all loops. Counters only grow.
struct ServerStats {
  std::uint64_t connections_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t requests = 0;  ///< that reached the handler
  std::uint64_t requests_running = 0;
  std::uint64_t bad_requests = 0;  ///< answered before a handler saw them
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

class Server {
 public:
  /// All three outlive the server. `problems` null: plain RFC 9457 answers.
  /// Made before the loops run or while they run.
  Server(LoopGroup& loops, Handler& handler, ServerSettings settings, ProblemWriter* problems = nullptr);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// The loops have stopped, or drain() has ended.
  ~Server();

  /// Starts to listen on every loop. "127.0.0.1:8080", "[::1]:0", "localhost:80", "unix:/path". From any
  /// thread. An address in use, a bad setting: an error that names it.
  Result<void> listen(std::string_view address);
  Result<void> listen_all();
  /// The same on an address that was bound before (bind_on() in async/listener.h), with a socket for each loop or for
  /// some of them.
  Result<void> listen(ListenSockets sockets);
  /// What clients can use: "http://127.0.0.1:43121", "http+unix:///run/x.sock"; in the order of listen().
  const std::vector<std::string>& urls() const;

  /// Stops accepting (connections that the kernel has completed already are still served), answers what runs
  /// with `Connection: close`, closes idle connections, and waits until none is left or `timeout` has passed,
  /// when the rest is cut off. From any thread; blocks the calling thread, which is not a loop's. True:
  /// nothing was cut off.
  bool drain(std::chrono::milliseconds timeout);

  ServerStats stats() const;
  const ServerSettings& settings() const;

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace bedplate::http
