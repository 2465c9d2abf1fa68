// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/single_flight.h"

#include <algorithm>

namespace bedplate::cache {

bool JoinOp::start() {
  loop_ = Loop::current();
  std::lock_guard lock(flights_.mutex_);
  auto found = flights_.flights_.find(key_);
  if (found == flights_.flights_.end()) {
    joined_.leads = true;
    joined_.flight = std::make_shared<Flight>(std::string(key_));
    flights_.flights_.emplace(joined_.flight->key, joined_.flight);
    return false;
  }
  flight_ = found->second;
  flight_->waiters.push_back(this);
  on_cancel = &JoinOp::cancelled;
  Work::run = [](Work* work) { static_cast<JoinOp*>(work)->resume(); };
  return true;
}

// Takes it off the list; when it is there no more, its outcome is on its way.
void JoinOp::cancelled(Op& op) {
  auto& self = static_cast<JoinOp&>(op);
  {
    std::lock_guard lock(self.flights_.mutex_);
    if (std::erase(self.flight_->waiters, &self) == 0) return;
  }
  self.error.emplace(self.scope->error());
  self.loop_->resume_later(self);
}

std::shared_ptr<Flight> SingleFlight::lead(std::string_view key) {
  std::lock_guard lock(mutex_);
  if (flights_.contains(key)) return nullptr;
  auto flight = std::make_shared<Flight>(std::string(key));
  flights_.emplace(flight->key, flight);
  return flight;
}

void SingleFlight::complete(const std::shared_ptr<Flight>& flight, const Result<Found>& outcome) {
  completions_[slot_of(flight->key)].fetch_add(1, std::memory_order_release);
  std::lock_guard lock(mutex_);
  if (auto found = flights_.find(flight->key); found != flights_.end() && found->second == flight)
    flights_.erase(found);
  for (JoinOp* waiter : flight->waiters) {
    if (outcome)
      waiter->joined_.outcome.emplace(*outcome);
    else
      waiter->joined_.outcome.emplace(std::unexpected(outcome.error().clone()));
    // From here on the waiter may be gone.
    waiter->loop_->post(*waiter);
  }
  flight->waiters.clear();
}

void SingleFlight::invalidate_in_flight(std::string_view key) {
  std::lock_guard lock(mutex_);
  auto forget = [](Flight& flight) { flight.invalidated.store(true, std::memory_order_release); };
  if (key.empty()) {
    for (auto& [name, flight] : flights_) forget(*flight);
    flights_.clear();
  } else if (auto found = flights_.find(key); found != flights_.end()) {
    forget(*found->second);
    flights_.erase(found);
  }
}

}  // namespace bedplate::cache
