// SPDX-License-Identifier: Apache-2.0
// Copies all business data from one database into another, empty one, whatever their engines.
//
//   auto source = from->maintenance();                     // not written meanwhile, or begin_read()
//   Result<DataCopyReport> copied = copy_data(**source, *to, loop, {.source_name = "sqlite:/var/lib/notes.db"});
//
// - Both have been migrated by the same program. Tables are copied in the order of their references, rows in the order
//   of their keys, many in a transaction. Values are converted by the target's column: 16 bytes to uuid, microseconds
//   to timestamptz, 0 and 1 to boolean, text to jsonb.
// - What follows from the rest is not copied: virtual tables, generated columns, and the tables that the options name;
//   the program makes it anew. Other columns and tables that only one side has are left out too and named in the
//   report; one that the target insists on is an error.
// - How far it has come stands in the target (table `bedplate_data_copy`), in the same transactions as the rows. After
//   a crash of either side, a kill or a full disk the same call goes on behind the last row that was committed.
// - At the end everything is read again on both sides and compared: counts, and sums over every value (RowSum).
//   Different: Category::conflict `copy_differs`, with the table. Then the source was written meanwhile, or the target.
//   `bedplate_data_copy` goes only after that: while it is there, the target is not whole.
//
// Into PostgreSQL rows go by COPY. What stops a batch says the table and how many rows of it are there.
//
// A row that the target does not take (U+0000 in a text, a value that a check refuses) is found by halving its batch.
// It ends the copy, or is told to `skip`, left out and not compared; so are the rows that refer to it, for their
// reference leads nowhere. A row that refers to a later row of its own table cannot be copied unless both are in one
// batch.
//
// Errors, with a sentence for the operator: `row_unfit` (with table, key and column), `target_not_empty`,
// `copy_of_another` (the target holds part of a copy from another source), `table_missing`, `column_missing`,
// `column_type`, `no_key`, `rows_hidden` (row-level security; before anything is copied), and those of the drivers
// (storage_full and so on). Blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/base/result.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/maintenance.h"

namespace bedplate::sql {

struct DataCopyProgress {
  std::string_view table;
  std::int64_t rows = 0;        ///< so far
  std::int64_t rows_total = 0;  ///< as counted when the table was begun
  bool comparing = false;
};

/// The code of an error about a row that the target does not take.
inline constexpr std::string_view kRowUnfit = "row_unfit";

/// Such a row.
struct UnfitRow {
  std::string table;
  std::string key;     ///< JSON: {"owner":"019aa5b8-3c00-7d2e-9c44-0a6b3f1d2e5c","number":5}
  std::string column;  ///< empty: it is not about one column
  std::string reason;  ///< a sentence
};

struct DataCopyOptions {
  std::string source_name;  ///< tells one source from another; without passwords, for it is written down
  std::size_t batch_rows = 1024;  ///< in one transaction
  /// Tables that follow from others, such as search indexes: not copied, and may have rows at the target.
  std::vector<std::string> derived;
  /// Makes them anew: called when everything was compared, and again after an interruption.
  std::function<Result<void>()> rebuild;
  std::function<void(const DataCopyProgress&)> progress;
  /// Called with each row that the target does not take before it is left out, and again after an interruption in
  /// between; an error ends the copy. Null: the first such row ends it.
  std::function<Result<void>(const UnfitRow&)> skip;
};

struct TableCopied {
  std::string table;
  std::int64_t rows = 0;
  std::string checksum;  ///< the same on both sides
};

struct DataCopyReport {
  std::vector<TableCopied> tables;
  std::vector<std::string> left_out;  ///< "tasks.search_id", "old_things"
  std::int64_t rows = 0;
  std::int64_t rows_skipped = 0;  ///< also before an interruption
  bool resumed = false;
};

/// `loop` runs on the calling thread while this works, and is not running now.
Result<DataCopyReport> copy_data(Maintenance& source, Database& target, Loop& loop,
                                 const DataCopyOptions& options);

/// Category::conflict `copy_unfinished` while the database holds a part of a copy: what is there is real, but not all,
/// so nobody should serve it or back it up. Blocks.
Result<void> check_copy_finished(Database& database);

}  // namespace bedplate::sql
