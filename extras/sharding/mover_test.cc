// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/mover.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "bedplate/async/worker_pool.h"
#include "tests/kits/shard_kit.h"

namespace bedplate::sharding {
namespace {

using std::chrono::milliseconds;

const std::vector<std::string> kTables = {"orders", "customers"};

Result<void> crash() {
  return fail(Category::internal, "crashed", "The mover has crashed.");
}

class MoverTest : public ::testing::TestWithParam<Engines> {
 protected:
  ShardPlaces places{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, MoverTest, every_engines(), engines_name);
class MoverProcessTest : public MoverTest {};
INSTANTIATE_TEST_SUITE_P(, MoverProcessTest, ::testing::Values(Engines::sqlite, Engines::mixed),
                         engines_name);

Async<void> move_about(ShardKit& kit, int times) {
  Mover mover(kit.sharded(), kTables, patient_mover());
  for (int i = 0; i < times; ++i) {
    const MoveReport there = co_await ok(mover.move(3, "b"));
    EXPECT_GT(there.rows, 0);
    co_await ok(mover.move(3, "a"));
  }
}

TEST_P(MoverTest, MovesABucketThereAndBackWhileItIsWrittenAndRead) {
  ShardKit kit(places, {"a", "b"});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  Shoppers shoppers({kit.customer_in(3), kit.customer_in(3), kit.customer_in(3), kit.customer_in(4)});
  shoppers.shop_while(kit, move_about(kit, 3));
  shoppers.check(kit);
  EXPECT_TRUE(shoppers.failed().empty()) << *shoppers.failed().begin();
  EXPECT_GT(shoppers.acknowledged(), 20u);
  EXPECT_EQ(kit.directory().map()->shard_of(3), "a");
  EXPECT_EQ(kit.directory().map()->owner(3).epoch, 7);
}

Async<void> rebalance(ShardKit& kit, std::int64_t& moved) {
  Mover mover(kit.sharded(), kTables, patient_mover());
  co_await ok(kit.directory().add_shard("b"));
  co_await ok(kit.directory().add_shard("c"));
  moved = co_await ok(mover.rebalance());
  co_await ok(kit.directory().retire_shard("a"));
  moved += co_await ok(mover.rebalance());
  co_await ok(kit.directory().remove_shard("a"));
}

TEST_P(MoverTest, SpreadsBucketsOverShardsThatJoinAndTakesThemFromOneThatLeaves) {
  ShardKit kit(places, {"a", "b", "c"});
  kit.create({"a"});
  Shoppers shoppers({kit.customer_in(1), kit.customer_in(7), kit.customer_in(15)});
  std::int64_t moved = 0;
  shoppers.shop_while(kit, rebalance(kit, moved));
  shoppers.check(kit);
  EXPECT_EQ(moved, 10 + 6);
  EXPECT_EQ(kit.directory().map()->shards, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(kit.run(kit.directory().remove_shard("b")).error().code(), "shard_owns_buckets");
  std::int64_t counted = 0;
  for (const std::int64_t count : get(kit.run(kit.sharded().read_each(&count_owned_orders))))
    counted += count;
  EXPECT_EQ(counted, static_cast<std::int64_t>(kit.stored().orders.size()));
}

constexpr MoveStep kSteps[] = {MoveStep::begun,  MoveStep::arriving, MoveStep::logging,  MoveStep::copied,
                               MoveStep::fenced, MoveStep::equal,    MoveStep::switched, MoveStep::closed,
                               MoveStep::open,   MoveStep::deleted,  MoveStep::ended};

/// There and back again.
std::string target_of(std::size_t round) {
  return round % 2 == 0 ? "b" : "a";
}

Async<void> crash_and_finish(ShardKit& kit, MoveStep at, const std::string& target) {
  MoverOptions options = patient_mover();
  options.idle_max = milliseconds(0);
  options.after_step = [at](MoveStep step) { return step == at ? crash() : Result<void>(); };
  Mover first(kit.sharded(), kTables, options);
  const Result<MoveReport> crashed = co_await first.move(3, target);
  EXPECT_EQ(crashed ? "" : crashed.error().code(), "crashed");
  for (int i = 0; i < 20; ++i) co_await ok(yield());
  options.after_step = nullptr;
  Mover second(kit.sharded(), kTables, options);
  const std::int64_t finished = co_await ok(second.finish_abandoned());
  EXPECT_EQ(finished, at == MoveStep::ended ? 0 : 1);
}

TEST_P(MoverTest, ThatDiesAfterAnyStepIsReplacedByAnother) {
  ShardKit kit(places, {"a", "b"});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  Shoppers shoppers({kit.customer_in(3), kit.customer_in(3)});
  for (std::size_t i = 0; i < std::size(kSteps); ++i) {
    SCOPED_TRACE(i);
    shoppers.shop_while(kit, crash_and_finish(kit, kSteps[i], target_of(i)));
    get(kit.run(kit.directory().refresh()));  // one that dies at the very end does not
    EXPECT_EQ(kit.directory().map()->shard_of(3), target_of(i));
    EXPECT_TRUE(get(kit.run(kit.directory().moves())).empty());
  }
  shoppers.check(kit);
  EXPECT_TRUE(shoppers.failed().empty()) << *shoppers.failed().begin();
}

// A process of its own, killed by the kernel in the middle: everything it held in memory is gone.
[[noreturn]] void move_and_be_killed(ShardPlaces& places, MoveStep at, const std::string& target) {
  ShardKit kit(places, {"a", "b"});
  MoverOptions options = patient_mover();
  options.after_step = [at](MoveStep step) -> Result<void> {
    if (step == at) ::kill(::getpid(), SIGKILL);
    return {};
  };
  Mover mover(kit.sharded(), kTables, options);
  static_cast<void>(kit.run(kit.directory().refresh()));
  static_cast<void>(kit.run(mover.move(3, target)));
  ::_exit(1);
}

Async<void> wait_for_death_and_finish(ShardKit& kit, pid_t child) {
  WorkerPool pool(1, 4);
  const int status = co_await ok(pool.run([&] {
    int ended = 0;
    ::waitpid(child, &ended, 0);
    return ended;
  }));
  EXPECT_TRUE(WIFSIGNALED(status)) << status;
  MoverOptions options = patient_mover();
  options.idle_max = milliseconds(0);
  Mover mover(kit.sharded(), kTables, options);
  co_await ok(mover.finish_abandoned());
}

TEST_P(MoverProcessTest, ThatIsKilledAfterAnyStepIsReplacedByAnother) {
  std::vector<CustomerId> customers;
  {
    ShardKit kit(places, {"a", "b"});
    kit.create({"a"});
    get(kit.run(kit.directory().add_shard("b")));
    customers = {kit.customer_in(3), kit.customer_in(3)};
  }
  Shoppers shoppers(customers);
  for (std::size_t i = 0; i < std::size(kSteps); ++i) {
    SCOPED_TRACE(i);
    const pid_t child = ::fork();  // there are no threads at this moment
    if (child == 0) move_and_be_killed(places, kSteps[i], target_of(i));
    ShardKit kit(places, {"a", "b"}, {.wait_max = milliseconds(20'000)});
    get(kit.run(kit.directory().refresh()));
    shoppers.shop_while(kit, wait_for_death_and_finish(kit, child));
    get(kit.run(kit.directory().refresh()));
    EXPECT_EQ(kit.directory().map()->shard_of(3), target_of(i));
    EXPECT_TRUE(get(kit.run(kit.directory().moves())).empty());
  }
  ShardKit kit(places, {"a", "b"});
  get(kit.run(kit.directory().refresh()));
  shoppers.check(kit);
}

// A mover that slept while another took its move over: each thing that it still tries is refused.
TEST_P(MoverTest, ThatWakesUpLateIsRefusedEverywhere) {
  ShardKit kit(places, {"a", "b"});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  kit.customer_in(3);
  const Move slept = get(kit.run(kit.directory().begin_move(3, "b", 1)));
  get(kit.run(kit.database(1).transact(&start_arriving, slept)));
  EXPECT_EQ(kit.run(kit.directory().begin_move(3, "b", 1)).error().code(), "move_exists");
  EXPECT_EQ(kit.run(kit.directory().claim_move(slept, 1, 2)).error().code(), "move_overtaken")
      << "touched since";
  const Move taken = get(kit.run(kit.directory().claim_move(slept, 2, 3)));
  get(kit.run(kit.database(1).transact(&start_arriving, taken)));
  const DrainWait drain(kit.database(0).dialect(), milliseconds(60'000));
  get(kit.run(kit.database(0).transact(&start_logging, drain, taken)));
  get(kit.run(kit.database(0).transact(&fence, drain, taken)));

  const sql::Dialect dialect = kit.database(1).dialect();
  const sql::Dialect source = kit.database(0).dialect();
  EXPECT_EQ(kit.run(kit.database(1).transact(&start_arriving, slept)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.database(1).transact(&check_arriving, dialect, slept)).error().code(),
            "move_overtaken");
  EXPECT_EQ(kit.run(kit.database(0).transact(&start_logging, drain, slept)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.database(0).transact(&check_logging, source, slept)).error().code(),
            "move_overtaken");
  EXPECT_EQ(kit.run(kit.database(0).transact(&fence, drain, slept)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.database(0).transact(&lift_fence, slept)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.directory().touch_move(slept, 9)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.directory().switch_bucket(slept)).error().code(), "move_overtaken");
  EXPECT_EQ(kit.run(kit.directory().end_move(slept)).error().code(), "move_overtaken");
  EXPECT_TRUE(kit.run(kit.database(1).transact(&check_arriving, dialect, taken)));
  EXPECT_EQ(kit.run(kit.directory().switch_bucket(taken)).has_value(), true);
  EXPECT_EQ(kit.run(kit.directory().switch_bucket(taken)).error().code(), "move_overtaken") << "once only";
}

TEST_P(MoverTest, LiftsTheFenceWhenWritesAreHeldForTooLong) {
  ShardKit kit(places, {"a", "b"});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  const CustomerId customer = kit.customer_in(3);
  MoverOptions options = patient_mover();
  options.held_max = milliseconds(-1);
  Mover mover(kit.sharded(), kTables, options);
  EXPECT_EQ(kit.run(mover.move(3, "b")).error().code(), "held_too_long");
  const NewOrder order{3, customer, new_uuid()};
  EXPECT_TRUE(kit.run(kit.sharded().transact(ShardKeys(customer), &insert_order, order)));
  options = patient_mover();
  options.idle_max = milliseconds(0);
  Mover another(kit.sharded(), kTables, options);
  EXPECT_EQ(get(kit.run(another.finish_abandoned())), 1);
  EXPECT_EQ(kit.stored().orders.at(order.id), 1);
}

Async<void> insert_rubbish(sql::Transaction& tx, const CustomerId& customer) {
  const Uuid other = new_uuid();
  const std::string name = customer.to_string();
  co_await ok(
      tx.run("INSERT INTO customers (id, bucket, name, orders) VALUES ($1, 3, 'another', 5), ($2, 3, $3, 6)",
             customer, other, name));
  co_await ok(tx.run("INSERT INTO orders (id, bucket, customer, price) VALUES ($1, 3, $1, 1)", other));
}

TEST_P(MoverTest, ReplacesWhatAnEarlierMoveLeftAtTheTarget) {
  ShardKit kit(places, {"a", "b"});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  const CustomerId customer = kit.customer_in(3);
  const NewOrder order{3, customer, new_uuid()};
  get(kit.run(kit.sharded().transact(ShardKeys(customer), &insert_order, order)));
  // Another row holds the name that the customer must get.
  get(kit.run(kit.database(1).transact(&insert_rubbish, customer)));
  Mover mover(kit.sharded(), kTables, patient_mover());
  get(kit.run(mover.move(3, "b")));
  EXPECT_EQ(kit.stored().orders.size(), 1u);
}

}  // namespace
}  // namespace bedplate::sharding
