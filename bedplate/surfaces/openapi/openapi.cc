// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/openapi/openapi.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bedplate/base/text.h"
#include "bedplate/describe/schema.h"
#include "bedplate/http/message/message.h"
#include "bedplate/operations/api.h"
#include "bedplate/surfaces/openapi/json_builder.h"
#include "bedplate/surfaces/openapi/openapi_errors.h"
#include "bedplate/surfaces/rest/binding.h"
#include "bedplate/surfaces/rest/problem.h"

namespace bedplate::api {
namespace {

/// ". A list of more than 1000 rows is sorted by one of ...", where some fields have no index.
std::string long_list_sorts(std::span<const SortField> fields) {
  std::vector<std::string> indexed;
  bool all = true;
  for (const SortField& field : fields) {
    if (field.index == SortIndex::always) indexed.push_back(fmt::format("`{}`", field.name));
    if (field.index == SortIndex::with_filter)
      indexed.push_back(fmt::format("`{}` (with `{}`)", field.name, field.filter));
    all = all && field.index == SortIndex::always;
  }
  if (all || indexed.empty()) return "";
  return fmt::format(". A list of more than {} rows is sorted by one of {}", kListedRowsMax,
                     fmt::join(indexed, ", "));
}

struct HeaderDoc {
  std::string_view name;
  std::string_view schema;
  std::string_view doc;
};

constexpr std::string_view kBedplateCommit = "Bedplate-Commit";
constexpr std::string_view kCommitMarkSchema = R"({"type":"string","pattern":"^[0-9a-f]{1,16}$"})";

constexpr HeaderDoc kHeaders[] = {
    {"X-Request-Id", R"({"type":"string"})", "Names this request; quote it when asking for help."},
    {"RateLimit-Limit", R"({"type":"integer"})", "Burst size: requests that the caller may make at once."},
    {"RateLimit-Remaining", R"({"type":"integer"})", "Requests left now."},
    {"RateLimit-Reset", R"({"type":"integer"})", "Seconds until all of them are there again."},
    {"Retry-After", R"({"type":"integer"})", "Seconds to wait before trying again."},
    {"ETag", R"({"type":"string"})", "The version, for If-Match and If-None-Match."},
    {"Location", R"({"type":"string","format":"uri-reference"})", "Where what was made can be read."},
    {kBedplateCommit, kCommitMarkSchema,
     "Where this change stands in the database's history. A client that sends it with its next requests "
     "reads what "
     "it wrote, whatever replica answers. Opaque; keep the latest."},
    {"Idempotency-Replayed", R"({"type":"string","const":"true"})",
     "The answer was kept from an earlier request with the same Idempotency-Key."},
    {"WWW-Authenticate", R"({"type":"string"})", "How to authenticate (RFC 6750)."},
    {"Deprecation", R"({"type":"string"})", "Since when the operation is deprecated (RFC 9745)."},
    {"Sunset", R"({"type":"string"})", "When the operation goes away (RFC 8594)."},
};

/// `*`, or entity tags with commas between (RFC 9110 sections 8.8.3 and 13.1).
constexpr std::string_view kTagListSchema =
    R"({"type":"string","pattern":"^(\\*|(W/)?\"[!#-~]*\"([ \\t]*,[ \\t]*(W/)?\"[!#-~]*\")*)$"})";
constexpr std::string_view kIdempotencyKeySchema =
    R"({"type":"string","minLength":1,"maxLength":128,"pattern":"^[!-~]+$"})";

struct DocumentedOperation {
  const Api* api;
  Operation operation;
  Binding binding;
};

std::string_view verb_key(Verb verb) {
  switch (verb) {
    case Verb::get:
      return "get";
    case Verb::post:
      return "post";
    case Verb::put:
      return "put";
    case Verb::patch:
      return "patch";
    case Verb::del:
      return "delete";
  }
  return "";
}

/// "Change password" of "identity.change_password": better than nothing.
std::string summary_of(const Operation& operation) {
  if (!operation.summary.empty()) return std::string(operation.summary);
  std::string text = operation.name.substr(operation.name.find('.') + 1);
  std::ranges::replace(text, '_', ' ');
  if (!text.empty()) text[0] = to_upper(text[0]);
  return text;
}

std::string description_of(const Operation& operation) {
  std::string text(operation.doc);
  if (!text.empty()) text += "\n\n";
  switch (operation.access) {
    case Access::system_only:  // no surface offers it
    case Access::scopes:
      text += fmt::format("Needs the scope `{}`.", fmt::join(operation.scopes, "`, `"));
      break;
    case Access::optional_user:
      text += "Open to everybody; a token that is sent must be good.";
      break;
    case Access::any_user:
      text += "Any signed-in caller may do this.";
      break;
    default:
      text += "Open to everybody.";
  }
  return text;
}

class OpenapiWriter {
 public:
  OpenapiWriter(const DocumentInfo& info, std::span<const Api> apis) : info_(info), apis_(apis) {
    for (const Api& api : apis)
      for (const Operation& operation : api.operations()) {
        if (!operation.attributes.find<RouteOf>()) continue;
        DocumentedOperation& documented = operations_.emplace_back();
        documented.api = &api;
        documented.operation = operation;
        (void)documented.binding.prepare(operation);  // checked when it was served
      }
  }

