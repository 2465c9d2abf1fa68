// SPDX-License-Identifier: Apache-2.0
// expect: nothing
#include "bedplate/sql/session.h"

namespace bedplate::sql {
Async<void> looks(Transaction& tx) {
  co_await ok(tx.run("DELETE FROM tasks"));
  Result<std::int64_t> deleted = co_await tx.run("DELETE FROM tasks WHERE id = $1", std::int64_t{7});
  if (!deleted) co_await std::unexpected(std::move(deleted.error()));
}
}  // namespace bedplate::sql
