// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/timer.h"

namespace bedplate {

void SleepOp::start() {
  loop_ = Loop::current();
  fire = [](detail::HeapNode& node) { static_cast<SleepOp&>(node).resume(); };
  on_cancel = [](Op& op) {
    auto& self = static_cast<SleepOp&>(op);
    self.loop_->disarm_precise(self);
    self.error.emplace(self.scope->error());
    self.loop_->resume_later(self);
  };
  loop_->arm_precise(*this, until_);
}

}  // namespace bedplate
