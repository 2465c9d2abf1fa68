// SPDX-License-Identifier: Apache-2.0
// Cancelling a move: from every step of it, by a canceller that dies after every step of its own, with a target that
// answers, that is away and that never comes back.
#include "extras/sharding/move_undo.h"

#include <gtest/gtest.h>

#include "extras/sharding/ownership.h"
#include "tests/kits/shard_kit.h"

namespace bedplate::sharding {
namespace {

using std::chrono::milliseconds;

const std::vector<std::string> kTables = {"orders", "customers"};
constexpr MoveStep kBeforeSwitch[] = {MoveStep::begun,  MoveStep::arriving, MoveStep::logging,
                                      MoveStep::copied, MoveStep::fenced,   MoveStep::equal};
constexpr MoveStep kOfCancelling[] = {MoveStep::cancelled, MoveStep::restored,  MoveStep::forgotten,
                                      MoveStep::released,  MoveStep::abandoned, MoveStep::emptied,
                                      MoveStep::cleaned};

MoverOptions dying_after(MoveStep last) {
  MoverOptions options = patient_mover();
  options.idle_max = milliseconds(0);
  options.after_step = [last](MoveStep step) {
    return step == last ? Result<void>(fail(Category::internal, "crashed", "The mover has crashed."))
                        : Result<void>();
  };
  return options;
}
MoverOptions impatient() {
  MoverOptions options = patient_mover();
  options.idle_max = milliseconds(0);
  return options;
}

Async<std::int64_t> count_rows(sql::Reader& db) {
  const std::int64_t rows = co_await ok(
      db.value<std::int64_t>("SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM customers)"));
  co_return rows;
}
/// Buckets that are not simply owned, and entries of the change log.
Async<std::int64_t> count_traces(sql::Reader& db) {
  const std::int64_t traces = co_await ok(db.value<std::int64_t>(
      "SELECT (SELECT count(*) FROM sharding_changes) + (SELECT count(*) FROM sharding_owned "
      "WHERE state IN ('leaving', 'arriving') OR logged <> 0)"));
  co_return traces;
}

class MoveUndoTest : public ::testing::TestWithParam<Engines> {
 protected:
  /// All buckets on "a"; "b" has none.
  MoveUndoTest() {
    kit.create({"a"});
    get(kit.run(kit.directory().add_shard("b")));
  }
  std::int64_t rows(std::size_t shard) { return get(kit.run(kit.database(shard).read(&count_rows))); }
  std::int64_t traces(std::size_t shard) { return get(kit.run(kit.database(shard).read(&count_traces))); }
  void expect_nothing_left() {
    EXPECT_EQ(kit.directory().map()->shard_of(3), "a");
    EXPECT_EQ(rows(1), 0);
    EXPECT_EQ(traces(0), 0);
    EXPECT_EQ(traces(1), 0);
    EXPECT_TRUE(get(kit.run(kit.directory().moves())).empty());
    EXPECT_TRUE(get(kit.run(kit.directory().leftovers())).empty());
  }

