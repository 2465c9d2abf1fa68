// SPDX-License-Identifier: Apache-2.0
// Numbers, booleans and dates of TOML: what stands in a document without quotes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bedplate::config {

/// How much of the start of `text` belongs to one such value.
std::size_t toml_scalar_size(std::string_view text);

/// Appends the value as JSON: dates and times as strings, nothing for inf and nan. Null when that went well,
/// else what is wrong.
const char* toml_scalar_to_json(std::string_view text, std::string& json);

}  // namespace bedplate::config
