// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: a directory and shards on either engine or on both, a small application on them, and a
// checker that knows what was acknowledged.
//
//   class MoverTest : public testing::TestWithParam<Engines> {};
//   TEST_P(MoverTest, ...) { ShardPlaces places(GetParam()); ShardKit kit(places, {"a", "b"}); kit.create({"a"}); ... }
//   INSTANTIATE_TEST_SUITE_P(, MoverTest, every_engines(), engines_name);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "bedplate/async/timer.h"
#include "bedplate/describe/any_row.h"
#include "bedplate/sql/drivers/open.h"
#include "bedplate/sql/migrate.h"
#include "extras/sharding/migrations.h"
#include "extras/sharding/mover.h"
#include "extras/sharding/sharded_database.h"
#include "tests/kits/database_kit.h"
#include "tests/kits/patient_kit.h"

namespace bedplate::sharding {

/// The value, or an exception that says the error.
template <class T>
T get(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().code() + ": " + result.error().detail());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// What the shards stand on. Mixed: the directory and every other shard on PostgreSQL, the rest on SQLite.
enum class Engines : std::uint8_t { sqlite, postgresql, mixed };

inline auto every_engines() {
  return ::testing::Values(Engines::sqlite, Engines::postgresql, Engines::mixed);
}
inline std::string engines_name(const ::testing::TestParamInfo<Engines>& info) {
  constexpr const char* kNames[] = {"sqlite", "postgresql", "mixed"};
  return kNames[static_cast<std::size_t>(info.param)];
}

struct Customer;
using CustomerId = Id<Customer>;

/// Rows of one table refer to rows of another, as real ones do.
inline std::string shop_schema(sql::Dialect dialect) {
  std::string text = R"(
CREATE TABLE customers (id @id NOT NULL PRIMARY KEY, bucket BIGINT NOT NULL, name TEXT NOT NULL UNIQUE,
                        orders BIGINT NOT NULL);
CREATE INDEX customers_by_bucket ON customers (bucket, id);
CREATE TABLE orders (id @id NOT NULL PRIMARY KEY, bucket BIGINT NOT NULL,
                     customer @id NOT NULL REFERENCES customers (id), price DOUBLE PRECISION NOT NULL);
CREATE INDEX orders_by_bucket ON orders (bucket, id);
)";
  const std::string_view id = dialect == sql::Dialect::sqlite ? "BLOB" : "UUID";
  for (std::size_t at = text.find("@id"); at != std::string::npos; at = text.find("@id", at))
    text.replace(at, 3, id);
  return text;
}

struct NewOrder {
  Bucket bucket = 0;
  CustomerId customer;
  Uuid id;
};

inline Async<void> insert_customer(sql::Transaction& tx, const NewOrder& row) {
  const std::string name = row.customer.to_string();
  co_await ok(tx.run("INSERT INTO customers (id, bucket, name, orders) VALUES ($1, $2, $3, 0)", row.customer,
                     row.bucket, name));
}
/// Two rows in one commit: a copy that tears them apart is found out.
inline Async<void> insert_order(sql::Transaction& tx, const NewOrder& row) {
  co_await ok(tx.run("INSERT INTO orders (id, bucket, customer, price) VALUES ($1, $2, $3, 0.1)", row.id,
                     row.bucket, row.customer));
  co_await ok(tx.run("UPDATE customers SET orders = orders + 1 WHERE id = $1", row.customer));
}
inline Async<std::vector<Uuid>> orders_of(sql::Reader& db, const CustomerId& customer) {
  std::vector<Uuid> ids =
      co_await ok(db.all<Uuid>("SELECT id FROM orders WHERE customer = $1 ORDER BY id", customer));
  co_return ids;
}
inline Async<std::int64_t> count_owned_orders(sql::Reader& db) {
  const std::int64_t count = co_await ok(db.value<std::int64_t>(
      "SELECT count(*) FROM orders WHERE bucket IN (SELECT bucket FROM sharding_readable)"));
  co_return count;
}

/// What is really there, whoever owns it.
struct Stored {
  std::map<Uuid, int> orders;            ///< how often each is stored on shards that own its bucket
  std::map<Uuid, std::int64_t> counted;  ///< customers.orders
  std::int64_t strays = 0;               ///< rows on shards that do not own their bucket
};

/// The databases of a directory and of shards, by name. They outlive the kits that open them.
class ShardPlaces {
 public:
  explicit ShardPlaces(Engines engines) : engines_(engines) {}