  std::string write() {
    json_.begin_object().member("openapi", "3.1.0");
    write_info();
    json_.key("servers").begin_array().begin_object().member("url", "/").end_object().end_array();
    json_.key("tags").begin_array();
    for (const Api& api : apis_)
      json_.begin_object().member("name", api.name()).member("description", api.doc()).end_object();
    json_.end_array();
    write_paths();
    write_components();
    json_.end_object();
    return json_.take();
  }

 private:
  void write_info() {
    json_.key("info").begin_object().member("title", info_.title).member("version", info_.version);
    json_.member("description", info_.description.empty() ? info_.title : info_.description);
    json_.key("contact").begin_object().member("name", info_.contact).end_object();
    if (!info_.license.empty())
      json_.key("license")
          .begin_object()
          .member("name", info_.license)
          .member("identifier", info_.license)
          .end_object();
    json_.end_object();
  }

  void write_paths() {
    // One object a path, with its methods: in the order in which the paths were declared.
    std::vector<std::pair<std::string_view, std::vector<const DocumentedOperation*>>> paths;
    for (const DocumentedOperation& documented : operations_) {
      std::string_view path = route_of(documented.operation).route.path;
      auto known = std::ranges::find(paths, path, [](const auto& entry) { return entry.first; });
      if (known == paths.end()) known = paths.insert(paths.end(), {path, {}});
      known->second.push_back(&documented);
    }
    json_.key("paths").begin_object();
    for (const auto& [path, operations] : paths) {
      json_.key(path).begin_object();
      for (const DocumentedOperation* documented : operations) write_operation(*documented);
      json_.end_object();
    }
    json_.end_object();
  }

  void write_operation(const DocumentedOperation& documented) {
    const Operation& operation = documented.operation;
    json_.key(verb_key(route_of(operation).route.verb)).begin_object();
    json_.member("operationId", operation.name);
    json_.key("tags").begin_array().text(documented.api->name()).end_array();
    json_.member("summary", summary_of(operation)).member("description", description_of(operation));
    if (operation.deprecation) json_.key("deprecated").boolean(true);
    write_security(operation);
    write_own_errors(operation);
    write_parameters(documented);
    if (documented.binding.takes_body()) write_request_body(documented);
    json_.key("responses").begin_object();
    write_success(documented);
    for (const auto& [status, errors] : possible_errors(operation, documented.binding, info_.commit_errors))
      write_failure(status, errors);
    json_.end_object().end_object();
  }

  void write_security(const Operation& operation) {
    const bool open = operation.access == Access::open_to_all;
    json_.key("security").begin_array();
    needs_tokens_ = needs_tokens_ || !open;
    // An empty requirement beside the other makes it optional (OpenAPI 3.1, section 4.8.10).
    if (operation.access == Access::optional_user) json_.begin_object().end_object();
    if (!open) json_.begin_object().key("bearer").begin_array().end_array().end_object();
    json_.end_array();
    // OpenAPI names scopes for OAuth flows only; for a bearer token they stand here and in the description.
    if (operation.scopes.empty()) return;
    json_.key("x-required-scopes").begin_array();
    for (std::string_view scope : operation.scopes) json_.text(scope);
    json_.end_array();
  }

