// SPDX-License-Identifier: Apache-2.0
// A row's key as text, to be written down and read again: how far a copy has come.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/describe/any_row.h"
#include "bedplate/sql/transfer/table_shape.h"

namespace bedplate::sql {

/// "b0102|i-5|t6162": a letter for the kind, then digits, or bytes in hexadecimal.
std::string write_key(std::span<const ColumnValue> key);
/// Nothing when it is not what write_key() writes.
std::optional<std::vector<ColumnValue>> read_key(std::string_view text);

/// A row's key for a person: {"owner":"019aa5b8-3c00-7d2e-9c44-0a6b3f1d2e5c","number":5}. `key` in the order of the
/// table's primary key; bytes that are no uuid are written in hexadecimal.
std::string json_of_key(const TableShape& table, std::span<const ColumnValue> key);

}  // namespace bedplate::sql
