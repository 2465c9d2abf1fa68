// The search syntax that users type, and what the full-text index is asked.
#pragma once

#include <string>
#include <string_view>

#include "bedplate/auth/principal.h"

namespace bedplate::tasks {

/// Turns `milk "two litres" sup* -blue` into an FTS5 expression that matches inside the owner's tasks only. Words and
/// phrases must all occur, `word*` matches beginnings, `-` excludes; every other character separates words, so no
/// input is a syntax error. Nothing to look for (only punctuation) matches nothing: an empty string.
std::string search_expression(auth::UserId owner, std::string_view text);

}  // namespace bedplate::tasks
