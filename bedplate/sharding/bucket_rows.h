// The rows of one bucket in one shard, and making those of another the same. For Mover.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/sharding/directory.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/transfer/row_text.h"

namespace bedplate::sharding {

/// The sharded tables, referred-to ones first. Category::invalid `not_sharded` for one without a `bucket` or a key.
Async<std::vector<sql::TableShape>> read_sharded_tables(sql::Reader& db, sql::Dialect dialect,
                                                        const std::vector<std::string>& names);

/// What a pass found.
struct PassReport {
  std::int64_t different = 0;  ///< rows that were copied, changed or deleted
  std::int64_t refused =
      0;  ///< rows that the target would not take yet: a row that they refer to, or a unique value
          ///< that another row still has, changes in this pass too
};

/// One pass: makes the target's rows of the bucket those of the source. What changes behind its back is for the next.
class BucketSync {
 public:
  struct Side {
    sql::Database* database;
    std::vector<sql::TableShape> tables;  ///< in the same order on both sides, with the same columns
  };
  /// All outlive it.
  BucketSync(const Side& source, const Side& target, const Move& move, std::size_t page_rows)
      : source_(source), target_(target), move_(move), page_rows_(page_rows) {}

  /// Deletes first, referring tables first; then inserts and changes, referred-to first.
  Async<PassReport> pass();

 private:
  Async<void> delete_extra(std::size_t table);
  Async<void> write_different(std::size_t table);

  const Side& source_;
  const Side& target_;
  const Move& move_;
  const std::size_t page_rows_;
  PassReport report_;
};

/// Deletes the bucket's rows at the source of a move that has switched.
Async<void> delete_moved(const BucketSync::Side& source, const Move& move, std::size_t page_rows);
/// Deletes the bucket's rows at the target of a move that has not.
Async<void> delete_arrived(const BucketSync::Side& target, const Move& move, std::size_t page_rows);

}  // namespace bedplate::sharding
