// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/move_undo.h"

#include "extras/sharding/ownership.h"

namespace bedplate::sharding {

Async<BucketSide> MoveUndo::side(const std::string& name) const {
  BucketSide found;
  found.database = shards_.find(name);
  if (!found.database)
    co_return fail(Category::unavailable, "shard_unreachable", "The shard " + name + " is not known here.");
  co_return found;
}

// Nobody waits for this one, and whoever takes it over does no harm.
Async<void> MoveUndo::beat() {
  co_return;
}

Async<void> MoveUndo::at_source() {
  source_ = co_await ok(side(move_.source));
  const DrainWait drain(source_.database->dialect(), options_.held_max);
  co_await ok(source_.database->transact(&restore, drain, move_));
  co_await ok(done(MoveStep::restored));
  co_await ok(forget_all_changes(copy()));
  co_await ok(done(MoveStep::forgotten));
  co_await ok(shards_.directory().end_cancelled(move_));
  co_await ok(done(MoveStep::released));
}

Async<void> MoveUndo::at_target() {
  target_ = co_await ok(side(move_.target));
  const bool mine = co_await ok(target_.database->transact(&release_target, move_));
  co_await ok(done(MoveStep::abandoned));
  if (mine) {
    const sql::Dialect dialect = target_.database->dialect();
    target_.tables = co_await ok(target_.database->read(&read_sharded_tables, dialect, tables_));
    Result<void> deleted = co_await delete_leftover(copy());
    // A later move to here compares all that it finds.
    const bool taken_on = !deleted && deleted.error().code() == "move_overtaken";
    if (!taken_on) co_await ok(std::move(deleted));
  }
  co_await ok(done(MoveStep::emptied));
  co_await ok(shards_.directory().forget_leftover(move_));
  co_await ok(done(MoveStep::cleaned));
}

}  // namespace bedplate::sharding
