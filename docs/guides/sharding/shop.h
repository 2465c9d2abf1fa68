// SPDX-License-Identifier: Apache-2.0
// A shop whose orders are on several databases, by customer: see docs/guides/sharding.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/app/application.h"
#include "bedplate/base/id.h"
#include "bedplate/describe/describe.h"
#include "bedplate/operations/api.h"
#include "bedplate/sql/database.h"
#include "extras/sharding/mover.h"
#include "extras/sharding/sharded_database.h"

namespace shop {

using CustomerId = bedplate::Id<struct CustomerTag>;
using OrderId = bedplate::Id<struct OrderTag>;

struct Order {
  OrderId id;
  CustomerId customer;
  std::string item;
  std::int64_t cents = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Order>(
        "An order.", {
                         field<&Order::id>(read_only, "Identifies the order."),
                         field<&Order::customer>("Who ordered: all orders of a customer are on one shard."),
                         field<&Order::item>(length{1, 80}, "What was ordered."),
                         field<&Order::cents>(range{1, 100'000'000}, "The price."),
                     });
  }
};

struct NewOrder {
  CustomerId customer;
  std::string item;
  std::int64_t cents = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<NewOrder>("An order to place.", {
                                                      field<&NewOrder::customer>(same_as<&Order::customer>),
                                                      field<&NewOrder::item>(same_as<&Order::item>),
                                                      field<&NewOrder::cents>(same_as<&Order::cents>),
                                                  });
  }
};

struct CustomerRef {
  CustomerId customer;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<CustomerRef>("Names a customer.",
                               {field<&CustomerRef::customer>(same_as<&Order::customer>)});
  }
};

struct Orders {
  std::vector<Order> data;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Orders>("The orders of a customer.", {field<&Orders::data>("The newest last.")});
  }
};

struct Turnover {
  std::int64_t orders = 0;
  std::int64_t cents = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Turnover>("Of all customers.", {field<&Turnover::orders>("How many orders."),
                                                  field<&Turnover::cents>("Their prices together.")});
  }
};

/// The operations. They are procedures: the framework opens no transaction, the ShardedDatabase finds the shard. The
/// database that a procedure is given is the application's own, which is not sharded; these do not need it.
class Shop {
 public:
  explicit Shop(bedplate::sharding::ShardedDatabase& shards) : shards_(shards) {}

  bedplate::Async<Order> place(const bedplate::auth::Caller& caller, bedplate::sql::Database& db,
                               const NewOrder& input);
  bedplate::Async<Orders> list(const bedplate::auth::Caller& caller, bedplate::sql::Database& db,
                               const CustomerRef& input);
  bedplate::Async<Turnover> turnover(const bedplate::auth::Caller& caller, bedplate::sql::Database& db);

 private:
  bedplate::sharding::ShardedDatabase& shards_;
};

/// The databases of the shop: one that holds the directory, and the shards. They outlive the program's services.
class ShopDatabases {
 public:
  using Named = std::pair<std::string, std::string>;  ///< a shard's name, and its URL
  /// Opens and migrates them. Blocks.
  static bedplate::Result<std::unique_ptr<ShopDatabases>> open(const std::string& directory_url,
                                                               const std::vector<Named>& shard_urls);
  ShopDatabases(std::unique_ptr<bedplate::sql::Database> directory_database,
                std::vector<std::unique_ptr<bedplate::sql::Database>> databases,
                std::vector<bedplate::sharding::Shard> named);

  bedplate::sharding::ShardedDatabase& shards() { return shards_; }
  bedplate::sharding::Mover& mover() { return mover_; }
  /// Their connections belong to the host's loops, so the host closes them.
  void close_with(bedplate::app::Host& host);
  /// Makes the directory over the shards `names` if it does not exist, and reads it.
  bedplate::Async<void> start(std::vector<std::string> names);

 private:
  std::unique_ptr<bedplate::sql::Database> directory_database_;
  std::vector<std::unique_ptr<bedplate::sql::Database>> databases_;
  bedplate::sharding::Directory directory_;
  bedplate::sharding::ShardedDatabase shards_;
  bedplate::sharding::Mover mover_;
};

/// Adds the shop to a program. `names` are the shards that a new directory begins with.
void add_to(bedplate::app::Application& app, ShopDatabases& databases, std::vector<std::string> names);

}  // namespace shop