  /// Which of the answers below are the operation's own, by status: the others come from the platform, and readers
  /// need to see them once only.
  void write_own_errors(const Operation& operation) {
    std::map<int, std::vector<std::string_view>> by_status;
    for (const ErrorCode& error : operation.errors)
      by_status[http_status(error.category)].push_back(error.code);
    if (by_status.empty()) return;
    json_.key("x-own-errors").begin_object();
    for (const auto& [status, codes] : by_status) {
      json_.key(std::to_string(status)).begin_array();
      for (std::string_view code : codes) json_.text(code);
      json_.end_array();
    }
    json_.end_object();
  }

  // ---- what it takes

  void write_parameters(const DocumentedOperation& documented) {
    const Operation& operation = documented.operation;
    json_.key("parameters").begin_array();
    for (const FieldInfo* field : documented.binding.parameter_fields())
      write_parameter(documented, *field, "path");
    for (const FieldInfo* field : documented.binding.query_fields())
      write_parameter(documented, *field, "query");
    write_conditions(operation);
    if (operation.kind == OperationKind::command && operation.idempotent_replay &&
        operation.access != Access::open_to_all)
      write_header_parameter("Idempotency-Key",
                             "A unique string of up to 128 characters chosen by the client, such as a UUID; "
                             "retries with the same key run once.",
                             kIdempotencyKeySchema);
    if (info_.read_replicas && operation.kind == OperationKind::query)
      write_header_parameter(
          kBedplateCommit,
          "The latest Bedplate-Commit that was answered to you: the answer holds what you wrote. "
          "Without it a replica may answer what was so a moment ago.",
          kCommitMarkSchema);
    json_.end_array();
  }

  void write_conditions(const Operation& operation) {
    if (operation.set_if_match) {
      write_header_parameter("If-Match",
                             "Do it only to this version: its ETag as it was answered, in double quotes "
                             "(`\"7\"`), or several with commas between.",
                             kTagListSchema);
      write_header_parameter(
          "If-None-Match",
          "Do it only if the version is not this one (`\"7\"`), or none of several with commas "
          "between; `*`: only if nothing is there.",
          kTagListSchema);
    } else if (operation.version_of && route_of(operation).route.verb == Verb::get) {
      write_header_parameter(
          "If-None-Match",
          "Answer 304 when this is still the version: its ETag as it was answered, in double "
          "quotes (`\"7\"`), or several with commas between.",
          kTagListSchema);
    }
  }

  void write_parameter(const DocumentedOperation& documented, const FieldInfo& field,
                       std::string_view place) {
    json_.begin_object().member("name", field.name()).member("in", place);
    json_.key("required").boolean(place == "path" || field.has(kRequired));
    std::string doc = field.doc ? field.doc : "";
    FieldInfo value_field = field;
    // In text there is no null: a parameter that may be left out has the schema of its value.
    if (field.type->kind == bedplate::Kind::optional || field.type->kind == bedplate::Kind::patch) {
      value_field.type = &field.type->value_type();
      value_field.flags = static_cast<std::uint16_t>(value_field.flags & ~(kHasDefault | kNullable));
    }
    std::string sort_pattern;
    const Operation& operation = documented.operation;
    if (field.name() == "sort" && !operation.sort_fields.empty()) {
      std::vector<std::string_view> names;
      for (const SortField& sort : operation.sort_fields) names.push_back(sort.name);
      doc += fmt::format(". Fields: `{}`", fmt::join(names, "`, `"));
      if (!operation.default_sort.empty()) doc += fmt::format(". Without it: `{}`", operation.default_sort);
      doc += long_list_sorts(operation.sort_fields);
      sort_pattern = fmt::format("^-?({0})(,-?({0})){{0,{1}}}$", fmt::join(names, "|"), kSortFieldsMax - 1);
      value_field.rules.pattern = sort_pattern.c_str();
      value_field.rules.flags |= kHasPattern;
    }
    if (!doc.empty()) json_.member("description", doc);
    if (field.has(kDeprecated)) json_.key("deprecated").boolean(true);
    schemas_.write_field(json_.key("schema").value(), value_field, *documented.operation.input, View::input);
    json_.end_object();
  }

  /// No examples: tools send them as they stand, and neither a version nor a key fits a second request.
  void write_header_parameter(std::string_view name, std::string_view doc, std::string_view schema) {
    json_.begin_object().member("name", name).member("in", "header").member("description", doc);
    json_.key("schema").raw(schema).end_object();
  }

