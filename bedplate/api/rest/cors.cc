// SPDX-License-Identifier: Apache-2.0
#include "bedplate/api/rest/cors.h"

#include <algorithm>

#include "bedplate/base/text.h"

namespace bedplate::api {
namespace {

constexpr std::string_view kExposed =
    "Bedplate-Commit, ETag, Location, Link, Retry-After, X-Request-Id, RateLimit-Limit, RateLimit-Remaining, "
    "RateLimit-Reset, "
    "Idempotency-Replayed, Deprecation, Sunset";
constexpr std::string_view kAccepted =
    "Authorization, Bedplate-Commit, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, "
    "traceparent, "
    "tracestate";

}  // namespace

Cors::Cors(const CorsSettings& settings) : max_age_(std::to_string(settings.max_age_seconds)) {
  for (const std::string& origin : settings.allowed_origins) {
    if (origin == "*")
      any_ = true;
    else
      origins_.push_back(to_lower(origin));
  }
}

bool Cors::allows(std::string_view origin) const {
  // Scheme and host are lower case in a browser's Origin field; settings are written by people.
  return any_ || std::ranges::find(origins_, origin) != origins_.end();
}

void Cors::add_fields(std::string_view origin, http::Response& response) const {
  if (!enabled()) return;
  if (!any_) response.add_field(http::FieldId::vary, "Origin");
  if (origin.empty() || !allows(origin)) return;
  response.set_field(http::FieldId::access_control_allow_origin, any_ ? std::string_view("*") : origin);
  response.set_field(http::FieldId::access_control_expose_headers, kExposed);
}

void Cors::add_preflight_fields(http::Request& request, std::string_view allow,
                                http::Response& response) const {
  std::string_view origin = request.field(http::FieldId::origin);
  if (origin.empty() || !request.has_field(http::FieldId::access_control_request_method) || !allows(origin))
    return;
  response.set_field(http::FieldId::access_control_allow_methods, allow);
  response.set_field(http::FieldId::access_control_allow_headers, kAccepted);
  response.set_field(http::FieldId::access_control_max_age, max_age_);
}

}  // namespace bedplate::api