  /// Made when first asked for.
  std::string url(const std::string& name) {
    if (const auto known = urls_.find(name); known != urls_.end()) return known->second;
    const bool postgresql =
        engines_ == Engines::postgresql || (engines_ == Engines::mixed && databases_.size() % 2 == 0);
    databases_.push_back(std::make_unique<testing::TestDatabase>(postgresql ? "postgresql" : "sqlite"));
    return urls_[name] = databases_.back()->url();
  }
  /// One that stands elsewhere.
  void set(const std::string& name, std::string url) { urls_[name] = std::move(url); }

 private:
  const Engines engines_;
  std::vector<std::unique_ptr<testing::TestDatabase>> databases_;
  std::map<std::string, std::string> urls_;
};

/// Limits that a machine which is busy with other things does not reach.
inline MoverOptions patient_mover() {
  MoverOptions options;
  options.held_max = std::chrono::seconds(60);
  options.idle_max = std::chrono::seconds(60);
  return options;
}

/// One process that works on the shards.
class ShardKit {
 public:
  static constexpr std::int64_t kBuckets = 16;

  /// Opens, and makes if need be, a directory and these shards.
  ShardKit(ShardPlaces& places, const std::vector<std::string>& names,
           ShardedOptions options = {.wait_max = std::chrono::seconds(60)}) {
    directory_database_ = open(places.url("directory"), "sharding_directory", directory_migrations(), false);
    std::vector<Shard> shards;
    for (const std::string& name : names) {
      databases_.push_back(open(places.url(name), "sharding", shard_migrations(), true));
      shards.push_back({name, databases_.back().get()});
    }
    directory_ = std::make_unique<Directory>(*directory_database_);
    sharded_ = std::make_unique<ShardedDatabase>(*directory_, shards, options);
  }
  ShardKit(const ShardKit&) = delete;
  ShardKit& operator=(const ShardKit&) = delete;

  /// The directory of `names`, and the shards told.
  void create(std::vector<std::string> names) {
    get(run(directory_->create(kBuckets, std::move(names))));
    get(run(sharded_->settle()));
  }

  template <class T>
  Result<T> run(Async<T> coroutine, Scope* scope = nullptr) {
    return run_to_end(loop_, std::move(coroutine), scope);
  }
  /// Starts coroutines together and runs until all have ended.
  void run_all(std::vector<Async<void>> coroutines) {
    running_ = coroutines.size();
    for (Async<void>& coroutine : coroutines) loop_.spawn(count_down(std::move(coroutine)));
    loop_.run();
  }

  Loop& loop() { return loop_; }
  Directory& directory() { return *directory_; }
  ShardedDatabase& sharded() { return *sharded_; }
  sql::Database& database(std::size_t shard) { return *databases_[shard]; }

  /// A new customer whose bucket is this one.
  CustomerId customer_in(Bucket bucket) {
    NewOrder row{.bucket = bucket, .customer = CustomerId(new_uuid()), .id = {}};
    while (ShardKey(row.customer).bucket(kBuckets) != bucket) row.customer = CustomerId(new_uuid());
    get(run(sharded_->transact(ShardKeys(row.customer), &insert_customer, row)));
    return row.customer;
  }

  Stored stored() {
    Stored found;
    for (auto& database : databases_) {
      const auto rows = get(run(database->read(&all_orders)));
      for (const AnyRow& row : rows) {
        Uuid id;
        std::memcpy(id.bytes.data(), row.values[0].bytes.data(), id.bytes.size());
        if (row.values[1].integer)
          ++found.orders[id];
        else
          ++found.strays;
      }
      const auto customers = get(run(database->read(&all_customers)));
      for (const AnyRow& row : customers) {
        Uuid id;
        std::memcpy(id.bytes.data(), row.values[0].bytes.data(), id.bytes.size());
        found.counted[id] += row.values[1].integer;
      }
    }
    return found;
  }

 private:
  static std::unique_ptr<sql::Database> open(const std::string& url, std::string_view module,
                                             std::span<const EmbeddedFile> migrations, bool shop) {
    auto database = get(sql::open_database(url, testing::patient()));
    const sql::MigrationSource source{module, migrations};
    const auto steps = get(sql::migrate_up(*database, std::span(&source, 1)));
    if (!steps.empty() && shop) {
      auto maintenance = get(database->maintenance());
      get(maintenance->begin());
      get(maintenance->run_script(shop_schema(database->dialect())));
      get(maintenance->commit());
    }
    return database;
  }
  static Async<std::vector<AnyRow>> all_orders(sql::Reader& db) {
    std::vector<AnyRow> rows = co_await ok(db.all<AnyRow>(
        "SELECT id, EXISTS (SELECT 1 FROM sharding_owned s WHERE s.bucket = o.bucket AND s.state = 'owned') "
        "FROM orders o"));
    co_return rows;
  }
  static Async<std::vector<AnyRow>> all_customers(sql::Reader& db) {
    std::vector<AnyRow> rows =
        co_await ok(db.all<AnyRow>("SELECT id, orders FROM customers WHERE bucket IN "
                                   "(SELECT bucket FROM sharding_owned WHERE state = 'owned')"));
    co_return rows;
  }
  Async<void> count_down(Async<void> coroutine) {
    const Result<void> ended = co_await std::move(coroutine);
    EXPECT_TRUE(ended) << (ended ? "" : ended.error().code() + ": " + ended.error().detail());
    if (--running_ == 0) loop_.stop();
  }

