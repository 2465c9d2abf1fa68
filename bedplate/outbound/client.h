// SPDX-License-Identifier: Apache-2.0
// Client: HTTP requests to other servers, over TLS and HTTP/2 where they offer it.
//
//   WorkerPool pool(2, 64, "resolver");
//   outbound::SystemResolver resolver(pool);
//   outbound::Client client(loop, resolver);                     // on `loop`, its settings by default
//
//   outbound::Request request("POST", "https://api.example.com/v1/charges");
//   request.add_field("Content-Type", "application/json");
//   request.add_field("Idempotency-Key", key);                   // so it may be tried again
//   request.body = R"({"amount":100})";
//   outbound::Response response = co_await ok(client.send(std::move(request)));
//   response.status; response.field("content-type"); response.body;
//
//   outbound::ResponseStream answer = co_await ok(client.open(std::move(download)));   // the head has come
//   for (;;) {
//     std::string piece = co_await ok(answer.read());            // the sender waits while nobody reads
//     if (piece.empty()) break;                                  // that was all
//   }
//
// An answer of any status is a success here. Errors:
//   Category::invalid      bad_url, bad_request (a CR in a field), address_refused (by the guard)
//   Category::unavailable  resolve_failed, connect_failed, tls_failed, connection_closed, bad_response,
//                          response_too_large, outbound_busy
//   Category::timeout      connect_timeout, response_timeout, deadline_exceeded
//   the scope's error      when it is cancelled; the exchange is ended then, and its connection closed
// No message repeats a path, a query or an address that a name led to; Error::subject() has libcurl's words, for logs.
//
// Certificates are verified. Names are looked up by the resolver, off the loop, and libcurl connects to what that
// answered. Cookies are not kept, redirects not followed (Request::redirects_max), proxies of the environment not used.
// Connections are kept and used again; a request that may not be repeated is not sent twice, also not when a kept
// connection turns out to be closed. Everything is bounded: settings.h.
//
// A guarded client is for addresses that users name (webhooks): Guard below.
//
// A client belongs to one loop and its thread, and outlives what it sends. It ends before the loop.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/async/address.h"
#include "bedplate/async/async.h"
#include "bedplate/async/loop.h"
#include "bedplate/outbound/metrics.h"
#include "bedplate/outbound/request.h"
#include "bedplate/outbound/resolver.h"
#include "bedplate/outbound/settings.h"

namespace bedplate::outbound {

/// What a client may not be made to reach.
///
///   outbound::Guard guard;                                   // https, ports 80 and 443, public addresses
///   if (settings.allow_private) guard = outbound::Guard::allow_private();
///
/// Each request looks the host up anew and is refused unless every address is public (public_address.h). libcurl
/// connects to those addresses and no others, and each is judged again when its socket is opened. Redirects are never
/// followed; the connections are not shared with other clients.
struct Guard {
  Guard() = default;
  /// Lifts all three: for tests, and for receivers in one's own network.
  static Guard allow_private();

  bool plain_http = false;
  bool any_port = false;
  bool private_addresses = false;
  /// "http://proxy:3128": then the proxy is the guard. It looks the host up, and decides; only scheme and port are
  /// judged here, and an address in the URL.
  std::string egress_proxy;
  /// Null: is_public(). A test's own servers may stand for the internet.
  bool (*judge)(const SocketAddress&) = nullptr;
};

struct ClientOptions {
  ClientOptions() = default;

  Settings settings;
  std::optional<Guard> guard;
  Metrics metrics;
};

/// An answer that is read as it comes. Destroying it before its end closes the connection.
class ResponseStream {
 public:
  ResponseStream(ResponseStream&&) noexcept;
  ResponseStream& operator=(ResponseStream&&) noexcept;
  ~ResponseStream();

  int status() const;
  const http::ResponseHead& head() const;
  /// The first field of that name, in any case; empty when it does not exist.
  std::string_view field(std::string_view name) const { return head().field(name); }
  /// What has come, or waits for it; empty at the end. The bytes are as sent: nothing is decoded.
  Async<std::string> read();

 private:
  friend class Client;
  struct State;
  explicit ResponseStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Client {
 public:
  /// `resolver` outlives it.
  Client(Loop& loop, Resolver& resolver, ClientOptions options = ClientOptions());
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// The whole answer.
  Async<Response> send(Request request);
  /// The head of the answer, its body as a stream. The whole body of the request has been sent by then, unless the
  /// other
  /// side answered earlier. The time limit of the request holds until the end of the stream.
  Async<ResponseStream> open(Request request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bedplate::outbound
