// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/highlight.h"

#include <algorithm>
#include <cstdint>
#include <span>

namespace bedplate::search {
namespace {

static_assert(kQueryWordsMax <= 32, "a place has one bit for each word of a query");

// A word of the text: where it is, and which of the query's words it is, one bit each.
struct Place {
  std::size_t begin, end;
  std::uint32_t is = 0;
  bool matched = false;
};

bool is_word(const Phrase& phrase, std::size_t i, analysis::Word& word) {
  if (phrase.prefix && i + 1 == phrase.words.size())
    return std::ranges::any_of(word.document_forms(),
                               [&](std::string_view form) { return form.starts_with(phrase.words[i][0]); });
  for (const std::string& wanted : phrase.words[i])
    if (std::ranges::find(word.document_forms(), wanted) != word.document_forms().end()) return true;
  return false;
}

std::vector<Place> read(std::string_view text, const Query& query) {
  std::vector<Place> places;
  analysis::Analyzer analyzer(query.language());
  analyzer.each(text, [&](analysis::Word& word) {
    Place place{word.begin, word.end};
    unsigned bit = 0;
    for (const Phrase& phrase : query.phrases())
      for (std::size_t i = 0; i < phrase.words.size(); ++i, ++bit)
        if (!phrase.excluded && is_word(phrase, i, word)) place.is |= std::uint32_t{1} << bit;
    places.push_back(place);
    return true;
  });
  return places;
}

// Marks the words that stand as a phrase does: bits one after another in places one after another.
void mark(std::span<Place> places, const Query& query) {
  unsigned first = 0;
  for (const Phrase& phrase : query.phrases()) {
    const std::size_t size = phrase.words.size();
    for (std::size_t at = 0; !phrase.excluded && at + size <= places.size(); ++at) {
      std::size_t i = 0;
      while (i < size && (places[at + i].is >> (first + i) & 1) != 0) ++i;
      if (i == size)
        for (Place& place : places.subspan(at, size)) place.matched = true;
    }
    first += static_cast<unsigned>(size);
  }
}

std::vector<Place> marked_places(std::string_view text, const Query& query) {
  std::vector<Place> places = read(text, query);
  mark(places, query);
  return places;
}

void append_escaped(std::string& out, std::string_view text) {
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

// Matched words of neighbouring places are one match with what is between them when only a space or so is.
std::vector<Match> matches_of(std::span<const Place> places) {
  std::vector<Match> matches;
  bool before = false;
  for (const Place& place : places) {
    if (place.matched && before)
      matches.back().end = place.end;
    else if (place.matched)
      matches.push_back({place.begin, place.end});
    before = place.matched;
  }
  return matches;
}

void append_marked(std::string& out, std::string_view text, std::size_t begin, std::size_t end,
                   std::span<const Match> matches) {
  for (const Match& match : matches) {
    append_escaped(out, text.substr(begin, match.begin - begin));
    out += "<mark>";
    append_escaped(out, text.substr(match.begin, match.end - match.begin));
    out += "</mark>";
    begin = match.end;
  }
  append_escaped(out, text.substr(begin, end - begin));
}

// The window of `size` places with the most matched words; of equals the first that begins a little before a match.
std::size_t best_window(std::span<const Place> places, std::size_t size) {
  std::size_t best = 0;
  std::size_t best_count = 0;
  std::size_t count = 0;
  for (std::size_t end = 0; end < places.size(); ++end) {
    if (places[end].matched) ++count;
    if (end >= size && places[end - size].matched) --count;
    if (count > best_count) {
      best_count = count;
      best = end + 1 >= size ? end + 1 - size : 0;
    }
  }
  if (best_count == 0) return 0;
  // It ends at a match now: shift it so that as much stands before the first as after the last.
  std::size_t first = best;
  while (first < places.size() && !places[first].matched) ++first;
  const std::size_t shift = (first - best) / 2;
  return std::min(best + shift, places.size() - size);
}

}  // namespace

std::vector<Match> find_matches(std::string_view text, const Query& query) {
  return matches_of(marked_places(text, query));
}

std::string highlight_html(std::string_view text, const Query& query) {
  std::string out;
  append_marked(out, text, 0, text.size(), find_matches(text, query));
  return out;
}

std::string snippet_html(std::string_view text, const Query& query, std::size_t words_max) {
  const std::vector<Place> places = marked_places(text, query);
  words_max = std::max<std::size_t>(words_max, 1);
  if (places.size() <= words_max) {
    std::string whole;
    append_marked(whole, text, 0, text.size(), matches_of(places));
    return whole;
  }
  const std::size_t first = best_window(places, words_max);
  const auto window = std::span(places).subspan(first, words_max);
  const bool from_start = first == 0;
  const bool to_end = first + words_max == places.size();
  std::string out = from_start ? "" : "… ";
  append_marked(out, text, from_start ? 0 : window.front().begin, to_end ? text.size() : window.back().end,
                matches_of(window));
  if (!to_end) out += " …";
  return out;
}

}  // namespace bedplate::search
