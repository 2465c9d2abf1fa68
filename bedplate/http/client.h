// SPDX-License-Identifier: Apache-2.0
// Client: HTTP/1.1 to one server, over connections that are kept and used again.
//
//   Client client(*SocketAddress::parse("127.0.0.1:8080"));
//   ClientRequest request("POST", "/v1/tasks");
//   request.add_field("Content-Type", "application/json");
//   request.body = R"({"title":"Buy milk"})";
//   ClientResponse response = co_await ok(client.send(std::move(request)));
//   response.status == 201; response.field("location"); response.body;
//
// An answer of any status is a success here. Errors:
//   Category::invalid      bad_request       it cannot be written (a CR in a field, a blank in the target)
//   Category::unavailable  connect_failed, connection_closed, response_too_large, bad_response (not HTTP, or
//                          framing that two readers could read differently)
//   Category::timeout      connect_timeout, response_timeout
//   the scope's error      when it is cancelled; the connection is closed then
//
// A kept connection that turns out to be closed is replaced without a word, unless the request may have been
// acted on: only GET, HEAD, PUT, DELETE and OPTIONS are sent again (RFC 9110 section 9.2.2), and only before
// any byte of an answer. Redirects are not followed, bodies are not decoded (Content-Encoding), cookies are
// not kept. Trailers are checked and dropped. Everything is bounded: ClientSettings.
//
// A client belongs to one loop and its thread. Many coroutines may send at the same time, each on its own
// connection. It outlives what it sends.
#pragma once

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/async/address.h"
#include "bedplate/async/async.h"
#include "bedplate/async/stream.h"
#include "bedplate/http/message/response_head.h"
#include "bedplate/telemetry/trace.h"

namespace bedplate::http {

struct ClientRequest {
  explicit ClientRequest(std::string_view verb = "GET", std::string_view where = "/")
      : method(verb), target(where) {}

  /// Host, Content-Length and Connection are the client's own, unless a Host is given here.
  void add_field(std::string_view name, std::string_view value) {
    fields.push_back({std::string(name), std::string(value)});
  }

  /// Makes the request part of the caller's trace, as a span of its own (W3C Trace Context). Null: of none.
  void trace(const telemetry::RequestTrace* caller);

  std::string method;
  std::string target;  ///< as it goes on the wire: "/a%20b?c=d"
  std::vector<ResponseField> fields;
  std::string body;
};

struct ClientResponse {
  /// The first field of that name, in any case; empty when there is none.
  std::string_view field(std::string_view name) const { return head.field(name); }

  int status = 0;
  ResponseHead head;
  std::string body;
};

struct ClientSettings {
  ClientSettings() = default;

  std::string host;  ///< for the Host field; empty: the address
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  /// For one exchange, from the first byte sent to the last received. Coarse: up to 200 ms more.
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
  /// Kept connections that were idle longer are not used again.
  std::chrono::milliseconds keep_alive = std::chrono::seconds(20);
  std::size_t idle_max = 16;  ///< connections kept
  ResponseLimits limits;
  std::size_t body_size_max = std::size_t{16} << 20;
};

class Client {
 public:
  explicit Client(SocketAddress server, ClientSettings settings = ClientSettings());
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  Async<ClientResponse> send(ClientRequest request);
  Async<ClientResponse> get(std::string target);

  /// Closes the kept connections.
  void close_idle() { idle_.clear(); }
  std::size_t idle_connections() const { return idle_.size(); }
  /// Connections made so far.
  std::size_t connections_made() const { return connections_made_; }

 private:
  struct Idle {
    Stream stream;
    std::chrono::steady_clock::time_point since;
  };

  /// A kept connection that looks alive, or a closed stream.
  Stream take_idle();
  void keep(Stream stream);

  const SocketAddress server_;
  const ClientSettings settings_;
  std::vector<Idle> idle_;
  std::size_t connections_made_ = 0;
};

}  // namespace bedplate::http
