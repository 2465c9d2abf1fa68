// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/mover.h"

#include <optional>
#include <utility>

#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "extras/sharding/bucket_rows.h"
#include "extras/sharding/change_log.h"
#include "extras/sharding/move_undo.h"
#include "extras/sharding/ownership.h"

namespace bedplate::sharding {
namespace {

using std::chrono::steady_clock;

constexpr int kWholePassesMax = 8;    // over the whole bucket
constexpr int kRoundsMax = 256;       // over what has changed, before the fence
constexpr int kFencedRoundsMax = 64;  // behind it
constexpr int kFencesMax = 3;
constexpr int kRefusalsMax = 3;  // rounds in which rows stood in each other's way, one after another

bool same_columns(const std::vector<sql::TableShape>& a, const std::vector<sql::TableShape>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].columns.size() != b[i].columns.size()) return false;
    for (std::size_t j = 0; j < a[i].columns.size(); ++j)
      if (a[i].columns[j].name != b[i].columns[j].name) return false;
  }
  return true;
}

}  // namespace

/// One move, from wherever it stands to its end.
class Mover::Run final : private Pulse {
 public:
  Run(Mover& mover, Move move) : mover_(mover), move_(std::move(move)) {}

  Async<void> to_the_end() {
    co_await ok(prepare());
    if (!move_.switched) co_await ok(before_the_switch());
    co_await ok(after_the_switch());
  }
  const MoveReport& report() const { return report_; }

 private:
  using Step = Async<void> (*)(sql::Transaction&, const Move&);
  using DrainStep = Async<void> (*)(sql::Transaction&, const DrainWait&, const Move&);

  Async<void> prepare();
  Async<void> before_the_switch();
  Async<void> after_the_switch();
  Async<void> keep_change_log();
  Async<void> copy_all(BucketSync& sync);
  Async<void> catch_up(BucketSync& sync);
  Async<void> make_equal(BucketSync& sync);
  Async<void> begin_again(BucketSync& sync, Error why);
  Async<PassReport> round(BucketSync& sync);
  Async<void> lift_fence_if_safe(Error why);
  Async<void> beat() override;
  Async<void> touch();

  /// A step in the transaction of one side.
  Async<void> at(BucketSide& side, Step step) { co_await ok(side.database->transact(step, move_)); }
  Async<void> after_drain(DrainStep step) {
    const DrainWait drain(source_.database->dialect(), mover_.options_.held_max);
    co_await ok(source_.database->transact(step, drain, move_));
  }
  Result<void> done(MoveStep step) {
    const auto& after = mover_.options_.after_step;
    return after ? after(step) : Result<void>();
  }
  BucketCopy copy() { return {source_, target_, move_, mover_.options_.page_rows, *this}; }

  Mover& mover_;
  Move move_;
  MoveReport report_;
  BucketSide source_;
  BucketSide target_;
  std::optional<steady_clock::time_point> held_since_;
  bool may_give_up_ = false;  ///< the fence can still be lifted
  steady_clock::time_point touched_ = steady_clock::now();
};

Async<void> Mover::Run::prepare() {
  for (auto [side, name] : {std::pair(&source_, &move_.source), std::pair(&target_, &move_.target)}) {
    side->database = mover_.shards_.find(*name);
    if (!side->database)
      co_await fail(Category::unavailable, "shard_unreachable", "The shard " + *name + " is not known here.");
    const sql::Dialect dialect = side->database->dialect();
    side->tables = co_await ok(side->database->read(&read_sharded_tables, dialect, mover_.tables_));
  }
  if (!same_columns(source_.tables, target_.tables))
    co_await fail(Category::conflict, "shards_differ",
                  "The sharded tables of " + move_.source + " and " + move_.target +
                      " have different columns: migrate both first.");
}

Async<void> Mover::Run::before_the_switch() {
  co_await ok(at(target_, &start_arriving));
  co_await ok(done(MoveStep::arriving));
  co_await ok(keep_change_log());
  co_await ok(after_drain(&start_logging));
  co_await ok(done(MoveStep::logging));
  BucketSync sync(copy());
  co_await ok(copy_all(sync));
  for (bool equal = false; !equal;) {
    co_await ok(catch_up(sync));
    co_await ok(done(MoveStep::copied));
    held_since_ = steady_clock::now();
    ++report_.fences;
    Result<void> reached = co_await after_drain(&fence);
    if (reached) {
      co_await ok(done(MoveStep::fenced));
      may_give_up_ = true;
      reached = co_await make_equal(sync);
      may_give_up_ = false;
    }
    equal = reached.has_value();
    if (!equal) co_await ok(begin_again(sync, std::move(reached.error())));
  }
  co_await ok(done(MoveStep::equal));
  // From here on the fence stays if this fails: whether the switch was committed is for the next mover to look up.
  co_await ok(mover_.shards_.directory().switch_bucket(move_));
  co_await ok(done(MoveStep::switched));
}

