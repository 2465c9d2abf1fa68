// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/terms.h"

#include <algorithm>

#include "bedplate/base/text.h"
#include "bedplate/search/fts5_tokenizer.h"

namespace bedplate::search {
namespace {

std::string_view bytes_of(const Uuid& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

// Shorter than FTS5's, which SQL can make: a tsvector holds it once a word, FTS5 once a page.
std::string tsvector_key(const Uuid& partition) {
  return to_base64url(bytes_of(partition));
}

void append_fts5(std::string& out, const Phrase& phrase, const std::string& key) {
  out += '"';
  out += kVerbatim;
  for (std::size_t i = 0; i < phrase.words.size(); ++i) {
    if (i > 0) out += ' ';
    for (const std::string& form : phrase.words[i]) {
      if (&form != &phrase.words[i].front()) out += '|';
      out.append(key).append(form);
    }
  }
  out += phrase.prefix ? "\" *" : "\"";
}

void append_tsquery(std::string& out, const Phrase& phrase, const std::string& key) {
  out += '(';
  for (std::size_t i = 0; i < phrase.words.size(); ++i) {
    if (i > 0) out += "<->";
    out += '(';
    for (const std::string& form : phrase.words[i]) {
      if (&form != &phrase.words[i].front()) out += '|';
      out.append(1, '\'').append(key).append(form).append(1, '\'');
    }
    if (phrase.prefix && i + 1 == phrase.words.size()) out += ":*";
    out += ')';
  }
  out += ')';
}

}  // namespace

std::string fts5_key(const Uuid& partition) {
  return to_hex(bytes_of(partition));
}

std::string fts5_partition(const Uuid& partition) {
  return std::string(1, '"') + kVerbatim + fts5_key(partition) + '"';
}

std::string fts5_expression(const Query& query, const Uuid& partition) {
  const std::string key = fts5_key(partition);
  std::string wanted;
  std::string unwanted;
  for (const Phrase& phrase : query.phrases()) {
    std::string& list = phrase.excluded ? unwanted : wanted;
    if (!list.empty()) list += phrase.excluded ? " OR " : " AND ";
    append_fts5(list, phrase, key);
  }
  if (wanted.empty()) wanted = fts5_partition(partition);
  if (unwanted.empty()) return wanted;
  return "(" + wanted + ") NOT (" + unwanted + ")";
}

std::string tsquery(const Query& query, const Uuid& partition) {
  const std::string key = tsvector_key(partition);
  std::string out;
  for (const Phrase& phrase : query.phrases()) {
    if (!out.empty()) out += '&';
    if (phrase.excluded) out += '!';
    append_tsquery(out, phrase, key);
  }
  return out;
}

TsVectorWriter::TsVectorWriter(Language language, const Uuid& partition)
    : analyzer_(language), key_(tsvector_key(partition)) {}

void TsVectorWriter::add(std::string_view text, char weight) {
  ++position_;  // a gap: no phrase reaches from one field into the next
  analyzer_.start(text);
  analysis::Word word;
  while (analyzer_.next(word)) {
    ++position_;
    for (std::string_view form : word.document_forms()) {
      out_.append(out_.empty() ? "'" : " '").append(key_).append(form).append("':");
      out_.append(std::to_string(position_)).append(1, weight);
    }
  }
}

void fit(Language language, std::span<std::string_view> texts) {
  // A tsvector has at most 1 MiB; the terms are counted as if no word came twice.
  constexpr std::size_t kTermsSizeMax = 900'000;
  constexpr std::size_t kTermOverhead = 26;  // the key and the place
  // So short that neither limit is in reach: spares reading them twice.
  constexpr std::size_t kAlwaysFits = 8'000;
  std::size_t size = 0;
  for (std::string_view text : texts) size += text.size();
  if (size <= kAlwaysFits) return;

  analysis::Analyzer analyzer(language);
  std::size_t words = 0;
  std::size_t terms_size = 0;
  for (std::string_view& text : texts) {
    std::size_t fits = text.size();
    analyzer.each(text, [&](analysis::Word& word) {
      for (std::string_view form : word.document_forms()) terms_size += form.size() + kTermOverhead;
      if (++words <= kDocumentWordsMax && terms_size <= kTermsSizeMax) return true;
      fits = word.begin;
      return false;
    });
    text = text.substr(0, fits);
  }
}

}  // namespace bedplate::search
