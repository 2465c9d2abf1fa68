// SPDX-License-Identifier: Apache-2.0
// A schema, read: what JsonSchema holds. Not for callers.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/describe/json_schema/json_tree.h"
#include "bedplate/describe/table.h"

namespace bedplate::detail {

/// Which of CompiledSchema::nodes.
using SchemaIndex = std::uint32_t;
inline constexpr SchemaIndex kNoSchema = std::numeric_limits<SchemaIndex>::max();

struct CountRange {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

/// A bit for each JsonNode::Kind, and one for whole numbers alone.
inline constexpr std::uint8_t kWholeNumber = 1 << 6;

struct SchemaNode {
  bool nothing = false;  ///< the schema `false`
  std::uint8_t types = 0;
  std::string types_sentence;
  std::vector<std::vector<std::string>> one_of;  ///< enum, const: canonical texts, sorted

  CountRange length, items_count, members_count;
  std::optional<Decimal> minimum, maximum, above, below, multiple_of;
  std::shared_ptr<const re2::RE2> pattern;
  TextFormat format = TextFormat::none;
  bool unique = false;

  std::vector<std::pair<std::string, SchemaIndex>> properties;  ///< by name
  std::vector<std::pair<std::shared_ptr<const re2::RE2>, SchemaIndex>> pattern_properties;
  SchemaIndex additional = kNoSchema, property_names = kNoSchema;
  std::vector<std::string> required;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
  std::vector<std::pair<std::string, SchemaIndex>> dependent_schemas;

  std::vector<SchemaIndex> prefix;
  SchemaIndex items = kNoSchema, contains = kNoSchema;
  CountRange contained{1};

  SchemaIndex ref = kNoSchema;
  std::vector<SchemaIndex> all_of, any_of, one_of_schemas;
  SchemaIndex negated = kNoSchema, condition = kNoSchema, then = kNoSchema, otherwise = kNoSchema;
};

struct CompiledSchema {
  std::vector<SchemaNode> nodes;  ///< the first is the whole
};

Result<CompiledSchema> compile_schema(std::string_view text);
Result<void> check_schema(const CompiledSchema& schema, std::string_view json);

}  // namespace bedplate::detail
