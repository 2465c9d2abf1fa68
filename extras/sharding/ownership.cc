// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/ownership.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "bedplate/describe/describe.h"

namespace bedplate::sharding {
namespace {

using sql::Reader;
using sql::Transaction;

struct OwnedRow {
  std::int64_t epoch = 0;
  std::string state;
  std::int64_t mover = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<OwnedRow>(
        "A bucket, as its shard sees it",
        {field<&OwnedRow::epoch>(), field<&OwnedRow::state>(), field<&OwnedRow::mover>()});
  }
};

constexpr std::string_view kOwned = "SELECT epoch, state, mover FROM sharding_owned WHERE bucket = $1";
constexpr std::string_view kOwnedForShare =
    "SELECT epoch, state, mover FROM sharding_owned WHERE bucket = $1 FOR SHARE";
// The first number of the advisory locks is "shrd"; the second is the bucket.
constexpr std::string_view kOwnedForCommand =
    "SELECT o.epoch, o.state, o.mover FROM (SELECT pg_advisory_xact_lock_shared(1936224868, $1::integer)) AS "
    "l, "
    "sharding_owned o WHERE o.bucket = $1::integer FOR SHARE OF o";
constexpr std::string_view kWaitMax = "SELECT set_config('lock_timeout', $1, true)";
constexpr std::string_view kLockBucket = "SELECT pg_advisory_xact_lock(1936224868, $1::integer)";
constexpr std::size_t kInsertRows = 256;

std::string_view owned_text(sql::Dialect dialect) {
  return dialect == sql::Dialect::postgresql ? kOwnedForShare : kOwned;
}

std::unexpected<Error> elsewhere() {
  return fail(Category::unavailable, kBucketElsewhere, "The data has moved to another shard.");
}
std::unexpected<Error> moving() {
  return fail(Category::unavailable, kBucketMoving, "The data is being moved to another shard.");
}
std::unexpected<Error> overtaken() {
  return fail(Category::conflict, "move_overtaken", "Somebody else has taken this move on.");
}

// One row, or the move is another's by now.
Async<void> must_change_one(std::int64_t changed) {
  if (changed != 1) co_await overtaken();
}

/// Waits for the commands of the bucket that run, and holds off later ones until this transaction ends.
Async<void> wait_for_drain(Transaction& tx, const DrainWait& drain, Bucket bucket) {
  if (drain.dialect == sql::Dialect::sqlite) co_return;
  const std::string wait_max = std::to_string(std::max<std::int64_t>(1, drain.wait_max.count())) + "ms";
  co_await ok(tx.run(kWaitMax, wait_max));
  co_await ok(tx.run(kLockBucket, bucket));
}

/// At a source that has not given the bucket away, past its drain.
Async<void> set_at_source(Transaction& tx, const DrainWait& drain, const Move& move, std::string_view what) {
  co_await ok(wait_for_drain(tx, drain, move.bucket));
  const std::string text = fmt::format(
      "UPDATE sharding_owned SET {}, mover = $3 WHERE bucket = $1 AND epoch = $2 "
      "AND state IN ('owned', 'leaving') AND mover <= $3",
      what);
  const std::int64_t changed = co_await ok(tx.run(text, move.bucket, move.epoch - 1, move.mover));
  co_await ok(must_change_one(changed));
}

}  // namespace

Async<void> check_command(Transaction& tx, sql::Dialect dialect, const OwnershipAssertion& assertion) {
  const std::string_view text = dialect == sql::Dialect::postgresql ? kOwnedForCommand : kOwned;
  const std::optional<OwnedRow> row = co_await ok(tx.maybe<OwnedRow>(text, assertion.bucket));
  if (!row || row->epoch != assertion.epoch || row->state == "gone") co_await elsewhere();
  if (row->state != "owned") co_await moving();
}

Async<void> check_read(Reader& db, const OwnershipAssertion& assertion) {
  const std::optional<OwnedRow> row = co_await ok(db.maybe<OwnedRow>(kOwned, assertion.bucket));
  if (!row || row->epoch != assertion.epoch || row->state == "gone") co_await elsewhere();
  if (row->state == "arriving") co_await moving();
}

Async<ReadableSum> readable_sum(Reader& db) {
  ReadableSum sum = co_await ok(
      db.one<ReadableSum>("SELECT count(*) AS buckets, CAST(coalesce(sum(bucket), 0) AS BIGINT) AS sum, "
                          "CAST(coalesce(sum(bucket * bucket), 0) AS BIGINT) AS squares "
                          "FROM sharding_readable"));
  co_return sum;
}

Async<void> own_from_the_start(Transaction& tx, const std::vector<Bucket>& buckets) {
  for (std::size_t at = 0; at < buckets.size();) {
    const std::size_t rows = std::bit_floor(std::min(kInsertRows, buckets.size() - at));
    std::string text = "INSERT INTO sharding_owned (bucket, epoch, state, mover) VALUES ";
    sql::Params params;
    for (std::size_t i = 0; i < rows; ++i, ++at)
      text += (i ? ", (" : "(") + params.add(buckets[at]) + ", 1, 'owned', 0)";
    text += " ON CONFLICT (bucket) DO NOTHING";  // it has moved on since, or was noted before
    co_await ok(tx.run(text, params));
  }
}

