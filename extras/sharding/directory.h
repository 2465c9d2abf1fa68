// SPDX-License-Identifier: Apache-2.0
// The directory: which shard owns each bucket, versioned, in a database of its own (it may be a shard's).
//
//   migrate_up(database, {{"sharding_directory", directory_migrations()}});
//   Directory directory(database);
//   co_await ok(directory.create(kBucketsDefault, {"a", "b"}));    // once in a lifetime
//   host.in_background("sharding", [&] { return directory.follow(1s); });
//   directory.map()->shard_of(bucket)                              // a pointer, no I/O
//
// Every process holds a copy of the map and follows the version. A copy may be old: that costs a refusal by the shard
// and a refresh, never a wrong write (ownership.h). Changes compare and set the version: of two at once, one gets
// Category::conflict `directory_changed` and looks again.
//
// Thread-safe; the coroutines run on a loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/database.h"
#include "extras/sharding/assignment.h"
#include "extras/sharding/key.h"

namespace bedplate::sharding {

/// The directory at one version. Immutable.
struct ShardMap {
  struct Owner {
    std::uint32_t shard = 0;  ///< index in `shards`
    std::int64_t epoch = 0;
  };
  std::int64_t version = 0;
  std::vector<std::string> shards;   ///< names, sorted
  std::vector<std::string> leaving;  ///< of these, those that give their buckets away
  std::vector<Owner> buckets;        ///< [bucket]

  std::int64_t bucket_count() const { return static_cast<std::int64_t>(buckets.size()); }
  const Owner& owner(Bucket bucket) const { return buckets[static_cast<std::size_t>(bucket)]; }
  const std::string& shard_of(Bucket bucket) const { return shards[owner(bucket).shard]; }
};

/// A move that has begun and not ended. Its mover names it in everything that it does.
struct Move {
  Bucket bucket = 0;
  std::string source;
  std::string target;
  std::int64_t epoch = 0;  ///< at the target; one less at the source
  std::int64_t mover = 0;  ///< this mover's number; a later one is greater
  bool switched = false;   ///< the target owns it
  bool cancelled = false;  ///< the source keeps it; never both
  std::int64_t touched_us = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Move>("A move of a bucket", {
                                                  field<&Move::bucket>(),
                                                  field<&Move::source>(),
                                                  field<&Move::target>(),
                                                  field<&Move::epoch>(),
                                                  field<&Move::mover>(),
                                                  field<&Move::switched>(),
                                                  field<&Move::cancelled>(),
                                                  field<&Move::touched_us>(),
                                              });
  }
};

class Directory {
 public:
  /// The database is migrated with directory_migrations() and outlives this.
  explicit Directory(sql::Database& database) : database_(database) {}
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  /// Makes it: `buckets` (a power of two) spread over the shards. Says nothing to the shards: ShardedDatabase::settle()
  /// does. The same call again does nothing; another one is Category::conflict `directory_exists`.
  Async<void> create(std::int64_t buckets, std::vector<std::string> shards);

  /// What is known now; before the first refresh() it has no buckets.
  std::shared_ptr<const ShardMap> map() const;
  /// Reads what has changed since. Cheap when nothing has.
  Async<void> refresh();
  /// refresh() every `interval` until the scope is cancelled. One that fails is logged; the old copy goes on.
  Async<void> follow(std::chrono::milliseconds interval);

  /// A new shard owns nothing until buckets are moved to it (Mover::rebalance). Known already: no error.
  Async<void> add_shard(std::string_view name);
  /// From now on it gets no buckets, and rebalancing moves away what it has.
  Async<void> retire_shard(std::string_view name);
  /// Forgets a shard that owns nothing, and what cancelled moves have left there. Category::conflict
  /// `shard_owns_buckets` while it owns buckets, or a move from or to it has not ended.
  Async<void> remove_shard(std::string_view name);
  /// What would make it even, from the map as it is.
  std::vector<PlannedMove> plan() const;

  // ---- For Mover.

  /// Writes the move down. Category::conflict: `move_exists`, `directory_changed` (it is owned by another), or
  /// `shard_unknown`.
  Async<Move> begin_move(Bucket bucket, std::string_view target, std::int64_t now_us);
  Async<std::vector<Move>> moves();
  /// Takes over a move that nobody has touched since `touched_before_us`; from then on its last mover is refused
  /// everywhere. Category::conflict `move_overtaken` when somebody else did.
  Async<Move> claim_move(const Move& seen, std::int64_t touched_before_us, std::int64_t now_us);
  /// The mover lives.
  Async<void> touch_move(const Move& move, std::int64_t now_us);
  /// The one instant in which the bucket changes hands. Category::conflict `move_overtaken`.
  Async<void> switch_bucket(const Move& move);
  Async<void> end_move(const Move& move);
  /// The source keeps the bucket: the mover that had it is refused everywhere from then on, and whoever takes it over
  /// finishes cancelling. Category::not_found `no_move`; Category::conflict `move_switched`.
  Async<Move> cancel_move(Bucket bucket, std::int64_t now_us);
  /// Ends a cancelled move, and notes that its target may have rows of the bucket.
  Async<void> end_cancelled(const Move& move);
  /// Cancelled moves whose targets are to be cleaned up, as they were when they ended.
  Async<std::vector<Move>> leftovers();
  Async<void> forget_leftover(const Move& move);

 private:
  sql::Database& database_;
  mutable std::mutex mutex_;
  std::shared_ptr<const ShardMap> map_ = std::make_shared<ShardMap>();
};

}  // namespace bedplate::sharding
