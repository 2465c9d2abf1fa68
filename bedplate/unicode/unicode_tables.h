// SPDX-License-Identifier: Apache-2.0
// What Unicode says of letters, as far as finding words needs it: tables, made by tools/unicode_tables.py.
#pragma once

#include <cstdint>
#include <span>

namespace bedplate::unicode {

/// Code points from `first` to `last`.
struct Span {
  char32_t first, last;
};
/// Every `step`-th code point from `first` to `last` becomes itself plus `delta`.
struct Move {
  char32_t first, last;
  std::uint32_t step;
  std::int32_t delta;
};
/// A code point that becomes none, or several.
struct Expansion {
  char32_t from;
  const char* to;  ///< UTF-8
};

// Ascending, beyond ASCII, each searched by halves.
extern const std::span<const Span> kWordSpans;        ///< letters, numbers, marks
extern const std::span<const Span> kUnspaced;         ///< scripts without spaces: each character is a word
extern const std::span<const Move> kLower;            ///< lower case, accents kept
extern const std::span<const Move> kFold;             ///< without case, accents, compatibility forms
extern const std::span<const Expansion> kExpansions;  ///< the same, where it is not one for one

}  // namespace bedplate::unicode
