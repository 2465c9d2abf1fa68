// SPDX-License-Identifier: Apache-2.0
// Queries and texts in the languages of the engines. For index.cc and its tests.
//
// Each word is written with the key of its partition in front, so that no text of another partition has the
// same term: partitions share an index and never a posting.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bedplate/base/id.h"
#include "bedplate/search/analysis/analyzer.h"
#include "bedplate/search/query.h"

namespace bedplate::search {

// ---- SQLite: FTS5 with the tokenizer of search/fts5_tokenizer.h

std::string fts5_key(const Uuid& partition);
/// For MATCH: all texts of a partition that were indexed with kPartitionTerm.
std::string fts5_partition(const Uuid& partition);
/// For MATCH. A query that excludes_only() finds what else there is in the partition.
std::string fts5_expression(const Query& query, const Uuid& partition);

// ---- PostgreSQL

/// For `$1::tsquery`.
std::string tsquery(const Query& query, const Uuid& partition);

/// The text form of a tsvector, field by field, for `$1::tsvector`.
class TsVectorWriter {
 public:
  TsVectorWriter(Language language, const Uuid& partition);

  /// `weight`: 'A' to 'D'.
  void add(std::string_view text, char weight);
  std::string take() { return std::move(out_); }

 private:
  analysis::Analyzer analyzer_;
  std::string key_;
  std::string out_;
  std::uint32_t position_ = 0;
};

// ---- What fits

/// Words of a document that are indexed; those after them are not found. (A tsvector counts 16,383 places.)
inline constexpr std::size_t kDocumentWordsMax = 16'000;

/// Shortens the texts, in order, to what is indexed, on every engine alike.
void fit(Language language, std::span<std::string_view> texts);

}  // namespace bedplate::search
