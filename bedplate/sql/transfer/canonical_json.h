// SPDX-License-Identifier: Apache-2.0
// One text for every way to write a JSON value: without spaces, members sorted by name, numbers as a double prints
// shortest (integers of 64 bits exactly). PostgreSQL's jsonb keeps none of the original spelling, so texts are compared
// in this form. Not RFC 8785 (that sorts by UTF-16), and never stored or sent.
#pragma once

#include <string>
#include <string_view>

namespace bedplate::sql {

/// `text` itself when it is not JSON, or beyond the limits of the JSON reader.
std::string canonical_json(std::string_view text);

}  // namespace bedplate::sql
