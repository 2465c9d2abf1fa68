// SPDX-License-Identifier: Apache-2.0
// Schemas come from who runs the application, values from anybody. The first line is the schema, the rest the value:
// nothing crashes, takes long or is read past its end, and what fits once fits again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bedplate/describe/json_schema/json_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const Result<JsonSchema> schema = JsonSchema::compile(text.substr(0, line));
  if (!schema) {
    if (schema.error().category() == Category::invalid && schema.error().faults().empty()) std::abort();
    return 0;
  }
  const std::string_view value = text.substr(line + 1);
  const Result<void> once = schema->check(value);
  const Result<void> again = schema->check(value);
  if (once.has_value() != again.has_value()) std::abort();
  if (!once && once.error().code() == "validation_failed" && once.error().faults().empty()) std::abort();
  return 0;
}
