// SPDX-License-Identifier: Apache-2.0
#include "shop.h"

#include <chrono>

#include "bedplate/sql/drivers/open.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/surfaces/rest/route.h"
#include "extras/sharding/migrations.h"
#include "shop_migrations.h"

namespace shop {

namespace sharding = bedplate::sharding;
namespace sql = bedplate::sql;
using bedplate::Async;
using bedplate::ok;
using bedplate::Result;
using bedplate::auth::Caller;
using std::chrono::seconds;

// ---- statements, each on one shard

static Async<void> insert(sql::Transaction& tx, const Order& order, sharding::Bucket bucket) {
  co_await ok(tx.run("INSERT INTO orders (id, bucket, customer, item, cents) VALUES ($1, $2, $3, $4, $5)",
                     order.id, bucket, order.customer, order.item, order.cents));
}

static Async<std::vector<Order>> select(sql::Reader& db, CustomerId customer, sharding::Bucket bucket) {
  std::vector<Order> orders = co_await ok(db.all<Order>(
      "SELECT id, customer, item, cents FROM orders WHERE bucket = $1 AND customer = $2 ORDER BY id", bucket,
      customer));
  co_return orders;
}

// While a bucket moves, two shards have its rows: one of them is to count.
static Async<Turnover> sum(sql::Reader& db) {
  Turnover sum = co_await ok(db.one<Turnover>(
      "SELECT count(*) AS orders, CAST(coalesce(sum(cents), 0) AS bigint) AS cents FROM orders "
      "WHERE bucket IN (SELECT bucket FROM sharding_readable)"));
  co_return sum;
}

// ---- operations

Async<Order> Shop::place(const Caller&, sql::Database&, const NewOrder& input) {
  Order order;
  order.id = bedplate::new_id<OrderId>();
  order.customer = input.customer;
  order.item = input.item;
  order.cents = input.cents;
  const sharding::ShardKey key(input.customer);
  co_await ok(shards_.transact(key, &insert, order, shards_.bucket_of(key)));
  co_return order;
}

Async<Orders> Shop::list(const Caller&, sql::Database&, const CustomerRef& input) {
  const sharding::ShardKey key(input.customer);
  Orders orders;
  orders.data = co_await ok(shards_.read(key, &select, input.customer, shards_.bucket_of(key)));
  co_return orders;
}

Async<Turnover> Shop::turnover(const Caller&, sql::Database&) {
  std::vector<Turnover> each = co_await ok(shards_.read_each(&sum));
  Turnover all;
  for (const Turnover& one : each) {
    all.orders += one.orders;
    all.cents += one.cents;
  }
  co_return all;
}

// ---- databases

static Result<std::unique_ptr<sql::Database>> open(const std::string& url,
                                                   const std::vector<sql::MigrationSource>& migrations) {
  auto database = sql::open_database(url);
  if (!database) return std::unexpected(std::move(database.error()));
  if (auto migrated = sql::migrate_up(**database, migrations); !migrated)
    return std::unexpected(std::move(migrated.error()));
  return database;
}

Result<std::unique_ptr<ShopDatabases>> ShopDatabases::open(const std::string& directory_url,
                                                           const std::vector<Named>& shard_urls) {
  auto directory = shop::open(directory_url, {{"sharding_directory", sharding::directory_migrations()}});
  if (!directory) return std::unexpected(std::move(directory.error()));
  std::vector<std::unique_ptr<sql::Database>> databases;
  std::vector<sharding::Shard> shards;
  for (const auto& [name, url] : shard_urls) {
    auto shard = shop::open(url, {{"sharding", sharding::shard_migrations()}, {"shop", shop_migrations()}});
    if (!shard) return std::unexpected(std::move(shard.error()));
    shards.push_back({name, databases.emplace_back(std::move(*shard)).get()});
  }
  return std::make_unique<ShopDatabases>(std::move(*directory), std::move(databases), std::move(shards));
}

ShopDatabases::ShopDatabases(std::unique_ptr<sql::Database> directory_database,
                             std::vector<std::unique_ptr<sql::Database>> databases,
                             std::vector<sharding::Shard> named)
    : directory_database_(std::move(directory_database)),
      databases_(std::move(databases)),
      directory_(*directory_database_),
      shards_(directory_, std::move(named)),
      mover_(shards_, {"orders"}) {}

Async<void> ShopDatabases::start(std::vector<std::string> names) {
  Result<void> made = co_await directory_.create(sharding::kBucketsDefault, std::move(names));
  if (!made && made.error().code() != "directory_exists") co_await ok(std::move(made));
  co_await ok(directory_.refresh());
  co_await ok(shards_.settle());
}

void ShopDatabases::close_with(bedplate::app::Host& host) {
  host.close_with(*directory_database_);
  for (const auto& database : databases_) host.close_with(*database);
}

// ---- the program

static bedplate::api::Api shop_api(Shop& shop) {
  using namespace bedplate::api;
  return Api("shop", "Orders of many customers.")
      .procedure<&Shop::place>("place", shop, post("/v1/customers/{customer}/orders"), open_to_all(),
                               summary("Place an order"))
      .procedure<&Shop::list>("list", shop, get("/v1/customers/{customer}/orders"), open_to_all(),
                              summary("List the orders of a customer"))
      .procedure<&Shop::turnover>("turnover", shop, get("/v1/turnover"), open_to_all(),
                                  summary("Add up all orders"));
}

void add_to(bedplate::app::Application& app, ShopDatabases& databases, std::vector<std::string> names) {
  app.wire([&databases, names = std::move(names)](bedplate::app::Host& host) {
    databases.close_with(host);
    host.serve(shop_api(host.make<Shop>(databases.shards())));
    host.on_start([&] { return host.wait_for(databases.start(names)); });
    host.in_background("sharding", [&] { return databases.shards().directory().follow(seconds(1)); });
    host.in_background("moves", [&] { return databases.mover().keep_finishing(seconds(5)); });
  });
}

}  // namespace shop
