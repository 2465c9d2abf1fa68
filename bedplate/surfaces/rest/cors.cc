// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/cors.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

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

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_';
}

bool is_scheme(std::string_view text) {
  const auto is_scheme_char = [](char c) { return (is_host_char(c) && c != '_') || c == '+'; };
  return !text.empty() && std::ranges::all_of(text, is_scheme_char);
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) return text.ends_with(']') && text.find(':') != std::string_view::npos;
  return !text.empty() && std::ranges::all_of(text, is_host_char);
}

std::string_view default_port(std::string_view scheme) {
  if (equal_ignoring_case(scheme, "https")) return "443";
  return equal_ignoring_case(scheme, "http") ? "80" : std::string_view();
}

/// An origin taken apart: `scheme://host:port`, and what does not belong to it.
struct OriginParts {
  explicit OriginParts(std::string_view text) {
    if (const std::size_t at = text.find("://"); at != std::string_view::npos) {
      scheme = text.substr(0, at);
      text.remove_prefix(at + 3);
    }
    const std::size_t end = std::min(text.find_first_of("/?#\\"), text.size());
    rest = text.substr(end);
    host = text.substr(0, end);
    const std::size_t colon = host.rfind(':');
    if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return;
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
    has_port = true;
  }
  bool has_good_port() const {
    const std::optional<std::uint64_t> number = parse_uint(port);
    return !has_port || (number && *number > 0 && *number <= 65'535 && port.front() != '0');
  }
  /// What the browser would send for it; empty: no guess.
  std::string near_miss() const {
    if (!is_host(host) || !has_good_port() || !(scheme.empty() || is_scheme(scheme))) return {};
    std::string origin = scheme.empty() ? std::string("https") : to_lower(scheme);
    const bool implied = port == default_port(origin);
    origin.append("://").append(to_lower(host));
    return implied || !has_port ? origin : origin.append(":").append(port);
  }

  std::string_view scheme, host, port, rest;
  bool has_port = false;
};

/// What is wrong with an entry of cors.allowed_origins; empty: a browser may send it.
std::string origin_problem(std::string_view text) {
  if (text == "*") return {};
  if (equal_ignoring_case(trim(text), "null"))
    return "the origin null is that of sandboxed frames and local files, whoever made them: if that is "
           "meant, set "
           "cors.allow_null_origin = true";
  const OriginParts parts(trim(text));
  if (parts.host.find('*') != std::string_view::npos)
    return "names are not matched by a *: write each origin, such as https://app.example.com, or * alone for "
           "every one";
  std::string origin = parts.near_miss();
  if (!origin.empty() && equal_ignoring_case(origin, text)) return {};
  if (std::ranges::any_of(text, [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; }))
    return "browsers send the name in ASCII: write its form with xn--";
  if (origin.empty()) return "an origin is a scheme, a host and perhaps a port: write https://example.com";
  return "no browser sends that as its Origin: write " + origin;
}

}  // namespace

void check_origins(const CorsSettings& settings, ObjectProblems& problems) {
  for (const std::string& origin : settings.allowed_origins)
    if (std::string problem = origin_problem(origin); !problem.empty())
      problems.add("allowed_origins", "not_an_origin",
                   fmt::format("has \"{}\", which can match nothing; {}", origin, problem));
}

Cors::Cors(const CorsSettings& settings) : max_age_(std::to_string(settings.max_age_seconds)) {
  for (const std::string& origin : settings.allowed_origins) {
    if (origin == "*")
      any_ = true;
    else
      origins_.push_back(to_lower(origin));
  }
  if (settings.allow_null_origin) origins_.emplace_back("null");
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

void Cors::add_early_fields(http::FieldBlock& fields) const {
  fields.add("Access-Control-Allow-Origin", "*").add("Access-Control-Expose-Headers", kExposed);
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
