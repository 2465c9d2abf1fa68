// SPDX-License-Identifier: Apache-2.0
// The head of a request: request line and field lines (RFC 9112 sections 2, 3 and 5), strict.
//
//   RequestHead head;
//   HeadParse parse = parse_head(bytes, limits, head);
//   parse.state == ParseState::complete   // head is filled, parse.size bytes are used, the body follows
//   parse.state == ParseState::incomplete // call again with more bytes (from the same beginning)
//   parse.state == ParseState::bad        // answer *parse.rejection and close: what follows is not to be trusted
//
// One pass, no allocation once `head.fields` has grown, views into `bytes`. About 40 ns for a bare request.
// Refused, because another reader of the same bytes may see another message (request smuggling): bare LF or
// CR, NUL and other control characters, blanks before the colon, folded lines, empty or invalid names, more
// or less than one space in the request line, an unreadable version. What the fields mean is framing.h's
// subject.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bedplate/http/message/field.h"

namespace bedplate::http {

/// Why a request is refused before any handler sees it. All of them are constants.
struct Rejection {
  int status;
  std::string_view code;
  std::string_view detail;
};

struct HeadLimits {
  std::size_t request_line_size_max = 8 * 1024;
  std::size_t header_size_max = 16 * 1024;
  std::size_t header_count_max = 100;  ///< at most kHeaderCountMax
};

/// More cannot be indexed by one byte.
inline constexpr std::size_t kHeaderCountMax = 250;

struct RequestHead {
  std::string_view method;
  std::string_view target;
  std::uint8_t minor_version = 1;
  std::vector<Field> fields;
  std::array<std::uint8_t, kFieldCount> first{};  ///< place in `fields` plus one, by FieldId
  std::array<bool, kFieldCount> repeated{};       ///< came more than once, by FieldId

  bool has(FieldId id) const { return first[static_cast<std::size_t>(id)] != 0; }
  bool is_repeated(FieldId id) const { return repeated[static_cast<std::size_t>(id)]; }
  /// The first one's value; empty when there is none.
  std::string_view value(FieldId id) const {
    const std::uint8_t at = first[static_cast<std::size_t>(id)];
    return at == 0 ? std::string_view() : fields[at - 1].value;
  }
  void clear();
  /// Appends and indexes.
  void add(const Field& field);
};

enum class ParseState : std::uint8_t { complete, incomplete, bad };

struct HeadParse {
  ParseState state;
  std::size_t size = 0;                  ///< complete: bytes of the head, with its empty line
  const Rejection* rejection = nullptr;  ///< bad
};

HeadParse parse_head(std::string_view bytes, const HeadLimits& limits, RequestHead& head);

/// One field line that begins at `bytes`, with its CRLF: also the grammar of trailers.
struct LineParse {
  ParseState state;
  const char* next = nullptr;
};
LineParse parse_field_line(const char* begin, const char* end, Field& field);

}  // namespace bedplate::http
