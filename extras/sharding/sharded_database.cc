// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/sharded_database.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "bedplate/async/gather.h"
#include "bedplate/async/timer.h"

namespace bedplate::sharding {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// The caller's body, behind the shard's own check in the same transaction.
class GuardedCommand final : public sql::TransactionBody {
 public:
  GuardedCommand(sql::TransactionBody& body, sql::Dialect dialect, const OwnershipAssertion& assertion)
      : body_(body), dialect_(dialect), assertion_(assertion) {}
  Async<void> run(sql::Transaction& tx) override {
    co_await ok(check_command(tx, dialect_, assertion_));
    co_await ok(body_.run(tx));
  }

 private:
  sql::TransactionBody& body_;
  const sql::Dialect dialect_;
  const OwnershipAssertion assertion_;
};

class GuardedRead final : public sql::ReadBody {
 public:
  GuardedRead(sql::ReadBody& body, const OwnershipAssertion& assertion)
      : body_(body), assertion_(assertion) {}
  Async<void> run(sql::Reader& db) override {
    co_await ok(check_read(db, assertion_));
    co_await ok(body_.run(db));
  }

 private:
  sql::ReadBody& body_;
  const OwnershipAssertion assertion_;
};

/// The caller's body, and which buckets its snapshot could see.
class CountedRead final : public sql::ReadBody {
 public:
  explicit CountedRead(sql::ReadBody& body) : body_(body) {}
  Async<void> run(sql::Reader& db) override {
    seen = co_await ok(readable_sum(db));
    co_await ok(body_.run(db));
  }
  ReadableSum seen;

 private:
  sql::ReadBody& body_;
};

std::unexpected<Error> unavailable(std::string_view code, std::string detail) {
  return std::unexpected(
      Error(Category::unavailable, code, std::move(detail)).with_retry_after(std::chrono::seconds(1)));
}

/// One body for each shard, and the account of which buckets they saw.
class ReadOnEach final {
 public:
  ReadOnEach(const ShardedDatabase& shards, const sql::CallContext& context, const ShardMap& map,
             const std::vector<sql::ReadBody*>& bodies)
      : shards_(shards), context_(context), map_(map), bodies_(bodies) {}

  Async<void> run(std::size_t index) {
    const std::string& name = map_.shards[index];
    CountedRead counted(*bodies_[index]);
    Result<void> done = co_await read(name, counted);
    if (!done) {
      const std::string subject = "shard " + name + (done.error().subject().empty() ? "" : ": ");
      std::string whole = subject + done.error().subject();
      co_await std::unexpected(std::move(done.error()).with_subject(std::move(whole)));
    }
    seen_.buckets += counted.seen.buckets;
    seen_.sum += counted.seen.sum;
    seen_.squares += counted.seen.squares;
  }
  bool saw_each_bucket_once() const {
    const std::int64_t n = map_.bucket_count();
    return seen_.buckets == n && seen_.sum == n * (n - 1) / 2 &&
           seen_.squares == (n - 1) * n * (2 * n - 1) / 6;
  }

 private:
  Async<void> read(const std::string& name, CountedRead& counted) {
    sql::Database* database = shards_.find(name);
    if (!database)
      co_await unavailable("shard_unreachable", "A shard of this data is not known to this server.");
    co_await ok(database->read(context_, counted));
  }

  const ShardedDatabase& shards_;
  const sql::CallContext& context_;
  const ShardMap& map_;
  const std::vector<sql::ReadBody*>& bodies_;
  ReadableSum seen_;
};

bool is_about_placement(const Error& error) {
  return error.code() == kBucketElsewhere || error.code() == kBucketMoving;
}

/// After a refusal by the shard: a newer map, and longer pauses while the bucket changes hands.
class Patience {
 public:
  explicit Patience(milliseconds wait_max) : until_(steady_clock::now() + wait_max) {}

  Async<void> wait(Directory& directory, Error refusal) {
    if (steady_clock::now() >= until_)
      co_await unavailable(refusal.code(), refusal.detail() + " Try again shortly.");
    // The first refusal is mostly an old map: no pause.
    if (pause_ > milliseconds(0)) co_await ok(sleep_for(pause_));
    pause_ = std::clamp(pause_ * 2, milliseconds(2), milliseconds(100));
    co_await ok(directory.refresh());
  }

