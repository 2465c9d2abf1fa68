// SPDX-License-Identifier: Apache-2.0
// Values as TOML text: what is printed can be pasted into a configuration file.
#pragma once

#include <string>
#include <string_view>

#include "bedplate/describe/describe.h"

namespace bedplate::config {

/// Appends the value: a string in quotes, a list in brackets, a map or struct as an inline table. False, with
/// nothing appended, when it has no value (an empty optional).
bool append_toml(std::string& out, const TypeInfo& type, const void* value);
void append_toml_string(std::string& out, std::string_view text);

}  // namespace bedplate::config
