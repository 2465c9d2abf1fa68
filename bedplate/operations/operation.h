// SPDX-License-Identifier: Apache-2.0
// An operation: one thing that a service can do, described so that every surface can offer it.
//
// Services do not fill an Operation by hand: api.h makes it from a member function (its signature is the contract)
// and a few options. It says what an operation is, not how it is reached: that stands beside it, in its attributes.
// Whoever runs it does so through the executor (bedplate/execution/executor.h), without knowing its types: input and
// output are TypeInfo tables, and the call goes through one of two function pointers.
//
// The data parameter decides what kind of operation it is, and where it runs:
//
//   Result<Out> f(const In&)                          pure       needs no data; runs on the loop; may also be Async
//   Async<Out>  f(sql::Reader&, const In&)            query      reads, in one snapshot
//   Async<Out>  f(sql::Transaction&, const In&)       command    writes; one transaction; may run more than once
//   Async<Out>  f(sql::Database&, const In&)          procedure  opens short transactions of its own, because it
//                                                                also waits for something else (a password hash)
//
// Parameters are a set (parameters.h), `const Caller&` one of them; the input may be missing; `Async<void>` answers
// nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/operations/attributes.h"
#include "bedplate/operations/if_match.h"
#include "bedplate/operations/paging/page.h"
#include "bedplate/operations/paging/sort.h"
#include "bedplate/operations/parameters.h"
#include "bedplate/sql/call_context.h"

namespace bedplate::api {

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
  open_to_all,  ///< no credentials needed; what is sent is not looked at, and the caller is anonymous
  optional_user,  ///< known or not: without credentials the caller is anonymous; those that are sent must be good
  any_user,       ///< good credentials, whatever their scopes
  system_only,  ///< only the program itself: jobs. No surface offers it.
  scopes,       ///< good credentials that have every scope named
};

/// RFC 9745 (Deprecation) and RFC 8594 (Sunset).
struct Deprecation {
  Time since{};
  std::optional<Time> sunset;
  std::string_view see;  ///< URL of the notice or the successor; empty: none
};

/// Runs the operation: see Arguments. All that it refers to outlives the coroutine.
using Invoke = Async<void> (*)(void* object, const Arguments& arguments);
/// The same for a pure operation that is a plain function: no coroutine at all.
using InvokeNow = Result<void> (*)(void* object, const Arguments& arguments);

/// Filled by Api; read by the executor and the surfaces. Immutable and shared by all threads once it is served.
struct Operation {
  std::string name;  ///< "tasks.create": unique in a program; names metrics, idempotency records, operationId
  std::string_view module;  ///< the Api's name: the first half of `name`
  OperationKind kind = OperationKind::pure;
  const TypeInfo* input = nullptr;   ///< null: takes nothing
  const TypeInfo* output = nullptr;  ///< null: answers nothing

  Access access = Access::unsaid;
  std::vector<std::string_view> scopes;

  std::string_view summary;  ///< a few words
  std::string_view doc;      ///< sentences; CommonMark
  std::vector<ErrorCode> errors;
  std::vector<std::string_view> links;  ///< names of operations that take fields of this output
  std::optional<Deprecation> deprecation;
  std::string_view example_input;   ///< JSON; checked against the type at start
  std::string_view example_output;  ///< JSON; checked against the type at start

  std::optional<sql::Isolation> isolation;  ///< of a command's transaction; nothing: that of the database
  bool idempotent_replay = true;            ///< commands: an idempotency key is honoured
  bool secret = false;  ///< the output carries tokens: never kept, compressed or shown by a cache
  int cost = 1;         ///< units that a call takes from its caller's rate limit

  /// The version of an output. Null: it has none.
  std::int64_t (*version_of)(const void* output) = nullptr;
  /// Hands the versions that the caller expects to the input. Null: the operation does not compare versions.
  void (*set_if_match)(void* input, IfMatch&& condition) = nullptr;
  /// The links and the place of a Page<T> output. Null: the output is not a page.
  PageParts (*page_parts)(void* output) = nullptr;
  std::span<const SortField> sort_fields;  ///< what `sort` may name
  std::string_view default_sort;           ///< in the form of `sort`; empty: the operation alone knows it
  /// The PageQuery in an input. Null: the input does not derive from it.
  const PageQuery& (*page_query)(const void* input) = nullptr;

  /// What surfaces want to know: RouteOf of REST, and others' own.
  Attributes attributes;

  const char* object_type = nullptr;  ///< of which class the object is
  void* object = nullptr;             ///< null until the object was made
  Invoke invoke = nullptr;
  InvokeNow invoke_now = nullptr;  ///< one of the two is set
  /// Whether a call hands over every Extra that the signature asks for. Null: it asks for none.
  bool (*are_given)(const Arguments& arguments) = nullptr;
};

}  // namespace bedplate::api
