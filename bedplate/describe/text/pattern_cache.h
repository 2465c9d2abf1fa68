// SPDX-License-Identifier: Apache-2.0
// Compiled patterns, by their source text. Not for callers.
#pragma once

#include <string_view>

namespace bedplate::detail {

/// Whether `text` has a match of `source`, a pattern of a description with static lifetime (its address is
/// its name). Compiled by RE2 the first time, from then on found without a lock; safe from any thread. A
/// source that does not compile is a bug: it says so and stops the program.
bool matches_pattern(const char* source, std::string_view text);

}  // namespace bedplate::detail
