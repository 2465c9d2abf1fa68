// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/directory.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"

namespace bedplate::sharding {
namespace {

using sql::Reader;
using sql::Transaction;

constexpr std::size_t kPage = 5000;
constexpr std::size_t kInsertRows = 128;

struct OwnerRow {
  std::int64_t bucket = 0;
  std::string shard;
  std::int64_t epoch = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<OwnerRow>("Who owns a bucket", {field<&OwnerRow::bucket>(), field<&OwnerRow::shard>(),
                                                  field<&OwnerRow::epoch>()});
  }
};

struct HeaderRow {
  std::int64_t version = 0;
  std::int64_t bucket_count = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<HeaderRow>("The directory's line",
                             {field<&HeaderRow::version>(), field<&HeaderRow::bucket_count>()});
  }
};

struct ShardRow {
  std::string name;
  bool leaving = false;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ShardRow>("A shard", {field<&ShardRow::name>(), field<&ShardRow::leaving>()});
  }
};

constexpr std::string_view kHeader = "SELECT version, bucket_count FROM sharding_directory WHERE id = 1";
constexpr std::string_view kShards = "SELECT name, leaving FROM sharding_shards ORDER BY name";
constexpr std::string_view kChanged =
    "SELECT bucket, shard, epoch FROM sharding_buckets WHERE changed_in > $1 AND bucket > $2 ORDER BY bucket "
    "LIMIT 5000";
constexpr std::string_view kMoveColumns =
    "SELECT m.bucket, m.source, m.target, m.epoch, b.mover, m.switched, m.cancelled, m.touched_us FROM "
    "sharding_moves m "
    "JOIN sharding_buckets b ON b.bucket = m.bucket ";

std::unexpected<Error> changed() {
  return fail(Category::conflict, "directory_changed", "The directory of shards has changed meanwhile.");
}
std::unexpected<Error> overtaken() {
  return fail(Category::conflict, "move_overtaken", "Somebody else has taken this move on.");
}

/// Refuses unless `version` is what the directory is at, and counts it up.
Async<void> advance(Transaction& tx, std::int64_t version) {
  const std::int64_t moved = co_await ok(
      tx.run("UPDATE sharding_directory SET version = version + 1 WHERE id = 1 AND version = $1", version));
  if (moved != 1) co_await changed();
}

Async<HeaderRow> header_of(Reader& db) {
  std::optional<HeaderRow> header = co_await ok(db.maybe<HeaderRow>(kHeader));
  if (!header)
    co_return fail(Category::unavailable, "no_directory", "The directory of shards was not made yet.");
  co_return *header;
}

Async<void> insert_owners(Transaction& tx, const std::vector<PlannedMove>& moves) {
  for (std::size_t at = 0; at < moves.size();) {
    const std::size_t rows = std::bit_floor(std::min(kInsertRows, moves.size() - at));
    std::string text = "INSERT INTO sharding_buckets (bucket, shard, epoch, mover, changed_in) VALUES ";
    sql::Params params;
    for (std::size_t i = 0; i < rows; ++i, ++at) {
      text += i ? ", (" : "(";
      text += params.add(moves[at].bucket) + ", " + params.add(moves[at].to) + ", 1, 0, 1)";
    }
    co_await ok(tx.run(text, params));
  }
}

Async<void> create_in(Transaction& tx, const std::int64_t& buckets, const std::vector<std::string>& shards) {
  const std::optional<HeaderRow> present = co_await ok(tx.maybe<HeaderRow>(kHeader));
  if (present) {
    const std::vector<ShardRow> rows = co_await ok(tx.all<ShardRow>(kShards));
    std::vector<std::string> names;
    for (const ShardRow& row : rows) names.push_back(row.name);
    if (present->bucket_count == buckets && names == shards) co_return;
    co_await fail(Category::conflict, "directory_exists",
                  "There is a directory of other shards or another number of buckets already.");
  }
  co_await ok(
      tx.run("INSERT INTO sharding_directory (id, version, bucket_count) VALUES (1, 1, $1)", buckets));
  for (const std::string& name : shards)
    co_await ok(tx.run("INSERT INTO sharding_shards (name, leaving) VALUES ($1, 0)", name));
  const std::vector<std::string> nobody(static_cast<std::size_t>(buckets));
  const std::vector<PlannedMove> moves = plan_moves(nobody, shards);
  co_await ok(insert_owners(tx, moves));
}

