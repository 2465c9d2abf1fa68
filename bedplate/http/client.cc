// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/client.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "bedplate/async/loop.h"
#include "bedplate/base/text.h"
#include "bedplate/http/message/chars.h"
#include "bedplate/http/message/chunked.h"
#include "bedplate/http/message/field.h"

namespace bedplate::http {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;
constexpr int kInterimMax = 10;  // 1xx answers before the real one

std::unexpected<Error> bad_request(std::string detail) {
  return fail(Category::invalid, "bad_request", std::move(detail));
}
std::unexpected<Error> bad_response(std::string detail) {
  return fail(Category::unavailable, "bad_response", std::move(detail));
}
std::unexpected<Error> too_large() {
  return fail(Category::unavailable, "response_too_large", "The answer is larger than this client takes.");
}

bool may_be_repeated(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

bool is_own_field(FieldId id) {
  return id == FieldId::content_length || id == FieldId::connection || id == FieldId::transfer_encoding;
}

bool is_target(std::string_view target) {
  if (target.empty()) return false;
  for (char c : target)
    if (!chars::is(c, chars::kVisible)) return false;
  return true;
}

// A kept connection must be silent: bytes that came unasked would be taken for the next answer.
bool is_silent(const Stream& stream) {
  char byte;
  return !stream.peer_has_closed() && ::recv(stream.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

// The head as it goes on the wire; what could be read as more than one request is refused.
Result<std::string> write_head(const ClientRequest& request, std::string_view host) {
  if (!is_token(request.method)) return bad_request("The method is not a token.");
  if (!is_target(request.target))
    return bad_request("The target is empty or holds characters that must be escaped.");
  std::string head = request.method + " " + request.target + " HTTP/1.1\r\n";
  bool has_host = false;
  for (const ResponseField& field : request.fields) {
    FieldId id = field_id(field.name);
    if (!is_token(field.name) || !is_field_value(field.value))
      return bad_request("The field \"" + field.name + "\" is not valid.");
    if (is_own_field(id)) return bad_request("The field \"" + field.name + "\" is the client's own.");
    has_host = has_host || id == FieldId::host;
    head += field.name + ": " + field.value + "\r\n";
  }
  if (!has_host) head.append("Host: ").append(host).append("\r\n");
  bool expects_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (expects_body || !request.body.empty())
    head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  head += "\r\n";
  return head;
}

// One request and its answer on one connection.
class Exchange {
 public:
  Exchange(Stream& stream, const ClientSettings& settings, const ClientRequest& request,
           const std::string& head)
      : stream_(stream), settings_(settings), request_(request), request_head_(head) {}

  Async<ClientResponse> run() {
    stream_.set_deadline(settings_.timeout);
    std::array<std::string_view, 2> parts = {request_head_, request_.body};
    Result<void> sent = co_await stream_.write_all(std::span<const std::string_view>(parts));
    // A server may answer and close before it has read everything: its answer is there although sending
    // failed.
    if (!sent && sent.error().code() != "connection_closed") co_return translated(std::move(sent.error()));
    ClientResponse response;
    co_await ok(read_head(response));
    const ResponseBody body = co_await ok(response_body(response.head, request_.method));
    Result<void> read;
    switch (body.kind) {
      case ResponseBody::Kind::none:
        break;
      case ResponseBody::Kind::length:
        read = co_await read_sized(response.body, body.length);
        break;
      case ResponseBody::Kind::chunked:
        read = co_await read_chunked(response.body);
        break;
      case ResponseBody::Kind::until_close:
        read = co_await read_until_close(response.body);
        break;
    }
    if (!read) co_return std::unexpected(std::move(read.error()));
    stream_.clear_deadline();
    reusable_ = sent && body.kind != ResponseBody::Kind::until_close && keeps_connection(response.head) &&
                in_.empty();
    response.status = response.head.status;
    co_return response;
  }

  bool answer_began() const { return answer_began_; }
  bool reusable() const { return reusable_; }

 private:
  static std::unexpected<Error> translated(Error error) {
    if (error.category() == Category::request_timeout)
      return fail(Category::timeout, "response_timeout", "The other server did not answer in time.");
    if (error.code() == "connection_closed")
      return fail(Category::unavailable, "connection_closed", "The other server closed the connection.");
    return std::unexpected(std::move(error));
  }

  // Appends what arrives to in_; 0 at the end.
  Async<std::size_t> read_more() {
    std::size_t before = in_.size();
    in_.resize(before + kReadSize);
    Result<std::size_t> size = co_await stream_.read(std::span(in_).subspan(before));
    in_.resize(before + (size ? *size : 0));
    if (!size) co_return translated(std::move(size.error()));
    answer_began_ = answer_began_ || *size > 0;
    co_return *size;
  }

  Async<void> read_head(ClientResponse& response) {
    for (int interim = 0; interim <= kInterimMax;) {
      const ResponseParse parse = parse_response_head(in_, settings_.limits, response.head);
      if (parse.state == ParseState::bad) co_await bad_response("The answer is not valid HTTP/1.1.");
      if (parse.state == ParseState::incomplete) {
        std::size_t size = co_await ok(read_more());
        if (size == 0) co_await ended_early();
        continue;
      }
      in_.erase(0, parse.size);
      if (response.head.status >= 200) co_return;
      if (response.head.status == 101) co_await bad_response("The answer switches to another protocol.");
      ++interim;
    }
    co_await bad_response("The answer has too many interim answers.");
  }

  Async<void> read_sized(std::string& body, std::uint64_t length) {
    if (length > settings_.body_size_max) co_await too_large();
    while (in_.size() < length) {
      std::size_t size = co_await ok(read_more());
      if (size == 0) co_await ended_early();
    }
    body.assign(in_, 0, length);
    in_.erase(0, length);
  }

  Async<void> read_chunked(std::string& body) {
    ChunkedDecoder decoder;
    for (;;) {
      std::string_view input = in_;
      while (!input.empty() && !decoder.done()) {
        std::string_view piece = decoder.next(input);
        if (decoder.failed()) co_await bad_response("The answer has bad chunks.");
        if (body.size() + piece.size() > settings_.body_size_max) co_await too_large();
        body.append(piece);
      }
      in_.erase(0, in_.size() - input.size());
      if (decoder.done()) co_return;
      std::size_t size = co_await ok(read_more());
      if (size == 0) co_await ended_early();
    }
  }

  Async<void> read_until_close(std::string& body) {
    for (;;) {
      if (body.size() + in_.size() > settings_.body_size_max) co_await too_large();
      body += in_;
      in_.clear();
      std::size_t size = co_await ok(read_more());
      if (size == 0) co_return;
    }
  }

  static std::unexpected<Error> ended_early() {
    return fail(Category::unavailable, "connection_closed",
                "The other server closed the connection before its answer was whole.");
  }

  Stream& stream_;
  const ClientSettings& settings_;
  const ClientRequest& request_;
  const std::string& request_head_;
  std::string in_;  // received and not used yet
  bool answer_began_ = false;
  bool reusable_ = false;
};

}  // namespace

void ClientRequest::trace(const telemetry::RequestTrace* caller) {
  if (!caller) return;
  add_field("traceparent", telemetry::to_traceparent(telemetry::child_of(caller->span)));
  if (!caller->tracestate.empty()) add_field("tracestate", caller->tracestate);
}

Client::Client(SocketAddress server, ClientSettings settings)
    : server_(std::move(server)), settings_(std::move(settings)) {}

Client::~Client() = default;

Stream Client::take_idle() {
  while (!idle_.empty()) {
    Idle last = std::move(idle_.back());
    idle_.pop_back();
    bool fresh = last.stream.loop().now() - last.since <= settings_.keep_alive;
    if (fresh && is_silent(last.stream)) return std::move(last.stream);
  }
  return {};
}

void Client::keep(Stream stream) {
  if (idle_.size() >= settings_.idle_max) return;
  auto now = stream.loop().now();
  idle_.push_back({std::move(stream), now});
}

Async<ClientResponse> Client::send(ClientRequest request) {
  const bool local = server_.family() == SocketAddress::Family::local;
  std::string host = !settings_.host.empty() ? settings_.host : local ? "localhost" : server_.to_string();
  std::string head = co_await ok(write_head(request, host));
  for (;;) {
    Stream stream = take_idle();
    const bool reused = stream.is_open();
    if (!reused) {
      stream = co_await ok(connect(server_, ConnectOptions(settings_.connect_timeout)));
      ++connections_made_;
    }
    Exchange exchange(stream, settings_, request, head);
    Result<ClientResponse> response = co_await exchange.run();
    if (response) {
      if (exchange.reusable()) keep(std::move(stream));
      co_return response;
    }
    // Closed while it was kept: once more, until a new connection has failed too.
    bool stale = reused && !exchange.answer_began() && response.error().code() == "connection_closed";
    if (!stale || !may_be_repeated(request.method)) co_return response;
  }
}

Async<ClientResponse> Client::get(std::string target) {
  ClientRequest request("GET", target);
  ClientResponse response = co_await ok(send(std::move(request)));
  co_return response;
}

}  // namespace bedplate::http
