// SPDX-License-Identifier: Apache-2.0
// SingleFlight: at most one load of a key at a time in this process, whatever the loop. Later callers wait for the load
// that is in flight and share its outcome.
//
//   JoinOp join(single_flight, key);
//   Result<Joined> joined = co_await join;
//   if (joined->leads) { ... load ...; single_flight.complete(joined->flight, outcome); }   // once, whatever happens
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

class SingleFlight;
class JoinOp;

/// A load in flight.
struct Flight {
  explicit Flight(std::string of) : key(std::move(of)) {}

  const std::string key;
  /// The key was invalidated while this load ran: what it loads may be old, and is not kept.
  std::atomic<bool> invalidated{false};
  std::vector<JoinOp*> waiters;  ///< under the lock of SingleFlight
};

struct Joined {
  bool leads = false;
  std::shared_ptr<Flight> flight;        ///< of the caller that loads
  std::optional<Result<Found>> outcome;  ///< of a caller that waited
};

class [[nodiscard]] JoinOp : public Op, private Work {
 public:
  using Value = Joined;

  JoinOp(SingleFlight& flights, std::string_view key) : flights_(flights), key_(key) {}
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
  friend class SingleFlight;
  bool start();  ///< false: this caller loads
  static void cancelled(Op& op);

  SingleFlight& flights_;
  std::string_view key_;
  Loop* loop_ = nullptr;
  std::shared_ptr<Flight> flight_;  ///< the load that it waits for
  Joined joined_;
};

class SingleFlight {
 public:
  /// Starts a load in the background, unless one is in flight (then: null).
  std::shared_ptr<Flight> lead(std::string_view key);
  /// The load has ended: resumes all waiters with its outcome. An outcome of Category::cancelled or timeout says that
  /// the loading caller went away: the waiters load again.
  void complete(const std::shared_ptr<Flight>& flight, const Result<Found>& outcome);
  /// What loads in flight find may be old: no later caller joins them, and nothing of them is kept. Empty: all keys.
  void invalidate_in_flight(std::string_view key);
  /// Changes whenever a load of this key (or of one that shares its slot) has ended.
  std::uint64_t completions(std::string_view key) const {
    return completions_[slot_of(key)].load(std::memory_order_acquire);
  }

 private:
  friend class JoinOp;
  static constexpr std::size_t kCompletionSlots = 256;
  /// Every hit pays for it, and keys that were chosen to meet cost a second look at most: no keyed hash.
  static std::size_t slot_of(std::string_view key) {
    return std::hash<std::string_view>()(key) % kCompletionSlots;
  }

  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Flight>, KeyedStringHash, std::equal_to<>> flights_;
  std::array<std::atomic<std::uint64_t>, kCompletionSlots> completions_{};
};

}  // namespace bedplate::cache
