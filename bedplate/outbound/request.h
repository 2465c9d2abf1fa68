// SPDX-License-Identifier: Apache-2.0
// What is asked of another server, and what it answers: see client.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/http/message/response_head.h"
#include "bedplate/telemetry/trace.h"

namespace bedplate::outbound {

/// A body that is made while it is sent.
///
///   class Rows final : public outbound::BodySource {
///     Async<std::string> next() override;   // the next piece; empty: that was all
///   };
///
/// It is asked for a piece only once the connection stands and the piece before has been taken by the other side, so no
/// more than one piece is in memory. When the exchange ends early, next() is cancelled.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual Async<std::string> next() = 0;
  /// How many bytes it gives in all, where that is known; else the body is sent in chunks.
  virtual std::optional<std::uint64_t> size() const { return std::nullopt; }
};

struct Request {
  explicit Request(std::string_view verb = "GET", std::string_view where = "") : method(verb), url(where) {}

  /// Host, Content-Length, Transfer-Encoding, Connection, Expect and the like are the client's own.
  void add_field(std::string_view name, std::string_view value) {
    fields.push_back({std::string(name), std::string(value)});
  }
  /// Makes the request part of the caller's trace, as a span of its own (W3C Trace Context). Null: of none.
  void trace(const telemetry::RequestTrace* caller);

  std::string method;
  std::string url;  ///< absolute: url.h says what is taken
  std::vector<http::ResponseField> fields;
  std::string body;
  BodySource* source = nullptr;  ///< instead of `body`; outlives the call

  /// Of the whole call, retries included; nothing: timeout_ms of the settings. Zero: none.
  std::optional<std::chrono::milliseconds> timeout;
  /// In all. A request is tried again when no byte of it was sent (no address, no connection), or when the connection
  /// was lost before any byte of an answer and it may be repeated: GET, HEAD, PUT, DELETE, OPTIONS, TRACE, or any with
  /// an
  /// Idempotency-Key. One with a source is never sent twice.
  int attempts_max = 3;
  /// Also tries again what may be repeated after 429, 502, 503 and 504, not before Retry-After says.
  bool retry_statuses = false;
  /// Redirects of a GET or HEAD that are followed, and only to the same scheme, host and port; others are the answer.
  int redirects_max = 0;
  /// Asks for gzip and br, and decodes them; send() only.
  bool compressed = false;
  /// Instead of body_size_max of the settings.
  std::optional<std::uint64_t> body_size_max;
};

struct Response {
  /// The first field of that name, in any case; empty when it does not exist.
  std::string_view field(std::string_view name) const { return head.field(name); }

  int status = 0;
  http::ResponseHead head;
  std::string body;
};

}  // namespace bedplate::outbound
