// SPDX-License-Identifier: Apache-2.0
// How long a request's body is, whether the connection stays, and whom the request is for (RFC 9112 section
// 6, RFC 9110 sections 7.2, 7.6.1 and 10.1.1). Where two readers could disagree, the request is refused.
#pragma once

#include <cstdint>
#include <string_view>

#include "bedplate/http/message/parser.h"

namespace bedplate::http {

enum class BodyKind : std::uint8_t { none, sized, chunked };

struct Framing {
  BodyKind body = BodyKind::none;
  std::uint64_t size = 0;  ///< sized
  bool keep_alive = true;
  bool expects_continue = false;
};

/// Null: `out` is filled. Else why the request is refused; its connection closes, because where the next
/// request begins is not certain:
/// - Content-Length: repeated, a list, signed, not decimal, beyond 2^63;
/// - Transfer-Encoding: beside Content-Length, in HTTP/1.0, repeated, chunked not last or twice;
///   other codings: 501;
/// - Host: missing (HTTP/1.1), repeated, not valid;
/// - Authorization or Content-Type repeated; an expectation other than 100-continue: 417.
/// `known_host` is a Host value that was found valid before (of the same connection: it hardly ever changes).
const Rejection* read_framing(const RequestHead& head, Framing& out, std::string_view known_host = {});

}  // namespace bedplate::http