Async<void> Mover::Run::after_the_switch() {
  co_await ok(at(source_, &close));
  co_await ok(done(MoveStep::closed));
  co_await ok(at(target_, &open));
  if (held_since_)
    report_.held_us =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - *held_since_).count();
  co_await ok(done(MoveStep::open));
  co_await ok(delete_moved(copy()));
  co_await ok(done(MoveStep::deleted));
  co_await ok(mover_.shards_.directory().end_move(move_));
  co_await ok(done(MoveStep::ended));
}

Async<void> Mover::Run::keep_change_log() {
  const sql::Dialect dialect = source_.database->dialect();
  for (const sql::TableShape& table : source_.tables) {
    const bool there = co_await ok(source_.database->read(&has_change_log, table, dialect));
    if (!there) co_await ok(source_.database->transact(&make_change_log, table, dialect));
  }
}

Async<void> Mover::Run::copy_all(BucketSync& sync) {
  int refusals = 0;
  for (int passes = 0; passes < kWholePassesMax; ++passes) {
    const std::int64_t changes = co_await ok(sync.take_changes());  // the pass sees what they speak of
    const PassReport pass = co_await ok(sync.compare_all());
    report_.changes += changes;
    report_.rows += pass.different;
    refusals = pass.refused > 0 ? refusals + 1 : 0;
    if (refusals == 0 && !sync.too_many_pending()) co_return;
    // Two that swap a unique value never get past each other: all anew, into an empty bucket.
    if (refusals == kRefusalsMax) co_await ok(sync.delete_arrived());
  }
  co_await fail(Category::unavailable, "bucket_too_busy", "The bucket changes faster than it can be copied.");
}

/// Takes what has changed and makes it equal.
Async<PassReport> Mover::Run::round(BucketSync& sync) {
  const std::int64_t changes = co_await ok(sync.take_changes());
  const PassReport report = co_await ok(sync.compare_pending());
  report_.changes += changes;
  report_.rows += report.different;
  co_return report;
}

Async<void> Mover::Run::catch_up(BucketSync& sync) {
  for (int rounds = 0; rounds < kRoundsMax; ++rounds) {
    co_await ok(round(sync));
    // What a page holds is copied in no time behind the fence. If it never gets so far, the fence's limit decides.
    if (sync.pending() <= mover_.options_.page_rows) co_return;
  }
}

Async<void> Mover::Run::make_equal(BucketSync& sync) {
  int refusals = 0;
  for (int rounds = 0; rounds < kFencedRoundsMax; ++rounds) {
    const PassReport report = co_await ok(round(sync));
    if (sync.pending() == 0 && !sync.changes_left()) co_return;
    refusals = report.refused > 0 && report.different == 0 ? refusals + 1 : 0;
    if (refusals == kRefusalsMax)
      co_await fail(Category::conflict, "rows_collide", "Rows of the bucket have swapped unique values.");
  }
  co_await fail(Category::conflict, "move_unequal",
                "The bucket does not become equal although its shard refuses commands for it.");
}

/// After an attempt to get behind the fence: lifts it, and fails unless another attempt makes sense.
Async<void> Mover::Run::begin_again(BucketSync& sync, Error why) {
  held_since_.reset();
  const bool collided = why.code() == "rows_collide";
  const bool another = collided || why.code() == "held_too_long" || why.code() == sql::kDatabaseBusy;
  if (!another || report_.fences == kFencesMax) co_await ok(lift_fence_if_safe(std::move(why)));
  co_await ok(at(source_, &lift_fence));
  if (!collided) co_return;
  co_await ok(sync.delete_arrived());
  co_await ok(copy_all(sync));
}

Async<void> Mover::Run::lift_fence_if_safe(Error why) {
  const Result<void> lifted = co_await at(source_, &lift_fence);
  if (!lifted)
    log_warn("a bucket stays closed to writes until its move is finished",
             {{"bucket", move_.bucket}, {"error", lifted.error().detail()}});
  co_await std::unexpected(std::move(why));
}

// Between pages: says that this mover lives, and gives up behind the fence when writes were held for too long.
Async<void> Mover::Run::beat() {
  const steady_clock::time_point now = steady_clock::now();
  if (may_give_up_ && now - *held_since_ > mover_.options_.held_max)
    co_await fail(Category::unavailable, "held_too_long",
                  "What has changed in the bucket cannot be copied in the time that commands may wait.");
  if (now - touched_ > mover_.options_.idle_max / 4) co_await ok(touch());
}

