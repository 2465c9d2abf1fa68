// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/cancel.h"

#include "bedplate/async/async.h"

namespace bedplate {

void Op::resume() {
  if (scope) scope->waiting_ = nullptr;
  if (error && ends_on_error) return ends_on_error->fail_while_suspended(std::move(*error));
  waiter.resume();
}

Scope::Scope(Scope* parent) : parent_(parent) {
  if (!parent) return;
  reason_.store(parent->reason_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  deadline_ = parent->deadline_;
  older_ = parent->children_;
  if (older_) older_->younger_ = this;
  parent->children_ = this;
}

void Scope::leave() {
  (younger_ ? younger_->older_ : parent_->children_) = older_;
  if (older_) older_->younger_ = younger_;
}

void Scope::cancel(Category reason) {
  int none = kNone;
  if (!reason_.compare_exchange_strong(none, static_cast<int>(reason), std::memory_order_relaxed)) return;
  // Any of them may end a coroutine here and now, and with it scopes of this list: so look again from its beginning.
  // Who waits for children goes on later, from the loop (gather.cc), so this scope is there until the end.
  for (Scope* child = children_; child;) {
    if (child->cancelled()) {
      child = child->older_;
      continue;
    }
    child->cancel(reason);
    child = children_;
  }
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
