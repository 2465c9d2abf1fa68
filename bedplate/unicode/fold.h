// SPDX-License-Identifier: Apache-2.0
// Folding: a text without case, accents and compatibility forms, and the key by which such texts are sorted.
//
//   sort_key("Écran")         // "ecran": stored beside the title, and compared byte by byte
//   sort_key("ECRAN plat")    // "ecran plat"
//
// Both engines sort stored keys alike (TEXT on SQLite, TEXT COLLATE "C" on PostgreSQL), whatever locales a server has:
// by code point once the text is folded. That is the order of an index and not that of a dictionary: digits come before
// letters, Latin before Greek before Cyrillic, and no language's own rules (Swedish "å" behind "z") are followed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "bedplate/base/text.h"
#include "bedplate/unicode/unicode_tables.h"

namespace bedplate::unicode {

/// Names the rules of sort_key(). When it changes, stored keys are computed again by a migration of their owner.
inline constexpr int kSortKeyVersion = 1;

/// Longer keys are cut here (whole characters); texts that begin alike for so long are sorted by themselves.
inline constexpr std::size_t kSortKeySizeMax = 256;

/// UTF-8 of at most kSortKeySizeMax bytes. Nothing is trimmed. Texts that differ only by case, accents, composition
/// (NFC or NFD) or compatibility forms have the same key. Bytes that are not UTF-8 have no part in it.
std::string sort_key(std::string_view text);

// ---- For this folder.

void append_folded(std::string& to, char32_t code);
/// Bytes that are not UTF-8 are left out.
void append_folded(std::string& to, std::string_view text);

struct CodePoint {
  char32_t value = 0;
  unsigned size = 0;  ///< in bytes; 0: they are not UTF-8
};
CodePoint decode(const char* p, const char* end);
void append_utf8(std::string& to, char32_t code);

inline bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

/// The entry that holds `code`, or null.
template <class Range>
const Range* find_range(std::span<const Range> table, char32_t code) {
  auto after = std::ranges::upper_bound(table, code, {}, &Range::first);
  if (after == table.begin()) return nullptr;
  const Range& range = *std::prev(after);
  return code <= range.last ? &range : nullptr;
}

/// What `table` makes of `code`; `code` where it says nothing of it.
char32_t moved(std::span<const Move> table, char32_t code);

}  // namespace bedplate::unicode
