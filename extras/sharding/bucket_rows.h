// SPDX-License-Identifier: Apache-2.0
// The rows of one bucket in one shard, and making those of another the same. For Mover.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/describe/any_row.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/transfer/row_text.h"
#include "extras/sharding/change_log.h"
#include "extras/sharding/directory.h"

namespace bedplate::sharding {

/// The sharded tables, referred-to ones first. Category::invalid `not_sharded` for one without a `bucket` or a key.
Async<std::vector<sql::TableShape>> read_sharded_tables(sql::Reader& db, sql::Dialect dialect,
                                                        const std::vector<std::string>& names);

/// What a look at rows found.
struct PassReport {
  std::int64_t different = 0;  ///< rows that were copied, changed or deleted
  std::int64_t refused =
      0;  ///< rows that the target would not take yet: a row that they refer to, or a unique value
          ///< that another row still has, changes in this pass too
};

/// Called between pages of work that may be long. An error ends the work.
class Pulse {
 public:
  virtual ~Pulse() = default;
  virtual Async<void> beat() = 0;
};

/// One shard of a move.
struct BucketSide {
  sql::Database* database = nullptr;
  std::vector<sql::TableShape> tables;  ///< in the same order on both sides, with the same columns
};

/// What the parts of a move share. All that it refers to outlives it.
struct BucketCopy {
  const BucketSide& source;
  const BucketSide& target;
  const Move& move;
  std::size_t page_rows;
  Pulse& pulse;
};

/// Rows to write or delete at one side, as long as the move is still this mover's. All that it refers to outlives it.
struct BucketWrite {
  using Body = Async<void> (*)(sql::Transaction&, const BucketWrite&);

  BucketWrite(const Move& of, sql::Dialect at, const sql::RowText& table, const std::vector<AnyRow>& which)
      : move(of), dialect(at), text(table), rows(which) {}
  const Move& move;
  sql::Dialect dialect;
  const sql::RowText& text;
  const std::vector<AnyRow>& rows;
};

/// Makes the target's rows of the bucket those of the source. Whatever it writes it looks at once more: a row is done
/// with when a comparison has found it the same on both sides, and until then it is pending.
class BucketSync {
 public:
  /// Keys that are kept in memory.
  static constexpr std::size_t kPendingMax = 50'000;

  explicit BucketSync(const BucketCopy& copy);

  /// Compares the whole bucket and makes it equal. What changes behind its back is for the change log to name.
  /// Afterwards the rows that it wrote are pending, and no others.
  Async<PassReport> compare_all();
  /// It wrote more rows than can be kept pending: once more.
  bool too_many_pending() const { return forgotten_ > 0; }

  /// Takes the change log's entries: their rows are pending. Returns how many there were.
  Async<std::int64_t> take_changes();
  /// There were more than can be kept pending.
  bool changes_left() const { return changes_left_; }
  /// Compares what is pending and makes it equal.
  Async<PassReport> compare_pending();
  std::size_t pending() const;

  /// Deletes the bucket's rows at the target, to begin anew.
  Async<void> delete_arrived();

 private:
  using Key = std::vector<ColumnValue>;
  struct Differences {
    std::vector<AnyRow> extra;      ///< only at the target
    std::vector<AnyRow> different;  ///< other than at the target, or not there
  };

  Async<void> compare_pages(std::size_t table, const BucketSide& of, const BucketSide& with);
  Async<void> look_at_pending(std::size_t table, bool deleting);
  Async<void> write(std::size_t table, const std::vector<AnyRow>& rows);
  Async<void> erase(std::size_t table, const std::vector<AnyRow>& rows);
  Async<std::vector<AnyRow>> rows_at(const BucketSide& side, std::size_t table,
                                     std::span<const Key> keys) const;
  Differences differences(std::size_t table, const std::vector<AnyRow>& source,
                          const std::vector<AnyRow>& target) const;
  Async<void> apply(BucketWrite write, BucketWrite::Body body);
  void keep_pending(std::size_t table, const sql::RowText& text, const std::vector<AnyRow>& rows);

  const BucketCopy copy_;
  std::vector<std::set<std::string>> pending_;  ///< [table]: keys, as sql::write_key() writes them
  std::size_t forgotten_ = 0;
  bool changes_left_ = false;
  PassReport report_;
};

/// Deletes the bucket's rows, and what is left of its change log, at the source of a move that has switched.
Async<void> delete_moved(const BucketCopy& copy);

/// What a cancelled move has left: the change log at its source, and the bucket's rows at its target.
Async<void> forget_all_changes(const BucketCopy& copy);
Async<void> delete_leftover(const BucketCopy& copy);

}  // namespace bedplate::sharding
