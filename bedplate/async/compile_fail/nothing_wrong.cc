// SPDX-License-Identifier: Apache-2.0
// expect: nothing
#include <tuple>

#include "bedplate/async/async.h"

namespace bedplate {
Async<int> count();
Async<void> save();

Async<void> looks_at_each_result() {
  co_await ok(save());
  Result<int> counted = co_await count();
  if (!counted) co_await std::unexpected(std::move(counted.error()));
  if (!co_await save()) co_return;
  std::ignore = co_await count();
  co_await fail(Category::conflict, "no", "No.");
}
Async<int> fails() {
  co_return fail(Category::conflict, "no", "No.");
}
}  // namespace bedplate
