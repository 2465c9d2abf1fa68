// SPDX-License-Identifier: Apache-2.0
// expect: ignoring return value of
#include "bedplate/sql/session.h"

namespace bedplate::sql {
Async<void> drops(Transaction& tx) {
  co_await tx.run("DELETE FROM tasks");
}
}  // namespace bedplate::sql
