// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/timer_queue.h"

#include <algorithm>
#include <bit>

namespace bedplate::detail {

void Wheel::relink(WheelNode& node) {
  if (node.linked != kNever) unlink(node);
  node.linked = std::clamp(node.deadline, now_ + 1, now_ + kSlots - 1);
  std::uint64_t slot = node.linked % kSlots;
  node.prev = nullptr;
  node.next = slots_[slot];
  if (node.next) node.next->prev = &node;
  slots_[slot] = &node;
  occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

void Wheel::unlink(WheelNode& node) {
  std::uint64_t slot = node.linked % kSlots;
  if (node.next) node.next->prev = node.prev;
  if (node.prev) {
    node.prev->next = node.next;
  } else {
    slots_[slot] = node.next;
    if (!node.next) occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  }
  node.linked = kNever;
}

void Wheel::remove(WheelNode& node) {
  node.deadline = kNever;
  if (node.linked != kNever) unlink(node);
}

std::uint64_t Wheel::next_tick() const {
  constexpr std::uint64_t kWords = kSlots / 64;
  std::uint64_t start = (now_ + 1) % kSlots;
  // The word in which the search begins comes twice: its bits from `start` on first, those before it last.
  for (std::uint64_t i = 0; i <= kWords; ++i) {
    std::uint64_t word = (start / 64 + i) % kWords;
    std::uint64_t bits = occupied_[word];
    if (i == 0) bits &= ~std::uint64_t{0} << (start % 64);
    if (bits == 0) continue;
    std::uint64_t slot = word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
    return now_ + 1 + (slot + kSlots - start) % kSlots;
  }
  return kNever;
}

void Wheel::advance(std::uint64_t tick) {
  while (now_ < tick) {
    std::uint64_t next = next_tick();
    now_ = std::min(next, tick);
    if (next > tick) return;
    // Nothing is linked into the slot of now_ itself, so this ends.
    while (WheelNode* node = slots_[now_ % kSlots]) {
      unlink(*node);
      if (node->deadline == kNever) continue;
      if (node->deadline > now_) {
        relink(*node);
        continue;
      }
      node->deadline = kNever;
      node->fire(*node);
    }
  }
}

void TimerHeap::place(HeapNode& node, std::size_t index) {
  nodes_[index] = &node;
  node.index = index;
}

void TimerHeap::sift_up(std::size_t index) {
  HeapNode& node = *nodes_[index];
  while (index > 0) {
    std::size_t parent = (index - 1) / 2;
    if (nodes_[parent]->when <= node.when) break;
    place(*nodes_[parent], index);
    index = parent;
  }
  place(node, index);
}

void TimerHeap::sift_down(std::size_t index) {
  HeapNode& node = *nodes_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= nodes_.size()) break;
    if (child + 1 < nodes_.size() && nodes_[child + 1]->when < nodes_[child]->when) ++child;
    if (node.when <= nodes_[child]->when) break;
    place(*nodes_[child], index);
    index = child;
  }
  place(node, index);
}

void TimerHeap::arm(HeapNode& node, TimePoint when) {
  if (node.index != HeapNode::kNone) remove(node);
  node.when = when;
  node.index = nodes_.size();
  nodes_.push_back(&node);
  sift_up(node.index);
}

void TimerHeap::remove(HeapNode& node) {
  std::size_t index = node.index;
  if (index == HeapNode::kNone) return;
  node.index = HeapNode::kNone;
  HeapNode* last = nodes_.back();
  nodes_.pop_back();
  if (last == &node) return;
  place(*last, index);
  sift_up(index);
  sift_down(last->index);
}

HeapNode* TimerHeap::take_due(TimePoint now) {
  if (nodes_.empty() || nodes_.front()->when > now) return nullptr;
  HeapNode* node = nodes_.front();
  remove(*node);
  return node;
}

}  // namespace bedplate::detail
