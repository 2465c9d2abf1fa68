// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/conformance.h"

#include <algorithm>
#include <string_view>

#include "bedplate/testing/api_document.h"
#include "bedplate/testing/http.h"

namespace bedplate::testing {
namespace {

class Conformance {
 public:
  Conformance(const std::string& url, const ConformanceOptions& options)
      : document_(url), http_(url), options_(options) {}

  std::vector<std::string> run() {
    for (const ApiOperation& operation : document_.operations()) {
      operation_ = &operation;
      refuses_strangers();
      refuses_other_methods();
      refuses_malformed_ids();
      refuses_unknown_parameters();
      if (operation.has_body) refuses_bad_bodies();
      if (!options_.skip.contains(operation.name)) answers_as_documented();
    }
    return std::move(faults_);
  }

 private:
  void fail(std::string_view doing, const HttpResponse& response, std::string_view wanted) {
    faults_.push_back(operation_->method + " " + operation_->path + " " + std::string(doing) + ": wanted " +
                      std::string(wanted) + ", got " + std::to_string(response.status) + " " + response.body);
  }

  HttpResponse send(std::string_view method, const std::string& target, std::string_view body,
                    HttpFields fields = {}) {
    const bool typed = std::ranges::any_of(fields, [](auto& field) { return field.first == "Content-Type"; });
    if (!body.empty() && !typed) fields.emplace_back("Content-Type", "application/json");
    return http_.request(method, target, fields, body);
  }
  HttpResponse send_signed_in(const std::string& target, std::string_view body, HttpFields fields = {}) {
    if (operation_->needs_token) fields.emplace_back("Authorization", "Bearer " + options_.token);
    return send(operation_->method, target, body, std::move(fields));
  }

  /// A problem with that status, and with a fault at `pointer` unless it is empty.
  void expect_problem(std::string_view doing, const HttpResponse& response, int status,
                      std::string_view pointer = {}) {
    const std::string wanted = std::to_string(status) + " with " + std::string(pointer);
    if (response.status != status) return fail(doing, response, wanted);
    const Json problem = Json::parse(response.body);
    if (response.field("Content-Type") != "application/problem+json" || problem["code"].text().empty())
      return fail(doing, response, "problem details with a code");
    const bool found = std::ranges::any_of(
        problem["errors"].items(), [&](const Json& fault) { return fault["pointer"].text() == pointer; });
    if (!pointer.empty() && !found) fail(doing, response, wanted);
    expect_documented(doing, response);
  }
  void expect_documented(std::string_view doing, const HttpResponse& response) {
    if (!operation_->statuses.contains(response.status))
      fail(doing, response, "a status that the document lists");
  }

  void refuses_strangers() {
    if (!operation_->needs_token) return;
    const std::string target = operation_->path_of_nothing();
    const HttpResponse nobody = send(operation_->method, target, operation_->body);
    expect_problem("without a token", nobody, 401);
    if (!nobody.field("WWW-Authenticate").starts_with("Bearer"))
      fail("without a token", nobody, "WWW-Authenticate: Bearer");
    expect_problem("with a forged token",
                   send(operation_->method, target, operation_->body, {{"Authorization", "Bearer forged"}}),
                   401);
    if (!options_.powerless_token.empty() && !operation_->scopes.empty())
      expect_problem("without its scope",
                     send(operation_->method, target, operation_->body,
                          {{"Authorization", "Bearer " + options_.powerless_token}}),
                     403);
  }

  void refuses_other_methods() {
    const std::set<std::string> methods = document_.methods(operation_->path);
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
      if (methods.contains(method)) continue;
      const HttpResponse response = send(method, operation_->path_of_nothing(), "");
      if (response.status != 405) fail(std::string("as ") + method, response, "405");
      for (const std::string& known : methods)
        if (response.field("Allow").find(known) == std::string::npos)
          fail(std::string("as ") + method, response, "Allow with " + known);
      return;
    }
  }

  void refuses_malformed_ids() {
    if (!operation_->has_path_parameters) return;
    expect_problem("with a malformed id", send_signed_in(operation_->path_with("42"), operation_->body), 422);
  }

  void refuses_unknown_parameters() {
    if (operation_->name.starts_with("health.") || !operation_->statuses.contains(422)) return;
    expect_problem("with an unknown query parameter",
                   send_signed_in(operation_->path_of_nothing() + "?colour=red", operation_->body), 422,
                   "?colour");
  }

  void refuses_bad_bodies() {
    const std::string target = operation_->path_of_nothing();
    expect_problem("with an unknown field", send_signed_in(target, R"({"no_such_field":1})"), 422,
                   "/no_such_field");
    expect_problem("with a body that is not JSON", send_signed_in(target, "{"), 400);
    expect_problem("with a body of another type",
                   send_signed_in(target, operation_->body, {{"Content-Type", "text/plain"}}), 415);
  }

  void answers_as_documented() {
    const bool keeps = operation_->headers.contains("Idempotency-Key");
    const HttpFields key =
        keeps ? HttpFields{{"Idempotency-Key", "conformance-" + operation_->name}} : HttpFields{};
    const HttpResponse first = send_signed_in(operation_->path_of_nothing(), operation_->body, key);
    expect_documented("with a request that fits its schema", first);
    if (first.status == 500) fail("with a request that fits its schema", first, "no internal failure");
    if (!keeps || first.status >= 300) return;
    const HttpResponse second = send_signed_in(operation_->path_of_nothing(), operation_->body, key);
    if (second.status != first.status || second.body != first.body ||
        second.field("Idempotency-Replayed").empty())
      fail("with the same Idempotency-Key again", second, "the first answer: " + first.body);
  }

  ApiDocument document_;
  HttpConnection http_;
  const ConformanceOptions& options_;
  const ApiOperation* operation_ = nullptr;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> conformance(const std::string& url, const ConformanceOptions& options) {
  return Conformance(url, options).run();
}

}  // namespace bedplate::testing