Async<void> Mover::Run::touch() {
  co_await ok(mover_.shards_.directory().touch_move(move_, mover_.now_us()));
  touched_ = steady_clock::now();
}

Mover::Mover(ShardedDatabase& shards, std::vector<std::string> tables, MoverOptions options)
    : shards_(shards), tables_(std::move(tables)), options_(std::move(options)) {}

std::int64_t Mover::now_us() const {
  return clock_.now().time_since_epoch().count();
}

Async<MoveReport> Mover::finish(Move move) {
  const Bucket bucket = move.bucket;
  const std::string target = move.target;
  Run run(*this, std::move(move));
  co_await ok(run.to_the_end());
  co_await ok(shards_.directory().refresh());
  log_info("a bucket has moved", {{"bucket", bucket},
                                  {"target", target},
                                  {"rows", run.report().rows},
                                  {"changes", run.report().changes},
                                  {"held_us", run.report().held_us}});
  co_return run.report();
}

Async<MoveReport> Mover::move(Bucket bucket, std::string_view target) {
  Move move = co_await ok(shards_.directory().begin_move(bucket, target, now_us()));
  if (options_.after_step) co_await ok(options_.after_step(MoveStep::begun));
  MoveReport report = co_await ok(finish(std::move(move)));
  co_return report;
}

Async<void> Mover::cancel(Bucket bucket) {
  Move move = co_await ok(shards_.directory().cancel_move(bucket, now_us()));
  if (options_.after_step) co_await ok(options_.after_step(MoveStep::cancelled));
  co_await ok(finish_cancelled(std::move(move)));
}

Async<void> Mover::finish_cancelled(Move move) {
  MoveUndo undo(shards_, tables_, options_, move);
  co_await ok(undo.at_source());
  log_info("a move of a bucket was cancelled", {{"bucket", move.bucket}, {"target", move.target}});
  const Result<void> cleaned = co_await undo.at_target();
  if (!cleaned)
    log_info("what a cancelled move has left at its target is deleted later",
             {{"bucket", move.bucket}, {"target", move.target}, {"error", cleaned.error().detail()}});
}

// One that cannot be reached keeps no other from being cleaned up: it may be gone for good.
Async<void> Mover::tidy_up_targets() {
  const std::vector<Move> leftovers = co_await ok(shards_.directory().leftovers());
  for (const Move& left : leftovers) {
    MoveUndo undo(shards_, tables_, options_, left);
    const Result<void> cleaned = co_await undo.at_target();
    if (cleaned)
      log_info("what a cancelled move had left is deleted",
               {{"bucket", left.bucket}, {"target", left.target}});
    else
      log_debug("what a cancelled move has left cannot be deleted yet",
                {{"bucket", left.bucket}, {"target", left.target}, {"error", cleaned.error().detail()}});
  }
}

Async<std::int64_t> Mover::rebalance() {
  co_await ok(shards_.directory().refresh());
  std::int64_t moved = 0;
  for (const PlannedMove& planned : shards_.directory().plan()) {
    co_await ok(move(planned.bucket, planned.to));
    ++moved;
  }
  co_return moved;
}

Async<std::int64_t> Mover::finish_abandoned() {
  const std::vector<Move> moves = co_await ok(shards_.directory().moves());
  const std::int64_t idle_us = std::chrono::microseconds(options_.idle_max).count();
  std::int64_t finished = 0;
  for (const Move& seen : moves) {
    const std::int64_t touched_before = now_us() - idle_us;
    if (seen.touched_us >= touched_before) continue;
    Result<Move> mine = co_await shards_.directory().claim_move(seen, touched_before, now_us());
    if (!mine && mine.error().code() == "move_overtaken") continue;
    Move claimed = co_await ok(std::move(mine));
    log_info("finishing a move that was left", {{"bucket", claimed.bucket}, {"target", claimed.target}});
    if (claimed.cancelled)
      co_await ok(finish_cancelled(std::move(claimed)));
    else
      co_await ok(finish(std::move(claimed)));
    ++finished;
  }
  co_await ok(tidy_up_targets());
  co_return finished;
}

Async<void> Mover::keep_finishing(std::chrono::milliseconds interval) {
  for (;;) {
    const Result<std::int64_t> finished = co_await finish_abandoned();
    if (!finished) log_warn("cannot finish a move between shards", {{"error", finished.error().detail()}});
    co_await ok(sleep_for(interval));
  }
}

}  // namespace bedplate::sharding
