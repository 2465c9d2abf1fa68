// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/parser.h"

#include <cstring>

#include "bedplate/http/message/chars.h"

namespace bedplate::http {
namespace {

constexpr Rejection kBadRequestLine = {400, "bad_request_line", "The request line is not valid."};
constexpr Rejection kBadLineEnd = {400, "bad_line_end", "A line does not end with CR LF."};
constexpr Rejection kBadVersion = {400, "bad_version", "The HTTP version is not valid."};
constexpr Rejection kVersionNotSupported = {505, "http_version_not_supported", "The server speaks HTTP/1.1."};
constexpr Rejection kMethodTooLong = {501, "method_not_implemented", "The server does not know this method."};
constexpr Rejection kBadField = {400, "bad_header", "A header field is not valid."};
constexpr Rejection kUriTooLong = {414, "uri_too_long", "The request target is too long."};
constexpr Rejection kHeaderTooLarge = {431, "headers_too_large", "The header fields are too large."};
constexpr Rejection kTooManyFields = {431, "too_many_headers", "There are too many header fields."};

constexpr std::size_t kMethodSizeMax = 32;
constexpr std::size_t kVersionSize = 8;  // "HTTP/1.1"

constexpr HeadParse incomplete() {
  return {ParseState::incomplete};
}
constexpr HeadParse bad(const Rejection& rejection) {
  return {ParseState::bad, 0, &rejection};
}

// A byte that ends a run of visible characters too early: what is wrong with it?
HeadParse bad_in_line(char c) {
  return bad(c == '\r' || c == '\n' ? kBadLineEnd : kBadRequestLine);
}

const Rejection* read_version(const char* p, std::uint8_t& minor_version) {
  if (std::memcmp(p, "HTTP/1.1", kVersionSize) == 0) {
    minor_version = 1;
    return nullptr;
  }
  const bool well_formed = std::memcmp(p, "HTTP/", 5) == 0 && chars::is(p[5], chars::kDigit) && p[6] == '.' &&
                           chars::is(p[7], chars::kDigit);
  if (!well_formed) return &kBadVersion;
  if (p[5] != '1') return &kVersionNotSupported;
  minor_version = p[7] == '0' ? 0 : 1;  // a later minor version is read as 1.1: RFC 9110 section 2.5
  return nullptr;
}

struct Line {
  HeadParse parse;
  const char* next = nullptr;
};

// Called when the bytes end inside the request line.
HeadParse request_line_incomplete(std::size_t size, const HeadLimits& limits) {
  return size > limits.request_line_size_max ? bad(kUriTooLong) : incomplete();
}

Line parse_request_line(const char* begin, const char* end, const HeadLimits& limits, RequestHead& head) {
  const auto size = static_cast<std::size_t>(end - begin);
  const char* p = chars::skip(begin, end, chars::kToken);
  const auto method_size = static_cast<std::size_t>(p - begin);
  if (method_size > kMethodSizeMax) return {bad(kMethodTooLong)};
  if (p == end) return {incomplete()};
  if (*p != ' ' || p == begin) return {bad_in_line(*p)};
  head.method = {begin, method_size};

  const char* target = ++p;
  p = chars::skip_visible(p, end);
  if (static_cast<std::size_t>(p - begin) > limits.request_line_size_max) return {bad(kUriTooLong)};
  if (p == end) return {request_line_incomplete(size, limits)};
  if (*p != ' ' || p == target) return {bad_in_line(*p)};
  head.target = {target, static_cast<std::size_t>(p - target)};

  const char* version = ++p;
  if (static_cast<std::size_t>(end - version) < kVersionSize + 2) {
    // Not all here. What is here must be a beginning of one, so that a wrong line end is not waited for.
    p = chars::skip_visible(version, end);
    if (p == end && p - version <= static_cast<std::ptrdiff_t>(kVersionSize)) return {incomplete()};
    if (p != end && *p == '\r' && p + 1 == end && p - version == static_cast<std::ptrdiff_t>(kVersionSize))
      return {incomplete()};
    return {p == end ? bad(kBadVersion) : bad_in_line(*p)};
  }
  if (const Rejection* rejection = read_version(version, head.minor_version)) return {bad(*rejection)};
  p = version + kVersionSize;
  if (p[0] != '\r' || p[1] != '\n')
    return {chars::is(*p, chars::kVisible) ? bad(kBadVersion) : bad_in_line(*p)};
  return {{ParseState::complete}, p + 2};
}

}  // namespace

void RequestHead::clear() {
  fields.clear();
  first.fill(0);
  repeated.fill(false);
}

void RequestHead::add(const Field& field) {
  fields.push_back(field);
  if (field.id == FieldId::other) return;
  const auto at = static_cast<std::size_t>(field.id);
  if (first[at] == 0)
    first[at] = static_cast<std::uint8_t>(fields.size());
  else
    repeated[at] = true;
}

LineParse parse_field_line(const char* begin, const char* end, Field& field) {
  const char* p = chars::skip(begin, end, chars::kToken);
  if (p == end) return {ParseState::incomplete};
  if (*p != ':' || p == begin) return {ParseState::bad};
  field.name = {begin, static_cast<std::size_t>(p - begin)};
  ++p;
  while (p != end && (*p == ' ' || *p == '\t')) ++p;
  const char* value = p;
  p = chars::skip_value(p, end);
  if (p == end) return {ParseState::incomplete};
  if (*p != '\r') return {ParseState::bad};
  if (p + 1 == end) return {ParseState::incomplete};
  if (p[1] != '\n') return {ParseState::bad};
  const char* last = p;
  while (last != value && (last[-1] == ' ' || last[-1] == '\t')) --last;
  field.value = {value, static_cast<std::size_t>(last - value)};
  field.id = field_id(field.name);
  return {ParseState::complete, p + 2};
}

HeadParse parse_head(std::string_view bytes, const HeadLimits& limits, RequestHead& head) {
  head.clear();
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  const char* p = begin;
  // RFC 9112 section 2.2: an empty line that a client sent after the body before is skipped.
  if (p != end && *p == '\r') {
    if (p + 1 == end) return incomplete();
    if (p[1] != '\n') return bad(kBadLineEnd);
    p += 2;
  }
  const Line line = parse_request_line(p, end, limits, head);
  if (line.parse.state != ParseState::complete) return line.parse;

  const char* const fields = p = line.next;
  for (;;) {
    if (p == end) break;
    if (*p == '\r') {
      if (p + 1 == end) break;
      if (p[1] != '\n') return bad(kBadLineEnd);
      return {ParseState::complete, static_cast<std::size_t>(p + 2 - begin)};
    }
    Field field;
    const LineParse parse = parse_field_line(p, end, field);
    if (parse.state == ParseState::bad) return bad(kBadField);
    if (parse.state == ParseState::incomplete) break;
    if (static_cast<std::size_t>(parse.next - fields) > limits.header_size_max) return bad(kHeaderTooLarge);
    if (head.fields.size() >= limits.header_count_max || head.fields.size() >= kHeaderCountMax)
      return bad(kTooManyFields);
    head.add(field);
    p = parse.next;
  }
  if (static_cast<std::size_t>(end - fields) > limits.header_size_max) return bad(kHeaderTooLarge);
  return incomplete();
}

}  // namespace bedplate::http
