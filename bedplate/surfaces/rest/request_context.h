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
#include "bedplate/execution/rate_limit.h"
#include "bedplate/http/handler.h"
#include "bedplate/http/message/message.h"
#include "bedplate/operations/operation.h"
#include "bedplate/surfaces/openapi/openapi_errors.h"
#include "bedplate/surfaces/rest/binding.h"
#include "bedplate/surfaces/rest/operation_metrics.h"
#include "bedplate/surfaces/rest/request_id.h"
#include "bedplate/surfaces/rest/router.h"
#include "bedplate/telemetry/trace.h"

namespace bedplate::api {

/// What can be read at the path of an operation that changes something.
enum class Readable : std::uint8_t { nothing, unversioned, versioned };

/// What a route leads to: an operation, or a handler that writes its answer itself (documents, metrics).
struct Endpoint {
  Operation operation;
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
  bool answered = false;                         ///< by the chain itself: OPTIONS
  bool replayed = false;                         ///< the answer is one that an Idempotency-Key kept
  RequestId id;
  RouteMatch match;

  const Operation& operation() const { return endpoint->operation; }
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
