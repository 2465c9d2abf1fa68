// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/cancel.h"

#include "bedplate/async/async.h"

namespace bedplate {

void Op::resume() {
  if (scope) scope->waiting_ = nullptr;
  if (error && ends_on_error) return ends_on_error->fail_while_suspended(std::move(*error));
  waiter.resume();
}

void Scope::cancel(Category reason) {
  int none = kNone;
  if (!reason_.compare_exchange_strong(none, static_cast<int>(reason), std::memory_order_relaxed)) return;
  if (Op* op = waiting_; op && op->on_cancel) {
    waiting_ = nullptr;
    op->on_cancel(*op);
  }
}

Error Scope::error() const {
  int reason = reason_.load(std::memory_order_relaxed);
  if (reason == static_cast<int>(Category::timeout))
    return Error(Category::timeout, "deadline_exceeded", "The request took longer than it may.");
  return Error(Category::cancelled, "cancelled", "The caller went away.");
}

}  // namespace bedplate
