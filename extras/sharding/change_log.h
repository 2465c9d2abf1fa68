// SPDX-License-Identifier: Apache-2.0
// The change log of a shard: which rows of a bucket have changed since its move began. For Mover.
//
// Triggers on the sharded tables write it, whatever the statement was that changed a row, in its transaction: one entry
// a changed row, and only for buckets that are `logged` (ownership.h). An entry names a row and holds none of its
// values; whoever takes it compares what both shards hold now. So the same entry may be taken twice, in any order.
//
// An entry shows when its transaction commits, which on PostgreSQL is not the order of ids: entries are deleted once
// taken rather than remembered by the last id.
//
// TRUNCATE names no rows: while a bucket of the shard is logged it is refused, whatever the bucket. A REPLACE on SQLite
// is seen with the rows that it displaces, for the driver's connections run triggers for those (recursive_triggers).
//
// What escapes it: on SQLite, a REPLACE that displaces a row of another key, from a console that has not said PRAGMA
// recursive_triggers = ON; on PostgreSQL, sessions with session_replication_role = replica.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/session.h"
#include "bedplate/sql/transfer/table_shape.h"
#include "extras/sharding/directory.h"

namespace bedplate::sharding {

struct Change {
  std::int64_t id = 0;
  std::string row_table;
  std::string row_key;  ///< as sql::write_key() writes it

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Change>("A row that has changed",
                          {field<&Change::id>(), field<&Change::row_table>(), field<&Change::row_key>()});
  }
};

/// The statements that give a table its triggers; run them in one transaction. For a program whose role may not make
/// triggers: its migrations do, and Mover finds them there.
std::vector<std::string> change_log_triggers(const sql::TableShape& table, sql::Dialect dialect);

/// Whether the table has these triggers.
Async<bool> has_change_log(sql::Reader& db, const sql::TableShape& table, sql::Dialect dialect);
/// Creates these triggers on the table. On PostgreSQL it waits for every transaction that writes the table, and blocks
/// later ones until its own transaction ends.
Async<void> make_change_log(sql::Transaction& tx, const sql::TableShape& table, sql::Dialect dialect);

/// At most `changes_max` entries of the bucket, in no particular order.
Async<std::vector<Change>> read_changes(sql::Reader& db, Bucket bucket, std::size_t changes_max);
/// Deletes entries that have been read.
Async<void> forget_changes(sql::Transaction& tx, const std::vector<Change>& changes);

}  // namespace bedplate::sharding
