// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/slots.h"

#include <algorithm>

namespace bedplate::outbound::detail {

Slot::~Slot() {
  if (slots_) slots_->leave(host_);
}

bool SlotWait::await_ready() {
  if (slots_.try_enter(host_)) return true;
  if (slots_.waiting_.size() < slots_.limits_.waiting) return false;
  error.emplace(
      Error(Category::unavailable, "outbound_busy", "Too many requests to other servers wait already.")
          .with_retry_after(std::chrono::seconds(1)));
  return true;
}

void SlotWait::start() {
  slots_.waits_.add();
  slots_.waiting_.push_back(this);
  on_cancel = [](Op& op) {
    auto& self = static_cast<SlotWait&>(op);
    std::erase(self.slots_.waiting_, &self);
    self.error.emplace(self.scope->error());
    self.slots_.loop_.resume_later(self);
  };
}

bool Slots::try_enter(const std::string& host) {
  if (taken_ >= limits_.all) return false;
  std::size_t& here = by_host_[host];
  if (here >= limits_.per_host) return false;
  ++here;
  ++taken_;
  return true;
}

void Slots::leave(const std::string& host) {
  --taken_;
  if (auto found = by_host_.find(host); --found->second == 0) by_host_.erase(found);
  for (auto next = waiting_.begin(); next != waiting_.end(); ++next) {
    SlotWait* const wait = *next;
    if (!try_enter(wait->host_)) continue;
    waiting_.erase(next);
    loop_.resume_later(*wait);
    return;
  }
}

}  // namespace bedplate::outbound::detail
