// For the tests of this folder: a directory and shards in SQLite files, a small application on them, and a checker that
// knows what was acknowledged.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bedplate/async/timer.h"
#include "bedplate/describe/any_row.h"
#include "bedplate/sharding/migrations.h"
#include "bedplate/sharding/mover.h"
#include "bedplate/sharding/sharded_database.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/sql/sql_test_kit.h"

namespace bedplate::sharding {

using sql::get;

struct Customer;
using CustomerId = Id<Customer>;

/// Rows of one table refer to rows of another, as real ones do.
inline constexpr const char* kShopSchema = R"(
CREATE TABLE customers (id BLOB NOT NULL PRIMARY KEY, bucket BIGINT NOT NULL, name TEXT NOT NULL UNIQUE,
                        orders BIGINT NOT NULL) WITHOUT ROWID;
CREATE INDEX customers_by_bucket ON customers (bucket);
CREATE TABLE orders (id BLOB NOT NULL PRIMARY KEY, bucket BIGINT NOT NULL,
                     customer BLOB NOT NULL REFERENCES customers (id), price REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX orders_by_bucket ON orders (bucket);
)";

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
  const std::int64_t count = co_await ok(
      db.value<std::int64_t>("SELECT count(*) FROM orders WHERE bucket IN "
                             "(SELECT bucket FROM sharding_owned WHERE state IN ('owned', 'leaving'))"));
  co_return count;
}

/// What is really there, whoever owns it.
struct Stored {
  std::map<Uuid, int> orders;            ///< how often each is stored on shards that own its bucket
  std::map<Uuid, std::int64_t> counted;  ///< customers.orders
  std::int64_t strays = 0;               ///< rows on shards that do not own their bucket
};

class ShardKit {
 public:
  static constexpr std::int64_t kBuckets = 16;

  /// Opens, and makes if need be, a directory and these shards in `path`.
  ShardKit(const std::string& path, const std::vector<std::string>& names, ShardedOptions options = {}) {
    directory_database_ = open(path + "/directory.db", "sharding_directory", directory_migrations(), "");
    std::vector<Shard> shards;
    for (const std::string& name : names) {
      databases_.push_back(open(path + "/" + name + ".db", "sharding", shard_migrations(), kShopSchema));
      shards.push_back({name, databases_.back().get()});
    }
    directory_ = std::make_unique<Directory>(*directory_database_);
    sharded_ = std::make_unique<ShardedDatabase>(*directory_, shards, options);
  }

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
  static std::unique_ptr<sql::Database> open(const std::string& path, std::string_view module,
                                             std::span<const EmbeddedFile> migrations,
                                             const std::string& schema) {
    sql::SqliteOptions options;
    options.path = path;
    options.busy_timeout_ms = 20'000;
    auto database = get(sql::open_sqlite(options));
    const sql::MigrationSource source{module, migrations};
    const auto steps = get(sql::migrate_up(*database, std::span(&source, 1)));
    if (!steps.empty() && !schema.empty()) {
      auto maintenance = get(database->maintenance());
      get(maintenance->begin());
      get(maintenance->run_script(schema));
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

  std::unique_ptr<sql::Database> directory_database_;
  std::vector<std::unique_ptr<sql::Database>> databases_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<ShardedDatabase> sharded_;
  std::size_t running_ = 0;
  Loop loop_;
};

/// Writes orders of some customers until told to stop, and keeps account of what was acknowledged.
class Shoppers {
 public:
  /// `pause` after each order leaves the database to other processes: SQLite's locks know no queue.
  Shoppers(ShardKit& kit, std::vector<CustomerId> customers, std::chrono::milliseconds pause = {})
      : kit_(kit), customers_(std::move(customers)), pause_(pause) {}

  Async<void> shop(std::size_t customer) {
    NewOrder order;
    order.customer = customers_[customer];
    order.bucket = ShardKey(order.customer).bucket(ShardKit::kBuckets);
    while (!stopped_) {
      order.id = new_uuid();
      const ShardKeys keys(order.customer);
      const Result<void> inserted = co_await kit_.sharded().transact(keys, &insert_order, order);
      (inserted ? acknowledged_ : unknown_).insert(order.id);
      if (!inserted) failed_.insert(inserted.error().code());
      const Result<std::vector<Uuid>> read = co_await kit_.sharded().read(keys, &orders_of, order.customer);
      if (inserted && read && std::ranges::find(*read, order.id) == read->end()) ++lost_in_reads_;
      if (pause_.count() > 0) co_await ok(sleep_for(pause_));
      co_await ok(yield());
    }
  }
  /// All of them, and `work`, after which they stop.
  void shop_while(Async<void> work) {
    std::vector<Async<void>> coroutines;
    for (std::size_t i = 0; i < customers_.size(); ++i) coroutines.push_back(shop(i));
    coroutines.push_back(work_then_stop(std::move(work)));
    stopped_ = false;
    kit_.run_all(std::move(coroutines));
  }

  std::size_t acknowledged() const { return acknowledged_.size(); }
  const std::set<std::string>& failed() const { return failed_; }

  /// Each acknowledged order is stored exactly once, what was not acknowledged at most once, and each customer counts
  /// as many as there are.
  void check() {
    const Stored stored = kit_.stored();
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
  Async<void> work_then_stop(Async<void> work) {
    Result<void> done = co_await std::move(work);
    stopped_ = true;
    co_await ok(std::move(done));
  }

  ShardKit& kit_;
  const std::vector<CustomerId> customers_;
  const std::chrono::milliseconds pause_;
  std::set<Uuid> acknowledged_, unknown_;
  std::set<std::string> failed_;
  int lost_in_reads_ = 0;
  bool stopped_ = false;
};

}  // namespace bedplate::sharding
