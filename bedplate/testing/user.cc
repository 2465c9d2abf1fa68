// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/user.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bedplate/describe/json/json.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/surfaces/rest/route.h"
#include "bedplate/testing/json.h"

namespace bedplate::testing {
namespace {

/// One segment of a path, or one name or value of a query string (RFC 3986 section 2.1).
std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      (out += '%') += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

/// The request of one call: what of the input stands where.
class RequestOf {
 public:
  RequestOf(const api::Operation& operation, const void* input)
      : operation_(operation), route_(api::route_of(operation).route), input_(input) {
    write_path();
    const bool has_body = route_.verb != api::Verb::get && route_.verb != api::Verb::del;
    if (!operation.input) return;
    for (const FieldInfo& field : operation.input->object().all()) {
      const bool is_left_out = field.has(kReadOnly) || !operation.input->object().is_given(field, input);
      if (std::ranges::find(in_path_, &field) != in_path_.end() || is_left_out) continue;
      if (has_body)
        add_to_body(field);
      else
        add_to_query(field);
    }
    if (!body.empty()) body += "}";
    if (body.empty() && has_body && operation.input->object().count > in_path_.size()) body = "{}";
  }

  std::string target;
  std::string body;

 private:
  void write_path() {
    for (std::size_t at = 0; at < route_.path.size();) {
      if (route_.path[at] != '{') {
        target += route_.path[at++];
        continue;
      }
      const std::size_t end = route_.path.find('}', at);
      const FieldInfo& field = *operation_.input->object().find(route_.path.substr(at + 1, end - at - 1));
      in_path_.push_back(&field);
      std::string text;
      write_text(text, *field.type, field.in(input_));
      target += escaped(text);
      at = end + 1;
    }
  }
  void add_to_body(const FieldInfo& field) {
    if (field.type->kind == Kind::patch && field.type->patch->state(field.in(input_)) == PatchState::absent)
      return;
    (body += body.empty() ? "{\"" : ",\"").append(field.name()).append("\":");
    append_json(body, *field.type, field.in(input_), View::input);
  }
  void add_to_query(const FieldInfo& field) {
    const TypeInfo& type = field.type->value_type();
    const void* value = value_inside(*field.type, field.in(input_));
    if (!value) return;
    if (type.kind != Kind::list) return add_to_query(field.name(), type, value);
    const ListView list = type.list->view(value);
    for (std::size_t i = 0; i < list.size; ++i)
      add_to_query(field.name(), *type.element, static_cast<const char*>(list.data) + i * type.element->size);
  }
  void add_to_query(std::string_view name, const TypeInfo& type, const void* value) {
    std::string text;
    if (!write_text(text, type, value)) return;
    target += target.find('?') == std::string::npos ? "?" : "&";
    target += escaped(name) + "=" + escaped(text);
  }

  const api::Operation& operation_;
  const api::Route& route_;
  const void* input_;
  std::vector<const FieldInfo*> in_path_;
};

Category category_of(int status) {
  for (int i = 0; i <= static_cast<int>(Category::cancelled); ++i)
    if (http_status(static_cast<Category>(i)) == status) return static_cast<Category>(i);
  return Category::internal;
}

Error not_documented(const HttpResponse& response) {
  return {Category::internal, "not_documented",
          "The server answered " + std::to_string(response.status) + " with: " + response.body};
}

Error error_of(const HttpResponse& response) {
  const Json problem = Json::parse(response.body);
  if (problem["code"].text().empty()) return not_documented(response);
  std::vector<Fault> faults;
  for (const Json& fault : problem["errors"].items())
    faults.push_back({fault["pointer"].text(), fault["code"].text(), fault["message"].text()});
  int wait = 0;
  const std::string retry_after = response.field("Retry-After");
  std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), wait);
  return Error(category_of(response.status), problem["code"].text(), problem["detail"].text())
      .with_faults(std::move(faults), problem["more"].boolean())
      .with_retry_after(std::chrono::seconds(wait));
}

}  // namespace

User::User(const std::string& url, const api::Executor& executor, std::string email, std::string token,
           auth::UserId id)
    : executor_(&executor),
      http_(std::make_unique<HttpConnection>(url)),
      email_(std::move(email)),
      token_(std::move(token)),
      id_(id) {}
User::User(User&&) noexcept = default;
User::~User() = default;

HttpResponse User::request(std::string_view method, std::string_view target, std::string_view body,
                           HttpFields fields) {
  if (!token_.empty()) fields.emplace_back("Authorization", "Bearer " + token_);
  if (!body.empty() &&
      std::ranges::none_of(fields, [](auto& field) { return field.first == "Content-Type"; }))
    fields.emplace_back("Content-Type", "application/json");
  last_ = http_->request(method, target, fields, body);
  return last_;
}

void User::refuse_condition(bool restricted) {
  if (restricted)
    throw std::logic_error(
        "User::call: say the version in the options (if_match), not in the input's if_match");
}

Result<void> User::call_erased(std::string_view name, const TypeInfo* input_type, const void* input,
                               const TypeInfo* output_type, void* output, const UserCallOptions& options) {
  const api::Operation* operation = executor_->find(name);
  const auto refuse = [name](const char* why) {
    throw std::logic_error("User::call: the operation " + std::string(name) + " " + why);
  };
  if (!operation) refuse("does not exist in this program");
  if (operation->input != input_type) refuse("takes another input");
  if (operation->output != output_type) refuse("answers another type");
  if (!operation->attributes.find<api::RouteOf>()) refuse("is not reached by HTTP");

  const RequestOf request_of(*operation, input);
  HttpFields fields = options.fields;
  if (!options.idempotency_key.empty()) fields.emplace_back("Idempotency-Key", options.idempotency_key);
  if (options.if_match) fields.emplace_back("If-Match", "\"" + std::to_string(*options.if_match) + "\"");
  const HttpResponse response = request(api::verb_name(api::route_of(*operation).route.verb),
                                        request_of.target, request_of.body, std::move(fields));
  if (response.status < 200 || response.status > 299) return std::unexpected(error_of(response));
  if (!output_type || response.status == 204) return {};
  Faults faults;
  JsonLimits limits;
  limits.view = View::output;
  const Result<void> read = read_json(response.body, *output_type, output, faults, limits);
  if (!read || !faults.empty()) return std::unexpected(not_documented(response));
  return {};
}

}  // namespace bedplate::testing
