// SPDX-License-Identifier: Apache-2.0
// Rest::make(): everything that is decided before the first request.
#include <algorithm>

#include <fmt/format.h>

#include "bedplate/describe/any_value.h"
#include "bedplate/http/message/date.h"
#include "bedplate/surfaces/openapi/docs.h"
#include "bedplate/surfaces/openapi/document.h"
#include "bedplate/surfaces/rest/rest.h"
#include "bedplate/surfaces/rest/rest_state.h"
#include "bedplate/surfaces/rest/security_fields.h"

namespace bedplate::api {
namespace {

std::unexpected<Error> wrong(const Operation& operation, std::string_view what) {
  return bedplate::fail(
      Category::invalid, "operation_invalid",
      fmt::format("{} ({} {}): {}", operation.name, verb_name(route_of(operation).route.verb),
                  route_of(operation).route.path, what));
}

std::string http_date(Time time) {
  std::string text(http::kHttpDateSize, '\0');
  http::write_http_date(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(),
                        text.data());
  return text;
}

void add_deprecation_fields(http::FieldBlock& fields, const Deprecation& deprecation) {
  const auto since = std::chrono::floor<std::chrono::seconds>(deprecation.since).time_since_epoch().count();
  fields.add("Deprecation", fmt::format("@{}", since));
  if (deprecation.sunset) fields.add("Sunset", http_date(*deprecation.sunset));
  if (!deprecation.see.empty()) fields.add("Link", fmt::format("<{}>; rel=\"deprecation\"", deprecation.see));
}

/// What a cache may do with a success. Answers to a known caller are that caller's alone; what changes something is
/// never kept; a read may be kept and asked about again, so that ETags save the body.
std::string_view cache_control_of(const Operation& operation) {
  if (operation.secret) return "no-store";
  if (!route_of(operation).cache_control.empty()) return route_of(operation).cache_control;
  if (route_of(operation).route.verb != Verb::get) return "no-store";
  return operation.access == Access::open_to_all ? "no-cache" : "private, no-cache";
}

Result<void> check_example(const Operation& operation, std::string_view json, const TypeInfo* type, View view,
                           std::uint64_t fields_elsewhere) {
  if (json.empty()) return {};
  if (type == nullptr)
    return wrong(operation, "it has an example of something that it does not take or give.");
  AnyValue value(*type);
  Faults faults;
  JsonLimits limits;
  limits.view = view;
  limits.fields_elsewhere = fields_elsewhere;
  Result<void> read = read_json(json, *type, value.data(), faults, limits);
  if (!read) return wrong(operation, fmt::format("its example is not JSON: {}", read.error().detail()));
  if (faults.empty()) return {};
  const Fault& fault = faults.list().front();
  return wrong(operation,
               fmt::format("its example does not fit {}: {} {}", type->name(), fault.pointer, fault.message));
}

Result<void> check_location(const Operation& operation) {
  if (route_of(operation).location.empty()) return {};
  if (!operation.output)
    return wrong(operation, "creates(...) takes fields of the output, but there is no output.");
  for (std::string_view name : parameter_names(route_of(operation).location))
    if (!operation.output->object().find(name))
      return wrong(operation, fmt::format("creates(...) names {{{}}}, which {} does not have.", name,
                                          operation.output->name()));
  return {};
}

Result<void> check_parts(const Operation& operation, const Rest::Parts& parts) {
  if (operation.access != Access::open_to_all && !parts.authenticator)
    return wrong(operation, "it needs a signed-in caller, and there is no authenticator.");
  return {};
}

Result<void> check_log_in(const Rest::State& state, const Operation& operation) {
  if (route_of(operation).access_token.empty()) return {};
  if (route_of(operation).route.verb != Verb::post || operation.access != Access::open_to_all ||
      !operation.input)
    return wrong(operation, "what logs in is a POST that is open to all and takes a body.");
  if (!operation.output->object().find(route_of(operation).access_token))
    return wrong(operation, fmt::format("logs_in<> names {}, which {} does not describe.",
                                        route_of(operation).access_token, operation.output->name()));
  for (const Endpoint& other : state.endpoints)
    if (!other.route.access_token.empty())
      return wrong(operation, fmt::format("{} logs in already.", other.name));
  return {};
}

Result<void> add_operation(Rest::State& state, const Operation& operation) {
  if (Result<void> good = check_parts(operation, state.parts); !good) return good;
  if (Result<void> good = check_log_in(state, operation); !good) return good;
  Endpoint& endpoint = state.endpoints.emplace_back();
  endpoint.operation = &operation;
  endpoint.name = operation.name;
  endpoint.cost = operation.cost;
  endpoint.route = route_of(operation);
  endpoint.route.status = success_status(operation);
  if (Result<void> good = endpoint.binding.prepare(operation); !good) return good;
  endpoint.errors = possible_errors(operation, endpoint.binding, state.parts.document.commit_errors);
  if (Result<void> good = check_location(operation); !good) return good;
  Result<void> input_example = check_example(operation, operation.example_input, operation.input, View::input,
                                             endpoint.binding.path_fields());
  if (!input_example) return input_example;
  Result<void> output_example =
      check_example(operation, operation.example_output, operation.output, View::stored, 0);
  if (!output_example) return output_example;
  add_security_fields(endpoint.fields, kNothingMayLoad, state.parts.rest);
  if (operation.deprecation) add_deprecation_fields(endpoint.fields, *operation.deprecation);
  endpoint.success_fields.add("Cache-Control", cache_control_of(operation));
  if (operation.access != Access::open_to_all) endpoint.success_fields.add("Vary", "Authorization");
  endpoint.metrics = state.metrics.add(operation.name);
  const auto place = static_cast<std::uint32_t>(state.endpoints.size() - 1);
  return state.router.add(route_of(operation).route.verb, route_of(operation).route.path, place);
}

// So that an operation which compares no versions knows when a condition could be false.
void note_what_can_be_read(std::deque<Endpoint>& endpoints) {
  for (Endpoint& change : endpoints) {
    if (change.route.route.verb == Verb::get) continue;
    for (const Endpoint& read : endpoints)
      if (read.route.route.verb == Verb::get && read.route.route.path == change.route.route.path)
        change.readable = read.operation->version_of ? Readable::versioned : Readable::unversioned;
  }
}

Result<void> add_raw(Rest::State& state, const RawRoute& raw) {
  Endpoint& endpoint = state.endpoints.emplace_back();
  endpoint.name = state.raw_names.emplace_back(raw.name);
  endpoint.route.route = raw.route;
  endpoint.cost = raw.cost;
  endpoint.raw = raw.handler;
  add_security_fields(endpoint.fields,
                      raw.content_security_policy.empty() ? kNothingMayLoad : raw.content_security_policy,
                      state.parts.rest);
  endpoint.metrics = state.metrics.add(raw.name);
  const auto place = static_cast<std::uint32_t>(state.endpoints.size() - 1);
  return state.router.add(raw.route.verb, raw.route.path, place);
}

Result<void> add_documents(Rest::State& state) {
  state.documents.push_back(std::make_unique<Document>("application/json", state.openapi));
  RawRoute openapi{get("/openapi.json"), "openapi", state.documents.back().get(), {}};
  if (Result<void> added = add_raw(state, openapi); !added) return added;
  for (DocsPage& page : docs_pages(docs_ui())) {
    state.documents.push_back(std::move(page.handler));
    RawRoute route{page.route, "docs", state.documents.back().get(), kDocsContentSecurityPolicy};
    if (Result<void> added = add_raw(state, route); !added) return added;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Rest>> Rest::make(Executor& executor, Parts parts) {
  auto state = std::make_unique<State>(executor, std::move(parts));
  add_security_fields(state->default_fields, kNothingMayLoad, state->parts.rest);
  state->parts.document.commit_errors = errors_of(executor.parts().commit_hooks);
  for (const Operation& operation : executor.operations()) {
    if (!operation.attributes.find<RouteOf>()) continue;
    if (Result<void> added = add_operation(*state, operation); !added)
      return std::unexpected(std::move(added.error()));
  }
  note_what_can_be_read(state->endpoints);
  state->openapi = openapi_document(state->parts.document, executor.apis());
  for (const RawRoute& raw : state->parts.raw_routes)
    if (Result<void> added = add_raw(*state, raw); !added) return std::unexpected(std::move(added.error()));
  if (state->parts.rest.docs)
    if (Result<void> added = add_documents(*state); !added) return std::unexpected(std::move(added.error()));
  state->router.finish();
  return std::unique_ptr<Rest>(new Rest(std::move(state)));
}

const std::string& Rest::openapi() const {
  return state_->openapi;
}

}  // namespace bedplate::api
