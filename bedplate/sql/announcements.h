// SPDX-License-Identifier: Apache-2.0
// Announcements: who works beside a database hears at once that there is something to do.
//
//   Wake wake;
//   const Subscription mail = database.announcements().subscribe("jobs:mail", wake);
//   ... tx.announce("jobs:mail");      // in a transaction: `wake` is set once it has committed, and not otherwise
//
// They reach this process only, and nothing is kept: whoever waits also looks now and then by itself. Thread-safe.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/async/wake.h"

namespace bedplate::sql {

class Announcements;

/// Ends the subscription when it goes. It outlives neither the Announcements nor the Wake.
class [[nodiscard]] Subscription {
 public:
  Subscription() = default;
  Subscription(Announcements& of, Wake& wake) : of_(&of), wake_(&wake) {}
  Subscription(Subscription&& other) noexcept : of_(std::exchange(other.of_, nullptr)), wake_(other.wake_) {}
  Subscription& operator=(Subscription&& other) noexcept {
    end();
    of_ = std::exchange(other.of_, nullptr);
    wake_ = other.wake_;
    return *this;
  }
  ~Subscription() { end(); }

 private:
  inline void end();
  Announcements* of_ = nullptr;
  Wake* wake_ = nullptr;
};

class Announcements {
 public:
  Subscription subscribe(std::string_view topic, Wake& wake) {
    std::lock_guard lock(mutex_);
    subscribers_.emplace_back(std::string(topic), &wake);
    return {*this, wake};
  }
  /// Wakes those who have subscribed to it.
  void announce(std::string_view topic) {
    std::lock_guard lock(mutex_);
    for (const auto& [name, wake] : subscribers_)
      if (name == topic) wake->set();
  }

 private:
  friend class Subscription;
  void forget(Wake& wake) {
    std::lock_guard lock(mutex_);
    std::erase_if(subscribers_, [&](const auto& one) { return one.second == &wake; });
  }

  std::mutex mutex_;
  std::vector<std::pair<std::string, Wake*>> subscribers_;
};

void Subscription::end() {
  if (of_) of_->forget(*wake_);
  of_ = nullptr;
}

}  // namespace bedplate::sql
