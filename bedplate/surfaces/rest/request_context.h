// SPDX-License-Identifier: Apache-2.0
// One request on its way through the chain of rest.h. Private header.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/auth/principal.h"
#include "bedplate/execution/executor.h"
#include "bedplate/execution/rate_limit.h"
#include "bedplate/http/handler.h"
#include "bedplate/http/message/message.h"
#include "bedplate/operations/operation.h"
#include "bedplate/surfaces/openapi/openapi_errors.h"
#include "bedplate/surfaces/rest/binding.h"
#include "bedplate/surfaces/rest/operation_metrics.h"
#include "bedplate/surfaces/rest/request_id.h"
#include "bedplate/surfaces/rest/route.h"
#include "bedplate/surfaces/rest/router.h"
#include "bedplate/telemetry/trace.h"

namespace bedplate::api {

/// What can be read at the path of an operation that changes something.
enum class Readable : std::uint8_t { nothing, unversioned, versioned };

/// What a route leads to: an operation, or a handler that writes its answer itself (documents, metrics).
struct Endpoint {
  const Operation* operation = nullptr;  ///< null: raw
  std::string_view name;                 ///< of the operation, or of the raw route
  std::int64_t cost = 1;                 ///< units of rate limits
  RouteOf route;                         ///< the operation's; its status is decided
  Binding binding;
  http::Handler* raw = nullptr;     ///< not null: no operation
  http::FieldBlock fields;          ///< of every answer
  http::FieldBlock success_fields;  ///< of every answer that is no problem
  Readable readable = Readable::nothing;
  std::uint32_t metrics = 0;  ///< index in OperationMetrics
  PossibleErrors errors;      ///< of an operation: what its documents say
};

struct RequestContext {
  RequestContext(http::Request& asked, http::Response& answer, std::int64_t started)
      : request(asked), response(answer), started_ns(started) {}
  RequestContext(const RequestContext&) = delete;
  RequestContext& operator=(const RequestContext&) = delete;

  http::Request& request;
  http::Response& response;
  std::int64_t started_ns;  ///< steady clock
  const Endpoint* endpoint = nullptr;
  auth::PrincipalRef principal;
  Caller caller;
  std::optional<telemetry::RequestTrace> trace;  ///< when the request named a readable one
  std::optional<RateDecision> rate;              ///< of the narrowest limit that was asked
  std::optional<Call> call;                      ///< of an operation, once the caller is known
  bool answered = false;                         ///< by the pipeline itself: OPTIONS
  RequestId id;
  RouteMatch match;

  const Operation& operation() const { return *endpoint->operation; }
  /// The answer is one that an Idempotency-Key kept.
  bool replayed() const { return call && call->replayed; }
  std::span<const std::string_view> parameters() const {
    return std::span(match.parameters).first(match.parameter_count);
  }
  /// The path as the client wrote it, for links and problems.
  std::string_view path() const {
    std::string_view target = request.target();
    if (target.empty() || target[0] != '/') return request.path();
    return target.substr(0, target.find('?'));
  }
};

}  // namespace bedplate::api
