// SPDX-License-Identifier: Apache-2.0
// The head of a response as a client reads it (RFC 9112 sections 4 to 6), strict: status line, fields, and
// how long the body is. What two readers could understand differently is an error, as in requests (parser.h).
//
//   ResponseHead head;
//   ResponseParse parse = parse_response_head(bytes, limits, head);
//   parse.state == ParseState::complete   // parse.size bytes are used
//   Result<ResponseBody> body = response_body(head, "GET");
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/http/message/parser.h"

namespace bedplate::http {

struct ResponseField {
  std::string name;
  std::string value;
};

struct ResponseHead {
  /// The first field of that name, in any case; empty when there is none.
  std::string_view field(std::string_view name) const;
  bool has_field(std::string_view name) const;

  int status = 0;  ///< 100 to 599
  int minor_version = 1;
  std::string reason;
  std::vector<ResponseField> fields;
};

struct ResponseLimits {
  std::size_t head_size_max = 64 * 1024;
  std::size_t field_count_max = 200;
};

struct ResponseParse {
  ParseState state;
  std::size_t size = 0;  ///< complete: bytes of the head, with its empty line
};

/// incomplete: call again with more bytes from the same beginning. Past the limits: bad.
ResponseParse parse_response_head(std::string_view bytes, const ResponseLimits& limits, ResponseHead& head);

/// How the body ends.
struct ResponseBody {
  enum class Kind : std::uint8_t { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;
};

/// RFC 9112 section 6.3. Category::unavailable `bad_response`: two different lengths, a length beside a
/// transfer coding, a coding other than chunked.
Result<ResponseBody> response_body(const ResponseHead& head, std::string_view request_method);

/// The connection may serve another exchange after this one: HTTP/1.1 and no "Connection: close".
bool keeps_connection(const ResponseHead& head);

}  // namespace bedplate::http
