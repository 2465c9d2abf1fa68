// SPDX-License-Identifier: Apache-2.0
// Highlights: finds the words of a query in a text, and puts marks around them.
//
//   std::string html = highlight_html(note.title, query);      // Buy <mark>milk</mark> &amp; bread
//   std::string part = snippet_html(note.body, query);         // "… two litres of <mark>milk</mark>, the …"
//
// The analyzer that filled the index reads the text, so the marks are the matches, on every engine: inflections and
// accents count as the word, and of a phrase only words that occur as that phrase.
//
// Safe to put into a page as they are: the text is escaped (& < > " '), and the marks are the only tags. For other
// formats use find_matches(), which returns positions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/search/query.h"

namespace bedplate::search {

/// Bytes of a text, from `begin` to before `end`; whole characters.
struct Match {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool operator==(const Match&) const = default;
};

/// In order, apart from each other: a phrase is one match. What a query excludes is not looked for.
std::vector<Match> find_matches(std::string_view text, const Query& query);

/// The whole text, escaped, with <mark> around what matched.
std::string highlight_html(std::string_view text, const Query& query);
/// At most `words_max` words of the text, where the most of the query is; "…" where something was left out.
std::string snippet_html(std::string_view text, const Query& query, std::size_t words_max = 30);

}  // namespace bedplate::search
