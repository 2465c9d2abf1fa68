// SPDX-License-Identifier: Apache-2.0
// The wire form of an answer's head, and which content coding its body gets. Private header.
#pragma once

#include <cstdint>
#include <string_view>

#include "bedplate/base/buffer.h"
#include "bedplate/http/compression.h"
#include "bedplate/http/message/message.h"

namespace bedplate::http {

/// How the body of an answer is delimited (RFC 9112 section 6.3).
enum class AnswerLength : std::uint8_t {
  none,     ///< a status that has no body: 1xx, 204, 304
  sized,    ///< Content-Length
  chunked,  ///< Transfer-Encoding: chunked
  close,    ///< ends with the connection: HTTP/1.0 and a size that is not known
};

struct AnswerFraming {
  AnswerLength length = AnswerLength::sized;
  std::uint64_t size = 0;
  bool close = false;
  bool say_keep_alive = false;  ///< to an HTTP/1.0 client that asked for it
};

/// 1xx, 204 and 304 have no body, whatever the handler wrote.
constexpr bool is_bodiless(int status) {
  return status < 200 || status == 204 || status == 304;
}

/// Appends status line, Date, the answer's own lines, framing, and the empty line. `date_line` ends with
/// CRLF.
void append_answer_head(Buffer& out, const Response& response, std::string_view date_line,
                        const AnswerFraming& framing);

struct CodingRules {
  bool enabled = true;
  std::size_t size_min = 1024;
};

/// Which coding this answer's body gets; sets Content-Encoding, Vary and the suffix of a strong ETag to
/// match. identity: leave the body as it is. A 304 whose Content-Type is
/// compressible gets the Vary of the 200, and loses the type.
Coding negotiate_coding(Request& request, Response& response, const CodingRules& rules);

}  // namespace bedplate::http
