#include "bedplate/sharding/mover.h"

#include <optional>
#include <utility>

#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"
#include "bedplate/sharding/bucket_rows.h"

namespace bedplate::sharding {
namespace {

using std::chrono::steady_clock;

constexpr int kFencedPassesMax = 6;

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
class Mover::Run {
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

  Async<void> prepare();
  Async<void> before_the_switch();
  Async<void> after_the_switch();
  Async<void> copy();
  Async<void> make_equal();
  /// A step in the transaction of one side.
  Async<void> at(BucketSync::Side& side, Step step) { co_await ok(side.database->transact(step, move_)); }
  Async<void> lift_fence_if_safe(Error why);
  Async<PassReport> pass();
  Result<void> done(MoveStep step) {
    const auto& after = mover_.options_.after_step;
    return after ? after(step) : Result<void>();
  }
  bool fenced_too_long() const { return steady_clock::now() - fenced_at_ > mover_.options_.fence_max; }

  Mover& mover_;
  Move move_;
  MoveReport report_;
  BucketSync::Side source_{};
  BucketSync::Side target_{};
  steady_clock::time_point fenced_at_{};
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
  co_await ok(copy());
  co_await ok(done(MoveStep::copied));
  co_await ok(at(source_, &fence));
  fenced_at_ = steady_clock::now();
  co_await ok(done(MoveStep::fenced));
  Result<void> equal = co_await make_equal();
  if (!equal) co_await ok(lift_fence_if_safe(std::move(equal.error())));
  co_await ok(done(MoveStep::equal));
  // From here on the fence stays if this fails: whether the switch was committed is for the next mover to look up.
  co_await ok(mover_.shards_.directory().switch_bucket(move_));
  co_await ok(done(MoveStep::switched));
}

Async<void> Mover::Run::after_the_switch() {
  co_await ok(at(source_, &close));
  co_await ok(done(MoveStep::closed));
  co_await ok(at(target_, &open));
  if (fenced_at_ != steady_clock::time_point())
    report_.fenced_us =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - fenced_at_).count();
  co_await ok(done(MoveStep::open));
  co_await ok(delete_moved(source_, move_, mover_.options_.page_rows));
  co_await ok(done(MoveStep::deleted));
  co_await ok(mover_.shards_.directory().end_move(move_));
  co_await ok(done(MoveStep::ended));
}

Async<PassReport> Mover::Run::pass() {
  co_await ok(mover_.shards_.directory().touch_move(move_, mover_.now_us()));
  BucketSync sync(source_, target_, move_, mover_.options_.page_rows);
  const PassReport report = co_await ok(sync.pass());
  report_.rows += report.different;
  ++report_.passes;
  co_return report;
}

Async<void> Mover::Run::copy() {
  for (int passes = 0; passes < mover_.options_.copy_passes_max; ++passes) {
    const PassReport report = co_await ok(pass());
    // What a page holds is copied in no time behind the fence.
    if (report.different + report.refused <= static_cast<std::int64_t>(mover_.options_.page_rows)) co_return;
  }
}

Async<void> Mover::Run::make_equal() {
  for (int passes = 0; passes < kFencedPassesMax; ++passes) {
    const PassReport report = co_await ok(pass());
    if (report.different == 0 && report.refused == 0) co_return;
    if (fenced_too_long())
      co_await fail(Category::unavailable, "fence_too_long",
                    "The bucket is too large to be compared in the time that commands may wait.");
    // Rows that stand in each other's way (two that swap a unique value): all anew, into an empty bucket.
    if (report.refused > 0) co_await ok(delete_arrived(target_, move_, mover_.options_.page_rows));
  }
  co_await fail(Category::conflict, "move_unequal",
                "The bucket changes although its shard refuses commands for it.");
}

Async<void> Mover::Run::lift_fence_if_safe(Error why) {
  const Result<void> lifted = co_await at(source_, &lift_fence);
  if (!lifted)
    log_warn("a bucket stays closed to writes until its move is finished",
             {{"bucket", move_.bucket}, {"error", lifted.error().detail()}});
  co_await std::unexpected(std::move(why));
}

Mover::Mover(ShardedDatabase& shards, std::vector<std::string> tables, MoverOptions options)
    : shards_(shards), tables_(std::move(tables)), options_(std::move(options)) {}

std::int64_t Mover::now_us() const {
  return clock_.now().time_since_epoch().count();
}

Async<MoveReport> Mover::finish(Move move) {
  Run run(*this, std::move(move));
  co_await ok(run.to_the_end());
  co_await ok(shards_.directory().refresh());
  co_return run.report();
}

Async<MoveReport> Mover::move(Bucket bucket, std::string_view target) {
  Move move = co_await ok(shards_.directory().begin_move(bucket, target, now_us()));
  if (options_.after_step) co_await ok(options_.after_step(MoveStep::begun));
  MoveReport report = co_await ok(finish(std::move(move)));
  co_return report;
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
    co_await ok(finish(std::move(claimed)));
    ++finished;
  }
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
