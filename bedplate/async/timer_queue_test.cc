// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/timer_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace bedplate::detail {
namespace {

struct Recorder : WheelNode {
  Recorder() {
    fire = [](WheelNode& node) {
      auto& self = static_cast<Recorder&>(node);
      self.fired_at.push_back(self.wheel->now());
      if (self.again) self.wheel->arm(self, self.wheel->now() + self.again);
    };
  }
  Wheel* wheel = nullptr;
  std::uint64_t again = 0;
  std::vector<std::uint64_t> fired_at;
};

TEST(WheelTest, FiresAtItsTickOnce) {
  Wheel wheel(1000);
  Recorder node;
  node.wheel = &wheel;
  wheel.arm(node, 1005);
  EXPECT_EQ(wheel.next_tick(), 1005u);
  wheel.advance(1004);
  EXPECT_TRUE(node.fired_at.empty());
  wheel.advance(1100);
  EXPECT_EQ(node.fired_at, std::vector<std::uint64_t>{1005});
  EXPECT_EQ(wheel.next_tick(), Wheel::kNever);
}

TEST(WheelTest, ArmingLaterIsAStoreAndHolds) {
  Wheel wheel(0);
  Recorder node;
  node.wheel = &wheel;
  EXPECT_TRUE(wheel.arm(node, 10));
  EXPECT_FALSE(wheel.arm(node, 20));
  wheel.advance(15);
  EXPECT_TRUE(node.fired_at.empty());
  EXPECT_TRUE(wheel.arm(node, 17));  // earlier than the slot it was moved to
  wheel.advance(30);
  EXPECT_EQ(node.fired_at, std::vector<std::uint64_t>{17});
}

TEST(WheelTest, BeyondOneRoundAndLongSleeps) {
  Wheel wheel(7);
  Recorder far, near;
  far.wheel = near.wheel = &wheel;
  wheel.arm(far, 7 + 5 * Wheel::kSlots + 3);
  wheel.arm(near, 9);
  wheel.advance(7 + 5 * Wheel::kSlots + 2);
  EXPECT_TRUE(far.fired_at.empty());
  EXPECT_EQ(near.fired_at.size(), 1u);
  wheel.advance(1'000'000'000);
  EXPECT_EQ(far.fired_at, std::vector<std::uint64_t>{7 + 5 * Wheel::kSlots + 3});
}

TEST(WheelTest, PastDeadlinesFireAtTheNextTick) {
  Wheel wheel(50);
  Recorder node;
  node.wheel = &wheel;
  wheel.arm(node, 3);
  wheel.advance(51);
  EXPECT_EQ(node.fired_at, std::vector<std::uint64_t>{51});
}

TEST(WheelTest, CallbackMayArmItselfAgain) {
  Wheel wheel(0);
  Recorder node;
  node.wheel = &wheel;
  node.again = Wheel::kSlots;  // the slot that is being emptied
  wheel.arm(node, 4);
  wheel.advance(4 + 2 * Wheel::kSlots);
  EXPECT_EQ(node.fired_at, (std::vector<std::uint64_t>{4, 4 + Wheel::kSlots, 4 + 2 * Wheel::kSlots}));
}

TEST(WheelTest, CallbackMayRemoveItsNeighbours) {
  struct Killer : WheelNode {
    std::vector<std::unique_ptr<Killer>>* all = nullptr;
    Wheel* wheel = nullptr;
    ~Killer() { wheel->remove(*this); }
  };
  Wheel wheel(0);
  std::vector<std::unique_ptr<Killer>> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(std::make_unique<Killer>());
    all.back()->all = &all;
    all.back()->wheel = &wheel;
    all.back()->fire = [](WheelNode& node) { static_cast<Killer&>(node).all->clear(); };
    wheel.arm(*all.back(), 5);
  }
  wheel.advance(6);
  EXPECT_TRUE(all.empty());
  EXPECT_EQ(wheel.next_tick(), Wheel::kNever);
}

TEST(WheelTest, AgreesWithAModel) {
  std::mt19937_64 random(42);
  for (int round = 0; round < 50; ++round) {
    std::uint64_t now = random() % 10'000;
    Wheel wheel(now);
    std::vector<Recorder> nodes(40);
    std::vector<std::uint64_t> due(nodes.size(), Wheel::kNever);
    std::vector<std::size_t> fired(nodes.size(), 0);
    for (Recorder& node : nodes) node.wheel = &wheel;
    for (int step = 0; step < 400; ++step) {
      std::size_t i = random() % nodes.size();
      switch (random() % 4) {
        case 0:
        case 1:
          due[i] = now + 1 + random() % (random() % 2 ? 20 : 3000);
          wheel.arm(nodes[i], due[i]);
          break;
        case 2:
          due[i] = Wheel::kNever;
          if (random() % 2)
            wheel.remove(nodes[i]);
          else
            nodes[i].deadline = Wheel::kNever;
          break;
        case 3:
          now += random() % (random() % 4 ? 8 : 1500);
          wheel.advance(now);
          for (std::size_t k = 0; k < nodes.size(); ++k) {
            if (due[k] > now) continue;
            ASSERT_EQ(nodes[k].fired_at.size(), ++fired[k]);
            ASSERT_EQ(nodes[k].fired_at.back(), due[k]);
            due[k] = Wheel::kNever;
          }
          break;
      }
      for (std::size_t k = 0; k < nodes.size(); ++k) ASSERT_EQ(nodes[k].fired_at.size(), fired[k]);
      std::uint64_t earliest = *std::min_element(due.begin(), due.end());
      ASSERT_LE(wheel.next_tick(), earliest);
    }
    for (Recorder& node : nodes) wheel.remove(node);
    ASSERT_EQ(wheel.next_tick(), Wheel::kNever);
  }
}

TEST(TimerHeapTest, TakesInOrderWhateverIsRemoved) {
  using TimePoint = HeapNode::TimePoint;
  std::mt19937_64 random(7);
  for (int round = 0; round < 100; ++round) {
    TimerHeap heap;
    std::vector<HeapNode> nodes(60);
    std::vector<TimePoint> expected;
    for (HeapNode& node : nodes) heap.arm(node, TimePoint(std::chrono::nanoseconds(random() % 50)));
    for (HeapNode& node : nodes) {
      if (random() % 3 == 0) heap.remove(node);
      if (random() % 3 == 0) heap.arm(node, TimePoint(std::chrono::nanoseconds(random() % 50)));
      if (node.index != HeapNode::kNone) expected.push_back(node.when);
    }
    std::sort(expected.begin(), expected.end());
    std::vector<TimePoint> taken;
    ASSERT_EQ(heap.take_due(TimePoint::min()), nullptr);
    while (heap.next() != TimePoint::max()) {
      TimePoint next = heap.next();
      ASSERT_EQ(heap.take_due(next - std::chrono::nanoseconds(1)), nullptr);
      taken.push_back(heap.take_due(next)->when);
    }
    ASSERT_EQ(taken, expected);
  }
}

}  // namespace
}  // namespace bedplate::detail
