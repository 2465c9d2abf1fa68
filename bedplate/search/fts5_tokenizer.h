// SPDX-License-Identifier: Apache-2.0
// The FTS5 tokenizer `bedplate`: words as analysis/analyzer.h reads them. The SQLite driver does not know it: it is
// given to each database that is opened, which bedplate/app does for an application.
//
//   options.sqlite.extensions.push_back(&search::register_fts5_tokenizer);
//
//   CREATE VIRTUAL TABLE notes_words USING fts5(title, body, content='', tokenize='bedplate english');
//   CREATE VIRTUAL TABLE mail_words USING fts5(text, content='', tokenize='bedplate german partitioned');
//
// The first argument is a language of analysis/analyzer.h (none: `bedplate none`). `partitioned`: each text begins with
// kPartitionKeySize bytes that are no text but the key of its partition (its owner, say), and each word is put
// before the index with that key in front. So a word of one owner is another term than the same word of
// another, and looking for it, or for beginnings, walks over one owner's terms only. A text whose key is followed by
// kPartitionTerm has the key alone as its first term: by that term every text of the partition is found.
//
// What is looked for is analysed as texts are. A phrase that begins with kVerbatim holds terms instead:
// separated by spaces, alternatives of one place by '|'. search/ makes such phrases, with the key in each term.
//
// Programs without this tokenizer (the sqlite3 shell) can read the other tables of a database, but neither read nor
// write such an index.
#pragma once

#include <cstddef>

struct sqlite3;

namespace bedplate::search {

inline constexpr std::size_t kPartitionKeySize = 32;  ///< a UUID in hexadecimal
inline constexpr char kPartitionTerm = '\x1d';
inline constexpr char kVerbatim = '\x1e';

/// A sql::SqliteExtension. SQLITE_OK, or the code: SQLITE_ERROR when this SQLite has no FTS5.
int register_fts5_tokenizer(sqlite3* db);

}  // namespace bedplate::search
