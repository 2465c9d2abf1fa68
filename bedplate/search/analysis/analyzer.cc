// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/analysis/analyzer.h"

#include <libstemmer.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "bedplate/unicode/fold.h"
#include "bedplate/unicode/unicode_tables.h"

namespace bedplate::search::analysis {
namespace {

using unicode::append_folded;
using unicode::append_utf8;
using unicode::CodePoint;
using unicode::decode;
using unicode::is_ascii;
using unicode::kLower;
using unicode::kUnspaced;
using unicode::kWordSpans;

constexpr std::string_view kNames[] = {
    "none",    "arabic",     "armenian", "basque",    "catalan",    "danish",    "dutch",      "english",
    "finnish", "french",     "german",   "greek",     "hindi",      "hungarian", "indonesian", "irish",
    "italian", "lithuanian", "nepali",   "norwegian", "portuguese", "romanian",  "russian",    "serbian",
    "spanish", "swedish",    "tamil",    "turkish",   "yiddish"};

// Letters of ASCII in lower case, digits; 0 for what separates words.
constexpr std::array<char, 128> kAsciiWord = [] {
  std::array<char, 128> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = c;
  for (char c = 'a'; c <= 'z'; ++c) {
    table[static_cast<std::size_t>(c)] = c;
    table[static_cast<std::size_t>(c) - 'a' + 'A'] = c;
  }
  return table;
}();

char ascii_word(char c) {
  return kAsciiWord[static_cast<unsigned char>(c)];
}

}  // namespace

std::optional<Language> language_of(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Language>(found - kNames);
}

std::string_view name_of(Language language) {
  return kNames[static_cast<std::size_t>(language)];
}

std::span<const std::string_view> Word::document_forms() {
  std::size_t count = 0;
  forms_[count++] = exact;
  if (stem != exact) forms_[count++] = stem;
  if (plain_stem != exact && plain_stem != stem) forms_[count++] = plain_stem;
  return {forms_, count};
}

std::span<const std::string_view> Word::query_forms() {
  std::size_t count = 0;
  forms_[count++] = stem;
  if (plain_stem != stem) forms_[count++] = plain_stem;
  return {forms_, count};
}

Analyzer::Analyzer(Language language) {
  if (language != Language::none) stemmer_ = sb_stemmer_new(name_of(language).data(), "UTF_8");
}

Analyzer::~Analyzer() {
  if (stemmer_) sb_stemmer_delete(stemmer_);
}

bool Analyzer::next(Word& word) {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (is_ascii(c)) {
      if (ascii_word(c) != 0) return read_ascii(word);
      ++at_;
      continue;
    }
    const CodePoint point = decode(text_.data() + at_, text_.data() + text_.size());
    if (point.size != 0 && find_range(kWordSpans, point.value)) {
      exact_.clear();
      lower_.clear();
      stems_ = true;
      word.begin = at_;
      if (read_unicode(word)) return true;
    } else {
      at_ += std::max(point.size, 1U);
    }
  }
  return false;
}

// Most words are ASCII to their end; the rest of the others is read_unicode()'s.
bool Analyzer::read_ascii(Word& word) {
  exact_.clear();
  stems_ = true;
  word.begin = at_;
  for (; at_ < text_.size() && is_ascii(text_[at_]); ++at_) {
    const char c = ascii_word(text_[at_]);
    if (c == 0) break;
    if (c <= '9') stems_ = false;
    if (exact_.size() < kWordSizeMax) exact_ += c;
  }
  if (at_ < text_.size() && !is_ascii(text_[at_])) {
    lower_ = exact_;
    return read_unicode(word);
  }
  word.end = at_;
  finish(word, true);
  return true;
}

// Goes on with the word at hand, whose beginning stands in exact_ and lower_. False: nothing is left of it but marks
// that do not count.
bool Analyzer::read_unicode(Word& word) {
  const char* const end = text_.data() + text_.size();
  while (at_ < text_.size()) {
    const CodePoint point = decode(text_.data() + at_, end);
    if (point.size == 0) break;
    const bool fits = exact_.size() + 8 <= kWordSizeMax && lower_.size() + 8 <= kWordSizeMax;
    if (point.size == 1) {
      const char c = ascii_word(text_[at_]);
      if (c == 0) break;
      if (c <= '9') stems_ = false;
      if (fits) exact_ += c, lower_ += c;
    } else {
      if (!find_range(kWordSpans, point.value)) break;
      const bool stands_alone = find_range(kUnspaced, point.value) != nullptr;
      if (stands_alone && at_ != word.begin) break;
      if (fits) {
        append_folded(exact_, point.value);
        append_utf8(lower_, moved(kLower, point.value));
      }
      if (stands_alone) {
        at_ += point.size;
        break;
      }
    }
    at_ += point.size;
  }
  word.end = at_;
  if (exact_.empty()) return false;
  finish(word, false);
  return true;
}

void Analyzer::finish(Word& word, bool ascii) {
  word.exact = word.stem = word.plain_stem = exact_;
  if (!stemmer_ || !stems_) return;
  stem(exact_, plain_stem_);
  word.stem = word.plain_stem = plain_stem_;
  if (ascii || lower_ == exact_) return;
  stem(lower_, stem_with_accents_);
  stem_.clear();
  append_folded(stem_, stem_with_accents_);
  if (!stem_.empty()) word.stem = stem_;
}

void Analyzer::stem(std::string_view word, std::string& to) {
  const auto* symbols = reinterpret_cast<const sb_symbol*>(word.data());
  const sb_symbol* stemmed = sb_stemmer_stem(stemmer_, symbols, static_cast<int>(word.size()));
  if (!stemmed || sb_stemmer_length(stemmer_) == 0)
    to = word;  // out of memory, or a stemmer that leaves nothing: the word itself
  else
    to.assign(reinterpret_cast<const char*>(stemmed), static_cast<std::size_t>(sb_stemmer_length(stemmer_)));
}

}  // namespace bedplate::search::analysis
