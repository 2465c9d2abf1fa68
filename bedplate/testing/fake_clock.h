// SPDX-License-Identifier: Apache-2.0
// A clock that stands still until the test moves it.
#pragma once

#include <atomic>
#include <chrono>

#include "bedplate/base/time.h"

namespace bedplate::testing {

/// Thread-safe.
class FakeClock final : public Clock {
 public:
  /// Starts at `start`; by default 2026-01-01T00:00:00Z.
  explicit FakeClock(Time start = Time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1))) {
    set(start);
  }

  Time now() const override { return Time(std::chrono::microseconds(microseconds_.load())); }
  void set(Time time) { microseconds_.store(time.time_since_epoch().count()); }
  void advance(std::chrono::microseconds by) { microseconds_.fetch_add(by.count()); }

 private:
  std::atomic<std::int64_t> microseconds_{0};
};

}  // namespace bedplate::testing
