// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/sharded_database.h"

#include <gtest/gtest.h>

#include "tests/kits/shard_kit.h"

namespace bedplate::sharding {
namespace {

class ShardedDatabaseTest : public ::testing::TestWithParam<Engines> {
 protected:
  ShardPlaces places{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, ShardedDatabaseTest, every_engines(), engines_name);

TEST_P(ShardedDatabaseTest, RunsCommandsAndReadsWhereTheKeyLies) {
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

TEST_P(ShardedDatabaseTest, RefusesACommandThatWouldCrossShards) {
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

TEST_P(ShardedDatabaseTest, PassesTheErrorsOfABodyOn) {
  ShardKit kit(places, {"a"});
  kit.create({"a"});
  const CustomerId customer = kit.customer_in(3);
  const NewOrder order{3, customer, new_uuid()};
  get(kit.run(kit.sharded().transact(ShardKeys(customer), &insert_order, order)));
  const Result<void> twice = kit.run(kit.sharded().transact(ShardKeys(customer), &insert_order, order));
  EXPECT_EQ(twice.error().code(), sql::kUniqueViolation);
}

TEST_P(ShardedDatabaseTest, SaysWhenThereIsNoDirectoryOrNoShard) {
  {
    ShardKit kit(places, {"a", "b"});
    const NewOrder order;
    EXPECT_EQ(kit.run(kit.sharded().transact(ShardKeys("x"), &insert_order, order)).error().code(),
              "no_directory");
    EXPECT_EQ(kit.run(kit.sharded().read_each(&count_owned_orders)).error().code(), "no_directory");
    kit.create({"a", "b"});
    EXPECT_TRUE(kit.run(kit.directory().create(ShardKit::kBuckets, {"b", "a"}))) << "the same again";
    EXPECT_EQ(kit.run(kit.directory().create(32, {"a", "b"})).error().code(), "directory_exists");
    EXPECT_EQ(kit.run(kit.directory().create(48, {"a"})).error().code(), "bucket_count");
  }
  ShardKit lame(places, {"a"});
  get(lame.run(lame.directory().refresh()));
  const Error unreachable = std::move(lame.run(lame.sharded().read_each(&count_owned_orders)).error());
  EXPECT_EQ(unreachable.code(), "shard_unreachable");
  EXPECT_EQ(unreachable.subject(), "shard b");
}

// A process that slept through a move: its map is old, and it must not write where the bucket was.
TEST_P(ShardedDatabaseTest, ARouterWithAnOldMapIsRefusedByTheShardAndFindsTheNewOne) {
  ShardKit kit(places, {"a", "b"});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  const CustomerId customer = kit.customer_in(3);
  ShardKit other(places, {"a", "b"});
  get(other.run(other.directory().refresh()));

  Mover mover(kit.sharded(), {"customers", "orders"}, patient_mover());
  get(kit.run(mover.move(3, "b")));
  const OwnershipAssertion stale{3, 1};
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

TEST_P(ShardedDatabaseTest, ACommandWaitsForABucketThatChangesHandsButNotForEver) {
  ShardKit kit(places, {"a", "b"}, {.wait_max = std::chrono::milliseconds(30), .fan_out_tries = 2});
  kit.create({"a"});
  get(kit.run(kit.directory().add_shard("b")));
  const CustomerId customer = kit.customer_in(3);
  MoverOptions options = patient_mover();
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

// ---- read_each(), over servers: SQLite's reads on the loop never wait

/// How many bodies run at the same time; they stay until `wanted` do, or a minute is over.
struct Meeting {
  int running = 0;
  int most = 0;
  int wanted = 0;
};
class Present {
 public:
  explicit Present(Meeting& meeting) : meeting_(meeting) {
    meeting_.most = std::max(meeting_.most, ++meeting_.running);
  }
  Present(const Present&) = delete;
  Present& operator=(const Present&) = delete;
  ~Present() { --meeting_.running; }

 private:
  Meeting& meeting_;
};
Async<std::string> meet(sql::Reader& db, Meeting& meeting) {
  const Present present(meeting);
  for (int i = 0; i < 6000 && meeting.most < meeting.wanted; ++i)
    co_await ok(db.value<std::string>("SELECT pg_sleep(0.01)::text"));
  std::string name = co_await ok(db.value<std::string>("SELECT current_database()::text"));
  co_return name;
}

Async<std::int64_t> sleep_long(sql::Reader& db) {
  co_await ok(db.value<std::string>("SELECT pg_sleep(60)::text"));
  co_return 0;
}
Async<std::int64_t> fail_on(sql::Reader& db, const std::string& name) {
  const std::string here = co_await ok(db.value<std::string>("SELECT current_database()::text"));
  if (here == name) co_await fail(Category::conflict, "refused", "This one does not.");
  co_await ok(sleep_long(db));
  co_return 0;
}

class ReadEachOnPostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& name : names) {
      const std::string url = places.url(name);
      databases.push_back(url.substr(url.rfind('/') + 1));
    }
  }
  const std::vector<std::string> names = {"a", "b", "c"};
  ShardPlaces places{Engines::postgresql};
  std::vector<std::string> databases;
};

TEST_F(ReadEachOnPostgresTest, AsksSeveralAtOnceButNoMoreThanItMayAndAnswersInOrder) {
  ShardKit kit(places, names, {.fan_out_max = 2});
  kit.create(names);
  Meeting meeting{.wanted = 2};
  EXPECT_EQ(get(kit.run(kit.sharded().read_each(&meet, meeting))), databases);
  EXPECT_EQ(meeting.most, 2);
}

TEST_F(ReadEachOnPostgresTest, EndsWithTheFirstErrorAndSaysOfWhichShard) {
  ShardKit kit(places, names);
  kit.create(names);
  const auto began = std::chrono::steady_clock::now();
  const auto refused = kit.run(kit.sharded().read_each(&fail_on, databases[1]));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "refused");
  EXPECT_EQ(refused.error().subject(), "shard b");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(50))
      << "the others sleep for a minute";
}

TEST_F(ReadEachOnPostgresTest, EndsAtTheDeadlineOfItsCaller) {
  ShardKit kit(places, names);
  kit.create(names);
  Scope scope;
  Deadline deadline(kit.loop(), scope);
  deadline.start(std::chrono::milliseconds(100));
  const auto began = std::chrono::steady_clock::now();
  const auto late = kit.run(kit.sharded().read_each(&sleep_long), &scope);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().category(), Category::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(50));
}

TEST_F(ReadEachOnPostgresTest, IsRefusedToACallerWhoHasGone) {
  ShardKit kit(places, names);
  kit.create(names);
  Scope scope;
  scope.cancel(Category::cancelled);
  EXPECT_EQ(kit.run(kit.sharded().read_each(&count_owned_orders), &scope).error().category(),
            Category::cancelled);
}

}  // namespace
}  // namespace bedplate::sharding
