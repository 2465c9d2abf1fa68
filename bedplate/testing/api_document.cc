// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/api_document.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "bedplate/testing/http.h"

namespace bedplate::testing {
namespace {

constexpr int kDepthMax = 8;
constexpr std::string_view kNoId = "00000000-0000-7000-8000-000000000000";

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string text_of(const Json& schema) {
  const std::string& format = schema["format"].text();
  if (format == "uuid") return std::string(kNoId);
  if (format == "date-time") return "2030-01-31T17:00:00Z";
  if (format == "email") return "somebody@example.com";
  if (format == "uri") return "https://example.com/";
  const auto length = static_cast<std::size_t>(schema["minLength"].number());
  return std::string(std::max<std::size_t>(length, 1), 'x');
}

}  // namespace

std::string ApiOperation::path_with(std::string_view text) const {
  std::string result;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (path[at] != '{') {
      result += path[at];
      continue;
    }
    result += text;
    at = path.find('}', at);
  }
  return result;
}

std::string ApiOperation::path_of_nothing() const {
  return path_with(kNoId);
}

ApiDocument::ApiDocument(const std::string& url) {
  HttpConnection http(url);
  document_ = Json::parse(http.get("/openapi.json").body);
  if (!document_["paths"].is_object()) {
    std::fprintf(stderr, "bedplate test: %s serves no /openapi.json\n", url.c_str());
    std::abort();
  }
  const Json& paths = document_["paths"];
  for (const std::string& path : paths.names()) {
    for (const std::string& method : paths[path].names()) {
      const Json& from = paths[path][method];
      if (!from.has("operationId")) continue;
      ApiOperation operation{.name = from["operationId"].text(), .method = upper(method), .path = path};
      operation.needs_token = from["security"].size() > 0;
      operation.has_path_parameters = path.find('{') != std::string::npos;
      for (const Json& scope : from["x-required-scopes"].items()) operation.scopes.push_back(scope.text());
      for (const std::string& status : from["responses"].names())
        operation.statuses.insert(std::atoi(status.c_str()));
      for (const Json& parameter : from["parameters"].items())
        if (parameter["in"].text() == "header") operation.headers.insert(parameter["name"].text());
      const Json& content = from["requestBody"]["content"]["application/json"];
      operation.has_body = content.is_object();
      if (operation.has_body) operation.body = value_of(content["schema"]);
      operations_.push_back(std::move(operation));
    }
  }
}

std::set<std::string> ApiDocument::methods(std::string_view path) const {
  std::set<std::string> result;
  for (const ApiOperation& operation : operations_)
    if (operation.path == path) result.insert(operation.method);
  return result;
}

const Json& ApiDocument::resolve(const Json& schema) const {
  constexpr std::string_view kPrefix = "#/components/schemas/";
  const std::string& reference = schema["$ref"].text();
  if (!reference.starts_with(kPrefix)) return schema;
  return document_["components"]["schemas"][std::string_view(reference).substr(kPrefix.size())];
}

std::string ApiDocument::value_of(const Json& reference, int depth) const {
  const Json& schema = resolve(reference);
  const Json& type = schema["type"].is_list() ? schema["type"][0] : schema["type"];
  if (schema["enum"].size() > 0) return "\"" + schema["enum"][0].text() + "\"";
  if (type.text() == "string") return "\"" + text_of(schema) + "\"";
  if (type.text() == "boolean") return "true";
  if (type.text() == "integer" || type.text() == "number")
    return std::to_string(static_cast<long>(schema["minimum"].number()));
  if (type.text() == "array") {
    if (schema["minItems"].number() < 1 || depth == kDepthMax) return "[]";
    return "[" + value_of(schema["items"], depth + 1) + "]";
  }
  std::string members;
  for (const Json& name : schema["required"].items()) {
    if (depth == kDepthMax) break;
    members += (members.empty() ? "\"" : ",\"") + name.text() +
               "\":" + value_of(schema["properties"][name.text()], depth + 1);
  }
  return "{" + members + "}";
}

}  // namespace bedplate::testing
