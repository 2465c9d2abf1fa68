// SPDX-License-Identifier: Apache-2.0
// The head of a request and what it means: any bytes. A prefix never contradicts the whole.
#include <cstdlib>
#include <string_view>

#include "bedplate/http/message/framing.h"
#include "bedplate/http/message/parser.h"

using namespace bedplate::http;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const HeadLimits limits{256, 1024, 16};
  static RequestHead head;
  const HeadParse half = parse_head(bytes.substr(0, size / 2), limits, head);
  const HeadParse whole = parse_head(bytes, limits, head);
  if (half.state == ParseState::complete && (whole.state != ParseState::complete || whole.size != half.size))
    std::abort();
  if (half.state == ParseState::bad && whole.state == ParseState::complete) std::abort();
  if (whole.state != ParseState::complete) return 0;
  if (whole.size > size || head.fields.size() > limits.header_count_max) std::abort();
  for (const Field& field : head.fields)
    if (!is_token(field.name) || !is_field_value(field.value)) std::abort();
  Framing framing;
  if (!read_framing(head, framing) && framing.body == BodyKind::chunked && head.has(FieldId::content_length))
    std::abort();
  return 0;
}
