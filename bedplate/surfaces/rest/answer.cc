// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/answer.h"

#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/http/message/etag.h"
#include "bedplate/http/message/url.h"
#include "bedplate/surfaces/rest/conditions.h"
#include "bedplate/surfaces/rest/page_links.h"

namespace bedplate::api {
namespace {

constexpr std::string_view kJson = "application/json";

void write_body(RequestContext& exchange, const void* output) {
  const Operation& operation = exchange.operation();
  Faults faults;
  Buffer& body = exchange.response.body();
  body.clear();
  exchange.response.set_field(http::FieldId::content_type, kJson);
  if (write_json(body, *operation.output, output, View::output, &faults)) return;
  for (const Fault& fault : faults.list())
    log_error(
        "an answer holds a value without a JSON form; null stands in its place",
        {{"operation", operation.name}, {"pointer", fault.pointer}, {"request_id", exchange.id.view()}});
}

}  // namespace

void write_answer(RequestContext& exchange, void* output) {
  const Operation& operation = exchange.operation();
  http::Response& response = exchange.response;
  const RouteOf& route = exchange.endpoint->route;
  response.set_status(route.status);
  if (!route.compressed || operation.secret) response.forbid_compression();
  if (output == nullptr) return;
  char text[kEtagSizeMax];
  const std::string_view etag = write_etag(operation, output, text);
  if (!etag.empty()) response.set_field(http::FieldId::etag, etag);
  if (is_read(exchange) && exchange.request.has_field(http::FieldId::if_none_match) &&
      http::if_none_match(exchange.request.field_list(http::FieldId::if_none_match), etag)) {
    response.set_status(304);
    response.set_field(http::FieldId::content_type, kJson);  // not sent: it decides the Vary
    return;
  }
  if (!route.location.empty())
    response.set_field(http::FieldId::location, fill_path(route.location, *operation.output, output));
  if (route.status == 204) return;
  if (operation.page_parts)
    fill_links(operation.page_parts(output), exchange.path(), exchange.request.query());
  write_body(exchange, output);
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
