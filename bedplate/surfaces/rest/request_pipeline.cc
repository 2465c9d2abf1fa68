// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/request_pipeline.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bedplate/auth/authenticator.h"
#include "bedplate/base/text.h"
#include "bedplate/http/message/content.h"

namespace bedplate::api {
namespace {

constexpr std::string_view kBearer = "Bearer ";

/// The token of an Authorization field (RFC 6750 section 2.1); empty when it is of another scheme.
std::string_view bearer_token(std::string_view authorization) {
  if (authorization.size() <= kBearer.size() ||
      !equal_ignoring_case(authorization.substr(0, kBearer.size()), kBearer))
    return {};
  return trim(authorization.substr(kBearer.size()));
}

void ask_for_token(http::Response& response, std::string_view error) {
  response.set_field(http::FieldId::www_authenticate,
                     error.empty() ? std::string_view("Bearer") : fmt::format("Bearer error=\"{}\"", error));
}

std::string address_name(std::string_view address) {
  return "a:" + rate_name_of_address(address);
}

Result<void> allowed(const RateDecision& decision) {
  if (decision.allowed) return {};
  return std::unexpected(
      Error(Category::rate_limited, "rate_limited", "You have made too many requests. Try again later.")
          .with_retry_after(std::chrono::seconds(decision.retry_after_seconds)));
}

// A second traceparent means that the request was put together from two: neither counts.
void take_trace(RequestContext& exchange) {
  http::Request& request = exchange.request;
  if (!request.has_field(http::FieldId::traceparent)) return;
  std::optional<telemetry::TraceContext> parent =
      telemetry::parse_traceparent(request.field_list(http::FieldId::traceparent));
  if (!parent) return;
  std::string_view states[] = {request.field_list(http::FieldId::tracestate)};
  exchange.trace.emplace(telemetry::child_of(*parent), telemetry::join_tracestate(states));
  exchange.caller.trace = &*exchange.trace;
}

}  // namespace

// The order, and the only place that says it. Everything counts against the address, also what is not found: a
// scanner is limited like anybody. What follows is the executor's: the caller's own limit and authorisation.
const RequestPipeline::Step RequestPipeline::kSteps[] = {
    &RequestPipeline::identify,       &RequestPipeline::find_route,   &RequestPipeline::limit_address,
    &RequestPipeline::leave_or_go_on, &RequestPipeline::authenticate,
};

Result<void> RequestPipeline::admit() {
  for (const Step step : kSteps) {
    Result<Next> next = (this->*step)();
    if (!next) return std::unexpected(std::move(next.error()));
    if (*next == Next::finished) return {};
    if (*next == Next::call) break;
  }
  prepare_call();
  return finish_admission(state_.executor.admit(*exchange_.call, exchange_.started_ns));
}

Async<void> RequestPipeline::admit_everywhere() {
  for (const Step step : kSteps) {
    const Next next = co_await ok((this->*step)());
    if (shared_) co_await ok(ask_everywhere());
    if (next == Next::finished) co_return;
    if (next == Next::call) break;
  }
  prepare_call();
  Result<void> admitted = co_await state_.executor.admit_everywhere(*exchange_.call, exchange_.started_ns);
  co_await ok(finish_admission(std::move(admitted)));
}

void RequestPipeline::prepare_call() {
  exchange_.call.emplace(exchange_.operation(), exchange_.caller);
}

// The fields that go with what the executor decided.
Result<void> RequestPipeline::finish_admission(Result<void> admitted) {
  if (exchange_.call->rate) exchange_.rate = exchange_.call->rate;
  if (!admitted && admitted.error().category() == Category::forbidden)
    exchange_.response.set_field(http::FieldId::www_authenticate,
                                 fmt::format("Bearer error=\"insufficient_scope\", scope=\"{}\"",
                                             fmt::join(exchange_.operation().scopes, " ")));
  return admitted;
}

Result<RequestPipeline::Next> RequestPipeline::identify() {
  http::Request& request = exchange_.request;
  exchange_.id.take(request.field(http::FieldId::x_request_id));
  exchange_.caller.request_id = exchange_.id.view();
  exchange_.caller.address = request.client_address();
  exchange_.caller.user_agent = request.field(http::FieldId::user_agent);
  take_trace(exchange_);
  exchange_.response.set_field(http::FieldId::x_request_id, exchange_.id.view());
  if (state_.cors.enabled()) state_.cors.add_fields(request.field(http::FieldId::origin), exchange_.response);
  return Next::step;
}

Result<RequestPipeline::Next> RequestPipeline::find_route() {
  routed_ = look_up();
  return Next::step;
}

Result<void> RequestPipeline::look_up() {
  http::Request& request = exchange_.request;
  state_.router.find(request.method(), request.path(), exchange_.match);
  switch (exchange_.match.outcome) {
    case RouteOutcome::found:
      exchange_.endpoint = &state_.endpoints[exchange_.match.target];
      return {};
    case RouteOutcome::options:
      answer_options();
      return {};
    case RouteOutcome::method_not_allowed:
      exchange_.response.set_field(http::FieldId::allow, exchange_.match.allow);
      return bedplate::fail(Category::method_not_allowed, "method_not_allowed",
                            fmt::format("This path answers {}.", exchange_.match.allow));
    case RouteOutcome::not_found:
      break;
  }
  if (request.method() == http::Method::options && request.path() == "*") {
    exchange_.match.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    answer_options();
    return {};
  }
  if (!state_.parts.rest.docs || (request.path() != "/" && request.path() != "/docs/"))
    return bedplate::fail(Category::not_found, "not_found", "There is nothing at this path.");
  if (leads_to_docs()) return {};
  return bedplate::fail(Category::not_found, "not_found",
                        "There is nothing at this path. The API is described at /docs and /openapi.json.");
}

// A person with a browser, at an address that no operation has.
bool RequestPipeline::leads_to_docs() {
  http::Request& request = exchange_.request;
  if (request.method() != http::Method::get && request.method() != http::Method::head) return false;
  if (request.path() == "/") {
    exchange_.response.add_field(http::FieldId::vary, "Accept");
    const std::string_view accept = request.field_list(http::FieldId::accept);
    const int html = http::accept_quality(accept, "text/html");
    // What takes anything alike is a program.
    if (html <= http::accept_quality(accept, "application/json")) return false;
  }
  exchange_.answered = true;
  exchange_.response.set_status(302);
  exchange_.response.set_field(http::FieldId::location, "/docs");
  return true;
}

void RequestPipeline::answer_options() {
  exchange_.answered = true;
  exchange_.response.set_status(204);
  exchange_.response.set_field(http::FieldId::allow, exchange_.match.allow);
  if (state_.cors.enabled())
    state_.cors.add_preflight_fields(exchange_.request, exchange_.match.allow, exchange_.response);
}

Result<RequestPipeline::Next> RequestPipeline::limit_address() {
  const std::int64_t cost = exchange_.endpoint ? exchange_.endpoint->cost : 1;
  if (!state_.address_limiter || cost == 0) return Next::step;
  const std::string_view address = exchange_.caller.address;
  exchange_.rate = state_.address_limiter->take(rate_key_of_address(address), cost, exchange_.started_ns);
  if (Result<void> taken = allowed(*exchange_.rate); !taken) return std::unexpected(std::move(taken.error()));
  if (state_.limits_are_shared())
    shared_ = {.name = address_name(address), .limit = state_.address_limit, .cost = cost};
  return Next::step;
}

Async<void> RequestPipeline::ask_everywhere() {
  SharedTake take = *std::exchange(shared_, std::nullopt);
  std::optional<RateDecision> decision =
      co_await ok(state_.parts.shared_rate_limits->take(std::move(take.name), take.limit, take.cost));
  if (!decision) co_return;  // it is away: what was decided here stands
  exchange_.rate = *decision;
  co_await ok(allowed(*decision));
}

// What was found decides whether the rest is for it.
Result<RequestPipeline::Next> RequestPipeline::leave_or_go_on() {
  if (!routed_) return std::unexpected(std::move(routed_.error()));
  if (exchange_.answered || exchange_.endpoint->raw) return Next::finished;
  return exchange_.operation().access == Access::open_to_all ? Next::call : Next::step;
}

Result<RequestPipeline::Next> RequestPipeline::authenticate() {
  std::string_view authorization = exchange_.request.field(http::FieldId::authorization);
  if (authorization.empty() && exchange_.operation().access == Access::optional_user) return Next::call;
  if (authorization.empty()) {
    ask_for_token(exchange_.response, {});
    return bedplate::fail(Category::unauthenticated, "token_required",
                          "Send an access token: `Authorization: Bearer ...`.");
  }
  std::string_view token = bearer_token(authorization);
  const auth::Credentials credentials{
      .bearer = token, .method = exchange_.request.method_text(), .url = exchange_.request.target()};
  Result<auth::PrincipalRef> who =
      token.empty()
          ? Result<auth::PrincipalRef>(bedplate::fail(Category::unauthenticated, "invalid_token",
                                                      "The Authorization field holds no Bearer token."))
          : state_.parts.authenticator->authenticate(credentials, state_.parts.clock->now());
  if (!who) {
    const std::int64_t cost = state_.parts.rate_limit.failed_auth_cost;
    const std::string_view address = exchange_.caller.address;
    if (state_.address_limiter)
      state_.address_limiter->charge(rate_key_of_address(address), cost, exchange_.started_ns);
    if (state_.limits_are_shared())
      state_.parts.shared_rate_limits->charge(address_name(address), state_.address_limit, cost);
    if (who.error().category() == Category::unauthenticated)
      ask_for_token(exchange_.response, "invalid_token");
    return std::unexpected(std::move(who.error()));
  }
  exchange_.principal = std::move(*who);
  exchange_.caller.principal = exchange_.principal.get();
  return Next::call;
}

}  // namespace bedplate::api
