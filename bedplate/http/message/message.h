// SPDX-License-Identifier: Apache-2.0
// Request and Response: what a handler sees of HTTP.
//
//   Async<void> handle(Request& request, Response& response) {
//     if (request.method() != Method::post) co_await ok(refuse(response));
//     std::string_view type = request.field(FieldId::content_type);   // "" when absent
//     std::string_view body = co_await ok(request.body());            // whole, bounded
//     response.set_status(201);
//     response.set_field(FieldId::content_type, "application/json");
//     response.body().append(R"({"ok":true})");
//   }
//
// Both belong to one connection and are used again for its next request, so that a request in steady state
// allocates nothing. Every view that a Request gives points into the connection's buffers and is valid until
// the handler's coroutine has ended. Neither is thread-safe: they live on the connection's loop. A handler
// that hands work to another thread keeps them alive by awaiting it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/buffer.h"
#include "bedplate/http/message/field.h"
#include "bedplate/http/message/method.h"
#include "bedplate/http/message/parser.h"

namespace bedplate::http {

class TrustedProxies;
struct Framing;

/// A body that is made piece by piece while it is sent. Owned by the Response; destroyed when the last piece
/// is sent or the client is gone.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// The next piece, valid until the next call; empty: the end. The next piece is asked for only when the one
  /// before has gone to the socket, so a slow client slows the source. An error cuts the connection, so that
  /// the client sees that the body is not whole.
  virtual Async<std::string_view> next() = 0;
};

/// Where the bytes of a request body come from. The server's connection is one; a test may have its own.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// The next piece, decoded from its framing; empty: the end, and from then on.
  virtual Async<std::string_view> read() = 0;
  /// All of it at once. More than `size_max` bytes: Category::too_large.
  virtual Async<std::string_view> read_all(std::size_t size_max) = 0;
};

class Request {
 public:
  Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request();

  Method method() const { return method_; }
  /// The method as received; the only way to tell unknown ones apart.
  std::string_view method_text() const { return head_.method; }
  /// 1 for HTTP/1.1, 0 for HTTP/1.0.
  int minor_version() const { return head_.minor_version; }

  /// The request target as received: "/a%20b?c=d", "*", or absolute.
  std::string_view target() const { return head_.target; }
  /// The path, percent-decoded once and without dot segments; begins with "/" (or is "*" for OPTIONS *). It
  /// holds no NUL, no encoded slash and no invalid UTF-8: such requests were answered 400.
  std::string_view path() const { return path_; }
  /// What follows "?", not decoded; QueryReader (url.h) reads it.
  std::string_view query() const { return query_; }
  /// Host and port that the client addressed: of the target when that is absolute, else the Host field. May
  /// be empty in HTTP/1.0.
  std::string_view authority() const { return authority_; }

  /// Every field in the order of its arrival.
  std::span<const Field> fields() const { return head_.fields; }
  /// The value of the first such field; empty when there is none.
  std::string_view field(FieldId id) const { return head_.value(id); }
  bool has_field(FieldId id) const { return head_.has(id); }
  /// The same by name, in any case; nothing when there is none. Searches; use the FieldId where there is one.
  std::optional<std::string_view> field(std::string_view name) const;
  /// All values of a list field (Accept, If-None-Match, ...) as one: joined with ", " when it came in several
  /// lines (RFC 9110 section 5.3). The result is valid like every other view.
  std::string_view field_list(FieldId id);

  /// The whole body. Larger than body_size_max(): Category::too_large `body_too_large`; encoded
  /// (Content-Encoding): Category::unsupported_media_type `unsupported_content_encoding`; bad chunks:
  /// Category::malformed. A body that came together with its head is given in place, without a copy. Asked
  /// again, it gives the same view.
  Async<std::string_view> body();
  /// The body piece by piece; empty: the end. Each piece is valid until the next is asked for. The total is
  /// bounded by body_size_max() too. Not to be mixed with body().
  Async<std::string_view> read_body();
  bool has_body() const { return content_length_.value_or(1) != 0; }
  /// As announced; nothing when the body is chunked. 0: no body.
  std::optional<std::uint64_t> content_length() const { return content_length_; }
  std::size_t body_size_max() const { return body_size_max_; }
  /// Before the body is read: this operation takes larger (an upload) or only smaller ones.
  void set_body_size_max(std::size_t bytes) { body_size_max_ = bytes; }

  /// The address of the connection's other end, without port: "192.0.2.7", "2001:db8::1"; "unix" on a Unix
  /// socket.
  std::string_view peer_address() const { return peer_address_; }
  /// The client's address: the peer, or, when the peer is one of `server.trusted_proxies`, what that proxy
  /// says (address.h).
  std::string_view client_address();

  /// Deadline and cancellation of this request.
  Scope& scope() { return *scope_; }

  /// A request without a connection, for tests and for calls inside the process. The arguments are copied.
  struct Parts {
    std::string_view method = "GET";
    std::string_view target = "/";
    std::span<const std::pair<std::string_view, std::string_view>> fields;
    std::string_view body;
    std::string_view peer_address = "127.0.0.1";
  };
  /// Fails as the server would (Category::malformed) where the target or a field is not valid.
  Result<void> assign(const Parts& parts);