  void write_request_body(const DocumentedOperation& documented) {
    json_.key("requestBody").begin_object().key("required").boolean(true).key("content").begin_object();
    write_body_type("application/json", documented);
    if (route_of(documented.operation).route.verb == Verb::patch)
      write_body_type("application/merge-patch+json", documented);
    json_.end_object().end_object();
  }

  void write_body_type(std::string_view media_type, const DocumentedOperation& documented) {
    const Operation& operation = documented.operation;
    json_.key(media_type).begin_object().key("schema");
    schemas_.write(json_.value(), *operation.input, View::input, documented.binding.path_fields());
    if (!operation.example_input.empty()) json_.key("example").raw(operation.example_input);
    json_.end_object();
  }

  // ---- what it answers

  void write_headers(std::initializer_list<std::string_view> names, bool always = true) {
    json_.key("headers").begin_object();
    if (always)
      for (std::string_view name :
           {"X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"})
        write_header(name);
    for (std::string_view name : names)
      if (!name.empty()) write_header(name);
    json_.end_object();
  }

  void write_header(std::string_view name) {
    used_headers_.insert(name);
    json_.key(name).reference(fmt::format("#/components/headers/{}", name));
  }

  void write_success(const DocumentedOperation& documented) {
    const Operation& operation = documented.operation;
    const bool replays = operation.kind == OperationKind::command && operation.idempotent_replay;
    json_.key(std::to_string(success_status(operation))).begin_object();
    json_.member("description", http::reason_phrase(success_status(operation)));
    const bool commits = info_.read_replicas && (operation.kind == OperationKind::command ||
                                                 operation.kind == OperationKind::procedure);
    write_headers({operation.version_of ? "ETag" : "", commits ? kBedplateCommit : "",
                   route_of(operation).location.empty() ? "" : "Location",
                   replays ? "Idempotency-Replayed" : "", operation.deprecation ? "Deprecation" : "",
                   operation.deprecation && operation.deprecation->sunset ? "Sunset" : ""});
    if (operation.output && success_status(operation) != 204) {
      json_.key("content").begin_object().key("application/json").begin_object().key("schema");
      schemas_.write(json_.value(), *operation.output, View::output);
      if (!operation.example_output.empty()) json_.key("example").raw(operation.example_output);
      json_.end_object().end_object();
      write_links(operation);
    }
    json_.end_object();
    if (!operation.version_of || route_of(operation).route.verb != Verb::get) return;
    json_.key("304").begin_object().member("description",
                                           "It is still the version that If-None-Match names.");
    write_headers({"ETag"});
    json_.end_object();
  }

  /// Operations that take what this one gives: those named, and those at the place that it creates.
  void write_links(const Operation& operation) {
    std::vector<const DocumentedOperation*> targets;
    for (const DocumentedOperation& other : operations_) {
      const bool named =
          std::ranges::find(operation.links, std::string_view(other.operation.name)) != operation.links.end();
      const bool at_location = !route_of(operation).location.empty() &&
                               route_of(other.operation).route.path == route_of(operation).location;
      if ((named || at_location) && !other.binding.parameter_fields().empty()) targets.push_back(&other);
    }
    if (targets.empty()) return;
    json_.key("links").begin_object();
    for (const DocumentedOperation* target : targets) {
      json_.key(target->operation.name).begin_object().member("operationId", target->operation.name);
      json_.key("parameters").begin_object();
      for (const FieldInfo* field : target->binding.parameter_fields())
        if (operation.output->object().find(field->name()))
          json_.member(field->name(), fmt::format("$response.body#/{}", field->name()));
      json_.end_object().end_object();
    }
    json_.end_object();
  }

  void write_failure(int status, const std::vector<ErrorCode>& errors) {
    JsonBuilder outer = std::exchange(json_, JsonBuilder());
    write_failure_body(status, errors);
    std::string body = json_.take();
    json_ = std::move(outer);
    json_.key(std::to_string(status))
        .reference("#/components/responses/" + response_name(status, std::move(body)));
  }

