// SPDX-License-Identifier: Apache-2.0
// The operators' listener: /healthz and /metrics (and /livez, /readyz), on an address that the public does not reach.
//
//   auto operations = Operations::bind(settings);                       // takes the address
//   (*operations)->serve(loops, health_routes, settings, clock);        // answers
//
//   auto answer = ask_operations(settings, "/healthz");                 // from another process beside it
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/async/address.h"
#include "bedplate/async/listener.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/surfaces/rest/problem.h"

namespace bedplate {
class LoopGroup;
namespace api {
class HealthRoutes;
class Executor;
class Rest;
}  // namespace api
namespace http {
class Server;
struct ClientResponse;
}  // namespace http
}  // namespace bedplate

namespace bedplate::app {

struct HostSettings;

/// The place that telemetry.listen names; where it is empty, the socket operations.sock in the data directory.
class OperationsAddress {
 public:
  /// The data directory exists, where the place is in it.
  static Result<OperationsAddress> find(const HostSettings& settings);
  /// A Unix socket.
  static bool is_local(const HostSettings& settings);

  /// Valid while this is.
  const SocketAddress& socket() const { return socket_; }
  /// As an operator knows it: "unix:/var/lib/notes/operations.sock".
  const std::string& name() const { return name_; }
  /// `error` of that socket, in an operator's words.
  Error explain(const Error& error) const;

 private:
  SocketAddress socket_;
  std::string name_;
  /// Open where the path of the socket would be too long: then the way to it is through this descriptor.
  std::shared_ptr<const int> folder_;
};

class Operations {
 public:
  /// Takes the address. Connections that come before serve() wait, or are refused.
  static Result<std::unique_ptr<Operations>> bind(const HostSettings& settings);
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;
  /// After stop(), or when serve() was not called.
  ~Operations();

  /// Answers to everybody who reaches the address, without rate limits. All four outlive it but `settings`.
  Result<void> serve(LoopGroup& loops, api::HealthRoutes& routes, const HostSettings& settings,
                     const Clock& clock);
  /// What clients can use, from serve() on.
  const std::string& url() const;
  /// Closes; what runs has a moment to end. Not from a loop. Idempotent.
  void stop();

 private:
  Operations(OperationsAddress address, ListenSockets sockets);

  OperationsAddress address_;
  std::optional<ListenSockets> sockets_;
  api::ServerProblems problems_;
  std::unique_ptr<api::Executor> executor_;
  std::unique_ptr<api::Rest> rest_;
  std::unique_ptr<http::Server> server_;
};

/// What the server beside this process answers there. Blocks; not from a loop. Category::unavailable, with a sentence
/// that names the address, when there is no server.
Result<http::ClientResponse> ask_operations(const HostSettings& settings, std::string_view path);

}  // namespace bedplate::app
