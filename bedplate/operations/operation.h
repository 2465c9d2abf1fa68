// SPDX-License-Identifier: Apache-2.0
// An operation: one thing that a service can do, described so that every surface can offer it.
//
// Services do not fill an Operation by hand: api.h makes it from a member function (its signature is the contract)
// and a few options. Surfaces (rest.h, openapi.h) read it and call it without knowing its types: input and output
// are TypeInfo tables, and the call goes through one of two function pointers.
//
// The parameter before the input decides what kind of operation it is, and where it runs:
//
//   Result<Out> f(const In&)                          pure       needs no data; runs on the loop; may also be Async
//   Async<Out>  f(sql::Reader&, const In&)            query      reads, in one snapshot
//   Async<Out>  f(sql::Transaction&, const In&)       command    writes; one transaction; may run more than once
//   Async<Out>  f(sql::Database&, const In&)          procedure  opens short transactions of its own, because it
//                                                                also waits for something else (a password hash)
//
// `const Caller&` may stand first; the input may be missing; `Async<void>` answers nothing (204).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/auth/caller.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/operations/if_match.h"
#include "bedplate/operations/paging/page.h"
#include "bedplate/operations/paging/sort.h"
#include "bedplate/sql/call_context.h"

namespace bedplate::api {

using auth::Caller;

enum class OperationKind : std::uint8_t { pure, query, command, procedure };
std::string_view kind_name(OperationKind kind);

enum class Verb : std::uint8_t { get, post, put, patch, del };
/// "GET", "POST", ...
std::string_view verb_name(Verb verb);

/// Where REST finds an operation. Path segments are literal text or `{field}`, a field of the input.
struct Route {
  Verb verb = Verb::get;
  std::string_view path;
};

namespace detail {
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

// A failure of an operation's own is declared once, as a constant, and used in both places:
//
//   inline constexpr ErrorCode kTaskNotFound{Category::not_found, "task_not_found", "There is no such task."};
//   ... fails_with(kTaskNotFound) ...          // in the Api
//   co_return api::fail(kTaskNotFound);        // in the operation; in an Async<void>: co_await api::fail(...)
using bedplate::ErrorCode;
using bedplate::fail;

/// Who may call. There is no default: an operation that does not say does not compile.
enum class Access : std::uint8_t {
  unsaid,
  open_to_all,  ///< no token needed; one that is sent is not looked at, and the caller is anonymous
  any_user,     ///< a good token, whatever its scopes
  scopes,       ///< a good token that has every scope named
};

/// RFC 9745 (Deprecation) and RFC 8594 (Sunset).
struct Deprecation {
  Time since{};
  std::optional<Time> sunset;
  std::string_view see;  ///< URL of the notice or the successor; empty: none
};

/// Runs the operation. `data` is the sql::Reader, sql::Transaction or sql::Database that its kind asks for (null
/// for pure); `input` is a value of its input type (null when it has none); `output` a default-constructed value
/// of its output type (null when it has none). All outlive the coroutine.
using Invoke = Async<void> (*)(void* object, const Caller& caller, void* data, const void* input,
                               void* output);
/// The same for a pure operation that is a plain function: no coroutine at all.
using InvokeNow = Result<void> (*)(void* object, const Caller& caller, const void* input, void* output);

/// Filled by Api; read by the surfaces. Immutable and shared by all threads once it is served.
struct Operation {
  std::string name;  ///< "tasks.create": unique in a program; names metrics, idempotency records, operationId
  std::string_view tag;  ///< the Api's name
  OperationKind kind = OperationKind::pure;
  Route route;
  const TypeInfo* input = nullptr;   ///< null: takes nothing
  const TypeInfo* output = nullptr;  ///< null: answers nothing

  Access access = Access::unsaid;
  std::vector<std::string_view> scopes;

  int status = 200;  ///< of success: 200, 201, 202, 204
  std::string_view
      location;  ///< path whose {fields} come from the output, for the Location header; empty: none
  std::string_view summary;  ///< a few words
  std::string_view doc;      ///< sentences; CommonMark
  std::vector<ErrorCode> errors;
  std::vector<std::string_view> links;  ///< names of operations that take fields of this output
  std::optional<Deprecation> deprecation;
  std::string_view example_input;   ///< JSON; checked against the type at start
  std::string_view example_output;  ///< JSON; checked against the type at start

  std::optional<sql::Isolation> isolation;  ///< of a command's transaction; nothing: that of the database
  std::string_view cache_control;           ///< empty: the default of rest.h
  bool idempotent_replay = true;            ///< commands: `Idempotency-Key` is honoured
  bool compressed = true;
  bool any_query = false;                ///< a query string is not looked at
  bool secret = false;                   ///< the answer carries tokens: no store, no compression, no replay
  int cost = 1;                          ///< units that a call takes from its caller's rate limit
  std::size_t body_size_max = SIZE_MAX;  ///< bytes; the server's own limit holds as well
  /// Of a log-in: the field of the output that callers send as bearer token. Empty: it is no log-in.
  std::string_view access_token;

  /// The version of an output, for its ETag. Null: it has none.
  std::int64_t (*version_of)(const void* output) = nullptr;
  /// Hands If-Match and If-None-Match to the input. Null: the operation does not compare versions.
  void (*set_if_match)(void* input, IfMatch&& condition) = nullptr;
  /// The links and the place of a Page<T> output. Null: the output is not a page.
  PageParts (*page_parts)(void* output) = nullptr;
  std::span<const SortField> sort_fields;  ///< what `sort` may name
  std::string_view default_sort;           ///< in the form of `sort`; empty: the operation alone knows it
  /// The PageQuery in an input. Null: the input does not derive from it.
  const PageQuery& (*page_query)(const void* input) = nullptr;

  void* object = nullptr;
  Invoke invoke = nullptr;
  InvokeNow invoke_now = nullptr;  ///< one of the two is set
};

}  // namespace bedplate::api