  /// Equal answers are written once, under components.
  std::string response_name(int status, std::string body) {
    auto known = responses_.find(body);
    if (known != responses_.end()) return known->second;
    std::string name = fmt::format("Problem{}", status);
    const int earlier = ++responses_of_status_[status];
    if (earlier > 1) name += fmt::format("_{}", earlier);
    response_order_.push_back({name, body});
    responses_.emplace(std::move(body), name);
    return name;
  }

  void write_failure_body(int status, const std::vector<ErrorCode>& errors) {
    std::string description(http::reason_phrase(status));
    for (const ErrorCode& error : errors)
      description += fmt::format("\n- `{}`: {}", error.code, error.detail);
    json_.begin_object().member("description", description);
    const bool says_when = status == 429 || status == 503 || status == 504;
    write_headers({says_when ? "Retry-After" : "", status == 401 ? "WWW-Authenticate" : ""});
    json_.key("content")
        .begin_object()
        .key("application/problem+json")
        .begin_object()
        .key("schema")
        .begin_object();
    json_.key("allOf").begin_array();
    schemas_.write(json_.value(), type_of<Problem>(), View::output);
    json_.begin_object().member("type", "object").key("properties").begin_object();
    json_.key("status").begin_object().key("const").number(status).end_object();
    json_.key("code").begin_object().key("enum").begin_array();
    for (const ErrorCode& error : errors) json_.text(error.code);
    json_.end_array().end_object().end_object().end_object().end_array();
    json_.end_object();
    // The one of Problem shows faults of fields, as only 422 has them.
    if (status != 422 && !errors.empty()) write_problem_example(status, errors.front());
    json_.end_object().end_object().end_object();
  }

  void write_problem_example(int status, const ErrorCode& error) {
    json_.key("example").begin_object();
    json_.member("type", "about:blank").member("title", http::reason_phrase(status));
    json_.key("status").number(status);
    json_.member("detail", error.detail).member("instance", "/v1/things").member("code", error.code);
    json_.member("request_id", "8f3a51c27d9e4b6000000001").end_object();
  }

  // ---- what is shared

  void write_components() {
    json_.key("components").begin_object();
    json_.key("responses").begin_object();
    for (const auto& [name, body] : response_order_) json_.key(name).raw(body);
    json_.end_object();
    json_.key("headers").begin_object();
    for (const HeaderDoc& header : kHeaders) {
      if (!used_headers_.contains(header.name)) continue;
      json_.key(header.name)
          .begin_object()
          .member("description", header.doc)
          .key("schema")
          .raw(header.schema)
          .end_object();
    }
    json_.end_object();
    if (needs_tokens_) write_security_scheme();
    Buffer definitions;
    schemas_.write_definitions(definitions);
    json_.key("schemas").raw(fmt::format("{{{}}}", definitions.view()));
    json_.end_object();
  }

  void write_security_scheme() {
    auto log_in = std::ranges::find_if(operations_, [](const DocumentedOperation& documented) {
      return !route_of(documented.operation).access_token.empty();
    });
    json_.key("securitySchemes").begin_object().key("bearer").begin_object();
    json_.member("type", "http").member("scheme", "bearer").member("bearerFormat", "JWT");
    if (log_in == operations_.end()) {
      json_.member("description", "Paste an access token, without the word Bearer.");
    } else {
      const Operation& operation = log_in->operation;
      json_.member(
          "description",
          fmt::format("Paste the `{}` of `{} {}`, without the word Bearer.", route_of(operation).access_token,
                      verb_name(route_of(operation).route.verb), route_of(operation).route.path));
      json_.key("x-log-in").begin_object().member("operationId", operation.name);
      json_.member("token", route_of(operation).access_token).end_object();
    }
    json_.end_object().end_object();
  }

  const DocumentInfo& info_;
  std::span<const Api> apis_;
  std::vector<DocumentedOperation> operations_;
  JsonBuilder json_;
  SchemaWriter schemas_{"#/components/schemas/"};
  std::map<std::string, std::string> responses_;  // body to name
  std::map<int, int> responses_of_status_;
  std::set<std::string_view> used_headers_;
  bool needs_tokens_ = false;
  std::vector<std::pair<std::string, std::string>> response_order_;
};

}  // namespace

std::string openapi_document(const DocumentInfo& info, std::span<const Api> apis) {
  return OpenapiWriter(info, apis).write();
}

}  // namespace bedplate::api
