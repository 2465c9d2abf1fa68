// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/openapi/openapi_errors.h"

#include <algorithm>

#include "bedplate/auth/token.h"
#include "bedplate/sql/error.h"

namespace bedplate::api {
namespace {

void add(PossibleErrors& all, int status, const ErrorCode& error) {
  std::vector<ErrorCode>& codes = all[status];
  if (std::ranges::find(codes, error.code, &ErrorCode::code) == codes.end()) codes.push_back(error);
}

void add(PossibleErrors& all, Category category, std::string_view code, std::string_view detail) {
  add(all, http_status(category), {category, code, detail});
}

// ---- by the HTTP server

struct ServerError {
  int status;
  std::string_view code;
  std::string_view detail;
};

constexpr ServerError kServerErrors[] = {
    {400, "bad_request_line", "The request line is not valid."},
    {400, "bad_line_end", "A line does not end with CR LF."},
    {400, "bad_version", "The HTTP version is not valid."},
    {400, "bad_header", "A header field is not valid."},
    {400, "repeated_header", "A header field is there more than once that may be there once."},
    {400, "bad_target", "The request target is not valid."},
    {400, "bad_escape", "The path holds a bad percent escape."},
    {400, "encoded_slash", "The path holds an encoded slash."},
    {400, "bad_encoding", "The decoded path is not UTF-8."},
    {400, "host_missing", "The Host header field is missing."},
    {400, "host_repeated", "There is more than one Host header field."},
    {400, "bad_host", "The Host header field is not valid."},
    {400, "bad_content_length", "Content-Length is not valid."},
    {400, "repeated_content_length", "There is more than one Content-Length."},
    {400, "ambiguous_body_length", "There are both Content-Length and Transfer-Encoding."},
    {400, "bad_transfer_encoding", "Transfer-Encoding is not valid here."},
    {408, "request_timeout", "The request's header did not arrive in time."},
    {414, "uri_too_long", "The request target is too long."},
    {417, "expectation_failed", "The only expectation is 100-continue."},
    {421, "host_not_allowed", "This server does not answer for that host."},
    {431, "headers_too_large", "The header fields are too large."},
    {431, "too_many_headers", "There are too many header fields."},
    {500, "internal", "The server met an unexpected fault."},
    {501, "method_not_implemented", "The server does not know this method."},
    {501, "transfer_encoding_not_implemented", "The server knows no transfer coding but chunked."},
    {504, "deadline_exceeded", "The request took longer than it may; Retry-After says when to ask again."},
    {505, "http_version_not_supported", "The server speaks HTTP/1.1."},
};

// ---- by the request

void add_of_input(PossibleErrors& all, const Operation& operation, const Binding& binding) {
  add(all, Category::not_acceptable, "not_acceptable", "Answers are application/json.");
  if (!route_of(operation).any_query) {
    add(all, Category::malformed, "malformed_query", "The query string has a bad escape or character.");
    add(all, Category::invalid, "validation_failed",
        "Values of the request are not valid; `errors` names each.");
  }
  if (!binding.takes_body()) return;
  add(all, Category::malformed, "malformed_json", "The body is not JSON; the detail has the offset.");
  add(all, Category::malformed, "bad_chunk", "The chunked body is not valid.");
  add(all, Category::malformed, "incomplete_body", "The connection ended inside the body.");
  add(all, Category::request_timeout, "body_timeout", "The body did not arrive in time.");
  add(all, Category::too_large, "body_too_large", "The body is larger than the operation takes.");
  add(all, Category::unsupported_media_type, "unsupported_media_type",
      "The body is of another type than JSON.");
  add(all, Category::unsupported_media_type, "unsupported_content_encoding", "The body is compressed.");
}

void add_of_caller(PossibleErrors& all, const Operation& operation) {
  if (operation.cost != 0)
    add(all, Category::rate_limited, "rate_limited", "Too many requests; Retry-After says when.");
  if (operation.access == Access::open_to_all) return;
  if (operation.access != Access::optional_user)
    add(all, Category::unauthenticated, "token_required", "No access token was sent.");
  for (const ErrorCode& error :
       {auth::kInvalidToken, auth::kExpiredToken, auth::kTokenNotYetValid, auth::kTokenRevoked})
    add(all, http_status(error.category), error);
  add(all, Category::unavailable, "revocations_unknown",
      "Whether the token is still good cannot be found out just now.");
  if (operation.access == Access::scopes)
    add(all, Category::forbidden, "scope_missing", "The token lacks a scope that the operation needs.");
}

void add_of_conditions(PossibleErrors& all, const Operation& operation) {
  const bool read = route_of(operation).route.verb == Verb::get;
  if (!read && !operation.set_if_match) {
    add(all, Category::precondition_failed, "if_match_not_supported",
        "The operation does not compare versions.");
    add(all, Category::precondition_failed, "if_none_match_not_supported",
        "The operation does not compare versions.");
    return;
  }
  add(all, Category::malformed, "malformed_if_match", "If-Match is no list of entity tags.");
  add(all, Category::precondition_failed, "version_mismatch",
      "The version is none of those that If-Match names: it has changed since it was read.");
  if (!read || operation.version_of)
    add(all, Category::malformed, "malformed_if_none_match", "If-None-Match is no list of entity tags.");
  if (!read)
    add(all, Category::precondition_failed, "version_excluded",
        "It exists in a version that If-None-Match excludes.");
}

// ---- by the database

void add_of_database(PossibleErrors& all) {
  add(all, Category::conflict, sql::kSerializationFailure,
      "Others changed the same data at the same time; try again.");
  add(all, Category::invalid, sql::kTextInvalid, "A text holds characters that cannot be stored.");
  add(all, Category::invalid, sql::kCheckViolation, "A value is not one that can be stored.");
  add(all, Category::too_large, sql::kValueTooLarge, "A value is larger than can be stored.");
  add(all, Category::too_large, sql::kTooManyRows, "What was asked for has more rows than can be returned.");
  add(all, Category::too_large, sql::kResultTooLarge, "What was asked for is more than can be returned.");
  add(all, Category::unavailable, sql::kDatabaseBusy, "Too much to do at the moment; Retry-After says when.");
  add(all, Category::unavailable, sql::kDatabaseUnavailable, "The database cannot be reached at the moment.");
  add(all, Category::unavailable, sql::kDatabaseClosed, "The server is shutting down.");
  add(all, Category::unavailable, sql::kStorageFull, "There is no space left.");
  add(all, Category::unavailable, sql::kStorageError, "The storage does not work at the moment.");
  add(all, Category::timeout, sql::kQueryTimeout, "The database took longer than it may.");
}

void add_of_writes(PossibleErrors& all) {
  add(all, Category::conflict, sql::kUniqueViolation, "A value that must be unique is already taken.");
  add(all, Category::conflict, sql::kForeignKeyViolation,
      "It refers to what is missing, or is still referred to.");
  add(all, Category::conflict, sql::kCheckViolation, "The database refused the change.");
  add(all, Category::invalid, sql::kNotNullViolation, "A value that must be given is missing.");
  add(all, Category::unavailable, sql::kCommitUnknown,
      "The connection to the database broke while the change was being stored: it may or may not be there.");
}

void add_of_idempotency(PossibleErrors& all) {
  add(all, Category::malformed, "invalid_idempotency_key",
      "The Idempotency-Key is not 1 to 128 visible characters.");
  add(all, Category::conflict, "idempotency_key_in_use", "A request with this Idempotency-Key still runs.");
  add(all, Category::conflict, "idempotency_answer_not_kept",
      "It ran before; its answer was too large to keep.");
  add(all, Category::rate_limited, "too_many_idempotency_keys",
      "Too many requests with an Idempotency-Key are remembered for this caller.");
  add(all, Category::invalid, "idempotency_key_reused", "This Idempotency-Key was used for another request.");
}

// What an operation that waits for something else than a transaction may meet: a pool of threads.
void add_of_waiting(PossibleErrors& all) {
  add(all, Category::unavailable, "busy", "The server has too much to do; Retry-After says when.");
  add(all, Category::unavailable, "shutting_down", "The server is shutting down.");
}

PossibleErrors make_server_errors() {
  PossibleErrors all;
  for (const ServerError& error : kServerErrors)
    add(all, error.status, {Category::malformed, error.code, error.detail});
  return all;
}

}  // namespace

const PossibleErrors& server_errors() {
  static const PossibleErrors errors = make_server_errors();
  return errors;
}

bool contains(const PossibleErrors& errors, int status, std::string_view code) {
  const auto found = errors.find(status);
  return found != errors.end() &&
         std::ranges::find(found->second, code, &ErrorCode::code) != found->second.end();
}

// Its own first: a reader looks for those, and the document shows an example of the first.
PossibleErrors possible_errors(const Operation& operation, const Binding& binding,
                               std::span<const ErrorCode> of_commits) {
  PossibleErrors all;
  for (const ErrorCode& error : operation.errors) add(all, http_status(error.category), error);
  if (operation.kind == OperationKind::command)
    for (const ErrorCode& error : of_commits) add(all, http_status(error.category), error);
  add_of_input(all, operation, binding);
  add_of_caller(all, operation);
  add_of_conditions(all, operation);
  const bool writes = operation.kind == OperationKind::command || operation.kind == OperationKind::procedure;
  // One that waits may read through a cache, whose loader asks the database.
  if (operation.invoke) add_of_database(all);
  if (writes) add_of_writes(all);
  if (operation.kind == OperationKind::command && operation.idempotent_replay &&
      operation.access != Access::open_to_all)
    add_of_idempotency(all);
  const bool waits = operation.kind == OperationKind::procedure ||
                     (operation.kind == OperationKind::pure && operation.invoke != nullptr);
  if (waits) add_of_waiting(all);
  for (const auto& [status, errors] : server_errors())
    for (const ErrorCode& error : errors) add(all, status, error);
  return all;
}

}  // namespace bedplate::api