Async<void> start_arriving(Transaction& tx, const Move& move) {
  const std::int64_t changed = co_await ok(
      tx.run("INSERT INTO sharding_owned (bucket, epoch, state, mover) VALUES ($1, $2, 'arriving', $3) "
             "ON CONFLICT (bucket) DO UPDATE SET epoch = excluded.epoch, state = 'arriving', mover = "
             "excluded.mover, "
             "logged = 0 "
             "WHERE sharding_owned.mover <= excluded.mover AND (sharding_owned.epoch < excluded.epoch "
             "OR (sharding_owned.epoch = excluded.epoch AND sharding_owned.state = 'arriving'))",
             move.bucket, move.epoch, move.mover));
  co_await ok(must_change_one(changed));
}

Async<void> check_arriving(Transaction& tx, sql::Dialect dialect, const Move& move) {
  const std::optional<OwnedRow> row = co_await ok(tx.maybe<OwnedRow>(owned_text(dialect), move.bucket));
  if (!row || row->epoch != move.epoch || row->state != "arriving" || row->mover != move.mover)
    co_await overtaken();
}

Async<void> start_logging(Transaction& tx, const DrainWait& drain, const Move& move) {
  co_await ok(set_at_source(tx, drain, move, "state = 'owned', logged = 1"));
}

Async<void> check_logging(Transaction& tx, sql::Dialect dialect, const Move& move) {
  const std::optional<OwnedRow> row = co_await ok(tx.maybe<OwnedRow>(owned_text(dialect), move.bucket));
  if (!row || row->epoch != move.epoch - 1 || row->mover != move.mover) co_await overtaken();
}

Async<void> fence(Transaction& tx, const DrainWait& drain, const Move& move) {
  co_await ok(set_at_source(tx, drain, move, "state = 'leaving'"));
}

Async<void> lift_fence(Transaction& tx, const Move& move) {
  const std::int64_t changed =
      co_await ok(tx.run("UPDATE sharding_owned SET state = 'owned' "
                         "WHERE bucket = $1 AND epoch = $2 AND state IN ('leaving', 'owned') AND mover = $3",
                         move.bucket, move.epoch - 1, move.mover));
  co_await ok(must_change_one(changed));
}

Async<void> close(Transaction& tx, const Move& move) {
  const std::int64_t changed =
      co_await ok(tx.run("UPDATE sharding_owned SET state = 'gone', epoch = $2, mover = $3, logged = 0 WHERE "
                         "bucket = $1 AND mover <= $3 "
                         "AND ((state = 'leaving' AND epoch = $2 - 1) OR (state = 'gone' AND epoch = $2))",
                         move.bucket, move.epoch, move.mover));
  co_await ok(must_change_one(changed));
}

Async<void> open(Transaction& tx, const Move& move) {
  const std::int64_t changed = co_await ok(
      tx.run("UPDATE sharding_owned SET state = 'owned', mover = $3 WHERE bucket = $1 AND epoch = $2 "
             "AND mover <= $3 AND state IN ('arriving', 'owned')",
             move.bucket, move.epoch, move.mover));
  co_await ok(must_change_one(changed));
}

Async<void> check_closed(Transaction& tx, const Move& move) {
  const std::int64_t mine = co_await ok(
      tx.run("UPDATE sharding_owned SET mover = mover WHERE bucket = $1 AND epoch = $2 AND state = 'gone' "
             "AND mover = $3",
             move.bucket, move.epoch, move.mover));
  co_await ok(must_change_one(mine));
}

Async<void> restore(Transaction& tx, const DrainWait& drain, const Move& move) {
  co_await ok(set_at_source(tx, drain, move, "state = 'owned', logged = 0"));
}

// At the epoch before the move, so that the next one, which has the same, may arrive.
Async<bool> release_target(Transaction& tx, const Move& move) {
  const std::int64_t changed =
      co_await ok(tx.run("UPDATE sharding_owned SET state = 'gone', epoch = $2 - 1, mover = $3 "
                         "WHERE bucket = $1 AND mover <= $3 AND ((state = 'arriving' AND epoch = $2) "
                         "OR (state = 'gone' AND epoch = $2 - 1 AND mover = $3))",
                         move.bucket, move.epoch, move.mover));
  co_return changed == 1;
}

Async<void> check_target_released(Transaction& tx, const Move& move) {
  const std::int64_t mine = co_await ok(tx.run(
      "UPDATE sharding_owned SET mover = mover WHERE bucket = $1 AND epoch = $2 - 1 AND state = 'gone' "
      "AND mover = $3",
      move.bucket, move.epoch, move.mover));
  co_await ok(must_change_one(mine));
}

}  // namespace bedplate::sharding
