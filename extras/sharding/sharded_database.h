// SPDX-License-Identifier: Apache-2.0
// ShardedDatabase: databases that share the rows of an application by key.
//
//   ShardedDatabase shards(directory, {{"a", &first}, {"b", &second}});
//   Order order = co_await ok(shards.transact(ShardKey(customer), &Store::insert, store, new_order));
//   auto orders = co_await ok(shards.read(ShardKey(customer), &Store::list, store, customer));
//   auto counts = co_await ok(shards.read_each(&Store::count, store));   // one answer a shard, said out loud
//
// transact() and read() are those of sql::Database on the shard that owns the key: the same guarantees, the same
// bodies.
// What is added:
// - The shard checks, in the same transaction, that it owns the bucket (ownership.h). A router with an old map is
//   refused, refreshes it and goes on at the new owner; nothing of the refused body was run.
// - While a bucket changes hands (milliseconds: mover.h says what decides), commands for it wait here. Past
//   `wait_max` they answer Category::unavailable `bucket_moving` with a Retry-After; reads go on nearly throughout.
// - A command that names keys of different buckets is refused: Category::invalid `cross_shard`. Also where they happen
//   to be on one shard today, and where there is only one: what works must not depend on where a bucket lies. Give
//   rows that change together one key.
// - A row must be written with `bucket` = bucket_of(its key): that column is what a move goes by.
//
// read_each() runs on every shard, many at once, and gives one answer each. A bucket that changed hands meanwhile would
// be missing or counted twice: that is found, and all of it read again. Its statements look only at rows that the shard
// owns: `... WHERE bucket IN (SELECT bucket FROM sharding_readable)`. The shards' snapshots are not of one instant.
//
// A CallContext may come first, as with sql::Database. Commit marks are positions of one shard: a client keeps one a
// key, and read_each() knows none.
//
// Thread-safe; call from a coroutine on a loop. Directory and databases outlive it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/sql/database.h"
#include "extras/sharding/directory.h"
#include "extras/sharding/key.h"
#include "extras/sharding/ownership.h"

namespace bedplate::sharding {

struct Shard {
  std::string name;
  sql::Database* database;
};

struct ShardedOptions {
  std::chrono::milliseconds wait_max{5000};  ///< for a bucket that changes hands
  std::size_t fan_out_max = 16;              ///< shards that one read_each() asks at the same time
  int fan_out_tries = 5;                     ///< of one read_each(), when buckets change hands meanwhile
};

class ShardedDatabase {
 public:
  /// A name in the directory that is not in `shards` is an error only when a key lies there:
  /// Category::unavailable `shard_unreachable`.
  ShardedDatabase(Directory& directory, std::vector<Shard> shards, ShardedOptions options = {});
  ShardedDatabase(const ShardedDatabase&) = delete;
  ShardedDatabase& operator=(const ShardedDatabase&) = delete;

