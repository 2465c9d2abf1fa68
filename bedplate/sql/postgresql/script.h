// SPDX-License-Identifier: Apache-2.0
// Where the statements of a script begin, for the line in an error. Private header of the driver.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace bedplate::sql {

/// The offset of each statement's first word. Knows quotes ('', "", $tag$) and comments, which nest; a
/// semicolon in the body of a function in SQL-standard form (BEGIN ATOMIC) counts as an end.
std::vector<std::size_t> statement_starts(std::string_view script);

}  // namespace bedplate::sql
