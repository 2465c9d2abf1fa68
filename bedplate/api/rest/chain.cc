#include "bedplate/api/rest/chain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bedplate/auth/authenticator.h"
#include "bedplate/base/text.h"

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

std::int64_t cost_of(const Exchange& exchange) {
  return exchange.endpoint ? exchange.endpoint->operation.cost : 1;
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
void take_trace(Exchange& exchange) {
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

Result<void> Chain::admit(Exchange& exchange) const {
  identify(exchange);
  Result<void> routed = find_route(exchange);
  // Everything counts against the address, also what is not found: a scanner is limited like anybody.
  if (state_.address_limiter) {
    std::uint64_t key = rate_key_of_address(exchange.caller.address);
    if (Result<void> taken = limit(exchange, *state_.address_limiter, key); !taken) return taken;
  }
  if (!routed || exchange.answered || exchange.endpoint->raw) return routed;
  if (exchange.operation().access == Access::open_to_all) return {};
  if (Result<void> known = authenticate(exchange); !known) return known;
  if (state_.principal_limiter) {
    std::uint64_t key = rate_key_of(exchange.principal->user);
    if (Result<void> taken = limit(exchange, *state_.principal_limiter, key); !taken) return taken;
  }
  return authorise(exchange);
}

Async<void> Chain::admit_everywhere(Exchange& exchange) const {
  identify(exchange);
  Result<void> routed = find_route(exchange);
  const std::string_view address = exchange.caller.address;
  co_await ok(limit_everywhere(exchange, *state_.address_limiter, rate_key_of_address(address),
                               state_.address_limit, address_name(address)));
  if (!routed) co_await std::unexpected(std::move(routed.error()));
  if (exchange.answered || exchange.endpoint->raw) co_return;
  if (exchange.operation().access == Access::open_to_all) co_return;
  co_await ok(authenticate(exchange));
  const auto& user = exchange.principal->user;
  co_await ok(limit_everywhere(exchange, *state_.principal_limiter, rate_key_of(user), state_.principal_limit,
                               "p:" + user.to_string()));
  co_await ok(authorise(exchange));
}

void Chain::identify(Exchange& exchange) const {
  http::Request& request = exchange.request;
  exchange.id.take(request.field(http::FieldId::x_request_id));
  exchange.caller.request_id = exchange.id.view();
  exchange.caller.address = request.client_address();
  exchange.caller.user_agent = request.field(http::FieldId::user_agent);
  take_trace(exchange);
  exchange.response.set_field(http::FieldId::x_request_id, exchange.id.view());
  if (state_.cors.enabled()) state_.cors.add_fields(request.field(http::FieldId::origin), exchange.response);
}

Result<void> Chain::find_route(Exchange& exchange) const {
  http::Request& request = exchange.request;
  state_.router.find(request.method(), request.path(), exchange.match);
  switch (exchange.match.outcome) {
    case RouteOutcome::found:
      exchange.endpoint = &state_.endpoints[exchange.match.target];
      return {};
    case RouteOutcome::options:
      answer_options(exchange);
      return {};
    case RouteOutcome::method_not_allowed:
      exchange.response.set_field(http::FieldId::allow, exchange.match.allow);
      return bedplate::fail(Category::method_not_allowed, "method_not_allowed",
                            fmt::format("This path answers {}.", exchange.match.allow));
    case RouteOutcome::not_found:
      break;
  }
  if (request.method() == http::Method::options && request.path() == "*") {
    exchange.match.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    answer_options(exchange);
    return {};
  }
  return bedplate::fail(Category::not_found, "not_found", "There is nothing at this path.");
}

void Chain::answer_options(Exchange& exchange) const {
  exchange.answered = true;
  exchange.response.set_status(204);
  exchange.response.set_field(http::FieldId::allow, exchange.match.allow);
  if (state_.cors.enabled())
    state_.cors.add_preflight_fields(exchange.request, exchange.match.allow, exchange.response);
}

Result<void> Chain::limit(Exchange& exchange, RateLimiter& limiter, std::uint64_t key) const {
  const std::int64_t cost = cost_of(exchange);
  if (cost == 0) return {};
  exchange.rate = limiter.take(key, cost, exchange.started_ns);
  return allowed(*exchange.rate);
}

Async<void> Chain::limit_everywhere(Exchange& exchange, RateLimiter& limiter, std::uint64_t key,
                                    RateLimit limit_of_key, std::string name) const {
  const std::int64_t cost = cost_of(exchange);
  if (cost == 0) co_return;
  co_await ok(limit(exchange, limiter, key));
  std::optional<RateDecision> decision =
      co_await ok(state_.parts.shared_rate_limits->take(std::move(name), limit_of_key, cost));
  if (!decision) co_return;  // it is away: what was decided here stands
  exchange.rate = *decision;
  co_await ok(allowed(*decision));
}

Result<void> Chain::authenticate(Exchange& exchange) const {
  std::string_view authorization = exchange.request.field(http::FieldId::authorization);
  if (authorization.empty()) {
    ask_for_token(exchange.response, {});
    return bedplate::fail(Category::unauthenticated, "token_required",
                          "Send an access token: `Authorization: Bearer ...`.");
  }
  std::string_view token = bearer_token(authorization);
  Result<auth::PrincipalRef> who =
      token.empty()
          ? Result<auth::PrincipalRef>(bedplate::fail(Category::unauthenticated, "invalid_token",
                                                      "The Authorization field holds no Bearer token."))
          : state_.parts.authenticator->authenticate(token, state_.parts.clock->now());
  if (!who && who.error().category() != Category::unauthenticated)
    return std::unexpected(std::move(who.error()));  // the server's trouble: nobody is charged for it
  if (!who) {
    const std::int64_t cost = state_.parts.rate_limit.failed_auth_cost;
    const std::string_view address = exchange.caller.address;
    if (state_.address_limiter)
      state_.address_limiter->charge(rate_key_of_address(address), cost, exchange.started_ns);
    if (state_.limits_are_shared())
      state_.parts.shared_rate_limits->charge(address_name(address), state_.address_limit, cost);
    ask_for_token(exchange.response, "invalid_token");
    return std::unexpected(std::move(who.error()));
  }
  exchange.principal = std::move(*who);
  exchange.caller.principal = exchange.principal.get();
  return {};
}

Result<void> Chain::authorise(Exchange& exchange) const {
  for (std::string_view scope : exchange.operation().scopes) {
    if (exchange.principal->has_scope(scope)) continue;
    exchange.response.set_field(http::FieldId::www_authenticate,
                                fmt::format("Bearer error=\"insufficient_scope\", scope=\"{}\"",
                                            fmt::join(exchange.operation().scopes, " ")));
    return bedplate::fail(Category::forbidden, "scope_missing",
                          fmt::format("Your token does not have the scope `{}`.", scope));
  }
  return {};
}

}  // namespace bedplate::api
