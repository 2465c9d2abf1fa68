// SPDX-License-Identifier: Apache-2.0
#include "bedplate/api/rest/answer.h"

#include <optional>

#include "bedplate/base/log.h"
#include "bedplate/base/text.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/http/message/content.h"
#include "bedplate/http/message/etag.h"
#include "bedplate/http/message/url.h"

namespace bedplate::api {
namespace {

bool is_read(const http::Request& request) {
  return request.method() == http::Method::get || request.method() == http::Method::head;
}

/// `"7"` into `text`, which has room.
std::string_view write_etag(std::int64_t version, char* text) {
  char* end = text;
  *end++ = '"';
  end = write_int(end, version);
  *end++ = '"';
  return {text, static_cast<std::size_t>(end - text)};
}

/// True: the client has this version already, and the answer is 304.
bool set_etag(Exchange& exchange, const void* output) {
  const Operation& operation = exchange.operation();
  char text[kIntSizeMax + 2];
  std::string_view etag = write_etag(operation.version_of(output), text);
  exchange.response.set_field(http::FieldId::etag, etag);
  if (!is_read(exchange.request) || !exchange.request.has_field(http::FieldId::if_none_match)) return false;
  return http::if_none_match(exchange.request.field_list(http::FieldId::if_none_match), etag);
}

void write_body(Exchange& exchange, const void* output) {
  const Operation& operation = exchange.operation();
  Faults faults;
  Buffer& body = exchange.response.body();
  body.clear();
  exchange.response.set_field(http::FieldId::content_type, "application/json");
  if (write_json(body, *operation.output, output, View::output, &faults)) return;
  for (const Fault& fault : faults.list())
    log_error(
        "an answer holds a value without a JSON form; null stands in its place",
        {{"operation", operation.name}, {"pointer", fault.pointer}, {"request_id", exchange.id.view()}});
}

}  // namespace

void write_answer(Exchange& exchange, void* output) {
  const Operation& operation = exchange.operation();
  http::Response& response = exchange.response;
  response.set_status(operation.status);
  if (!operation.compressed) response.forbid_compression();
  if (output == nullptr) return;
  if (operation.version_of && set_etag(exchange, output)) {
    response.set_status(304);
    return;
  }
  if (!operation.location.empty())
    response.set_field(http::FieldId::location, fill_path(operation.location, *operation.output, output));
  if (operation.status == 204) return;
  if (operation.fill_page_links) operation.fill_page_links(output, exchange.path(), exchange.request.query());
  write_body(exchange, output);
}

Result<void> take_if_match(Exchange& exchange, void* input) {
  http::Request& request = exchange.request;
  if (!request.has_field(http::FieldId::if_match)) return {};
  std::string_view list = request.field_list(http::FieldId::if_match);
  const Operation& operation = exchange.operation();
  if (!operation.set_if_match) {
    if (is_read(request) || list == "*") return {};
    return bedplate::fail(Category::precondition_failed, "if_match_not_supported",
                          "This operation does not compare versions; send the request without If-Match.");
  }
  if (list == "*") return {};
  std::vector<std::int64_t> versions;
  for (std::string_view member = http::next_list_member(list); !member.empty();
       member = http::next_list_member(list)) {
    std::optional<http::EntityTag> tag = http::parse_etag(member);
    if (!tag)
      return bedplate::fail(Category::malformed, "malformed_if_match",
                            "If-Match is * or a list of entity tags.");
    // A weak tag never matches here (strong comparison); a tag that is no version of ours cannot.
    std::optional<std::uint64_t> version = tag->weak ? std::nullopt : http::etag_version(member);
    if (version) versions.push_back(static_cast<std::int64_t>(*version));
  }
  operation.set_if_match(input, IfMatch(std::move(versions)));
  return {};
}

std::string fill_path(std::string_view pattern, const TypeInfo& type, const void* value) {
  std::string path;
  while (!pattern.empty()) {
    std::size_t open = pattern.find('{');
    path += pattern.substr(0, open);
    if (open == std::string_view::npos) break;
    std::size_t close = pattern.find('}', open);
    const FieldInfo* field = type.object().find(pattern.substr(open + 1, close - open - 1));
    std::string text;
    if (field) write_text(text, *field->type, field->in(value));
    http::percent_encode(text, path);
    pattern.remove_prefix(close + 1);
  }
  return path;
}

}  // namespace bedplate::api