std::uint32_t index_of(const ShardMap& map, std::string_view shard) {
  return static_cast<std::uint32_t>(std::ranges::lower_bound(map.shards, shard) - map.shards.begin());
}

/// The map as of one snapshot, from `known` and what has changed since it.
Async<ShardMap> load_since(Reader& db, const ShardMap& known) {
  const HeaderRow header = co_await ok(header_of(db));
  if (header.version == known.version) co_return known;
  ShardMap map;
  map.version = header.version;
  const std::vector<ShardRow> shards = co_await ok(db.all<ShardRow>(kShards));
  for (const ShardRow& shard : shards) {
    map.shards.push_back(shard.name);
    if (shard.leaving) map.leaving.push_back(shard.name);
  }
  map.buckets.resize(static_cast<std::size_t>(header.bucket_count));
  for (std::size_t i = 0; i < known.buckets.size(); ++i)
    map.buckets[i] = {index_of(map, known.shards[known.buckets[i].shard]), known.buckets[i].epoch};
  for (std::int64_t after = -1;;) {
    const std::vector<OwnerRow> page = co_await ok(db.all<OwnerRow>(kChanged, known.version, after));
    for (const OwnerRow& row : page)
      map.buckets[static_cast<std::size_t>(row.bucket)] = {index_of(map, row.shard), row.epoch};
    if (page.size() < kPage) break;
    after = page.back().bucket;
  }
  co_return map;
}

Async<void> add_shard_in(Transaction& tx, const std::string_view& name) {
  const HeaderRow header = co_await ok(header_of(tx));
  co_await ok(advance(tx, header.version));
  co_await ok(
      tx.run("INSERT INTO sharding_shards (name, leaving) VALUES ($1, 0) "
             "ON CONFLICT (name) DO UPDATE SET leaving = 0",
             name));
}

Async<void> retire_shard_in(Transaction& tx, const std::string_view& name) {
  const HeaderRow header = co_await ok(header_of(tx));
  co_await ok(advance(tx, header.version));
  const std::int64_t found =
      co_await ok(tx.run("UPDATE sharding_shards SET leaving = 1 WHERE name = $1", name));
  if (found == 0) co_await fail(Category::not_found, "shard_unknown", "There is no shard of that name.");
}

Async<void> remove_shard_in(Transaction& tx, const std::string_view& name) {
  const HeaderRow header = co_await ok(header_of(tx));
  co_await ok(advance(tx, header.version));
  const std::int64_t owned = co_await ok(
      tx.value<std::int64_t>("SELECT (SELECT count(*) FROM sharding_buckets WHERE shard = $1) + "
                             "(SELECT count(*) FROM sharding_moves WHERE source = $1 OR target = $1)",
                             name));
  if (owned > 0)
    co_await fail(Category::conflict, "shard_owns_buckets",
                  "The shard still owns buckets: retire it and rebalance first.");
  co_await ok(tx.run("DELETE FROM sharding_leftovers WHERE target = $1", name));
  co_await ok(tx.run("DELETE FROM sharding_shards WHERE name = $1", name));
}

Async<Move> begin_move_in(Transaction& tx, const Bucket& bucket, const std::string_view& target,
                          const std::int64_t& now_us) {
  const std::int64_t takes = co_await ok(
      tx.value<std::int64_t>("SELECT count(*) FROM sharding_shards WHERE name = $1 AND leaving = 0", target));
  if (takes == 0)
    co_return fail(Category::conflict, "shard_unknown", "The target is no shard, or one that is leaving.");
  const OwnerRow owner = co_await ok(
      tx.one<OwnerRow>("SELECT bucket, shard, epoch FROM sharding_buckets WHERE bucket = $1", bucket));
  if (owner.shard == target) co_return changed();
  const std::int64_t begun =
      co_await ok(tx.run("INSERT INTO sharding_moves (bucket, source, target, epoch, switched, touched_us) "
                         "VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (bucket) DO NOTHING",
                         bucket, owner.shard, target, owner.epoch + 1, now_us));
  if (begun == 0) co_return fail(Category::conflict, "move_exists", "The bucket is being moved already.");
  co_await ok(tx.run("UPDATE sharding_buckets SET mover = mover + 1 WHERE bucket = $1", bucket));
  const std::string text = std::string(kMoveColumns) + "WHERE m.bucket = $1";
  Move move = co_await ok(tx.one<Move>(text, bucket));
  co_return move;
}

