// SPDX-License-Identifier: Apache-2.0
// Flights: at most one load of a key at a time in this process, from any loop. Those who come meanwhile wait for it.
//
//   JoinOp join(flights, key);
//   Result<Joined> joined = co_await join;
//   if (joined->leads) { ... load ...; flights.land(joined->flight, outcome); }   // once, whatever happens
//   else use(joined->outcome)
//
// Thread-safe. A waiter resumes on its own loop.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/async/loop.h"
#include "bedplate/base/hash.h"
#include "bedplate/cache/value.h"

namespace bedplate::cache {

/// What a load found.
struct Found {
  Value value;
  bool absent = false;
};

class Flights;
class JoinOp;

struct Flight {
  explicit Flight(std::string of) : key(std::move(of)) {}

  const std::string key;
  /// The key was erased while this was under way: what it loads may be old.
  std::atomic<bool> overtaken{false};
  std::vector<JoinOp*> waiters;  ///< under the lock of Flights
};

struct Joined {
  bool leads = false;
  std::shared_ptr<Flight> flight;        ///< of one who leads
  std::optional<Result<Found>> outcome;  ///< of one who waited
};

class [[nodiscard]] JoinOp : public Op, private Work {
 public:
  using Value = Joined;

  JoinOp(Flights& flights, std::string_view key) : flights_(flights), key_(key) {}
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    if (start()) return true;
    forget();
    return false;
  }
  [[nodiscard]] Result<Joined> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return std::move(joined_);
  }

 private:
  friend class Flights;
  bool start();  ///< false: leads
  static void cancelled(Op& op);

  Flights& flights_;
  std::string_view key_;
  Loop* loop_ = nullptr;
  std::shared_ptr<Flight> flight_;  ///< that it waits for
  Joined joined_;
};

class Flights {
 public:
  /// Leads, if nobody does: for a load that nobody waits for.
  std::shared_ptr<Flight> lead(std::string_view key);
  /// The load has ended: tells everybody who waits. What failed because its leader went away is for them to load again:
  /// then `outcome` is an error of Category::cancelled or timeout.
  void land(const std::shared_ptr<Flight>& flight, const Result<Found>& outcome);
  /// Loads that are under way may find what is no longer so: nobody else joins them. Empty: all keys.
  void overtake(std::string_view key);
  /// Changes whenever a load of this key has ended (and of some others).
  std::uint64_t landings(std::string_view key) const {
    return landings_[slot_of(key)].load(std::memory_order_acquire);
  }

 private:
  friend class JoinOp;
  static constexpr std::size_t kLandings = 256;
  /// Every hit pays for it, and keys that were chosen to meet cost a second look at most: no keyed hash.
  static std::size_t slot_of(std::string_view key) { return std::hash<std::string_view>()(key) % kLandings; }

  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Flight>, KeyedStringHash, std::equal_to<>> flights_;
  std::array<std::atomic<std::uint64_t>, kLandings> landings_{};
};

}  // namespace bedplate::cache
