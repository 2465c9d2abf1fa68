// SPDX-License-Identifier: Apache-2.0
// The head of an answer from any server, and how long its body is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bedplate/http/message/field.h"
#include "bedplate/http/message/response_head.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate::http;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ResponseLimits limits;
  limits.head_size_max = 4096;
  limits.field_count_max = 20;
  ResponseHead head;
  ResponseParse parse = parse_response_head(bytes, limits, head);
  if (parse.state != ParseState::complete) return 0;
  if (parse.size > size || head.status < 100 || head.status > 599) std::abort();
  if (head.fields.size() > limits.field_count_max) std::abort();
  for (const ResponseField& field : head.fields)
    if (!is_token(field.name) || !is_field_value(field.value)) std::abort();
  // Fewer bytes never give another answer.
  ResponseHead shorter;
  if (parse_response_head(bytes.substr(0, parse.size - 1), limits, shorter).state != ParseState::incomplete)
    std::abort();
  static_cast<void>(response_body(head, "GET"));
  static_cast<void>(keeps_connection(head));
  return 0;
}