Async<std::vector<Move>> moves_in(Reader& db) {
  const std::string text = std::string(kMoveColumns) + "ORDER BY m.bucket";
  std::vector<Move> moves = co_await ok(db.all<Move>(text));
  co_return moves;
}

Async<Move> claim_in(Transaction& tx, const Move& seen, const std::int64_t& touched_before_us,
                     const std::int64_t& now_us) {
  const std::int64_t idle =
      co_await ok(tx.run("UPDATE sharding_moves SET touched_us = $3 WHERE bucket = $1 AND touched_us < $2",
                         seen.bucket, touched_before_us, now_us));
  const std::int64_t mine =
      co_await ok(tx.run("UPDATE sharding_buckets SET mover = mover + 1 WHERE bucket = $1 AND mover = $2",
                         seen.bucket, seen.mover));
  if (idle != 1 || mine != 1) co_return overtaken();
  const std::string text = std::string(kMoveColumns) + "WHERE m.bucket = $1";
  Move move = co_await ok(tx.one<Move>(text, seen.bucket));
  co_return move;
}

/// Every later step of a mover begins with this, in its transaction.
Async<void> check_mover(Transaction& tx, const Move& move) {
  const std::int64_t mine = co_await ok(tx.run(
      "UPDATE sharding_buckets SET mover = mover WHERE bucket = $1 AND mover = $2", move.bucket, move.mover));
  if (mine != 1) co_await overtaken();
}

Async<void> touch_in(Transaction& tx, const Move& move, const std::int64_t& now_us) {
  co_await ok(check_mover(tx, move));
  co_await ok(tx.run("UPDATE sharding_moves SET touched_us = $2 WHERE bucket = $1", move.bucket, now_us));
}

Async<void> switch_in(Transaction& tx, const Move& move) {
  co_await ok(check_mover(tx, move));
  const HeaderRow header = co_await ok(header_of(tx));
  co_await ok(advance(tx, header.version));
  const std::int64_t marked = co_await ok(
      tx.run("UPDATE sharding_moves SET switched = 1 WHERE bucket = $1 AND switched = 0 AND cancelled = 0",
             move.bucket));
  const std::int64_t owned = co_await ok(tx.run(
      "UPDATE sharding_buckets SET shard = $2, epoch = $3, changed_in = $4 WHERE bucket = $1 AND epoch = $5",
      move.bucket, move.target, move.epoch, header.version + 1, move.epoch - 1));
  if (marked != 1 || owned != 1) co_await overtaken();
}

Async<void> end_in(Transaction& tx, const Move& move) {
  co_await ok(check_mover(tx, move));
  co_await ok(tx.run("DELETE FROM sharding_moves WHERE bucket = $1", move.bucket));
}

Async<Move> cancel_in(Transaction& tx, const Bucket& bucket, const std::int64_t& now_us) {
  const std::string text = std::string(kMoveColumns) + "WHERE m.bucket = $1";
  // Before it is looked at: a switch that runs at the same time has happened then, or will be refused.
  co_await ok(tx.run("UPDATE sharding_buckets SET mover = mover + 1 WHERE bucket = $1", bucket));
  co_await ok(
      tx.run("UPDATE sharding_moves SET cancelled = 1, touched_us = $2 WHERE bucket = $1 AND switched = 0",
             bucket, now_us));
  std::optional<Move> move = co_await ok(tx.maybe<Move>(text, bucket));
  if (!move) co_return fail(Category::not_found, "no_move", "The bucket is not being moved.");
  if (move->switched)
    co_return fail(Category::conflict, "move_switched",
                   "The target owns the bucket already: finish the move, and move it back.");
  co_return std::move(*move);
}

Async<void> end_cancelled_in(Transaction& tx, const Move& move) {
  co_await ok(end_in(tx, move));
  co_await ok(tx.run(
      "INSERT INTO sharding_leftovers (bucket, target, source, epoch, mover) VALUES ($1, $2, $3, $4, $5) "
      "ON CONFLICT (bucket, target) DO UPDATE SET source = excluded.source, epoch = excluded.epoch, "
      "mover = excluded.mover",
      move.bucket, move.target, move.source, move.epoch, move.mover));
}

Async<std::vector<Move>> leftovers_in(Reader& db) {
  std::vector<Move> left = co_await ok(db.all<Move>(
      "SELECT bucket, source, target, epoch, mover, 0 AS switched, 1 AS cancelled, 0 AS touched_us "
      "FROM sharding_leftovers ORDER BY bucket, target LIMIT 1000"));
  co_return left;
}

