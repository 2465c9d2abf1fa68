#include "bedplate/sharding/sharded_database.h"

#include <gtest/gtest.h>

#include "bedplate/sharding/shard_test_kit.h"

namespace bedplate::sharding {
namespace {

class ShardedDatabaseTest : public ::testing::TestWithParam<Engines> {
 protected:
  ShardPlaces places{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, ShardedDatabaseTest, every_engines(), engines_name);

TEST_P(ShardedDatabaseTest, runs_commands_and_reads_where_the_key_lies) {
  ShardKit kit(places, {"a", "b"});
  kit.create({"a", "b"});
  std::vector<CustomerId> customers;
  for (Bucket bucket = 0; bucket < 16; ++bucket) customers.push_back(kit.customer_in(bucket));
  for (const CustomerId& customer : customers) {
    const NewOrder order{kit.sharded().bucket_of(customer), customer, new_uuid()};
    get(kit.run(kit.sharded().transact(ShardKeys(customer), &insert_order, order)));
    EXPECT_EQ(get(kit.run(kit.sharded().read(ShardKeys(customer), &orders_of, customer))),
              std::vector<Uuid>{order.id});
  }
  EXPECT_EQ(get(kit.run(kit.sharded().read_each(&count_owned_orders))), (std::vector<std::int64_t>{8, 8}));
}

TEST_P(ShardedDatabaseTest, refuses_a_command_that_would_cross_shards) {
  ShardKit kit(places, {"a"});
  kit.create({"a"});
  const CustomerId first = kit.customer_in(3), second = kit.customer_in(4), neighbour = kit.customer_in(3);
  const NewOrder order{3, first, new_uuid()};
  const ShardKeys crossing({ShardKey(first), ShardKey(second)});
  const Result<void> refused = kit.run(kit.sharded().transact(crossing, &insert_order, order));
  ASSERT_FALSE(refused) << "also where all buckets lie on one shard";
  EXPECT_EQ(refused.error().code(), "cross_shard");
  EXPECT_EQ(refused.error().category(), Category::invalid);
  EXPECT_EQ(kit.stored().orders.size(), 0u);
  const ShardKeys together({ShardKey(first), ShardKey(neighbour)});
  EXPECT_TRUE(kit.run(kit.sharded().transact(together, &insert_order, order)));
}

TEST_P(ShardedDatabaseTest, passes_the_errors_of_a_body_on) {
  ShardKit kit(places, {"a"});
  kit.create({"a"});
  const CustomerId customer = kit.customer_in(3);
  const NewOrder order{3, customer, new_uuid()};
  get(kit.run(kit.sharded().transact(ShardKeys(customer), &insert_order, order)));
  const Result<void> twice = kit.run(kit.sharded().transact(ShardKeys(customer), &insert_order, order));
  EXPECT_EQ(twice.error().code(), sql::kUniqueViolation);
}

TEST_P(ShardedDatabaseTest, says_when_there_is_no_directory_or_no_shard) {
  {
    ShardKit kit(places, {"a", "b"});
    const NewOrder order;
    EXPECT_EQ(kit.run(kit.sharded().transact(ShardKeys("x"), &insert_order, order)).error().code(),
              "no_directory");
    kit.create({"a", "b"});
    EXPECT_TRUE(kit.run(kit.directory().create(ShardKit::kBuckets, {"b", "a"}))) << "the same again";
    EXPECT_EQ(kit.run(kit.directory().create(32, {"a", "b"})).error().code(), "directory_exists");
    EXPECT_EQ(kit.run(kit.directory().create(48, {"a"})).error().code(), "bucket_count");
  }
  ShardKit lame(places, {"a"});
  get(lame.run(lame.directory().refresh()));
  EXPECT_EQ(lame.run(lame.sharded().read_each(&count_owned_orders)).error().code(), "shard_unreachable");
}

// A process that slept through a move: its map is old, and it must not write where the bucket was.
TEST_P(ShardedDatabaseTest, a_router_with_an_old_map_is_refused_by_the_shard_and_finds_the_new_one) {
  ShardKit kit(places, {"a", "b"});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  const CustomerId customer = kit.customer_in(3);
  ShardKit other(places, {"a", "b"});
  get(other.run(other.directory().refresh()));

  Mover mover(kit.sharded(), {"customers", "orders"});
  get(kit.run(mover.move(3, "b")));
  const Claim stale{3, 1};
  for (const std::size_t shard : {0u, 1u}) {
    const sql::Dialect dialect = kit.database(shard).dialect();
    EXPECT_EQ(kit.run(kit.database(shard).transact(&check_command, dialect, stale)).error().code(),
              kBucketElsewhere)
        << shard << ": it has gone, or its epoch is an old one";
  }

  EXPECT_EQ(other.directory().map()->shard_of(3), "a");
  const NewOrder order{3, customer, new_uuid()};
  get(other.run(other.sharded().transact(ShardKeys(customer), &insert_order, order)));
  EXPECT_EQ(other.directory().map()->shard_of(3), "b");
  EXPECT_EQ(other.stored().orders.at(order.id), 1);
}

TEST_P(ShardedDatabaseTest, a_command_waits_for_a_bucket_that_changes_hands_but_not_for_ever) {
  ShardKit kit(places, {"a", "b"}, {.wait_max = std::chrono::milliseconds(30), .fan_out_tries = 2});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  const CustomerId customer = kit.customer_in(3);
  MoverOptions options;
  options.after_step = [](MoveStep step) -> Result<void> {
    if (step == MoveStep::fenced) return fail(Category::internal, "stopped", "Stopped.");
    return {};
  };
  Mover mover(kit.sharded(), {"customers", "orders"}, options);
  EXPECT_EQ(kit.run(mover.move(3, "b")).error().code(), "stopped");
  const NewOrder order{3, customer, new_uuid()};
  const Result<void> refused = kit.run(kit.sharded().transact(ShardKeys(customer), &insert_order, order));
  EXPECT_EQ(refused.error().code(), kBucketMoving);
  EXPECT_EQ(refused.error().category(), Category::unavailable);
  EXPECT_GT(refused.error().retry_after().count(), 0);
  EXPECT_TRUE(kit.run(kit.sharded().read(ShardKeys(customer), &orders_of, customer))) << "reads go on";
}

}  // namespace
}  // namespace bedplate::sharding
