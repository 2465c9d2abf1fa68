// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/call_context.h"

#include <charconv>

namespace bedplate::sql {

std::optional<CommitPosition> CommitPosition::parse(std::string_view text) {
  constexpr std::size_t kDigitsMax = 16;
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  for (const char c : text)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
  std::uint64_t position = 0;
  std::from_chars(text.data(), text.data() + text.size(), position, 16);
  return CommitPosition(position);
}

std::string CommitPosition::to_string() const {
  if (empty()) return {};
  char digits[16];
  return {digits, std::to_chars(digits, digits + sizeof digits, position_, 16).ptr};
}

}  // namespace bedplate::sql
