// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/problem.h"

#include <chrono>

#include "bedplate/base/log.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/surfaces/openapi/openapi_errors.h"
#include "bedplate/surfaces/rest/cors.h"
#include "bedplate/surfaces/rest/request_id.h"
#include "bedplate/surfaces/rest/security_fields.h"

namespace bedplate::api {
namespace {

// Of a 504 that does not say otherwise. RFC 9110 (10.2.3) lets Retry-After stand in any answer. Who has waited for
// seconds in vain gains nothing by asking again after one, and a database that hangs is given the time to come back.
constexpr std::chrono::seconds kRetryAfterTimeout{5};

std::optional<std::string> if_any(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

void write(http::Response& response, Problem&& problem) {
  problem.title = http::reason_phrase(static_cast<int>(problem.status));
  response.set_status(static_cast<int>(problem.status));
  response.set_field(http::FieldId::content_type, "application/problem+json");
  response.set_field(http::FieldId::cache_control, "no-store");
  if (problem.status == http_status(Category::timeout) && response.field(http::FieldId::retry_after).empty())
    response.set_field(http::FieldId::retry_after, std::to_string(kRetryAfterTimeout.count()));
  response.remove_field(http::FieldId::etag);
  response.remove_field(http::FieldId::location);
  response.body().clear();
  to_json(response.body(), problem);
}

}  // namespace

void write_problem(http::Response& response, const Error& error, std::string_view instance,
                   std::string_view request_id) {
  Problem problem;
  problem.status = http_status(error.category());
  problem.code = error.code();
  problem.detail = if_any(error.detail());
  problem.instance = if_any(instance);
  problem.request_id = if_any(request_id);
  if (error.category() == Category::internal) {
    log_error("request failed",
              {{"code", error.code()}, {"detail", error.detail()}, {"request_id", request_id}});
    problem.code = "internal";
    problem.detail = "The server met an unexpected fault.";
  }
  if (!error.faults().empty()) {
    std::vector<ProblemFault>& faults = problem.errors.emplace();
    for (const Fault& fault : error.faults()) faults.push_back({fault.pointer, fault.code, fault.message});
    if (error.more_faults()) problem.more = true;
  }
  if (error.retry_after().count() > 0)
    response.set_field(http::FieldId::retry_after, std::to_string(error.retry_after().count()));
  write(response, std::move(problem));
  // The version that is there, so that a client need not ask again to learn it.
  if (error.category() == Category::precondition_failed && !error.subject().empty())
    response.set_field(http::FieldId::etag, '"' + error.subject() + '"');
}

ServerProblems::ServerProblems(const RestSettings& rest, const CorsSettings& cors) {
  add_security_fields(fields_, kNothingMayLoad, rest);
  const Cors origins(cors);
  if (origins.enabled()) origins.add_early_fields(fields_);
}

void ServerProblems::write_problem(http::Response& response, int status, std::string_view code,
                                   std::string_view detail) {
#ifndef NDEBUG
  if (!contains(server_errors(), status, code)) {
    log_error("the HTTP server answers an error that no document names: add it to openapi_errors.cc",
              {{"status", status}, {"code", code}});
    status = 500;
    code = "internal";
    detail = "The server met an unexpected fault.";
  }
#endif
  RequestId id;
  id.make();
  response.set_field(http::FieldId::x_request_id, id.view());
  Problem problem;
  problem.status = status;
  problem.code = code;
  problem.detail = if_any(detail);
  problem.request_id = std::string(id.view());
  write(response, std::move(problem));
  response.add_fields(fields_);
}

}  // namespace bedplate::api
