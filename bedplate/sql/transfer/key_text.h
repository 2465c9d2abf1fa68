// SPDX-License-Identifier: Apache-2.0
// A row's key as text, to be written down and read again: how far a copy has come.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/describe/any_row.h"

namespace bedplate::sql {

/// "b0102|i-5|t6162": a letter for the kind, then digits, or bytes in hexadecimal.
std::string write_key(std::span<const ColumnValue> key);
/// Nothing when it is not what write_key() writes.
std::optional<std::vector<ColumnValue>> read_key(std::string_view text);

}  // namespace bedplate::sql
