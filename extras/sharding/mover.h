// SPDX-License-Identifier: Apache-2.0
// Mover: takes a bucket from one shard to another while it is read and written.
//
//   Mover mover(shards, {"customers", "orders"});
//   MoveReport report = co_await ok(mover.move(bucket, "c"));
//   co_await ok(mover.rebalance());                 // all that Directory::plan() says, one after another
//   host.in_background("moves", [&] { return mover.keep_finishing(5s); });
//   co_await ok(mover.cancel(bucket));              // its target is gone for good: the source keeps the bucket
//
// Tables: each has a column `bucket BIGINT NOT NULL`, a primary key (no real numbers) that no other bucket uses, and an
// index on the bucket and then that key; the same columns on every shard. A bucket's rows refer only to rows of it.
// Rows are moved as they are, whatever the engines of the two shards.
//
// The first move from a shard gives its tables triggers that keep a change log (change_log.h). They do nothing but look
// up the bucket while no move is under way. A role that may not make them has its migrations do it.
//
// A move, step by step. All of it is written down, so another process can go on from any step:
//   1 begun     the directory notes the move, and a number for this mover
//   2 arriving  the target takes rows of the bucket, from this mover only; it serves none
//   3 logging   from here on the source writes down which rows of the bucket change. Commands that run end first, and
//               later ones wait that long
//   4 copied    the whole bucket is compared, page by page, and what differs is written to the target, while the source
//               goes on; then the rows that have changed since, and those that were written, over and over, until they
//               are few
//   5 fenced    the source refuses commands for the bucket (they wait in ShardedDatabase); running ones have ended
//   6 equal     the last changed rows are copied; every row that was written since step 4 has been compared once more.
//               Writes are held from just before 5 to 9, for as long as a few pages take, however large the bucket is.
//               Past `held_max` the fence is lifted; after three attempts the move fails for now
//   7 switched  one transaction in the directory: the target owns the bucket. Before it the move can be undone, after
//               it only finished
//   8 closed    the source serves nothing of the bucket, so an old map reads nothing stale
//   9 open      the target serves it
//  10 deleted   the source's rows go, in small transactions
//  11 ended     the directory forgets the move
//
// Nothing is lost: each row was compared after step 3 began; one that changed later is in the log, since every command
// that began before 3 has ended by then; and between 5 and 9 nobody writes the bucket. Nothing is doubled: one shard at
// a time is `owned`, and rows elsewhere are not served. A mover that was taken for dead and wakes up is refused
// everywhere by its number, which stands in each of its transactions.
//
// A mover that dies between 5 and 9 leaves the bucket without a writer (between 8 and 9 without a reader) until
// another finishes: keep_finishing() in any process does, `idle_max` after the last sign of life. Before the switch it
// first lifts the fence, then compares anew. One that fails (target full, connection lost) lifts the fence itself where
// it still can; the change log grows until the move is finished.
//
// Cancelling, until the switch, from any step and under a mover that still runs:
//   a cancelled  the directory notes it, under a new number: the move's own mover is refused everywhere from here on
//   b restored   the source takes commands for the bucket, and writes nothing down
//   c forgotten  its change log is empty. The triggers stay, as after any move
//   d released   the directory forgets the move and keeps a note of the target: the bucket can be moved elsewhere
//   e abandoned  the target takes rows of the bucket from no mover before this one; it never served any
//   f emptied    its rows of the bucket are deleted, in small transactions
//   g cleaned    the directory forgets the note
// A canceller that dies before d is replaced as a mover is. After step d all data is served again; keep_finishing()
// does e to g when the target is back, and Directory::remove_shard() forgets the notes of one that never comes.
//
// Errors: those of Directory::begin_move() and of the databases, and
//   Category::conflict     `shards_differ` (columns), `key_taken` (a key that another bucket uses), `rows_collide`
//                          (rows that swap a unique value, again and again), `move_unequal` (somebody
//                          writes behind the fence), `move_overtaken`
//   Category::forbidden    `rows_hidden` (row-level security)
//   Category::invalid      `not_sharded`
//   of cancel()            `no_move` (not_found), `move_switched` (conflict)
//   Category::unavailable  `held_too_long`, `bucket_too_busy` (changes faster than it is copied), `shard_unreachable`
//
// Call from a coroutine on a loop; one move of a bucket at a time, several buckets at once are fine.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/time.h"
#include "extras/sharding/sharded_database.h"

namespace bedplate::sharding {

/// In the order in which they happen: what has just been done. Those behind `ended` are of cancelling.
enum class MoveStep : std::uint8_t {
  begun,
  arriving,
  logging,
  copied,
  fenced,
  equal,
  switched,
  closed,
  open,
  deleted,
  ended,
  cancelled,
  restored,
  forgotten,
  released,
  abandoned,
  emptied,
  cleaned
};

struct MoverOptions {
  std::size_t page_rows = 128;                 ///< in one transaction; also what is few enough for the fence
  std::chrono::milliseconds held_max{3000};    ///< commands wait no longer than this at a time
  std::chrono::milliseconds idle_max{10'000};  ///< a move that nobody touched for so long is taken over
  /// For tests: called after each step. An error ends the mover there and then, as a crash would.
  std::function<Result<void>(MoveStep)> after_step;
};

struct MoveReport {
  std::int64_t rows = 0;     ///< copied, changed or deleted at the target
  std::int64_t changes = 0;  ///< entries of the change log: rows that were written meanwhile
  int fences = 0;            ///< attempts; the last one held
  std::int64_t held_us =
      0;  ///< how long commands had to wait at the last fence: from asking for it to step 9
};

class Mover {
 public:
  /// `tables` in any order; what they look like is read from the shards. `shards` outlives it.
  Mover(ShardedDatabase& shards, std::vector<std::string> tables, MoverOptions options = {});
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  Async<MoveReport> move(Bucket bucket, std::string_view target);
  /// Moves every bucket that the plan names, one after another. Returns how many.
  Async<std::int64_t> rebalance();
  /// Ends the move of a bucket before it has switched: its source keeps it. Returns when that serves it as before; what
  /// had arrived at the target is deleted too, if it can be reached, or else later.
  Async<void> cancel(Bucket bucket);
  /// Finishes every move, or its cancelling, that nobody has touched for `idle_max`, and then tidies up the targets of
  /// cancelled ones that can be reached. Returns how many moves it finished.
  Async<std::int64_t> finish_abandoned();
  /// finish_abandoned() every `interval` until the scope is cancelled; failures are logged.
  Async<void> keep_finishing(std::chrono::milliseconds interval);

 private:
  class Run;
  Async<MoveReport> finish(Move move);
  Async<void> finish_cancelled(Move move);
  Async<void> tidy_up_targets();
  std::int64_t now_us() const;

  ShardedDatabase& shards_;
  const std::vector<std::string> tables_;
  const MoverOptions options_;
  SystemClock clock_;
};

}  // namespace bedplate::sharding
