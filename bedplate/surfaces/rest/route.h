// SPDX-License-Identifier: Apache-2.0
// How REST reaches an operation: its route, and what else only REST wants to know. All are options of api.h's
// operations:
//
//   .command<&Tasks::create>("create", post("/v1/tasks"), creates("/v1/tasks/{id}"), needs("tasks:write"))
//   .query<&Tasks::find>("find", get("/v1/tasks/{id}"), needs("tasks:read"), cache_control("private, max-age=60"))
//
// Input fields fill by name:
//
//   - a `{name}` in the path fills the field `name`; the input must have it, required and scalar;
//   - GET and DELETE: the other fields come from the query string (a list repeats its name);
//   - POST, PUT and PATCH: the other fields come from the JSON body (PATCH: application/merge-patch+json too).
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bedplate/operations/options.h"

namespace bedplate::api {

enum class Verb : std::uint8_t { get, post, put, patch, del };
/// "GET", "POST", ...
std::string_view verb_name(Verb verb);

/// Where REST finds an operation. Path segments are literal text or `{field}`, a field of the input. An option of
/// operations: `.query<&Tasks::find>("find", get("/v1/tasks/{id}"), ...)`.
struct Route {
  Verb verb = Verb::get;
  std::string_view path;

  void apply(Operation& operation) const;
};

/// How REST exposes an operation: an attribute of it. An operation without one is not reached by REST.
struct RouteOf {
  Route route;
  int status = 0;  ///< of success: 200, 201, 202, 204; 0: 200, or 204 where there is no output
  std::string_view
      location;  ///< path whose {fields} come from the output, for the Location header; empty: none
  std::string_view cache_control;  ///< empty: the default of rest.h
  bool compressed = true;
  bool any_query = false;                ///< a query string is not looked at
  std::size_t body_size_max = SIZE_MAX;  ///< bytes; the server's own limit holds as well
  /// Of a log-in: the field of the output that callers send as bearer token. Empty: it is not a log-in.
  std::string_view access_token;
};

/// Of success, where the operation has a route.
int success_status(const Operation& operation);

/// Of an operation that has one.
inline const RouteOf& route_of(const Operation& operation) {
  return *operation.attributes.find<RouteOf>();
}

namespace detail {
inline RouteOf& route_in(Operation& operation) {
  return operation.attributes.of<RouteOf>();
}
void route_paths_begin_with_a_slash();
void route_paths_have_no_empty_segment_and_no_trailing_slash();
void route_parameters_are_a_whole_segment_like_brace_name_brace();
void route_segments_are_letters_digits_dash_dot_underscore_tilde();

constexpr bool is_path_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

constexpr void check_segment(std::string_view segment) {
  if (segment.empty()) return route_paths_have_no_empty_segment_and_no_trailing_slash();
  bool is_parameter = segment.front() == '{';
  if (is_parameter) {
    if (segment.size() < 3 || segment.back() != '}')
      route_parameters_are_a_whole_segment_like_brace_name_brace();
    segment = segment.substr(1, segment.size() - 2);
  }
  for (char c : segment) {
    if (c == '{' || c == '}') route_parameters_are_a_whole_segment_like_brace_name_brace();
    if (!is_path_char(c)) route_segments_are_letters_digits_dash_dot_underscore_tilde();
  }
}

/// A wrong path does not compile: the name of the undefined function above is the message.
constexpr std::string_view checked_path(std::string_view path) {
  if (path.empty() || path[0] != '/') route_paths_begin_with_a_slash();
  if (path == "/") return path;
  for (std::size_t at = 1; at <= path.size();) {
    std::size_t end = std::min(path.find('/', at), path.size());
    check_segment(path.substr(at, end - at));
    at = end + 1;
  }
  return path;
}
}  // namespace detail

inline void Route::apply(Operation& operation) const {
  detail::route_in(operation).route = *this;
}

consteval Route get(const char* path) {
  return {Verb::get, detail::checked_path(path)};
}
consteval Route post(const char* path) {
  return {Verb::post, detail::checked_path(path)};
}
consteval Route put(const char* path) {
  return {Verb::put, detail::checked_path(path)};
}
consteval Route patch(const char* path) {
  return {Verb::patch, detail::checked_path(path)};
}
consteval Route del(const char* path) {
  return {Verb::del, detail::checked_path(path)};
}

// ---- how success looks

/// 201. `location` is the path of what was made; its {fields} are taken from the output.
consteval auto creates(const char* location) {
  struct Creates {
    std::string_view location;
    void apply(Operation& operation) const {
      detail::route_in(operation).status = 201;
      detail::route_in(operation).location = location;
    }
  };
  return Creates{detail::checked_path(location)};
}

/// 202: taken on, not done yet.
inline auto accepted() {
  return detail::Option{[](Operation& operation) { detail::route_in(operation).status = 202; }};
}

/// 204 although the operation returns a value that other surfaces show. (Async<void> answers 204 anyway.)
inline auto no_content() {
  return detail::Option{[](Operation& operation) { detail::route_in(operation).status = 204; }};
}

// ---- how it is treated

/// This is how people get an access token: `logs_in<&Grant::access_token>()`. The documents name the operation, and
/// /docs asks for its body's fields where it asks for a token. One operation of a program, a POST that is open to all;
/// its input's secret fields are asked for as passwords are.
template <auto Member>
auto logs_in() {
  using Of = detail::MemberOf<decltype(Member)>;
  static_assert(std::same_as<typename Of::Value, std::string>,
                "logs_in<> names a std::string field of the output");
  struct LogsIn {
    using OutputType [[maybe_unused]] = typename Of::Class;
    void apply(Operation& operation) const {
      detail::route_in(operation).access_token = detail::member_name<Member>();
    }
  };
  return LogsIn{};
}
inline auto no_compression() {
  return detail::Option{[](Operation& operation) { detail::route_in(operation).compressed = false; }};
}
/// Replaces the default Cache-Control of answers, for example "public, max-age=300".
inline auto cache_control(std::string_view value) {
  return detail::Option{[value](Operation& operation) { detail::route_in(operation).cache_control = value; }};
}
/// The largest body that it takes, where that is less than server.body_size_max: for what strangers may call, since
/// each of their connections can hold a body in memory.
inline auto body_at_most(std::size_t bytes) {
  return detail::Option{[bytes](Operation& operation) { detail::route_in(operation).body_size_max = bytes; }};
}
/// Takes any query string and does not look at it: for what machines ask that are not ours, such as health checks,
/// which add a parameter against caches. Elsewhere a parameter that is not known is a fault, since it is a typing
/// error of somebody who believes that it has an effect. For inputs without fields only.
inline auto any_query() {
  return detail::Option{[](Operation& operation) { detail::route_in(operation).any_query = true; }};
}

}  // namespace bedplate::api
