// SPDX-License-Identifier: Apache-2.0
// What people type into a search box.
//
//   Result<Query> query = parse_query("milk \"two litres\" choc* -blue", Language::english);
//
// - Words must all occur, in any field: `milk bread`. Inflections count as the word (analysis/analyzer.h).
// - "two litres": these words one after another. Punctuation inside a word does the same: `e-mail` is "e mail".
// - `choc*`: words that begin so, as they are written. "two lit"*: the last word of the phrase begins so.
// - `-blue`, `-"light blue"`, `-blu*`: texts with it are left out. A query of nothing else finds all other texts.
// - Anything else separates words. So no input is a syntax error, and none reaches an engine's own syntax: what
//   it is asked consists of words that the analyzer made, letters and numbers.
// - Nothing to look for (spaces, punctuation) finds nothing.
//
// Bounded: kQuerySizeMax bytes and kQueryWordsMax words; more is kSearchTooLong, which an operation declares.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/search/analysis/analyzer.h"

namespace bedplate::search {

using analysis::Language;

inline constexpr std::size_t kQuerySizeMax = 1000;
inline constexpr std::size_t kQueryWordsMax = 32;

inline constexpr ErrorCode kSearchTooLong{Category::invalid, "search_too_long",
                                          "A search has at most 32 words in 1000 bytes."};

/// Words that stand one after another; mostly one.
struct Phrase {
  /// For each place the forms that do there, one or two: letters and numbers only.
  std::vector<std::vector<std::string>> words;
  bool prefix = false;    ///< the last word may go on
  bool excluded = false;  ///< no text with it
};

/// A query, analysed for one language. Made by parse_query() alone, so what is in it is clean.
class Query {
 public:
  /// Matches nothing.
  bool empty() const { return phrases_.empty(); }
  /// It only says what not to find.
  bool excludes_only() const;
  std::span<const Phrase> phrases() const { return phrases_; }
  Language language() const { return language_; }

 private:
  friend Result<Query> parse_query(std::string_view text, Language language);

  std::vector<Phrase> phrases_;
  Language language_ = Language::none;
};

/// `language` is that of the index.
Result<Query> parse_query(std::string_view text, Language language);

}  // namespace bedplate::search
