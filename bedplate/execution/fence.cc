// SPDX-License-Identifier: Apache-2.0
#include "bedplate/execution/fence.h"

#include "api_fences.h"

namespace bedplate::api {

Async<void> pass_fence(sql::Transaction& tx, const cache::Lock& lock) {
  const std::int64_t passed = co_await ok(
      tx.run("INSERT INTO fences (name, token) VALUES ($1, $2) "
             "ON CONFLICT (name) DO UPDATE SET token = excluded.token WHERE fences.token <= excluded.token",
             lock.name, lock.token));
  if (passed == 0)
    co_await bedplate::fail(Category::conflict, "lock_lost", "The lock was held too long and is lost.");
}

std::span<const EmbeddedFile> fence_migrations() {
  return api_fences();
}

}  // namespace bedplate::api