 private:
  const steady_clock::time_point until_;
  milliseconds pause_{0};
};

}  // namespace

ShardedDatabase::ShardedDatabase(Directory& directory, std::vector<Shard> shards, ShardedOptions options)
    : directory_(directory), shards_(std::move(shards)), options_(options) {}

sql::Database* ShardedDatabase::find(std::string_view shard) const {
  const auto found = std::ranges::find(shards_, shard, &Shard::name);
  return found == shards_.end() ? nullptr : found->database;
}

Result<ShardedDatabase::Place> ShardedDatabase::place_of(const ShardKeys& keys) const {
  const std::shared_ptr<const ShardMap> map = directory_.map();
  if (map->buckets.empty()) return unavailable("no_directory", "The directory of shards was not read yet.");
  const Bucket bucket = keys.list().front().bucket(map->bucket_count());
  for (const ShardKey& key : keys.list())
    if (key.bucket(map->bucket_count()) != bucket)
      return fail(Category::invalid, "cross_shard",
                  "One command cannot change the data of several keys: they may lie on different shards.");
  sql::Database* database = find(map->shard_of(bucket));
  if (!database)
    return unavailable("shard_unreachable", "The shard of this data is not known to this server.");
  return Place{.database = database, .assertion = {.bucket = bucket, .epoch = map->owner(bucket).epoch}};
}

Async<void> ShardedDatabase::run_command(const sql::CallContext& context, const ShardKeys& keys,
                                         sql::TransactionBody& body) {
  Patience patience(options_.wait_max);
  for (;;) {
    const Place place = co_await ok(place_of(keys));
    GuardedCommand guarded(body, place.database->dialect(), place.assertion);
    Result<void> done = co_await place.database->transact(context, guarded);
    if (done) co_return;
    if (!is_about_placement(done.error())) co_await ok(std::move(done));
    co_await ok(patience.wait(directory_, std::move(done.error())));
  }
}

Async<void> ShardedDatabase::run_read(const sql::CallContext& context, const ShardKeys& keys,
                                      sql::ReadBody& body) {
  Patience patience(options_.wait_max);
  for (;;) {
    const Place place = co_await ok(place_of(keys));
    GuardedRead guarded(body, place.assertion);
    Result<void> done = co_await place.database->read(context, guarded);
    if (done) co_return;
    if (!is_about_placement(done.error())) co_await ok(std::move(done));
    co_await ok(patience.wait(directory_, std::move(done.error())));
  }
}

Async<bool> ShardedDatabase::run_on_each(const sql::CallContext& context, const ShardMap& map,
                                         const std::vector<sql::ReadBody*>& bodies) {
  if (map.buckets.empty()) co_return unavailable("no_directory", "The directory of shards was not read yet.");
  ReadOnEach reads(*this, context, map, bodies);
  std::vector<Async<void>> children;
  children.reserve(bodies.size());
  for (std::size_t i = 0; i < bodies.size(); ++i) children.push_back(reads.run(i));
  co_await ok(gather(std::move(children), options_.fan_out_max));
  co_return reads.saw_each_bucket_once();
}

Async<void> ShardedDatabase::before_next_fan_out(int tries) {
  if (tries >= options_.fan_out_tries)
    co_await unavailable(kBucketMoving, "Data is being moved between shards. Try again shortly.");
  co_await ok(sleep_for(milliseconds(5) * tries * tries));
  co_await ok(directory_.refresh());
}

Async<void> ShardedDatabase::settle() {
  co_await ok(directory_.refresh());
  const std::shared_ptr<const ShardMap> map = directory_.map();
  for (std::uint32_t shard = 0; shard < map->shards.size(); ++shard) {
    std::vector<Bucket> buckets;
    for (Bucket bucket = 0; bucket < map->bucket_count(); ++bucket)
      if (map->owner(bucket).shard == shard && map->owner(bucket).epoch == 1) buckets.push_back(bucket);
    sql::Database* database = find(map->shards[shard]);
    if (!database)
      co_await fail(Category::unavailable, "shard_unreachable",
                    "The shard " + map->shards[shard] + " is not known to this server.");
    co_await ok(database->transact(&own_from_the_start, buckets));
  }
}

}  // namespace bedplate::sharding
