// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/fts5_tokenizer.h"

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/search/analysis/analyzer.h"

namespace bedplate::search {
namespace {

using Emit = int (*)(void*, int, const char*, int, int, int);

// One table's, in one connection.
class Tokenizer {
 public:
  Tokenizer(analysis::Language language, bool partitioned) : analyzer_(language), partitioned_(partitioned) {}

  int run(void* context, int flags, std::string_view text, Emit emit);

 private:
  static int emit_verbatim(void* context, std::string_view terms, Emit emit);
  int emit_words(void* context, bool query, std::string_view key, std::string_view text, Emit emit);

  analysis::Analyzer analyzer_;
  const bool partitioned_;
  std::string term_;
};

int Tokenizer::run(void* context, int flags, std::string_view text, Emit emit) {
  const bool query = (flags & FTS5_TOKENIZE_QUERY) != 0;
  if (query && text.starts_with(kVerbatim)) return emit_verbatim(context, text.substr(1), emit);
  std::string_view key;
  if (partitioned_) {
    if (query) return SQLITE_OK;  // plain words name no partition, and so match in none
    if (text.size() < kPartitionKeySize) return SQLITE_MISMATCH;
    key = text.substr(0, kPartitionKeySize);
    if (text.substr(key.size()).starts_with(kPartitionTerm)) {
      const int code =
          emit(context, 0, key.data(), static_cast<int>(key.size()), 0, static_cast<int>(key.size()));
      if (code != SQLITE_OK) return code;
    }
  }
  return emit_words(context, query, key, text, emit);
}

int Tokenizer::emit_verbatim(void* context, std::string_view terms, Emit emit) {
  bool same_place = false;
  while (!terms.empty()) {
    const std::size_t end = std::min(terms.find_first_of(" |"), terms.size());
    const int code =
        emit(context, same_place ? FTS5_TOKEN_COLOCATED : 0, terms.data(), static_cast<int>(end), 0, 0);
    if (code != SQLITE_OK) return code;
    if (end == terms.size()) break;
    same_place = terms[end] == '|';
    terms.remove_prefix(end + 1);
  }
  return SQLITE_OK;
}

int Tokenizer::emit_words(void* context, bool query, std::string_view key, std::string_view text, Emit emit) {
  analyzer_.start(text.substr(key.size()));
  analysis::Word word;
  while (analyzer_.next(word)) {
    const auto begin = static_cast<int>(key.size() + word.begin);
    const auto end = static_cast<int>(key.size() + word.end);
    int flags = 0;
    for (std::string_view form : query ? word.query_forms() : word.document_forms()) {
      if (!key.empty()) form = (term_.assign(key) += form);
      const int code = emit(context, flags, form.data(), static_cast<int>(form.size()), begin, end);
      if (code != SQLITE_OK) return code;
      flags = FTS5_TOKEN_COLOCATED;
    }
  }
  return SQLITE_OK;
}

// What FTS5 calls. No exception may pass through it: out of memory is a code.

int create(void*, const char** arguments, int count, Fts5Tokenizer** made) {
  std::optional<analysis::Language> language;
  bool partitioned = false;
  if (count >= 1) language = analysis::language_of(arguments[0]);
  if (count == 2) partitioned = std::string_view(arguments[1]) == "partitioned";
  if (!language || count > 2 || (count == 2 && !partitioned)) return SQLITE_ERROR;
  auto* tokenizer = new (std::nothrow) Tokenizer(*language, partitioned);
  *made = reinterpret_cast<Fts5Tokenizer*>(tokenizer);
  return tokenizer ? SQLITE_OK : SQLITE_NOMEM;
}

void destroy(Fts5Tokenizer* tokenizer) {
  delete reinterpret_cast<Tokenizer*>(tokenizer);
}

int tokenize(Fts5Tokenizer* tokenizer, void* context, int flags, const char* text, int size, Emit emit) {
  try {
    const std::string_view view = text ? std::string_view(text, static_cast<std::size_t>(size)) : "";
    return reinterpret_cast<Tokenizer*>(tokenizer)->run(context, flags, view, emit);
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  }
}

}  // namespace

int register_fts5_tokenizer(sqlite3* db) {
  fts5_api* api = nullptr;
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &raw, nullptr);
  const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement(raw, &sqlite3_finalize);
  if (code != SQLITE_OK) return code;
  sqlite3_bind_pointer(raw, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
  sqlite3_step(raw);
  if (!api) return SQLITE_ERROR;
  fts5_tokenizer methods{create, destroy, tokenize};
  return api->xCreateTokenizer(api, "bedplate", nullptr, &methods, nullptr);
}

}  // namespace bedplate::search
