// SPDX-License-Identifier: Apache-2.0
// TOML 1.0 (https://toml.io/en/v1.0.0), whole: every kind of key, string, number, date, table and array.
//
//   Result<TomlNode> document = parse_toml(text);
//   for (const TomlNode& member : document->members) use(member.key, member.line);
//
// A reader of our own because a mistake in a configuration must be told with its line whatever it is: see
// docs/decisions/0025-own-toml-parser.md. Bounded: kTomlSizeMax, kTomlDepthMax and kTomlNodesMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"

namespace bedplate::config {

inline constexpr std::size_t kTomlSizeMax = 1U << 20U;
inline constexpr unsigned kTomlDepthMax = 64;  ///< Parts of a key, and nested arrays and inline tables.
inline constexpr std::size_t kTomlNodesMax = 20'000;  ///< Values and tables of a document.

struct TomlNode {
  enum class Kind : std::uint8_t { scalar, array, table };
  /// What made a table or an array decides what may still add to it.
  enum class MadeBy : std::uint8_t {
    value,        ///< written as a value: complete
    dotted_key,   ///< by a dotted key: further dotted keys beside it may add to it
    path,         ///< on the way to a header's table: a header may still define it
    header,       ///< by its [header]
    array_header  ///< by [[headers]]: each adds one
  };

  Kind kind = Kind::scalar;
  MadeBy made_by = MadeBy::value;
  unsigned line = 0;  ///< Of its key, or of the value itself in an array. From 1.
  std::string key;    ///< In a table.
  std::string json;   ///< Of a scalar: dates as strings. Empty for inf and nan, which JSON does not have.
  std::vector<TomlNode> members;  ///< Of an array or a table, in the order of the document.

  TomlNode* find(std::string_view name);
};

/// The root table. Category::malformed, `config_malformed`, with "LINE:COLUMN: what is wrong".
Result<TomlNode> parse_toml(std::string_view text);

}  // namespace bedplate::config
