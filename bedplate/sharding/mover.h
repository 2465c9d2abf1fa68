// Mover: takes a bucket from one shard to another while it is read and written.
//
//   Mover mover(shards, {"customers", "orders"});
//   co_await ok(mover.move(bucket, "c"));
//   co_await ok(mover.rebalance());                 // all that Directory::plan() says, one after another
//   host.in_background("moves", [&] { return mover.keep_finishing(5s); });
//
// Tables: each has a column `bucket BIGINT NOT NULL`, an index that starts with it, and a primary key; the same
// columns on every shard. A bucket's rows refer only to rows of the same bucket. Rows are moved as they are, whatever
// the engines of the two shards. Changes behind the shards' back (a console, a trigger that writes other buckets) are
// not seen.
//
// A move, step by step. All of it is written down, so another process can go on from any step:
//   1 begun     the directory notes the move, and a number for this mover
//   2 arriving  the target takes rows of the bucket, from this mover only; it serves none
//   3 copied    passes over the bucket: what is missing, different or extra at the target is made the same, in small
//               transactions, while the source goes on; until a pass finds little
//   4 fenced    the source refuses commands for the bucket (they wait in ShardedDatabase); running ones have ended
//   5 equal     passes again, until one finds nothing. This and the next three are all that a command can notice:
//               reading one bucket twice. Past `fence_max` the fence is lifted, and the move fails for now
//   6 switched  one transaction in the directory: the target owns the bucket. Before it the move can be undone, after
//               it only finished
//   7 closed    the source serves nothing of the bucket, so an old map reads nothing stale
//   8 open      the target serves it
//   9 deleted   the source's rows go, in small transactions
//  10 ended     the directory forgets the move
//
// Nothing is lost: between 4 and 8 nobody writes the bucket, and 6 comes after a comparison of all of it. Nothing is
// doubled: one shard at a time is `owned`, and rows elsewhere are not served. A mover that was taken for dead and wakes
// up is refused everywhere by its number, which stands in each of its transactions.
//
// A mover that dies between 4 and 8 leaves the bucket without a writer (between 7 and 8 without a reader) until
// another finishes: keep_finishing() in any process does, `idle_max` after the last sign of life. One that fails
// (target full, connection lost) lifts the fence itself where it still can.
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
#include "bedplate/sharding/sharded_database.h"

namespace bedplate::sharding {

/// In the order in which they happen: what has just been done.
enum class MoveStep : std::uint8_t {
  begun,
  arriving,
  copied,
  fenced,
  equal,
  switched,
  closed,
  open,
  deleted,
  ended
};

struct MoverOptions {
  std::size_t page_rows = 128;                 ///< in one transaction
  int copy_passes_max = 8;                     ///< before the fence
  std::chrono::milliseconds fence_max{3000};   ///< commands wait no longer than this for one move
  std::chrono::milliseconds idle_max{10'000};  ///< a move that nobody touched for so long is taken over
  /// For tests: called after each step. An error ends the mover there and then, as a crash would.
  std::function<Result<void>(MoveStep)> after_step;
};

struct MoveReport {
  std::int64_t rows = 0;       ///< copied, changed or deleted at the target
  int passes = 0;              ///< over the bucket, all together
  std::int64_t fenced_us = 0;  ///< how long commands had to wait
};

class Mover {
 public:
  /// `tables` in any order; what they look like is read from the shards. All outlive it.
  Mover(ShardedDatabase& shards, std::vector<std::string> tables, MoverOptions options = {});
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  Async<MoveReport> move(Bucket bucket, std::string_view target);
  /// Moves every bucket that the plan names, one after another. Returns how many.
  Async<std::int64_t> rebalance();
  /// Finishes every move that nobody has touched for `idle_max`. Returns how many.
  Async<std::int64_t> finish_abandoned();
  /// finish_abandoned() every `interval` until the scope is cancelled; failures are logged.
  Async<void> keep_finishing(std::chrono::milliseconds interval);

 private:
  class Run;
  Async<MoveReport> finish(Move move);
  std::int64_t now_us() const;

  ShardedDatabase& shards_;
  const std::vector<std::string> tables_;
  const MoverOptions options_;
  SystemClock clock_;
};

}  // namespace bedplate::sharding
