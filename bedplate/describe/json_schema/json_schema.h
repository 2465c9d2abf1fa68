// SPDX-License-Identifier: Apache-2.0
// JSON Schema (draft 2020-12), read at run time: for data whose shape is not known when the program is compiled. Where
// it is known, describe a struct (describe.h).
//
//   Result<JsonSchema> schema = JsonSchema::compile(R"({"type": "object", "required": ["name"],
//                                                       "properties": {"name": {"type": "string", "minLength": 1}}})");
//   Result<void> fits = schema->check(R"({"name": ""})");      // validation_failed; its faults: /name too_short
//
// Every fault is reported at once with its JSON Pointer and one of the codes of faults.h; where alternatives are tried
// (anyOf, oneOf, not, contains, if), only that none fits (`no_match`).
//
// Keywords: type enum const; properties patternProperties additionalProperties propertyNames required minProperties
// maxProperties dependentRequired dependentSchemas; items prefixItems contains minContains maxContains minItems
// maxItems uniqueItems; minLength maxLength (in code points) pattern format; minimum maximum exclusiveMinimum
// exclusiveMaximum multipleOf; allOf anyOf oneOf not if/then/else; $defs, $anchor, $ref to a place in the same schema
// ("#", "#/$defs/name", "#anchor").
//
// - Numbers are compared exactly, whatever their size: 1.0 is an integer and equal to 1.
// - pattern is RE2's language, without look-around and back references, so its time is linear in the text. A pattern
//   that RE2 does not read is refused.
// - format is checked for what schema::format has (email, uri, uuid, date-time, date, hostname, ipv4, ipv6); other
//   formats are annotations, as the specification has it.
// - Unknown keywords are annotations. Those of the specification that would change what is valid and are not here
//   ($dynamicRef, unevaluatedProperties, unevaluatedItems, ...), another $schema, an $id inside, references to
//   elsewhere: compile() refuses them by name, rather than let pass what the author forbade.
// - Bounded: kSchemaBytesMax of schema; references that come back to where they began without going into the value are
//   refused; a check takes at most kChecksMax steps and is Category::invalid `too_complex` past them.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "bedplate/base/result.h"

namespace bedplate {

namespace detail {
struct CompiledSchema;
}

/// Immutable, cheap to copy, shared by all threads.
class JsonSchema {
 public:
  static constexpr std::size_t kSchemaBytesMax = 256 << 10;
  static constexpr std::size_t kChecksMax = 2'000'000;
  static constexpr unsigned kDepthMax = 64;  ///< nested objects and lists, in schemas and values

  /// Category::invalid `schema_invalid`: each fault with its place in the schema. Category::malformed: no JSON.
  static Result<JsonSchema> compile(std::string_view text);

  /// Category::malformed when it is no JSON, Category::invalid `validation_failed` with the faults when it does not
  /// fit.
  Result<void> check(std::string_view json) const;

 private:
  explicit JsonSchema(std::shared_ptr<const detail::CompiledSchema> compiled)
      : compiled_(std::move(compiled)) {}
  std::shared_ptr<const detail::CompiledSchema> compiled_;
};

}  // namespace bedplate
