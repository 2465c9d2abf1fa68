// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/fan_out.h"

#include "bedplate/async/loop.h"

namespace bedplate::sharding {

// False: everything has ended without waiting.
bool FanOut::start() {
  on_cancel = [](Op& op) {
    // Ends once its workers have, which stand on what the waiting coroutine owns.
    static_cast<FanOut&>(op).cancel(op.scope->error().category(), nullptr);
  };
  scopes_ = std::make_unique<Scope[]>(workers_);
  running_ = workers_;
  starting_ = true;
  for (std::size_t i = 0; i < workers_; ++i) {
    if (scope) scopes_[i].set_deadline(scope->deadline());
    work_off(*this, scopes_[i]).detach(&scopes_[i]);
  }
  starting_ = false;
  if (running_ > 0) return true;
  forget();
  return false;
}

Async<void> FanOut::work_off(FanOut& self, Scope& own) {
  while (!own.cancelled() && self.next_ < self.count_) {
    Result<void> done = co_await self.work_.run(self.next_++);
    if (done || self.failure_) continue;
    self.failure_ = std::move(done.error());
    self.next_ = self.count_;
    self.cancel(Category::cancelled, &own);
  }
  self.worker_ended();
}

void FanOut::cancel(Category reason, const Scope* but) {
  for (std::size_t i = 0; i < workers_; ++i)
    if (&scopes_[i] != but) scopes_[i].cancel(reason);
}

void FanOut::worker_ended() {
  if (--running_ > 0) return;
  if (scope && scope->cancelled())
    error.emplace(scope->error());
  else if (failure_)
    error.emplace(std::move(*failure_));
  // Later, from the loop: the last worker's frame goes before what it stands on.
  if (!starting_) Loop::current()->resume_later(*this);
}

}  // namespace bedplate::sharding
