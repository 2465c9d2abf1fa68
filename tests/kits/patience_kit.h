// SPDX-License-Identifier: Apache-2.0
// How long tests wait for what must happen, and how: with a limit that only a test which is stuck reaches. A machine
// that is busy with other things stops any thread for seconds.
//
//   EXPECT_TRUE(testing::wait_until([&] { return server.stats().connections_open == 0; }));
//
// Wait for states that last. What is true only for a while (a connection that is open until its time is over) may have
// come and gone between two looks: wait for a count of it.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace bedplate::testing {

/// How long something may take that is bound to happen.
inline constexpr std::chrono::seconds kPatience{60};

/// Asks again and again until it is so. False after kPatience.
inline bool wait_until(const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) return is_so();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // tidy: sleep because others need the time
  }
  return true;
}

/// Tries something that shows its point only when the test itself is quick, until it was: `attempt` is given a limit
/// and says whether it came in time. Limits grow, from `first` to many times that.
///
///   EXPECT_TRUE(with_growing_limits(200ms, [&](milliseconds lifetime) {
///     const auto began = steady_clock::now();
///     ... what must be done before `lifetime` is over ...
///     if (steady_clock::now() - began > lifetime) return false;    // this try has shown nothing
///     EXPECT_...;
///     return true;
///   }));
inline bool with_growing_limits(std::chrono::milliseconds first,
                                const std::function<bool(std::chrono::milliseconds)>& attempt) {
  for (std::chrono::milliseconds limit = first; limit <= 100 * first; limit *= 3)
    if (attempt(limit)) return true;
  return false;
}

}  // namespace bedplate::testing
