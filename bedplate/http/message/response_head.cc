// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/response_head.h"

#include <algorithm>
#include <charconv>

#include "bedplate/base/text.h"
#include "bedplate/http/message/chars.h"
#include "bedplate/http/message/field.h"

namespace bedplate::http {
namespace {

constexpr std::size_t kStatusSize = 12;  // "HTTP/1.1 200"

std::unexpected<Error> bad_response(std::string detail) {
  return fail(Category::unavailable, "bad_response", std::move(detail));
}

// "HTTP/1.1 200 OK\r\n". The reason may be empty, and the space before it is then often left out.
LineParse parse_status_line(const char* begin, const char* end, ResponseHead& head) {
  auto size = static_cast<std::size_t>(end - begin);
  std::string_view expected = std::string_view("HTTP/1.");
  std::string_view seen(begin, std::min(size, expected.size()));
  if (!expected.starts_with(seen)) return {ParseState::bad};
  if (size < kStatusSize + 2) return {ParseState::incomplete};
  if (begin[7] != '0' && begin[7] != '1') return {ParseState::bad};
  head.minor_version = begin[7] - '0';
  if (begin[8] != ' ') return {ParseState::bad};
  head.status = 0;
  for (int i = 9; i < 12; ++i) {
    if (!chars::is(begin[i], chars::kDigit)) return {ParseState::bad};
    head.status = head.status * 10 + (begin[i] - '0');
  }
  if (head.status < 100 || head.status > 599) return {ParseState::bad};
  const char* p = begin + kStatusSize;
  if (*p != ' ' && *p != '\r') return {ParseState::bad};
  if (*p == ' ') ++p;
  const char* reason = p;
  p = chars::skip_value(p, end);
  head.reason.assign(reason, p);
  if (p == end || p + 1 == end) return {p == end || *p == '\r' ? ParseState::incomplete : ParseState::bad};
  if (*p != '\r' || p[1] != '\n') return {ParseState::bad};
  return {ParseState::complete, p + 2};
}

// Calls f for each element of a comma-separated list, without blanks around it.
template <class F>
void for_each_element(std::string_view list, F f) {
  while (!list.empty()) {
    std::size_t comma = std::min(list.find(','), list.size());
    std::string_view element = list.substr(0, comma);
    while (!element.empty() && (element.front() == ' ' || element.front() == '\t')) element.remove_prefix(1);
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) element.remove_suffix(1);
    if (!element.empty()) f(element);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

}  // namespace

std::string_view ResponseHead::field(std::string_view name) const {
  for (const ResponseField& field : fields)
    if (equal_ignoring_case(field.name, name)) return field.value;
  return {};
}

bool ResponseHead::has_field(std::string_view name) const {
  for (const ResponseField& field : fields)
    if (equal_ignoring_case(field.name, name)) return true;
  return false;
}

ResponseParse parse_response_head(std::string_view bytes, const ResponseLimits& limits, ResponseHead& head) {
  head.fields.clear();
  const ResponseParse incomplete{bytes.size() > limits.head_size_max ? ParseState::bad
                                                                     : ParseState::incomplete};
  const char* const end = bytes.data() + bytes.size();
  LineParse line = parse_status_line(bytes.data(), end, head);
  if (line.state == ParseState::incomplete) return incomplete;
  if (line.state == ParseState::bad) return {ParseState::bad};
  const char* p = line.next;
  for (;;) {
    if (end - p < 2) return incomplete;
    auto used = static_cast<std::size_t>(p - bytes.data());
    if (used > limits.head_size_max) return {ParseState::bad};
    if (*p == '\r')
      return p[1] == '\n' ? ResponseParse{ParseState::complete, used + 2} : ResponseParse{ParseState::bad};
    Field field;
    line = parse_field_line(p, end, field);
    if (line.state == ParseState::incomplete) return incomplete;
    if (line.state == ParseState::bad || head.fields.size() >= limits.field_count_max)
      return {ParseState::bad};
    head.fields.push_back({std::string(field.name), std::string(field.value)});
    p = line.next;
  }
}

Result<ResponseBody> response_body(const ResponseHead& head, std::string_view request_method) {
  using Kind = ResponseBody::Kind;
  if (request_method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304)
    return ResponseBody{};
  bool coded = false;
  bool chunked = false;
  bool sized = false;
  std::uint64_t length = 0;
  for (const ResponseField& field : head.fields) {
    FieldId id = field_id(field.name);
    if (id == FieldId::transfer_encoding) {
      if (coded || !equal_ignoring_case(field.value, "chunked"))
        return bad_response("The answer has a transfer coding other than chunked.");
      coded = chunked = true;
    } else if (id == FieldId::content_length) {
      std::uint64_t value = 0;
      const char* last = field.value.data() + field.value.size();
      auto [stop, error] = std::from_chars(field.value.data(), last, value);
      if (error != std::errc() || stop != last || (sized && value != length))
        return bad_response("The answer has a bad length.");
      sized = true;
      length = value;
    }
  }
  if (chunked && (sized || head.minor_version == 0))
    return bad_response("The answer has a length beside a transfer coding.");
  if (chunked) return ResponseBody{Kind::chunked, 0};
  if (sized) return ResponseBody{Kind::length, length};
  return ResponseBody{Kind::until_close, 0};
}

bool keeps_connection(const ResponseHead& head) {
  if (head.minor_version == 0) return false;
  bool keeps = true;
  for (const ResponseField& field : head.fields) {
    if (field_id(field.name) != FieldId::connection) continue;
    for_each_element(field.value, [&](std::string_view option) {
      if (equal_ignoring_case(option, "close")) keeps = false;
    });
  }
  return keeps;
}

}  // namespace bedplate::http