  /// Runs `f(sql::Transaction&, args...)`, or `(object.*f)(sql::Transaction&, args...)`, on the shard of the keys.
  template <class F, class... Args>
    requires sql::detail::IsCall<F>
  Async<sql::detail::CallValue<F, sql::Transaction, std::remove_reference_t<Args>...>> transact(
      const sql::CallContext& context, const ShardKeys& keys, F f, Args&&... args) {
    sql::detail::CallBody<sql::TransactionBody, sql::Transaction, F, std::remove_reference_t<Args>...> body(
        f, args...);
    co_await ok(run_command(context, keys, body));
    co_return body.take();
  }
  template <class F, class... Args>
    requires sql::detail::IsCall<F>
  Async<sql::detail::CallValue<F, sql::Transaction, std::remove_reference_t<Args>...>> transact(
      const ShardKeys& keys, F f, Args&&... args) {
    return transact(sql::kNoContext, keys, std::move(f), std::forward<Args>(args)...);
  }
  /// Runs `f(sql::Reader&, args...)`, or `(object.*f)(sql::Reader&, args...)`, on the shard of the key.
  template <class F, class... Args>
    requires sql::detail::IsCall<F>
  Async<sql::detail::CallValue<F, sql::Reader, std::remove_reference_t<Args>...>> read(
      const sql::CallContext& context, const ShardKeys& keys, F f, Args&&... args) {
    sql::detail::CallBody<sql::ReadBody, sql::Reader, F, std::remove_reference_t<Args>...> body(f, args...);
    co_await ok(run_read(context, keys, body));
    co_return body.take();
  }
  template <class F, class... Args>
    requires sql::detail::IsCall<F>
  Async<sql::detail::CallValue<F, sql::Reader, std::remove_reference_t<Args>...>> read(const ShardKeys& keys,
                                                                                       F f, Args&&... args) {
    return read(sql::kNoContext, keys, std::move(f), std::forward<Args>(args)...);
  }
  /// Runs `f(sql::Reader&, args...)`, or `(object.*f)(sql::Reader&, args...)`, on every shard, up to `fan_out_max` at
  /// once, and gives the answers in the order of the shards' names (those of Directory::map()->shards). The function
  /// and its arguments are used at the same time, perhaps on several threads: it changes none of them.
  /// The first shard that fails ends it: with its error, whose subject() begins with "shard NAME".
  template <class F, class... Args>
    requires sql::detail::IsCall<F>
  Async<std::vector<sql::detail::CallValue<F, sql::Reader, std::remove_reference_t<Args>...>>> read_each(
      const sql::CallContext& context, F f, Args&&... args) {
    using Body = sql::detail::CallBody<sql::ReadBody, sql::Reader, F, std::remove_reference_t<Args>...>;
    for (int tries = 1;; ++tries) {
      const std::shared_ptr<const ShardMap> map = directory_.map();
      std::vector<std::unique_ptr<Body>> bodies;
      std::vector<sql::ReadBody*> erased;
      for (std::size_t shard = 0; shard < map->shards.size(); ++shard)
        erased.push_back(bodies.emplace_back(std::make_unique<Body>(f, args...)).get());
      const bool whole = co_await ok(run_on_each(context, *map, erased));
      if (whole) {
        std::vector<typename Body::Value> answers;
        for (auto& body : bodies) answers.push_back(body->take());
        co_return answers;
      }
      co_await ok(before_next_fan_out(tries));
    }
  }
  template <class F, class... Args>
    requires sql::detail::IsCall<F>
  Async<std::vector<sql::detail::CallValue<F, sql::Reader, std::remove_reference_t<Args>...>>> read_each(
      F f, Args&&... args) {
    return read_each(sql::kNoContext, std::move(f), std::forward<Args>(args)...);
  }

  /// The bucket of a key, for the `bucket` column of rows. The directory has been read.
  Bucket bucket_of(const ShardKey& key) const { return key.bucket(directory_.map()->bucket_count()); }

  /// Tells every shard what it has owned since the directory was made. After Directory::create(); again does nothing.
  Async<void> settle();

  Directory& directory() { return directory_; }
  const std::vector<Shard>& shards() const { return shards_; }
  /// Null when there is none of that name.
  sql::Database* find(std::string_view shard) const;

 private:
  struct Place {
    sql::Database* database = nullptr;
    OwnershipAssertion assertion;
  };
  Result<Place> place_of(const ShardKeys& keys) const;
  Async<void> run_command(const sql::CallContext& context, const ShardKeys& keys, sql::TransactionBody& body);
  Async<void> run_read(const sql::CallContext& context, const ShardKeys& keys, sql::ReadBody& body);
  Async<bool> run_on_each(const sql::CallContext& context, const ShardMap& map,
                          const std::vector<sql::ReadBody*>& bodies);
  Async<void> before_next_fan_out(int tries);

  Directory& directory_;
  const std::vector<Shard> shards_;
  const ShardedOptions options_;
};

}  // namespace bedplate::sharding
