// SPDX-License-Identifier: Apache-2.0
// Header fields: the ones this code base knows by number, and what a name or a value may consist of.
//
//   field_id("content-LENGTH") == FieldId::content_length     // case-insensitive, a perfect hash, about 3 ns
//   field_name(FieldId::content_length) == "Content-Length"
//
// A known field is found in a request in one step, without comparing names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bedplate::http {

enum class FieldId : std::uint8_t {
  other,  ///< not one of these; found by its name
  accept,
  accept_charset,
  accept_encoding,
  accept_language,
  access_control_allow_credentials,
  access_control_allow_headers,
  access_control_allow_methods,
  access_control_allow_origin,
  access_control_expose_headers,
  access_control_max_age,
  access_control_request_headers,
  access_control_request_method,
  age,
  allow,
  authorization,
  bedplate_commit,  ///< how far a client has seen the database: CommitPosition in sql/call_context.h
  cache_control,
  connection,
  content_disposition,
  content_encoding,
  content_language,
  content_length,
  content_location,
  content_range,
  content_type,
  cookie,
  date,
  deprecation,
  dnt,
  etag,
  expect,
  expires,
  forwarded,
  from,
  host,
  idempotency_key,
  if_match,
  if_modified_since,
  if_none_match,
  if_range,
  if_unmodified_since,
  keep_alive,
  last_modified,
  link,
  location,
  max_forwards,
  origin,
  pragma,
  prefer,
  proxy_authorization,
  proxy_connection,
  range,
  rate_limit_limit,
  rate_limit_policy,
  rate_limit_remaining,
  rate_limit_reset,
  referer,
  retry_after,
  sec_fetch_mode,
  sec_fetch_site,
  server,
  set_cookie,
  sunset,
  te,
  traceparent,
  tracestate,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  vary,
  via,
  warning,
  www_authenticate,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  x_http_method_override,
  x_real_ip,
  x_request_id,
};

inline constexpr std::size_t kFieldCount = static_cast<std::size_t>(FieldId::x_request_id) + 1;

/// Which field this is, in any case. FieldId::other: none of the known ones.
FieldId field_id(std::string_view name);

/// The name as it is written on the wire; "" for other.
std::string_view field_name(FieldId id);

/// A token (RFC 9110 section 5.6.2): methods, field names, parameter names, codings. Not empty.
bool is_token(std::string_view text);

/// What a field value may hold: visible characters, bytes above 0x7f, spaces and tabs inside; no CR, LF, NUL
/// or other control characters, no blank at either end. The empty value is valid.
bool is_field_value(std::string_view text);

/// One field of a received message. The views point into the connection's buffer.
struct Field {
  std::string_view name;  ///< as received, in any case
  std::string_view value;
  FieldId id = FieldId::other;
};

}  // namespace bedplate::http
