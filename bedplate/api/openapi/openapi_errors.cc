// SPDX-License-Identifier: Apache-2.0
#include "bedplate/api/openapi/openapi_errors.h"

#include <algorithm>

#include "bedplate/auth/token.h"

namespace bedplate::api {
namespace {

class Collected {
 public:
  void add(Category category, std::string_view code, std::string_view detail) {
    add(http_status(category), category, code, detail);
  }
  /// For what the server answers before there is an operation: it has statuses that no operation has.
  void add(int status, Category category, std::string_view code, std::string_view detail) {
    std::vector<ErrorCode>& codes = by_status_[status];
    if (std::ranges::find(codes, code, &ErrorCode::code) == codes.end())
      codes.push_back({category, code, detail});
  }
  std::map<int, std::vector<ErrorCode>> take() { return std::move(by_status_); }

 private:
  std::map<int, std::vector<ErrorCode>> by_status_;
};

void add_of_input(Collected& all, const Operation& operation, const Binding& binding) {
  all.add(Category::malformed, "bad_request", "The request cannot be read as HTTP.");
  all.add(414, Category::malformed, "uri_too_long", "The request target is too long.");
  all.add(431, Category::malformed, "headers_too_large", "The header fields are too large.");
  all.add(431, Category::malformed, "too_many_headers", "There are too many header fields.");
  all.add(Category::not_acceptable, "not_acceptable", "Answers are application/json.");
  if (!binding.query_fields().empty())
    all.add(Category::malformed, "malformed_query", "The query string has a bad escape or character.");
  all.add(Category::invalid, "validation_failed",
          "Values of the request are not valid; `errors` names each.");
  if (!binding.takes_body()) return;
  all.add(Category::request_timeout, "body_timeout", "The body did not arrive in time.");
  all.add(Category::malformed, "malformed_json", "The body is not JSON; the detail has the offset.");
  all.add(Category::too_large, "body_too_large", "The body is larger than the server takes.");
  all.add(Category::unsupported_media_type, "unsupported_media_type",
          "The body is of another type than JSON.");
  all.add(Category::unsupported_media_type, "unsupported_content_encoding", "The body is compressed.");
  (void)operation;
}

void add_of_caller(Collected& all, const Operation& operation) {
  if (operation.cost != 0)
    all.add(Category::rate_limited, "rate_limited", "Too many requests; Retry-After says when.");
  if (operation.access == Access::open_to_all) return;
  all.add(Category::unauthenticated, "token_required", "No access token was sent.");
  for (const bedplate::ErrorCode& error :
       {auth::kInvalidToken, auth::kExpiredToken, auth::kTokenNotYetValid, auth::kTokenRevoked})
    all.add(error.category, error.code, error.detail);
  if (operation.access == Access::scopes)
    all.add(Category::forbidden, "scope_missing", "The token lacks a scope that the operation needs.");
}

void add_of_conditions(Collected& all, const Operation& operation) {
  const bool read = operation.route.verb == Verb::get;
  if (!read && !operation.set_if_match) {
    all.add(Category::precondition_failed, "if_match_not_supported",
            "The operation does not compare versions.");
    all.add(Category::precondition_failed, "if_none_match_not_supported",
            "The operation does not compare versions.");
    return;
  }
  all.add(Category::malformed, "malformed_if_match", "If-Match is no list of entity tags.");
  all.add(Category::precondition_failed, "version_mismatch",
          "The version is none of those that If-Match names: it has changed since it was read.");
  if (!read || operation.version_of)
    all.add(Category::malformed, "malformed_if_none_match", "If-None-Match is no list of entity tags.");
  if (!read)
    all.add(Category::precondition_failed, "version_excluded",
            "It exists in a version that If-None-Match excludes.");
}

void add_of_commit(Collected& all, const Operation& operation) {
  add_of_conditions(all, operation);
  if (operation.kind != OperationKind::pure) {
    all.add(Category::unavailable, "database_busy", "Too much to do at the moment; Retry-After says when.");
    all.add(Category::timeout, "deadline_exceeded",
            "The request took longer than it may; Retry-After says when to ask again.");
  }
  if (operation.kind != OperationKind::command) return;
  all.add(Category::conflict, "serialization_failure",
          "Others changed the same data at the same time; try again.");
  if (!operation.idempotent_replay || operation.access == Access::open_to_all) return;
  all.add(Category::malformed, "invalid_idempotency_key",
          "The Idempotency-Key is not 1 to 128 visible characters.");
  all.add(Category::conflict, "idempotency_key_in_use", "A request with this Idempotency-Key still runs.");
  all.add(Category::conflict, "idempotency_answer_not_kept",
          "It ran before; its answer was too large to keep.");
  all.add(Category::rate_limited, "too_many_idempotency_keys",
          "Too many requests with an Idempotency-Key are remembered for this caller.");
  all.add(Category::invalid, "idempotency_key_reused", "This Idempotency-Key was used for another request.");
}

}  // namespace

std::map<int, std::vector<ErrorCode>> possible_errors(const Operation& operation, const Binding& binding) {
  Collected all;
  for (const ErrorCode& error : operation.errors) all.add(error.category, error.code, error.detail);
  add_of_input(all, operation, binding);
  add_of_caller(all, operation);
  add_of_commit(all, operation);
  all.add(Category::internal, "internal", "The server met an unexpected fault.");
  return all.take();
}

bool is_closed(int status) {
  return status != 400 && status != 409 && status != 413 && status < 500;
}

}  // namespace bedplate::api
