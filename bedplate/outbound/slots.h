// SPDX-License-Identifier: Apache-2.0
// How many requests a client has under way at once, over all and to one host; who waits for a turn. For the sources of
// this folder only. libcurl never queues because of it: what it is given, it begins at once.
#pragma once

#include <coroutine>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/async/loop.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::outbound::detail {

class Slots;

/// A turn, given back by its end.
class Slot {
 public:
  Slot() = default;
  Slot(Slots& slots, std::string host) : slots_(&slots), host_(std::move(host)) {}
  Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)), host_(std::move(other.host_)) {}
  Slot& operator=(Slot&& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(host_, other.host_);
    return *this;
  }
  ~Slot();

 private:
  Slots* slots_ = nullptr;
  std::string host_;
};

/// What Slots::enter() gives: await it.
class [[nodiscard]] SlotWait : public Op {
 public:
  using Value = Slot;

  SlotWait(Slots& slots, const std::string& host) : slots_(slots), host_(host) {}
  bool await_ready();
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    start();
    return true;
  }
  [[nodiscard]] Result<Slot> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return Slot(slots_, host_);
  }

 private:
  friend class Slots;
  void start();

  Slots& slots_;
  const std::string& host_;
};

class Slots {
 public:
  struct Limits {
    std::size_t all = 256;
    std::size_t per_host = 32;
    std::size_t waiting = 1000;
  };
  Slots(Loop& loop, Limits limits, telemetry::Counter waits) : loop_(loop), limits_(limits), waits_(waits) {}

  /// Category::unavailable `outbound_busy` when too many wait already. `host` lives until it is answered.
  SlotWait enter(const std::string& host) { return SlotWait(*this, host); }

 private:
  friend class Slot;
  friend class SlotWait;
  bool try_enter(const std::string& host);
  void leave(const std::string& host);

  Loop& loop_;
  const Limits limits_;
  telemetry::Counter waits_;
  std::size_t taken_ = 0;
  std::unordered_map<std::string, std::size_t> by_host_;
  std::vector<SlotWait*> waiting_;  ///< in order
};

}  // namespace bedplate::outbound::detail
