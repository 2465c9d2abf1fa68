// SPDX-License-Identifier: Apache-2.0
// expect: ignoring return value of
#include "bedplate/async/async.h"

namespace bedplate {
Async<int> count();

Async<void> drops() {
  co_await count();
}
}  // namespace bedplate