  ShardPlaces places{GetParam()};
  ShardKit kit{places, {"a", "b"}};
};
INSTANTIATE_TEST_SUITE_P(, MoveUndoTest, every_engines(), engines_name);

Async<void> die_and_cancel(ShardKit& kit, MoveStep last) {
  Mover mover(kit.sharded(), kTables, dying_after(last));
  const Result<MoveReport> died = co_await mover.move(3, "b");
  EXPECT_EQ(died ? "" : died.error().code(), "crashed");
  for (int i = 0; i < 20; ++i) co_await ok(yield());
  Mover other(kit.sharded(), kTables, impatient());
  co_await ok(other.cancel(3));
}

TEST_P(MoveUndoTest, AMoveThatDiedBeforeTheSwitchLeavesNothingAtWhateverStep) {
  Shoppers shoppers({kit.customer_in(3), kit.customer_in(3)});
  for (const MoveStep last : kBeforeSwitch) {
    SCOPED_TRACE(static_cast<int>(last));
    shoppers.shop_while(kit, die_and_cancel(kit, last));
    expect_nothing_left();
  }
  shoppers.check(kit);
  EXPECT_TRUE(shoppers.failed().empty()) << *shoppers.failed().begin();
  Mover mover(kit.sharded(), kTables, patient_mover());
  get(kit.run(mover.move(3, "b")));  // where a cancelled one had been
  shoppers.check(kit);
  EXPECT_EQ(kit.run(mover.cancel(3)).error().code(), "no_move");
}

Async<void> cancel_and_die(ShardKit& kit, MoveStep last) {
  Mover mover(kit.sharded(), kTables, dying_after(MoveStep::fenced));
  const Result<MoveReport> died = co_await mover.move(3, "b");
  EXPECT_FALSE(died);
  Mover canceller(kit.sharded(), kTables, dying_after(last));
  // From `released` on nobody needs to hear that tidying up did not work.
  const Result<void> cancelled = co_await canceller.cancel(3);
  EXPECT_EQ(cancelled.has_value(), last > MoveStep::released);
  Mover other(kit.sharded(), kTables, impatient());
  const std::int64_t finished = co_await ok(other.finish_abandoned());
  EXPECT_EQ(finished, last < MoveStep::released ? 1 : 0);
}

TEST_P(MoveUndoTest, ACancellerThatDiesAfterAnyStepIsReplacedByAnother) {
  Shoppers shoppers({kit.customer_in(3), kit.customer_in(3)});
  for (const MoveStep last : kOfCancelling) {
    SCOPED_TRACE(static_cast<int>(last));
    shoppers.shop_while(kit, cancel_and_die(kit, last));
    expect_nothing_left();
  }
  shoppers.check(kit);
  EXPECT_TRUE(shoppers.failed().empty()) << *shoppers.failed().begin();
}

TEST_P(MoveUndoTest, TheMoverOfACancelledMoveIsRefusedEverywhere) {
  kit.customer_in(3);
  const Move slept = get(kit.run(kit.directory().begin_move(3, "b", 1)));
  get(kit.run(kit.database(1).transact(&start_arriving, slept)));
  const DrainWait drain(kit.database(0).dialect(), milliseconds(60'000));
  get(kit.run(kit.database(0).transact(&start_logging, drain, slept)));
  Mover mover(kit.sharded(), kTables, patient_mover());
  get(kit.run(mover.cancel(3)));
  const sql::Dialect here = kit.database(1).dialect();
  EXPECT_EQ(kit.run(kit.database(1).transact(&start_arriving, slept)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.database(1).transact(&check_arriving, here, slept)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.database(0).transact(&start_logging, drain, slept)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.database(0).transact(&fence, drain, slept)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.directory().switch_bucket(slept)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.directory().end_move(slept)).error().code(), "move_overtaken");
  expect_nothing_left();
}

TEST_P(MoveUndoTest, AfterTheSwitchAMoveCanOnlyBeFinished) {
  kit.customer_in(3);
  Mover mover(kit.sharded(), kTables, dying_after(MoveStep::switched));
  EXPECT_FALSE(kit.run(mover.move(3, "b")));
  Mover other(kit.sharded(), kTables, impatient());
  EXPECT_EQ(kit.run(other.cancel(3)).error().code(), "move_switched");
  EXPECT_EQ(get(kit.run(other.finish_abandoned())), 1);
  EXPECT_EQ(rows(1), 1);
}

/// A process whose shard "b" cannot be reached: it stands where nothing is.
class WithoutTarget {
 public:
  explicit WithoutTarget(ShardKit& kit)
      : sharded_(kit.directory(), {{"a", &kit.database(0)}}, {.wait_max = std::chrono::seconds(60)}),
        mover_(sharded_, kTables, impatient()) {}
  Mover& mover() { return mover_; }

 private:
  ShardedDatabase sharded_;
  Mover mover_;
};

TEST_P(MoveUndoTest, WithoutItsTargetTheBucketIsFreeAndWhatArrivedGoesWhenItIsBack) {
  kit.customer_in(3);
  Mover mover(kit.sharded(), kTables, dying_after(MoveStep::equal));
  EXPECT_FALSE(kit.run(mover.move(3, "b")));
  EXPECT_EQ(rows(1), 1);
  WithoutTarget without(kit);
  get(kit.run(without.mover().cancel(3)));
  EXPECT_EQ(traces(0), 0);
  EXPECT_TRUE(get(kit.run(kit.directory().moves())).empty());
  EXPECT_EQ(get(kit.run(without.mover().finish_abandoned())), 0);
  EXPECT_EQ(get(kit.run(kit.directory().leftovers())).size(), 1u);
  EXPECT_EQ(rows(1), 1);
  Mover back(kit.sharded(), kTables, impatient());
  EXPECT_EQ(get(kit.run(back.finish_abandoned())), 0);
  EXPECT_EQ(rows(0), 1);
  expect_nothing_left();
}

TEST_P(MoveUndoTest, WhatArrivedStaysWhenALaterMoveHasComeToTheSameTarget) {
  kit.customer_in(3);
  Mover mover(kit.sharded(), kTables, dying_after(MoveStep::equal));
  EXPECT_FALSE(kit.run(mover.move(3, "b")));
  WithoutTarget without(kit);
  get(kit.run(without.mover().cancel(3)));
  Mover back(kit.sharded(), kTables, impatient());
  get(kit.run(back.move(3, "b")));
  get(kit.run(back.finish_abandoned()));
  EXPECT_TRUE(get(kit.run(kit.directory().leftovers())).empty());
  EXPECT_EQ(rows(1), 1);
  EXPECT_EQ(rows(0), 0);
}

TEST_P(MoveUndoTest, ATargetThatNeverComesBackIsForgottenWithItsShard) {
  kit.customer_in(3);
  Mover mover(kit.sharded(), kTables, dying_after(MoveStep::logging));
  EXPECT_FALSE(kit.run(mover.move(3, "b")));
  get(kit.run(kit.directory().retire_shard("b")));
  EXPECT_EQ(kit.run(kit.directory().remove_shard("b")).error().code(), "shard_owns_buckets");
  WithoutTarget without(kit);
  get(kit.run(without.mover().cancel(3)));
  get(kit.run(kit.directory().remove_shard("b")));
  EXPECT_TRUE(get(kit.run(kit.directory().leftovers())).empty());
  kit.customer_in(3);
}

}  // namespace
}  // namespace bedplate::sharding
