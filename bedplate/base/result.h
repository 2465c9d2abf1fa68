// SPDX-License-Identifier: Apache-2.0
// Expected failures: one Error, carried in a Result.
//
//   Result<Task> r = parse(text);
//   if (!r) return std::unexpected(std::move(r.error()));
//
// A category (closed set) decides the HTTP status; a code (open set, snake_case, stable for clients) says
// which failure it is; the detail is one sentence for a person and reaches the client, so it never holds
// internals or secrets. Bugs assert; exceptions are not control flow.
//
// A failure that clients tell from others is declared once, as an ErrorCode, and used wherever it is answered or
// documented:
//
//   inline constexpr ErrorCode kTaskNotFound{Category::not_found, "task_not_found", "There is no such task."};
//   Result<Task> find_nothing() { return fail(kTaskNotFound); }
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bedplate {

/// What kind of failure it is. One mapping to each surface: see http_status().
enum class Category : std::uint8_t {
  malformed,               ///< 400: the bytes cannot be read (bad JSON, bad framing, bad encoding)
  unauthenticated,         ///< 401: who is calling is not known
  forbidden,               ///< 403: known, but not allowed
  not_found,               ///< 404: no such thing, or not the caller's
  method_not_allowed,      ///< 405
  not_acceptable,          ///< 406
  request_timeout,         ///< 408: the client was too slow
  conflict,                ///< 409: against the present state (unique value taken, in flight elsewhere)
  gone,                    ///< 410
  precondition_failed,     ///< 412: If-Match and the like
  too_large,               ///< 413
  uri_too_long,            ///< 414
  unsupported_media_type,  ///< 415
  expectation_failed,      ///< 417
  invalid,                 ///< 422: well-formed, but values are wrong; faults() says which
  rate_limited,            ///< 429: retry_after() says when
  headers_too_large,       ///< 431
  internal,                ///< 500: a bug or an unexpected fault; logged, never explained to the client
  not_implemented,         ///< 501
  unavailable,             ///< 503: try again later
  timeout,                 ///< 504: our own deadline passed
  cancelled,               ///< 499 (never sent): the caller went away
};

/// The HTTP status for a category (RFC 9110 section 15; 499 is never sent).
int http_status(Category category);

/// One field at fault. `pointer` is a JSON Pointer (RFC 6901) into the body, or `?name` for a query
/// parameter, `{name}` for a path parameter.
struct Fault {
  std::string pointer;
  std::string code;     ///< Stable, snake_case: "required", "too_long", "unknown_field", ...
  std::string message;  ///< One sentence for a person.
};

/// A failure. Eight bytes, movable; copy with clone().
class [[nodiscard]] Error {
 public:
  Error(Category category, std::string_view code, std::string detail);
  Error(Error&&) noexcept = default;
  Error& operator=(Error&&) noexcept = default;
  ~Error() = default;

  Error clone() const;

  Category category() const { return body_->category; }
  const std::string& code() const { return body_->code; }
  const std::string& detail() const { return body_->detail; }
  const std::vector<Fault>& faults() const { return body_->faults; }
  /// There were more faults than are listed.
  bool more_faults() const { return body_->more_faults; }
  /// How long to wait before trying again; zero: nothing is known.
  std::chrono::seconds retry_after() const { return body_->retry_after; }
  /// Which thing it is about, for code and logs; never sent to clients ("users.email" of a unique violation).
  const std::string& subject() const { return body_->subject; }
  /// The transaction commits although the operation failed (see refuse_and_commit()).
  bool keeps_writes() const { return body_->keeps_writes; }

  /// "code: detail" without control characters, at most 1 KiB: for a column that says what failed.
  std::string summary() const;

  Error&& with_faults(std::vector<Fault> faults, bool more = false) &&;
  Error&& with_subject(std::string subject) &&;
  Error&& with_retry_after(std::chrono::seconds wait) &&;
  Error&& keeping_writes() &&;

 private:
  struct Body {
    Category category;
    bool more_faults = false;
    bool keeps_writes = false;
    std::chrono::seconds retry_after{0};
    std::string code;
    std::string detail;
    std::string subject;
    std::vector<Fault> faults;
  };
  std::unique_ptr<Body> body_;
};

template <class T>
using Result = std::expected<T, Error>;

/// A failure, declared once: operations answer it (fail()) and name it in their documents (api::fails_with()).
struct ErrorCode {
  Category category;
  std::string_view code;    ///< snake_case, stable for clients
  std::string_view detail;  ///< one sentence for a person
};

/// `return fail(kTaskNotFound);`
std::unexpected<Error> fail(const ErrorCode& error);
/// The same with a sentence that knows more than the declared one.
std::unexpected<Error> fail(const ErrorCode& error, std::string detail);
/// `return fail(Category::not_found, "task_not_found", "There is no such task.");`
std::unexpected<Error> fail(Category category, std::string_view code, std::string detail);

/// Answers the error and still commits what the operation wrote (revoking a token family after reuse,
/// counting a failed log-in). Everything else that fails rolls back.
std::unexpected<Error> refuse_and_commit(Error error);

}  // namespace bedplate