  Loop loop_;  // outlives the databases
  std::unique_ptr<sql::Database> directory_database_;
  std::vector<std::unique_ptr<sql::Database>> databases_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<ShardedDatabase> sharded_;
  std::size_t running_ = 0;
};

/// Writes orders of some customers until told to stop, and keeps account of what was acknowledged.
class Shoppers {
 public:
  explicit Shoppers(std::vector<CustomerId> customers) : customers_(std::move(customers)) {}

  /// All of them through this kit, and `work`, after which they stop.
  void shop_while(ShardKit& kit, Async<void> work) {
    stopped_ = false;
    std::vector<Async<void>> coroutines;
    for (std::size_t i = 0; i < customers_.size(); ++i) coroutines.push_back(shop(kit, i));
    coroutines.push_back(work_then_stop(std::move(work)));
    kit.run_all(std::move(coroutines));
  }

  std::size_t acknowledged() const { return acknowledged_.size(); }
  std::size_t failures() const { return failures_; }
  /// The codes of what failed.
  const std::set<std::string>& failed() const { return failed_; }
  /// Failures that neither ask to come back later nor say that time is over.
  int unclear() const { return unclear_; }

  /// Each acknowledged order is stored exactly once, what was not acknowledged at most once, and each customer counts
  /// as many as there are.
  void check(ShardKit& kit) {
    const Stored stored = kit.stored();
    EXPECT_EQ(lost_in_reads_, 0) << "reads that missed what was acknowledged before";
    EXPECT_EQ(stored.strays, 0);
    for (const Uuid& id : acknowledged_) {
      const auto found = stored.orders.find(id);
      ASSERT_TRUE(found != stored.orders.end()) << "an acknowledged order is lost";
    }
    for (const auto& [id, times] : stored.orders) {
      ASSERT_EQ(times, 1) << "an order is stored twice";
      ASSERT_TRUE(acknowledged_.contains(id) || unknown_.contains(id)) << "an order from nowhere";
    }
    std::int64_t counted = 0;
    for (const auto& [id, orders] : stored.counted) counted += orders;
    EXPECT_EQ(counted, static_cast<std::int64_t>(stored.orders.size()));
  }

 private:
  Async<void> shop(ShardKit& kit, std::size_t customer) {
    NewOrder order;
    order.customer = customers_[customer];
    order.bucket = ShardKey(order.customer).bucket(ShardKit::kBuckets);
    while (!stopped_) {
      order.id = new_uuid();
      const ShardKeys keys(order.customer);
      const Result<void> inserted = co_await kit.sharded().transact(keys, &insert_order, order);
      (inserted ? acknowledged_ : unknown_).insert(order.id);
      if (!inserted) note(inserted.error());
      const Result<std::vector<Uuid>> read = co_await kit.sharded().read(keys, &orders_of, order.customer);
      if (!read) note(read.error());
      if (inserted && read && std::ranges::find(*read, order.id) == read->end()) ++lost_in_reads_;
      // A customer thinks. (Without a moment in which nobody holds the lock on a file, another process never gets it.)
      co_await ok(sleep_for(std::chrono::milliseconds(5)));
    }
  }
  Async<void> work_then_stop(Async<void> work) {
    Result<void> done = co_await std::move(work);
    stopped_ = true;
    co_await ok(std::move(done));
  }
  void note(const Error& error) {
    ++failures_;
    failed_.insert(error.code());
    const bool clear = error.category() == Category::timeout ||
                       (error.category() == Category::unavailable && error.retry_after().count() > 0);
    if (!clear) ++unclear_;
  }

  const std::vector<CustomerId> customers_;
  std::set<Uuid> acknowledged_, unknown_;
  std::set<std::string> failed_;
  std::size_t failures_ = 0;
  int unclear_ = 0;
  int lost_in_reads_ = 0;
  bool stopped_ = false;
};

}  // namespace bedplate::sharding
