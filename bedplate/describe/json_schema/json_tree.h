// SPDX-License-Identifier: Apache-2.0
// A JSON text as a tree, for what has no type: values that a schema of the run time describes. Not for callers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/describe/json_schema/decimal.h"

namespace bedplate::detail {

/// A value takes some 150 bytes, however short its text.
inline constexpr std::size_t kJsonNodesMax = 200'000;

struct JsonNode {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  struct Member;

  Kind kind = Kind::null;
  bool boolean = false;
  Decimal number;
  std::string string;
  std::vector<JsonNode> items;
  std::vector<Member> members;  ///< by name, in the order of bytes; no name twice

  /// Null when there is none.
  const JsonNode* find(std::string_view name) const;
};

struct JsonNode::Member {
  std::string name;
  JsonNode value;
};

/// Grammar as read_json() has it, with its error. A name given twice in one object is malformed too, and so are more
/// than kJsonNodesMax values.
Result<JsonNode> parse_json_tree(std::string_view text, unsigned depth_max);

/// A text that is the same for values that JSON Schema takes for equal: 1 and 1.0, members in any order.
std::string canonical(const JsonNode& node);

}  // namespace bedplate::detail
