// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/query.h"

#include <algorithm>
#include <utility>

namespace bedplate::search {
namespace {

// A term as it was typed.
struct Term {
  std::string_view text;
  bool prefix = false;
  bool excluded = false;
};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Reads the term at `at`, which is not a space, and moves past it.
Term next_term(std::string_view text, std::size_t& at) {
  Term term;
  if (text[at] == '-') {
    term.excluded = true;
    ++at;
  }
  if (at < text.size() && text[at] == '"') {
    const std::size_t end = std::min(text.find('"', at + 1), text.size());
    term.text = text.substr(at + 1, end - at - 1);
    at = std::min(end + 1, text.size());
    if (at < text.size() && text[at] == '*') ++at, term.prefix = true;
  } else {
    const std::size_t begin = at;
    while (at < text.size() && !is_space(text[at]) && text[at] != '"') ++at;
    term.text = text.substr(begin, at - begin);
    term.prefix = term.text.ends_with('*');
  }
  return term;
}

Phrase analyse(analysis::Analyzer& analyzer, const Term& term) {
  Phrase phrase;
  phrase.prefix = term.prefix;
  phrase.excluded = term.excluded;
  std::string last;  // as it is written
  analyzer.each(term.text, [&](analysis::Word& word) {
    const auto forms = word.query_forms();
    phrase.words.emplace_back(forms.begin(), forms.end());
    last = word.exact;
    return phrase.words.size() <= kQueryWordsMax;
  });
  if (phrase.prefix && !phrase.words.empty()) phrase.words.back() = {std::move(last)};
  return phrase;
}

static_assert(kQueryWordsMax == 32 && kQuerySizeMax == 1000, "kSearchTooLong says so");

}  // namespace

bool Query::excludes_only() const {
  return std::ranges::all_of(phrases_, &Phrase::excluded);
}

Result<Query> parse_query(std::string_view text, Language language) {
  if (text.size() > kQuerySizeMax) return fail(kSearchTooLong);
  Query query;
  query.language_ = language;
  analysis::Analyzer analyzer(language);
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (is_space(text[at])) {
      ++at;
      continue;
    }
    Phrase phrase = analyse(analyzer, next_term(text, at));
    count += phrase.words.size();
    if (count > kQueryWordsMax) return fail(kSearchTooLong);
    if (!phrase.words.empty()) query.phrases_.push_back(std::move(phrase));
  }
  return query;
}

}  // namespace bedplate::search