 private:
  friend class Connection;
  struct Own;  // what assign() keeps

  /// Reads what the head means: framing, target, host. Null: fine.
  const Rejection* interpret_head(Framing& framing);
  void clear();

  RequestHead head_;
  Method method_ = Method::get;
  std::string_view path_;
  std::string_view query_;
  std::string_view authority_;
  std::string path_storage_;
  std::string known_host_;  // the last valid Host of this connection

  std::optional<std::uint64_t> content_length_ = 0;
  std::size_t body_size_max_ = std::size_t{1} << 20;
  std::size_t body_size_read_ = 0;
  std::optional<std::string_view> whole_body_;
  BodyReader* body_reader_ = nullptr;

  std::string_view peer_address_;
  std::string_view client_address_;
  const TrustedProxies* trusted_proxies_ = nullptr;
  Scope* scope_ = nullptr;
  std::vector<std::unique_ptr<std::string>> joined_;  // what field_list() made
  std::unique_ptr<Own> own_;
};

/// Fields that are the same in many answers, checked and laid out once: adding them is one copy.
/// Immutable once shared.
class FieldBlock {
 public:
  /// Aborts for an invalid name or value: blocks are made at start-up from constants and settings.
  FieldBlock& add(std::string_view name, std::string_view value);
  std::string_view lines() const { return lines_; }

 private:
  std::string lines_;
};

class Response {
 public:
  Response() = default;
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  int status() const { return status_; }
  /// 200 to 599. 100-continue is the server's own business.
  void set_status(int status) { status_ = static_cast<std::uint16_t>(status); }

  /// Replaces every field of that name. Content-Length, Transfer-Encoding, Connection and Date are the
  /// server's: setting them is a bug (assert), ignored in release builds. A value that is not valid (CR, LF,
  /// NUL and other control characters: injection) makes the answer a 500 and is logged; it never reaches the
  /// wire.
  void set_field(FieldId id, std::string_view value);
  void set_field(std::string_view name, std::string_view value);
  /// Adds one more line (Set-Cookie, Link, Vary).
  void add_field(FieldId id, std::string_view value);
  void add_field(std::string_view name, std::string_view value);
  void add_fields(const FieldBlock& block) { lines_.append(block.lines()); }
  /// Takes it away again; not what came with a FieldBlock.
  void remove_field(FieldId id);
  /// The value of the first such field; empty when there is none. Valid until the next change.
  std::string_view field(FieldId id) const;
  /// All field lines as they will be sent ("Name: value\r\n"...), without the server's own.
  std::string_view field_lines() const { return lines_.view(); }

  /// The body; append to it. Sent with a right Content-Length. Not sent for HEAD, 204 and 304. A 304 with the
  /// Content-Type of the 200 gets its Vary too.
  Buffer& body() { return body_; }
  const Buffer& body() const { return body_; }
  /// A body that lives as long as the server (an embedded file): sent without a copy. Replaces body().
  void set_static_body(std::string_view bytes) { static_body_ = bytes; }
  std::string_view static_body() const { return static_body_; }
  /// A body made while it is sent: chunked, or with Content-Length when `size` is known (the source gives
  /// exactly that many bytes; anything else cuts the connection). Replaces body().
  void set_body_source(std::unique_ptr<BodySource> source, std::optional<std::uint64_t> size = {});
  BodySource* body_source() { return body_source_.get(); }
  const std::optional<std::uint64_t>& body_source_size() const { return body_source_size_; }

  /// For answers that carry tokens or other secrets beside what a client chose (BREACH): sent as they are.
  void forbid_compression() { compression_forbidden_ = true; }
  bool compression_forbidden() const { return compression_forbidden_; }
  /// Closes the connection after this answer.
  void close_connection() { close_ = true; }
  bool closes_connection() const { return close_; }
  /// A field was refused; the server answers 500 in its place.
  bool broken() const { return broken_; }

  /// Empty again, status 200; keeps its memory up to a bound.
  void clear();

 private:
  friend class Connection;
  struct Line {
    FieldId id;
    std::uint32_t begin;  // of the whole line in lines_
    std::uint32_t value;
    std::uint32_t end;  // of the value; CRLF follows
  };
  void add_line(FieldId id, std::string_view name, std::string_view value);
  void remove_lines(FieldId id, std::string_view name);

  std::uint16_t status_ = 200;
  bool compression_forbidden_ = false;
  bool close_ = false;
  bool broken_ = false;
  Buffer lines_;
  std::vector<Line> index_;
  Buffer body_;
  std::string_view static_body_;
  std::unique_ptr<BodySource> body_source_;
  std::optional<std::uint64_t> body_source_size_;
};

/// The reason phrase (RFC 9110 section 15); "Unknown" for what is not registered.
std::string_view reason_phrase(int status);

}  // namespace bedplate::http
