// SPDX-License-Identifier: Apache-2.0
// The two structures behind a loop's timers (timer.h is what to use): a wheel of coarse ticks for time-outs
// that are armed all the time and hardly ever fire, and a heap for the few that must be precise. Neither
// knows a clock.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bedplate::detail {

/// One coarse timer, linked in place.
struct WheelNode {
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  void (*fire)(WheelNode&) = nullptr;
  std::uint64_t deadline =
      kNever;  ///< the tick at which it fires; kNever: disarmed, though it may still be linked
  std::uint64_t linked =
      kNever;  ///< the tick whose slot it stands in, never after `deadline`; kNever: in none
  WheelNode* prev = nullptr;
  WheelNode* next = nullptr;
};

/// Hashed timing wheel (Varghese and Lauck 1987, scheme 6) with lazy re-arming: a node whose deadline moves
/// away stays in its slot and is put further when that slot comes round. So arming again is a store.
class Wheel {
 public:
  static constexpr std::uint64_t kSlots = 512;
  static constexpr std::uint64_t kNever = WheelNode::kNever;

  explicit Wheel(std::uint64_t now) : now_(now) {}
  Wheel(const Wheel&) = delete;
  Wheel& operator=(const Wheel&) = delete;

  /// Fires at `tick` (at the next one when that has passed). True: the node was (re)linked, so that
  /// next_tick() may have moved forward.
  bool arm(WheelNode& node, std::uint64_t tick) {
    node.deadline = tick;
    if (node.linked <= tick) return false;
    relink(node);
    return true;
  }
  /// Disarms and unlinks: before the node's memory goes. To disarm only, set `deadline` to kNever.
  void remove(WheelNode& node);
  /// Fires what is due up to and with `tick`. A callback may arm, remove or destroy any node, its own too.
  void advance(std::uint64_t tick);
  /// A tick before which nothing can fire; kNever when empty.
  std::uint64_t next_tick() const;
  std::uint64_t now() const { return now_; }

 private:
  void relink(WheelNode& node);
  void unlink(WheelNode& node);

  std::uint64_t now_;
  std::array<WheelNode*, kSlots> slots_{};
  std::array<std::uint64_t, kSlots / 64> occupied_{};
};

/// One precise timer, in the heap by pointer.
struct HeapNode {
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kNone = ~std::size_t{0};

  void (*fire)(HeapNode&) = nullptr;
  TimePoint when{};
  std::size_t index = kNone;
};

/// Binary heap of nodes, earliest first. Arming and disarming are O(log n).
class TimerHeap {
 public:
  using TimePoint = HeapNode::TimePoint;

  void arm(HeapNode& node, TimePoint when);
  void remove(HeapNode& node);
  /// Takes the earliest out when it is due, else null.
  HeapNode* take_due(TimePoint now);
  /// TimePoint::max() when empty.
  TimePoint next() const { return nodes_.empty() ? TimePoint::max() : nodes_.front()->when; }

 private:
  void place(HeapNode& node, std::size_t index);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);

  std::vector<HeapNode*> nodes_;
};

}  // namespace bedplate::detail
