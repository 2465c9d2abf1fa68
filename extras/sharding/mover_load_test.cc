// SPDX-License-Identifier: Apache-2.0
// Moves under load: a bucket much larger than what may be copied behind the fence, commands that never leave a gap, and
// a shard whose server is killed.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "extras/sharding/mover.h"
#include "tests/kits/shard_kit.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::sharding {
namespace {

using std::chrono::milliseconds;

const std::vector<std::string> kTables = {"orders", "customers"};

Async<void> insert_many_orders(sql::Transaction& tx, const NewOrder& first, const int& count) {
  NewOrder order = first;
  for (int i = 0; i < count; ++i) {
    order.id = new_uuid();
    co_await ok(insert_order(tx, order));
  }
}

class LargeBucketTest : public ::testing::TestWithParam<Engines> {};
INSTANTIATE_TEST_SUITE_P(, LargeBucketTest, every_engines(), engines_name);

Async<void> write_some(ShardKit& kit, const CustomerId& customer, const bool& now, int count) {
  NewOrder order{3, customer, {}};
  while (!now) co_await ok(sleep_for(milliseconds(1)));
  for (int i = 0; i < count; ++i) {
    order.id = new_uuid();
    co_await ok(kit.sharded().transact(ShardKeys(customer), &insert_order, order));
  }
}
Async<void> move_and_report(ShardKit& kit, const MoverOptions& options, MoveReport& report) {
  Mover mover(kit.sharded(), kTables, options);
  report = co_await ok(mover.move(3, "b"));
}

// Counted in reads of the two shards, for time is not the same on two machines.
TEST_P(LargeBucketTest, IsHeldOnlyAsLongAsItsLastChangesTake) {
  constexpr int kRows = 1000;
  ShardPlaces places(GetParam());
  ShardKit kit(places, {"a", "b"});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  const CustomerId customer = kit.customer_in(3);
  const NewOrder first{3, customer, {}};
  get(kit.run(kit.database(0).transact(&insert_many_orders, first, kRows)));

  std::map<MoveStep, std::uint64_t> reads;
  bool copying = false;
  MoverOptions options = patient_mover();
  options.page_rows = 4;
  options.after_step = [&](MoveStep step) -> Result<void> {
    copying = copying || step == MoveStep::logging;
    reads[step] = kit.database(0).stats().reads + kit.database(1).stats().reads;
    return {};
  };
  MoveReport report;
  std::vector<Async<void>> coroutines;
  coroutines.push_back(move_and_report(kit, options, report));
  coroutines.push_back(write_some(kit, customer, copying, 20));
  kit.run_all(std::move(coroutines));
  const std::uint64_t before = reads[MoveStep::copied] - reads[MoveStep::logging];
  const std::uint64_t behind = reads[MoveStep::equal] - reads[MoveStep::fenced];
  EXPECT_GE(before, 2u * kRows / options.page_rows) << "both shards, all of the bucket";
  EXPECT_LT(behind, before / 3);
  EXPECT_GE(report.rows, kRows);
  EXPECT_GT(report.changes, 0) << "written while the bucket was copied";
  EXPECT_EQ(kit.stored().orders.size(), kRows + 20u);
}

// ---- commands that overlap

struct Slow {
  NewOrder order;
  std::string nap;
};
Async<void> insert_slowly(sql::Transaction& tx, const Slow& slow) {
  co_await ok(insert_customer(tx, slow.order));
  co_await ok(tx.run(slow.nap));
}
Async<void> keep_writing(ShardKit& kit, const bool& over, int& answered) {
  Slow slow{{3, {}, {}}, "SELECT pg_sleep(0.05)"};
  while (!over) {
    do slow.order.customer = CustomerId(new_uuid());
    while (ShardKey(slow.order.customer).bucket(ShardKit::kBuckets) != 3);
    co_await ok(kit.sharded().transact(ShardKeys(slow.order.customer), &insert_slowly, slow));
    ++answered;
  }
}
Async<void> fence_and_lift(ShardKit& kit, const Move& move, bool& over, const int& answered, int& meanwhile) {
  while (answered < 6) co_await ok(sleep_for(milliseconds(5)));
  const DrainWait drain(sql::Dialect::postgresql, milliseconds(60'000));
  const int before = answered;
  const Result<void> fenced = co_await kit.database(0).transact(&fence, drain, move);
  meanwhile = answered - before;
  over = true;
  co_await ok(kit.database(0).transact(&lift_fence, move));
  EXPECT_TRUE(fenced);
}

// Row locks alone would let the fence starve: whoever shares a row does not queue behind who wants it for itself.
TEST(DrainWaits, LetAFencePassBetweenCommandsThatAlwaysOverlap) {
  constexpr int kWriters = 6;
  ShardPlaces places(Engines::postgresql);
  ShardKit kit(places, {"a", "b"});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  const Move move = get(kit.run(kit.directory().begin_move(3, "b", 1)));
  bool over = false;
  int answered = 0;
  int meanwhile = 0;
  std::vector<Async<void>> coroutines;
  for (int i = 0; i < kWriters; ++i) coroutines.push_back(keep_writing(kit, over, answered));
  coroutines.push_back(fence_and_lift(kit, move, over, answered, meanwhile));
  kit.run_all(std::move(coroutines));
  // Those that ran, those that were on their way, and on a busy machine those that came before the fence's own request
  // did. One that starves waits until its minute is over, which is more than a thousand rounds of the writers.
  EXPECT_LE(meanwhile, 100 * kWriters);
}

// ---- a server that is killed

/// Kills the server of `b` after a step of a move, starts it again, and lets the move be finished.
Async<void> lose_a_server(ShardKit& kit, testing::PostgresServer& server, MoveStep at, std::string target,
                          const Shoppers& shoppers, bool serves) {
  MoverOptions options = patient_mover();
  options.idle_max = milliseconds(0);
  options.after_step = [&, at](MoveStep step) -> Result<void> {
    if (step == at) server.kill();
    return {};
  };
  Mover mover(kit.sharded(), kTables, options);
  const Result<MoveReport> moved = co_await mover.move(3, target);
  EXPECT_FALSE(moved);
  EXPECT_TRUE(moved || moved.error().category() == Category::unavailable) << moved.error().code();
  // Whoever needs it is told so, and the rest goes on.
  const std::size_t failures = shoppers.failures();
  const std::size_t orders = shoppers.acknowledged();
  while (serves ? shoppers.failures() < failures + 4 : shoppers.acknowledged() < orders + 4)
    co_await ok(sleep_for(milliseconds(5)));
  server.start();
  options.after_step = nullptr;
  Mover another(kit.sharded(), kTables, options);
  for (std::size_t left = 1; left > 0;) {
    std::ignore = co_await another.finish_abandoned();
    const Result<std::vector<Move>> moves = co_await kit.directory().moves();
    if (moves) left = moves->size();
    co_await ok(sleep_for(milliseconds(10)));
  }
}

TEST(ShardOutage, AServerThatIsKilledInMidMoveLosesNothingAndDoublesNothing) {
  testing::PostgresServer server({.durable = true});
  const testing::PostgresDatabase database = server.create_database();
  ShardPlaces places(Engines::mixed);
  places.set("b", database.url());
  ShardKit kit(places, {"a", "b"}, {.wait_max = milliseconds(100)});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  // The other bucket stays on a.
  Shoppers shoppers({kit.customer_in(3), kit.customer_in(3), kit.customer_in(4)});
  struct Round {
    MoveStep at;
    const char* target;
    bool serves;  ///< b is what the bucket is served from, or is being handed over
  };
  // There and back: b is the target, then the source.
  for (const Round& round : {Round{MoveStep::logging, "b", false}, Round{MoveStep::switched, "b", true},
                             Round{MoveStep::copied, "a", true}, Round{MoveStep::fenced, "b", false}}) {
    SCOPED_TRACE(static_cast<int>(round.at));
    if (kit.directory().map()->shard_of(3) == round.target) {
      Mover back(kit.sharded(), kTables, patient_mover());
      get(kit.run(back.move(3, round.target == std::string("a") ? "b" : "a")));
    }
    shoppers.shop_while(kit, lose_a_server(kit, server, round.at, round.target, shoppers, round.serves));
    get(kit.run(kit.directory().refresh()));
    EXPECT_EQ(kit.directory().map()->shard_of(3), round.target);
  }
  shoppers.check(kit);
  EXPECT_EQ(shoppers.unclear(), 0) << "each failure says that it will pass";
}

}  // namespace
}  // namespace bedplate::sharding
