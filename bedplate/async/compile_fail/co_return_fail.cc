// SPDX-License-Identifier: Apache-2.0
// expect: AsyncVoid_fails_with_co_await_fail
#include "bedplate/async/async.h"

namespace bedplate {
Async<void> fails() {
  co_return fail(Category::conflict, "no", "No.");
}
}  // namespace bedplate
