// SPDX-License-Identifier: Apache-2.0
// What may be said about an operation beside its signature; see api.h for the list in use.
//
// Each function makes a small value that Api applies to the Operation. Who may call (needs, any_user, optional_user,
// open_to_all) must be said; everything else has a default. How REST reaches the operation is said with the options of
// bedplate/surfaces/rest/route.h.
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "bedplate/base/rfc3339.h"
#include "bedplate/operations/operation.h"
#include "bedplate/operations/paging/sort.h"
#include "bedplate/operations/signature.h"

namespace bedplate::api {

namespace detail {

/// An option that is a plain function over the operation.
template <class F>
struct Option {
  F apply;
};
template <class F>
Option(F) -> Option<F>;

/// An option that says who may call.
template <class F>
struct AccessOption {
  F apply;
  static constexpr bool kSaysWhoMayCall = true;
};
template <class F>
AccessOption(F) -> AccessOption<F>;

template <class O>
concept SaysWhoMayCall = requires { O::kSaysWhoMayCall; };
template <class O>
concept IsOption = requires(const O& option, Operation& operation) { option.apply(operation); };

// Never defined: see checked_path().
void times_are_rfc_3339_such_as_2026_11_21T10_00_00Z();
void a_sunset_comes_after_the_deprecation();

constexpr Time checked_time(std::string_view text) {
  const bedplate::detail::Rfc3339 read = bedplate::detail::read_rfc3339(text);
  if (!read.is_representable()) times_are_rfc_3339_such_as_2026_11_21T10_00_00Z();
  return read.time;
}

template <class M>
struct MemberOf;
template <class C, class V>
struct MemberOf<V C::*> {
  using Class = C;
  using Value = V;
};
}  // namespace detail

// ---- who may call: exactly one of these

/// A signed-in caller whose token has every scope named. 401 without a token, 403 `scope_missing` without a scope.
template <std::convertible_to<std::string_view>... Scopes>
auto needs(Scopes... scopes) {
  static_assert(sizeof...(Scopes) > 0,
                "needs() names at least one scope; for any signed-in caller say any_user()");
  std::vector<std::string_view> list{std::string_view(scopes)...};
  return detail::AccessOption{[list](Operation& operation) {
    operation.access = Access::scopes;
    operation.scopes = list;
  }};
}

/// A signed-in caller, whatever the scopes.
inline auto any_user() {
  return detail::AccessOption{[](Operation& operation) { operation.access = Access::any_user; }};
}

/// Everybody. Said out loud because it is the exception. A token is not looked at, so that a client that still sends an
/// expired one can log in; the caller is anonymous.
inline auto open_to_all() {
  return detail::AccessOption{[](Operation& operation) { operation.access = Access::open_to_all; }};
}

/// Signed in or not: without credentials the caller is anonymous, and those that are sent must be good (401), so that
/// nobody takes an expired token for an answer made for them.
inline auto optional_user() {
  return detail::AccessOption{[](Operation& operation) { operation.access = Access::optional_user; }};
}

/// Only the program itself: what a job runs. No surface offers it.
inline auto system_only() {
  return detail::AccessOption{[](Operation& operation) { operation.access = Access::system_only; }};
}

// ---- how failure looks: builds with assertions answer nothing else (rest.h)

/// Declares failures that are the operation's own. What the framework itself answers (401, 403, 422, 429, ...) is
/// documented without being named.
template <std::same_as<ErrorCode>... Errors>
auto fails_with(Errors... errors) {
  std::vector<ErrorCode> list{errors...};
  return detail::Option{[list](Operation& operation) {
    operation.errors.insert(operation.errors.end(), list.begin(), list.end());
  }};
}
inline auto fails_with(Category category, std::string_view code, std::string_view doc) {
  return fails_with(ErrorCode{category, code, doc});
}

// ---- what readers of the documents see

/// A few words, for lists: "Create a task".
inline auto summary(std::string_view text) {
  return detail::Option{[text](Operation& operation) { operation.summary = text; }};
}
/// Sentences (CommonMark): what a caller must know.
inline auto doc(std::string_view text) {
  return detail::Option{[text](Operation& operation) { operation.doc = text; }};
}
/// JSON that shows a typical body. Start fails when it does not fit the type.
inline auto example_input(std::string_view json) {
  return detail::Option{[json](Operation& operation) { operation.example_input = json; }};
}
inline auto example_output(std::string_view json) {
  return detail::Option{[json](Operation& operation) { operation.example_output = json; }};
}
/// What a client may do next: `operation` ("tasks.find") takes fields of this output (same names).
inline auto links_to(std::string_view operation_name) {
  return detail::Option{
      [operation_name](Operation& operation) { operation.links.push_back(operation_name); }};
}
/// Says so in the documents and in the Deprecation, Sunset and Link headers. Times are RFC 3339; another text does not
/// compile, and neither does a sunset before the deprecation (RFC 9745 section 4).
consteval auto deprecated(const char* since, const char* sunset = "", const char* see = "") {
  struct Deprecated {
    Deprecation deprecation;
    void apply(Operation& operation) const { operation.deprecation = deprecation; }
  };
  Deprecation deprecation{detail::checked_time(since), std::nullopt, see};
  if (*sunset != '\0') {
    deprecation.sunset = detail::checked_time(sunset);
    if (*deprecation.sunset < deprecation.since) detail::a_sunset_comes_after_the_deprecation();
  }
  return Deprecated{deprecation};
}

// ---- how the surface treats it

/// The answer carries tokens or the like: `Cache-Control: no-store`, no compression, never kept for a replay.
inline auto issues_secrets() {
  return detail::Option{[](Operation& operation) {
    operation.secret = true;
    operation.idempotent_replay = false;
  }};
}
/// `Idempotency-Key` has no effect.
inline auto no_idempotency() {
  return detail::Option{[](Operation& operation) { operation.idempotent_replay = false; }};
}
/// A call takes this many units of its caller's rate limit (default 1). 0: it is never limited, and only for what is
/// cheaper to answer than to refuse.
inline auto cost(int units) {
  return detail::Option{[units](Operation& operation) { operation.cost = units; }};
}

// ---- transactions

/// PostgreSQL runs the command at READ COMMITTED, whatever level is configured: it is never in the way of another
/// that changes another row, however small the table. For commands that only write rows whose version (or whatever else
/// they rely on) is named in the WHERE, and that fail with sql::overtaken() when that meets no row; not for those that
/// decide by other rows than those they write. Holds for the commit hooks too.
inline auto read_committed() {
  return detail::Option{[](Operation& operation) { operation.isolation = sql::Isolation::read_committed; }};
}

// ---- versions, pages

/// The output's strong ETag comes from this field: `etag_from<&TaskView::version>()`. GET then also honours
/// If-None-Match (304) and If-Match (412).
template <auto Member>
auto etag_from() {
  using Of = detail::MemberOf<decltype(Member)>;
  static_assert(std::same_as<typename Of::Value, std::int64_t>, "etag_from<> names an std::int64_t field");
  struct EtagFrom {
    using OutputType [[maybe_unused]] = typename Of::Class;
    void apply(Operation& operation) const {
      operation.version_of = [](const void* output) -> std::int64_t {
        return static_cast<const typename Of::Class*>(output)->*Member;
      };
    }
  };
  return EtagFrom{};
}

/// If-Match and If-None-Match go into this field of an input that is written by hand:
/// `if_match_into<&Rename::if_match>()`; see if_match.h. The field is outside the description:
/// `omit<&Rename::if_match>`. Derived inputs (input.h) need no such line.
template <auto Member>
auto if_match_into() {
  using Of = detail::MemberOf<decltype(Member)>;
  static_assert(std::same_as<typename Of::Value, IfMatch>,
                "if_match_into<> names a field of type api::IfMatch");
  struct IfMatchInto {
    using InputType [[maybe_unused]] = typename Of::Class;
    void apply(Operation& operation) const {
      operation.set_if_match = [](void* input, IfMatch&& condition) {
        static_cast<typename Of::Class*>(input)->*Member = std::move(condition);
      };
    }
  };
  return IfMatchInto{};
}

/// What `sort` may name (sort.h): for the documents, and so that a wrong `sort` or `cursor` is reported together with
/// all other faults of the input. list_page() takes the same object. `sorts` outlives the Api.
template <class T, auto Unique>
auto sorts_by(const Sorts<T, Unique>& sorts) {
  return detail::Option{[set = sorts.set()](Operation& operation) {
    operation.sort_fields = set.fields;
    operation.default_sort = set.default_sort;
  }};
}
/// The same for a list that makes its cursors itself. The operation reads the page with the same list and default
/// (read_page(), page_request.h). `fields` and `default_sort` outlive the Api.
inline auto sorts_by(std::span<const SortField> fields, std::string_view default_sort = {}) {
  return detail::Option{[fields, default_sort](Operation& operation) {
    operation.sort_fields = fields;
    operation.default_sort = default_sort;
  }};
}

}  // namespace bedplate::api
