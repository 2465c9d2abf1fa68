// SPDX-License-Identifier: Apache-2.0
// A fence: refuses a write of a lock's former holder after a later holder has written.
//
//   Async<void> Reports::write(sql::Transaction& tx, const cache::Lock& lock, const std::string& text) {
//     co_await ok(api::pass_fence(tx, lock));      // first
//     co_await ok(tx.run("UPDATE reports SET text = $1", text));
//   }
//
//   cache::Lock lock = co_await ok(locks.acquire("reports", 30s));
//   co_await ok(db.transact(&Reports::write, reports, lock, text));
//
// cache/lock.h explains why a lock alone is not enough. The fence needs a table, whose migration the application adds:
// application.migrations("fences", api::fence_migrations()).
//
// Two holders whose transactions run at the same time wait for each other at the fence; the later token wins.
#pragma once

#include <span>

#include "bedplate/async/async.h"
#include "bedplate/base/embedded.h"
#include "bedplate/cache/lock.h"
#include "bedplate/sql/session.h"

namespace bedplate::api {

/// Category::conflict `lock_lost`: a holder with a larger token has passed before, so this transaction must write
/// nothing. Passing again with the same token is fine. The row stays, one for each name of a lock.
Async<void> pass_fence(sql::Transaction& tx, const cache::Lock& lock);

std::span<const EmbeddedFile> fence_migrations();

}  // namespace bedplate::api
