// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/rest.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "bedplate/base/log.h"
#include "bedplate/base/text.h"
#include "bedplate/http/message/content.h"
#include "bedplate/operations/value_slot.h"
#include "bedplate/sql/database.h"
#include "bedplate/surfaces/rest/access_log.h"
#include "bedplate/surfaces/rest/answer.h"
#include "bedplate/surfaces/rest/conditions.h"
#include "bedplate/surfaces/rest/problem.h"
#include "bedplate/surfaces/rest/request_pipeline.h"
#include "bedplate/surfaces/rest/rest_state.h"

namespace bedplate::api {
namespace {

std::int64_t steady_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void set_number(http::Response& response, http::FieldId id, std::int64_t number) {
  char text[kIntSizeMax];
  response.set_field(id, {text, static_cast<std::size_t>(write_int(text, number) - text)});
}

bool is_json_body(Verb verb, std::string_view content_type) {
  std::optional<http::MediaType> type = http::parse_media_type(content_type);
  if (!type) return false;
  bool json =
      type->is("application", "json") || (verb == Verb::patch && type->is("application", "merge-patch+json"));
  std::optional<std::string_view> charset = type->parameter("charset");
  // "utf8" is not registered, and what many write.
  return json &&
         (!charset || equal_ignoring_case(*charset, "utf-8") || equal_ignoring_case(*charset, "utf8"));
}

/// To a request whose body is of no type that is taken.
std::string what_to_send(const http::Request& request, bool patch) {
  if (!request.has_body())
    return "The request has no body: send one in JSON, with `Content-Type: application/json`.";
  if (request.field(http::FieldId::content_type).empty())
    return "The request does not say what its body is: send `Content-Type: application/json`.";
  return fmt::format("The body must be {}application/json, in UTF-8.",
                     patch ? "application/merge-patch+json or " : "");
}

Result<void> check_media_types(RequestContext& exchange) {
  http::Request& request = exchange.request;
  if (request.has_field(http::FieldId::accept)) {
    std::string_view accept = request.field_list(http::FieldId::accept);
    if (http::accept_quality(accept, "application/json") == 0 &&
        http::accept_quality(accept, "application/problem+json") == 0)
      return bedplate::fail(Category::not_acceptable, "not_acceptable", "Answers are application/json.");
  }
  if (!exchange.endpoint->binding.takes_body()) return {};
  if (is_json_body(exchange.endpoint->route.route.verb, request.field(http::FieldId::content_type)))
    return {};
  const bool patch = exchange.endpoint->route.route.verb == Verb::patch;
  exchange.response.set_field(patch ? "Accept-Patch" : "Accept-Post",
                              patch ? "application/merge-patch+json, application/json" : "application/json");
  return bedplate::fail(Category::unsupported_media_type, "unsupported_media_type",
                        what_to_send(request, patch));
}

// What debug builds, and so the tests, hold the documents to.
void write_error(RequestContext& exchange, const Error& error) {
#ifndef NDEBUG
  const bool never_sent = error.category() == Category::cancelled || error.category() == Category::internal;
  const bool known = never_sent || !exchange.endpoint || exchange.endpoint->raw ||
                     contains(exchange.endpoint->errors, http_status(error.category()), error.code());
  if (!known) {
    log_error("an operation answers an error that it does not declare: add it to its fails_with(...)",
              {{"operation", exchange.operation().name},
               {"status", http_status(error.category())},
               {"code", error.code()}});
    const Error refused(Category::internal, "undeclared_error",
                        exchange.operation().name + " does not declare " + error.code());
    return write_problem(exchange.response, refused, exchange.path(), exchange.id.view());
  }
#endif
  write_problem(exchange.response, error, exchange.path(), exchange.id.view());
}

}  // namespace

Rest::Rest(std::unique_ptr<State> state) : state_(std::move(state)) {}
Rest::~Rest() = default;

Async<void> Rest::handle(http::Request& request, http::Response& response) {
  RequestContext exchange(request, response, steady_now_ns());
  RequestPipeline chain(*state_, exchange);
  Result<void> outcome;
  if (state_->limits_are_shared() || state_->executor.limits_are_shared())
    outcome = co_await chain.admit_everywhere();
  else
    outcome = chain.admit();
  if (outcome && !exchange.answered) {
    const Endpoint& endpoint = *exchange.endpoint;
    if (endpoint.raw)
      outcome = co_await endpoint.raw->handle(request, response);
    else if (endpoint.operation->invoke_now && !endpoint.binding.takes_body())
      outcome = run_now(exchange);
    else
      outcome = co_await run(exchange);
  }
  finish(exchange, outcome);
  // The client is gone: the server closes without an answer.
  if (!outcome && outcome.error().category() == Category::cancelled)
    co_await std::unexpected(std::move(outcome.error()));
}

Result<void> Rest::run_now(RequestContext& exchange) const {
  const Operation& operation = exchange.operation();
  if (Result<void> fits = check_media_types(exchange); !fits) return fits;
  ValueSlot input(operation.input);
  ValueSlot output(operation.output);
  if (Result<void> bound = bind(exchange, {}, input.data()); !bound) return bound;
  Call& call = *exchange.call;
  call.input = input.data();
  call.output = output.data();
  Result<void> done = state_->executor.run_now(call);
  if (done) done = check_if_match(exchange, output.data());
  if (done) write_answer(exchange, output.data());
  return done;
}

Result<void> Rest::bind(RequestContext& exchange, std::string_view body, void* input) const {
  const Endpoint& endpoint = *exchange.endpoint;
  Result<void> bound = endpoint.binding.fill(exchange.parameters(), exchange.request.query(), body, input);
  if (!bound) return bound;
  return take_conditions(exchange, input);
}

namespace {

// Two of them, read as one list, are no key: which of them would count?
void take_idempotency_key(RequestContext& exchange) {
  if (exchange.request.has_field(http::FieldId::idempotency_key))
    exchange.call->idempotency_key = exchange.request.field_list(http::FieldId::idempotency_key);
}

// A position that cannot be read is as good as none.
sql::CommitPosition seen_by_client(const http::Request& request) {
  return sql::CommitPosition::parse(request.field(http::FieldId::bedplate_commit))
      .value_or(sql::CommitPosition());
}

}  // namespace

Async<void> Rest::run(RequestContext& exchange) {
  const Operation& operation = exchange.operation();
  std::string_view body;
  co_await ok(check_media_types(exchange));
  if (exchange.endpoint->binding.takes_body()) {
    http::Request& request = exchange.request;
    request.set_body_size_max(std::min(request.body_size_max(), exchange.endpoint->route.body_size_max));
    body = co_await ok(request.body());
    if (body.empty())
      co_await bedplate::fail(Category::malformed, "malformed_json",
                              "The request has no body: send a JSON object.");
  }
  ValueSlot input(operation.input);
  ValueSlot output(operation.output);
  co_await ok(bind(exchange, body, input.data()));
  Call& call = *exchange.call;
  call.input = input.data();
  call.output = output.data();
  call.after = seen_by_client(exchange.request);
  take_idempotency_key(exchange);
  Result<void> done = co_await state_->executor.run(call);
  // Also with an error: what failed may have written before it did.
  if (!call.committed.empty())
    exchange.response.set_field(http::FieldId::bedplate_commit, call.committed.to_string());
  if (call.replayed) exchange.response.set_field("Idempotency-Replayed", "true");
  co_await ok(std::move(done));
  co_await ok(check_if_match(exchange, output.data()));
  write_answer(exchange, output.data());
}

void Rest::finish(RequestContext& exchange, const Result<void>& outcome) {
  http::Response& response = exchange.response;
  if (!outcome)
    write_error(exchange, outcome.error());
  else if (exchange.endpoint)
    response.add_fields(exchange.endpoint->success_fields);
  response.add_fields(exchange.endpoint ? exchange.endpoint->fields : state_->default_fields);
  if (exchange.rate) {
    set_number(response, http::FieldId::rate_limit_limit, exchange.rate->limit);
    set_number(response, http::FieldId::rate_limit_remaining, exchange.rate->remaining);
    set_number(response, http::FieldId::rate_limit_reset, exchange.rate->reset_seconds);
  }
  // RFC 9110 section 15.5.2: a 401 says how to authenticate, also one that an operation answers (a log-in).
  if (response.status() == 401 && response.field(http::FieldId::www_authenticate).empty())
    response.set_field(http::FieldId::www_authenticate, "Bearer");
  const std::int64_t duration_ns = steady_now_ns() - exchange.started_ns;
  state_->metrics.record(exchange.endpoint ? exchange.endpoint->metrics : 0, response.status(), duration_ns);
  if (state_->parts.rest.access_log) write_access_log(exchange, duration_ns);
}

}  // namespace bedplate::api
