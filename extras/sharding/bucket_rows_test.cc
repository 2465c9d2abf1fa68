// SPDX-License-Identifier: Apache-2.0
// What may happen to a bucket's rows between the first comparison and the last, step by step.
#include "extras/sharding/bucket_rows.h"

#include <gtest/gtest.h>

#include "tests/kits/shard_kit.h"

namespace bedplate::sharding {
namespace {

class NoPulse final : public Pulse {
 public:
  Async<void> beat() override { co_return; }
};

Async<void> run_text(sql::Transaction& tx, const std::string& text, const std::vector<Uuid>& ids) {
  sql::Params params;
  for (const Uuid& id : ids) params.add(id);
  co_await ok(tx.run(text, params));
}

/// A move of bucket 3 from a to b that is being copied.
class BucketRowsTest : public ::testing::TestWithParam<Engines> {
 protected:
  BucketRowsTest() {
    kit.create({"a"});
    get(kit.run(kit.directory().add_shard("b")));
    for (int i = 0; i < 3; ++i) customers.push_back(kit.customer_in(3));
    for (const CustomerId& customer : customers) orders.push_back(order_of(customer));
    move = get(kit.run(kit.directory().begin_move(3, "b", 1)));
    prepare(source, 0);
    prepare(target, 1);
    get(kit.run(kit.database(1).transact(&start_arriving, move)));
    const sql::Dialect dialect = kit.database(0).dialect();
    for (const sql::TableShape& table : source.tables)
      get(kit.run(kit.database(0).transact(&make_change_log, table, dialect)));
    const DrainWait drain(dialect, std::chrono::milliseconds(60'000));
    get(kit.run(kit.database(0).transact(&start_logging, drain, move)));
  }
  void prepare(BucketSide& side, std::size_t shard) {
    const std::vector<std::string> names = {"customers", "orders"};
    side.database = &kit.database(shard);
    const sql::Dialect dialect = side.database->dialect();
    side.tables = get(kit.run(side.database->read(&read_sharded_tables, dialect, names)));
  }
  Uuid order_of(const CustomerId& customer) {
    const NewOrder order{3, customer, new_uuid()};
    get(kit.run(kit.sharded().transact(ShardKeys(customer), &insert_order, order)));
    return order.id;
  }
  void change(const std::string& text, const std::vector<Uuid>& ids = {}) {
    get(kit.run(kit.database(0).transact(&run_text, text, ids)));
  }
  /// Rounds until nothing is pending, or as many as should do.
  int rounds_to_equal(BucketSync& sync) {
    int rounds = 0;
    do {
      get(kit.run(sync.take_changes()));
      get(kit.run(sync.compare_pending()));
      ++rounds;
    } while (sync.pending() > 0 && rounds < 8);
    return rounds;
  }
  /// Nothing is pending, and a comparison of everything finds nothing.
  void expect_equal(BucketSync& sync) {
    EXPECT_EQ(sync.pending(), 0u);
    const PassReport report = get(kit.run(sync.compare_all()));
    EXPECT_EQ(report.different, 0);
    EXPECT_EQ(report.refused, 0);
  }

  ShardPlaces places{GetParam()};
  ShardKit kit{places, {"a", "b"}};
  std::vector<CustomerId> customers;
  std::vector<Uuid> orders;
  Move move;
  BucketSide source, target;
  NoPulse pulse;
  const BucketCopy copy{source, target, move, 2, pulse};
};
INSTANTIATE_TEST_SUITE_P(, BucketRowsTest, every_engines(), engines_name);

TEST_P(BucketRowsTest, EveryRowThatWasWrittenIsLookedAtOnceMore) {
  BucketSync sync(copy);
  EXPECT_EQ(get(kit.run(sync.compare_all())).different, 6);
  EXPECT_EQ(sync.pending(), 6u);
  EXPECT_EQ(rounds_to_equal(sync), 1);
  expect_equal(sync);
}

TEST_P(BucketRowsTest, WhatChangesAfterItWasCopiedIsCopiedAgain) {
  BucketSync sync(copy);
  get(kit.run(sync.compare_all()));
  change("UPDATE orders SET price = 7 WHERE id = $1", {orders[0]});
  change("DELETE FROM orders WHERE id = $1", {orders[1]});
  change("UPDATE orders SET id = $2 WHERE id = $1", {orders[2], new_uuid()});
  order_of(customers[1]);
  rounds_to_equal(sync);
  expect_equal(sync);
}

// A row that goes while another, which referred to it, stays: neither order of writing is right at once.
TEST_P(BucketRowsTest, RowsThatReferToOthersFindTheirOrder) {
  BucketSync sync(copy);
  get(kit.run(sync.compare_all()));
  change("UPDATE orders SET customer = $2 WHERE id = $1", {orders[0], customers[1]});
  change("DELETE FROM customers WHERE id = $1", {customers[0]});
  const CustomerId newcomer = kit.customer_in(3);
  order_of(newcomer);
  EXPECT_LT(rounds_to_equal(sync), 8);
  expect_equal(sync);
}

TEST_P(BucketRowsTest, AValueThatOneRowGivesUpAndAnotherTakesFollows) {
  BucketSync sync(copy);
  get(kit.run(sync.compare_all()));
  change("UPDATE customers SET name = 'free' WHERE id = $1", {customers[0]});
  change("UPDATE customers SET name = 'taken' WHERE id = $1", {customers[1]});
  rounds_to_equal(sync);
  change("UPDATE customers SET name = 'other' WHERE id = $1", {customers[1]});
  change("UPDATE customers SET name = 'taken' WHERE id = $1", {customers[0]});
  EXPECT_LT(rounds_to_equal(sync), 8);
  expect_equal(sync);
}

// In place they never pass each other; into an empty bucket they do.
TEST_P(BucketRowsTest, ValuesThatTwoRowsSwapNeedAnEmptyBucket) {
  change("UPDATE customers SET name = 'left' WHERE id = $1", {customers[0]});
  change("UPDATE customers SET name = 'right' WHERE id = $1", {customers[1]});
  BucketSync sync(copy);
  get(kit.run(sync.compare_all()));
  rounds_to_equal(sync);
  change("UPDATE customers SET name = 'between' WHERE id = $1", {customers[0]});
  change("UPDATE customers SET name = 'left' WHERE id = $1", {customers[1]});
  change("UPDATE customers SET name = 'right' WHERE id = $1", {customers[0]});
  EXPECT_EQ(rounds_to_equal(sync), 8);
  get(kit.run(sync.delete_arrived()));
  get(kit.run(sync.compare_all()));
  rounds_to_equal(sync);
  expect_equal(sync);
}

TEST_P(BucketRowsTest, ARowThatLeavesTheBucketLeavesTheTarget) {
  BucketSync sync(copy);
  get(kit.run(sync.compare_all()));
  change("UPDATE orders SET bucket = 4 WHERE id = $1", {orders[0]});
  rounds_to_equal(sync);
  expect_equal(sync);
}

TEST_P(BucketRowsTest, AKeyThatAnotherBucketUsesIsNotOverwritten) {
  const std::string text = "INSERT INTO customers (id, bucket, name, orders) VALUES ($1, 5, 'another', 0)";
  const std::vector<Uuid> ids = {customers[0]};
  get(kit.run(kit.database(1).transact(&run_text, text, ids)));
  BucketSync sync(copy);
  EXPECT_EQ(kit.run(sync.compare_all()).error().code(), "key_taken");
}

TEST_P(BucketRowsTest, TablesThatCannotBeMovedAreRefused) {
  auto maintenance = get(kit.database(0).maintenance());
  get(maintenance->begin());
  get(maintenance->run_script(
      "CREATE TABLE unsharded (id BIGINT NOT NULL PRIMARY KEY);"
      "CREATE TABLE measured (at DOUBLE PRECISION NOT NULL PRIMARY KEY, bucket BIGINT NOT NULL);"
      "CREATE TABLE owned (id BIGINT NOT NULL PRIMARY KEY, bucket BIGINT NOT NULL, "
      "tenant BIGINT NOT NULL);"));
  get(maintenance->commit());
  const sql::Dialect dialect = kit.database(0).dialect();
  const auto refusal = [&](std::vector<std::string> names) {
    const auto read = kit.run(kit.database(0).read(&read_sharded_tables, dialect, names));
    return read ? std::string() : read.error().code();
  };
  EXPECT_EQ(refusal({"unsharded"}), "not_sharded");
  EXPECT_EQ(refusal({"measured"}), "not_sharded");
  EXPECT_EQ(refusal({"owned"}), dialect == sql::Dialect::sqlite ? "rows_hidden" : "")
      << "rows of tenants, whom the mover does not name";
}

}  // namespace
}  // namespace bedplate::sharding
