// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/rest.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "bedplate/base/log.h"
#include "bedplate/base/text.h"
#include "bedplate/execution/commit_tracking_database.h"
#include "bedplate/http/message/content.h"
#include "bedplate/operations/value_slot.h"
#include "bedplate/sql/database.h"
#include "bedplate/surfaces/rest/access_log.h"
#include "bedplate/surfaces/rest/answer.h"
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

/// What runs inside a query's snapshot.
class QueryBody final : public sql::ReadBody {
 public:
  QueryBody(const RequestContext& exchange, const void* input, void* output)
      : exchange_(exchange), input_(input), output_(output) {}

  Async<void> run(sql::Reader& reader) override {
    const Operation& operation = exchange_.operation();
    return operation.invoke(operation.object, exchange_.caller, &reader, input_, output_);
  }

 private:
  const RequestContext& exchange_;
  const void* input_;
  void* output_;
};

/// What runs inside a command's transaction: the kept answer, or the command, the hooks, and the answer to keep. It
/// may run more than once, so it begins by forgetting what an earlier run left.
class CommandBody final : public sql::TransactionBody {
 public:
  CommandBody(const Rest::Parts& parts, Idempotency& idempotency, RequestContext& exchange,
              Idempotency::Claim* claim, const Result<void>& bound, const void* input, void* output)
      : parts_(parts),
        idempotency_(idempotency),
        exchange_(exchange),
        claim_(claim),
        bound_(bound),
        input_(input),
        output_(output) {}

  Async<void> run(sql::Transaction& transaction) override {
    if (!claim_ && parts_.commit_hooks.empty()) return invoke(transaction);
    return run_all(transaction);
  }

 private:
  Async<void> invoke(sql::Transaction& transaction) {
    const Operation& operation = exchange_.operation();
    return operation.invoke(operation.object, exchange_.caller, &transaction, input_, output_);
  }

  Async<void> run_all(sql::Transaction& transaction) {
    const Time now = parts_.clock->now();
    if (claim_) {
      place_ = {};
      exchange_.replayed =
          co_await ok(idempotency_.replay(transaction, *claim_, now, exchange_.response, place_));
      if (exchange_.replayed) co_return;
      if (!bound_) co_await std::unexpected(bound_.error().clone());
    }
    Result<void> done = co_await invoke(transaction);
    for (CommitHook* hook : parts_.commit_hooks) {
      if (!done) break;
      done =
          co_await hook->before_commit(exchange_.operation(), exchange_.caller, transaction, input_, output_);
    }
    if (!done) {
      if (claim_ && done.error().keeps_writes()) co_await ok(idempotency_.forget(transaction, place_));
      co_await std::unexpected(std::move(done.error()));
    }
    if (!claim_) co_return;
    write_answer(exchange_, output_);
    co_await ok(idempotency_.keep(transaction, *claim_, place_, now, exchange_.response));
  }

  const Rest::Parts& parts_;
  Idempotency& idempotency_;
  RequestContext& exchange_;
  Idempotency::Claim* claim_;
  const Result<void>& bound_;
  const void* input_;
  void* output_;
  Idempotency::Place place_;
};

bool is_json_body(const Operation& operation, std::string_view content_type) {
  std::optional<http::MediaType> type = http::parse_media_type(content_type);
  if (!type) return false;
  bool json = type->is("application", "json") ||
              (operation.route.verb == Verb::patch && type->is("application", "merge-patch+json"));
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
  if (is_json_body(exchange.operation(), request.field(http::FieldId::content_type))) return {};
  const bool patch = exchange.operation().route.verb == Verb::patch;
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
  if (state_->limits_are_shared())
    outcome = co_await chain.admit_everywhere();
  else
    outcome = chain.admit();
  if (outcome && !exchange.answered) {
    const Endpoint& endpoint = *exchange.endpoint;
    if (endpoint.raw)
      outcome = co_await endpoint.raw->handle(request, response);
    else if (endpoint.operation.invoke_now && !endpoint.binding.takes_body())
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
  Result<void> done = operation.invoke_now(operation.object, exchange.caller, input.data(), output.data());
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

// What the client has seen of the database: its queries are answered by a replica that has come so far. A
// mark that is none is as good as none.
sql::CallContext call_context(const RequestContext& exchange) {
  sql::CallContext context(exchange.caller.tenant());
  context.after = sql::CommitPosition::parse(exchange.request.field(http::FieldId::bedplate_commit))
                      .value_or(sql::CommitPosition());
  context.isolation = exchange.operation().isolation;
  context.from_replica = exchange.operation().kind == OperationKind::query;
  return context;
}

}  // namespace

Async<void> Rest::run(RequestContext& exchange) {
  const Operation& operation = exchange.operation();
  std::string_view body;
  co_await ok(check_media_types(exchange));
  if (exchange.endpoint->binding.takes_body()) {
    http::Request& request = exchange.request;
    request.set_body_size_max(std::min(request.body_size_max(), operation.body_size_max));
    body = co_await ok(request.body());
    if (body.empty())
      co_await bedplate::fail(Category::malformed, "malformed_json",
                              "The request has no body: send a JSON object.");
  }
  std::optional<Idempotency::Claim> claim;
  if (operation.kind == OperationKind::command && operation.idempotent_replay && exchange.principal) {
    if (exchange.request.has_field(http::FieldId::idempotency_key)) {
      // Two of them, read as one list, are no key: which of them would count?
      std::string_view key = exchange.request.field_list(http::FieldId::idempotency_key);
      Result<Idempotency::Claim> taken = state_->idempotency.claim(
          key, IdempotencyOwner(exchange.principal->user, exchange.principal->tenant), operation.name,
          exchange.request.path(), exchange.request.query(), body);
      claim.emplace(co_await ok(std::move(taken)));
    }
  }
  ValueSlot input(operation.input);
  ValueSlot output(operation.output);
  Result<void> bound = bind(exchange, body, input.data());
  // With a key the kept answer comes first: CommandBody looks at `bound` when there is none.
  if (!bound && !claim) co_await std::unexpected(std::move(bound.error()));
  sql::CallContext context = call_context(exchange);
  sql::CommitPosition committed;
  Result<void> done;
  switch (operation.kind) {
    case OperationKind::pure:
      if (operation.invoke_now)
        done = operation.invoke_now(operation.object, exchange.caller, input.data(), output.data());
      else
        done = co_await operation.invoke(operation.object, exchange.caller, nullptr, input.data(),
                                         output.data());
      break;
    case OperationKind::query: {
      QueryBody query(exchange, input.data(), output.data());
      done = co_await state_->parts.database->read(context, static_cast<sql::ReadBody&>(query));
      break;
    }
    case OperationKind::command: {
      CommandBody command(state_->parts, state_->idempotency, exchange, claim ? &*claim : nullptr, bound,
                          input.data(), output.data());
      context.committed = &committed;
      done = co_await state_->parts.database->commit(context, command);
      break;
    }
    case OperationKind::procedure: {
      CommitTrackingDatabase database(*state_->parts.database, committed);
      sql::Database* given = &database;
      done = co_await operation.invoke(operation.object, exchange.caller, given, input.data(), output.data());
      break;
    }
  }
  // Also with an error: what failed may have written before it did.
  if (!committed.empty()) exchange.response.set_field(http::FieldId::bedplate_commit, committed.to_string());
  co_await ok(std::move(done));
  co_await ok(check_if_match(exchange, output.data()));
  // With a key the answer was written for keeping, or is a kept one.
  if (!claim) write_answer(exchange, output.data());
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
