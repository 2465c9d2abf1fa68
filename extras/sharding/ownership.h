// SPDX-License-Identifier: Apache-2.0
// Which buckets a shard owns, as the shard itself records it. A router's map may be old; this record is not, because it
// is read in the transaction that it guards.
//
//   state       reads  commands   set by
//   owned       yes    yes        settle(), or the end of a move to here
//   leaving     yes    no         a move's fence: the last rows are being copied
//   arriving    no     no         a move to here: only its mover writes
//   gone        no     no         the end of a move from here (the same as no row)
//
// A command holds a shared lock on its bucket until it commits, and a change of the bucket's row takes an exclusive
// one: so a fence waits for the commands that run, and every later command finds it. That is the whole argument why
// no write lands on the old shard after the last copy. On SQLite it follows from there being one writer. On
// PostgreSQL the shared lock is two: the row's (FOR SHARE), which makes a command fail and start again whose snapshot
// is older than the fence; and an advisory lock, because nobody queues for a row that others share: commands that
// overlap would keep a fence waiting for ever.
//
// The functions are bodies for sql::Database::transact() and read(). Codes, all Category::unavailable, with which
// ShardedDatabase refreshes its map and tries again: `bucket_elsewhere`, `bucket_moving`.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/embedded.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/session.h"
#include "extras/sharding/directory.h"

namespace bedplate::sharding {

inline constexpr std::string_view kBucketElsewhere = "bucket_elsewhere";
inline constexpr std::string_view kBucketMoving = "bucket_moving";

/// What a router believes of a bucket.
struct OwnershipAssertion {
  Bucket bucket = 0;
  std::int64_t epoch = 0;
};

/// First in every command. Holds off start_logging() and fence() until the transaction ends.
Async<void> check_command(sql::Transaction& tx, sql::Dialect dialect, const OwnershipAssertion& assertion);
/// First in every read: of its snapshot.
Async<void> check_read(sql::Reader& db, const OwnershipAssertion& assertion);

/// Which buckets can be read here, as sums that tell a whole set of shards from one with a bucket missing or twice.
struct ReadableSum {
  std::int64_t buckets = 0;
  std::int64_t sum = 0;
  std::int64_t squares = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ReadableSum>(
        "Readable buckets of a shard",
        {field<&ReadableSum::buckets>(), field<&ReadableSum::sum>(), field<&ReadableSum::squares>()});
  }
};
Async<ReadableSum> readable_sum(sql::Reader& db);

/// Records that this shard owns these buckets since the directory was made (epoch 1).
Async<void> own_from_the_start(sql::Transaction& tx, const std::vector<Bucket>& buckets);

// ---- Steps of a move. Each may be repeated; each is refused (Category::conflict `move_overtaken`) once a later mover
// has taken the move on.

/// How long to block new commands on a bucket while running ones drain. Past `wait_max` the step fails with
/// Category::unavailable `database_busy` and changes nothing. (On SQLite the writer's queue does this.)
struct DrainWait {
  DrainWait(sql::Dialect of, std::chrono::milliseconds most) : dialect(of), wait_max(most) {}
  sql::Dialect dialect;
  std::chrono::milliseconds wait_max;
};

/// At the target: nothing of the bucket is served, and this mover may write it.
Async<void> start_arriving(sql::Transaction& tx, const Move& move);
/// At the target, first in each transaction that copies.
Async<void> check_arriving(sql::Transaction& tx, sql::Dialect dialect, const Move& move);
/// At the source: from here on every change of the bucket is written down (change_log.h); lifts the fence of an earlier
/// mover.
Async<void> start_logging(sql::Transaction& tx, const DrainWait& drain, const Move& move);
/// At the source, first in each transaction that takes changes from the log.
Async<void> check_logging(sql::Transaction& tx, sql::Dialect dialect, const Move& move);
/// At the source: commands are refused from here on.
Async<void> fence(sql::Transaction& tx, const DrainWait& drain, const Move& move);
/// At the source: takes the fence back. Only by a mover that has not asked for the switch.
Async<void> lift_fence(sql::Transaction& tx, const Move& move);
/// At the source, after the switch: nothing of the bucket is served, and nothing written down.
Async<void> close(sql::Transaction& tx, const Move& move);
/// At the target, after close().
Async<void> open(sql::Transaction& tx, const Move& move);
/// At the source, first in each transaction that deletes what has moved.
Async<void> check_closed(sql::Transaction& tx, const Move& move);

// ---- Steps of cancelling a move, likewise.

/// At the source: it serves the bucket as before the move, and nothing more is written down.
Async<void> restore(sql::Transaction& tx, const DrainWait& drain, const Move& move);
/// At the target: no mover before this one writes the bucket any more. False: there is nothing of this move, or a later
/// one has begun.
Async<bool> release_target(sql::Transaction& tx, const Move& move);
/// At the target, first in each transaction that deletes what had arrived.
Async<void> check_target_released(sql::Transaction& tx, const Move& move);

}  // namespace bedplate::sharding
