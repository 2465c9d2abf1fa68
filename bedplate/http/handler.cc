// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/handler.h"

#include "bedplate/base/text.h"

namespace bedplate::http {

void ProblemWriter::write_problem(Response& response, int status, std::string_view code,
                                  std::string_view detail) {
  response.set_status(status);
  response.set_field(FieldId::content_type, "application/problem+json");
  Buffer& body = response.body();
  body.clear();
  body.append(R"({"type":"about:blank","title":)");
  append_json_string(body, reason_phrase(status));
  body.append(R"(,"status":)");
  body.advance_to(write_int(body.need(kIntSizeMax), status));
  body.append(R"(,"detail":)");
  append_json_string(body, detail);
  body.append(R"(,"code":)");
  append_json_string(body, code);
  body.append("}");
}

}  // namespace bedplate::http
