// SPDX-License-Identifier: Apache-2.0
// Walks a TOML document as a configuration: sections, and values in the form that descriptions read.
//
// The visitor says of every table whether it is a section to enter or a value to hand over; values arrive as
// JSON text, which the readers of bedplate/describe take. https://toml.io/en/v1.0.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bedplate/base/result.h"

namespace bedplate::config {

enum class TableIs : std::uint8_t {
  section,  ///< Enter it: its keys follow.
  value,    ///< Hand it over as one value.
  skipped,  ///< Nothing: the visitor has dealt with it.
};

class TomlVisitor {
 public:
  virtual ~TomlVisitor() = default;
  /// `path` is the dotted key from the root; parts that are not bare keys are quoted in it. Lines count
  /// from 1.
  virtual TableIs on_table(std::string_view path, unsigned line) = 0;
  virtual void on_value(std::string_view path, unsigned line, std::string_view json) = 0;
  /// The value has no JSON form (inf, nan); `why` completes "the value ...".
  virtual void on_bad_value(std::string_view path, unsigned line, std::string_view why) = 0;
};

/// Category::malformed, `config_malformed`, with "LINE:COLUMN: what is wrong" when `text` is not TOML; the
/// visitor has then seen nothing.
Result<void> walk_toml(std::string_view text, TomlVisitor& visitor);

}  // namespace bedplate::config