Async<void> forget_leftover_in(Transaction& tx, const Move& move) {
  co_await ok(tx.run("DELETE FROM sharding_leftovers WHERE bucket = $1 AND target = $2 AND mover = $3",
                     move.bucket, move.target, move.mover));
}

}  // namespace

Async<void> Directory::create(std::int64_t buckets, std::vector<std::string> shards) {
  if (!std::has_single_bit(static_cast<std::uint64_t>(buckets)) || buckets < kBucketsMin ||
      buckets > kBucketsMax)
    co_await fail(Category::invalid, "bucket_count",
                  "The number of buckets is a power of two from 16 to 65536.");
  std::ranges::sort(shards);
  if (shards.empty() || std::ranges::adjacent_find(shards) != shards.end())
    co_await fail(Category::invalid, "shards",
                  "There is at least one shard, and each has a name of its own.");
  co_await ok(database_.transact(&create_in, buckets, shards));
  co_await ok(refresh());
}

std::shared_ptr<const ShardMap> Directory::map() const {
  const std::lock_guard lock(mutex_);
  return map_;
}

Async<void> Directory::refresh() {
  const std::shared_ptr<const ShardMap> known = map();
  ShardMap loaded = co_await ok(database_.read(&load_since, *known));
  if (loaded.version == known->version) co_return;
  auto fresh = std::make_shared<const ShardMap>(std::move(loaded));
  const std::lock_guard lock(mutex_);
  if (fresh->version > map_->version) map_ = std::move(fresh);
}

Async<void> Directory::follow(std::chrono::milliseconds interval) {
  for (;;) {
    const Result<void> refreshed = co_await refresh();
    if (!refreshed) log_warn("cannot read the directory of shards", {{"error", refreshed.error().detail()}});
    co_await ok(sleep_for(interval));
  }
}

Async<void> Directory::add_shard(std::string_view name) {
  co_await ok(database_.transact(&add_shard_in, name));
  co_await ok(refresh());
}

Async<void> Directory::retire_shard(std::string_view name) {
  co_await ok(database_.transact(&retire_shard_in, name));
  co_await ok(refresh());
}

Async<void> Directory::remove_shard(std::string_view name) {
  co_await ok(database_.transact(&remove_shard_in, name));
  co_await ok(refresh());
}

std::vector<PlannedMove> Directory::plan() const {
  const std::shared_ptr<const ShardMap> now = map();
  std::vector<std::string> owners;
  for (const ShardMap::Owner& owner : now->buckets) owners.push_back(now->shards[owner.shard]);
  std::vector<std::string> staying;
  std::ranges::set_difference(now->shards, now->leaving, std::back_inserter(staying));
  return staying.empty() ? std::vector<PlannedMove>() : plan_moves(owners, std::move(staying));
}

Async<Move> Directory::begin_move(Bucket bucket, std::string_view target, std::int64_t now_us) {
  Move move = co_await ok(database_.transact(&begin_move_in, bucket, target, now_us));
  co_return move;
}

Async<std::vector<Move>> Directory::moves() {
  std::vector<Move> moves = co_await ok(database_.read(&moves_in));
  co_return moves;
}

Async<Move> Directory::claim_move(const Move& seen, std::int64_t touched_before_us, std::int64_t now_us) {
  Move move = co_await ok(database_.transact(&claim_in, seen, touched_before_us, now_us));
  co_return move;
}

Async<void> Directory::touch_move(const Move& move, std::int64_t now_us) {
  co_await ok(database_.transact(&touch_in, move, now_us));
}

Async<void> Directory::switch_bucket(const Move& move) {
  co_await ok(database_.transact(&switch_in, move));
}

Async<void> Directory::end_move(const Move& move) {
  co_await ok(database_.transact(&end_in, move));
}

Async<Move> Directory::cancel_move(Bucket bucket, std::int64_t now_us) {
  Move move = co_await ok(database_.transact(&cancel_in, bucket, now_us));
  co_return move;
}

Async<void> Directory::end_cancelled(const Move& move) {
  co_await ok(database_.transact(&end_cancelled_in, move));
}

Async<std::vector<Move>> Directory::leftovers() {
  std::vector<Move> left = co_await ok(database_.read(&leftovers_in));
  co_return left;
}

Async<void> Directory::forget_leftover(const Move& move) {
  co_await ok(database_.transact(&forget_leftover_in, move));
}

}  // namespace bedplate::sharding
