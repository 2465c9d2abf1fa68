// SPDX-License-Identifier: Apache-2.0
// How evenly buckets spread keys over shards, and how many keys move when a shard joins: for every number of shards
// from 1 to 1000, beside a ring of consistent hashing with 100 points a shard, over the same keys. One JSON object a
// line. Counts only, so the same on every machine.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "bedplate/base/hash.h"
#include "bedplate/base/text.h"
#include "extras/sharding/assignment.h"
#include "extras/sharding/key.h"

namespace bedplate::sharding {
namespace {

constexpr std::int64_t kKeys = 20'000'000;
constexpr int kShardsMax = 1000;
constexpr int kRingPoints = 100;
constexpr int kRingSlots = 1 << 22;  // the ring's circle, finely cut: a slot holds about five keys

struct Keys {
  std::vector<std::int64_t> in_bucket = std::vector<std::int64_t>(kBucketsDefault);
  std::vector<std::int64_t> in_slot = std::vector<std::int64_t>(kRingSlots);
};

Keys make_keys() {
  Keys keys;
  char text[32] = "user-";
  for (std::int64_t i = 0; i < kKeys; ++i) {
    const std::string_view name(text, static_cast<std::size_t>(write_int(text + 5, i) - text));
    const ShardKey key(name);
    ++keys.in_bucket[static_cast<std::size_t>(key.bucket(kBucketsDefault))];
    ++keys.in_slot[key.hash() >> (64 - std::countr_zero(unsigned{kRingSlots}))];
  }
  return keys;
}

std::string shard_name(int shard) {
  return "shard-" + std::to_string(shard);
}

struct Figures {
  double moved;    ///< keys that moved when this shard joined, of its fair share
  double fullest;  ///< keys of the fullest shard, of the mean
};

/// Buckets and their assignment, shard by shard.
class Buckets {
 public:
  explicit Buckets(const Keys& keys) : keys_(keys), owners_(kBucketsDefault) {}

  Figures join() {
    shards_.push_back(shard_name(static_cast<int>(shards_.size())));
    std::int64_t moved = 0;
    for (const PlannedMove& move : plan_moves(owners_, shards_)) {
      const auto bucket = static_cast<std::size_t>(move.bucket);
      const std::int64_t count = keys_.in_bucket[bucket];
      if (!move.from.empty()) held_[move.from] -= count;
      held_[move.to] += count;
      moved += count;
      owners_[bucket] = move.to;
    }
    std::int64_t fullest = 0;
    for (const auto& [name, count] : held_) fullest = std::max(fullest, count);
    const double share = static_cast<double>(kKeys) / static_cast<double>(shards_.size());
    return {static_cast<double>(moved) / share, static_cast<double>(fullest) / share};
  }

 private:
  const Keys& keys_;
  std::vector<std::string> owners_;
  std::vector<std::string> shards_;
  std::map<std::string, std::int64_t> held_;
};

/// Consistent hashing (Karger and others, 1997): a slot belongs to the next point on the ring.
class Ring {
 public:
  explicit Ring(const Keys& keys) : below_(kRingSlots + 1) {
    for (int slot = 0; slot < kRingSlots; ++slot) below_[slot + 1] = below_[slot] + keys.in_slot[slot];
  }

  Figures join() {
    const int shard = static_cast<int>(held_.size());
    held_.push_back(0);
    for (int i = 0; i < kRingPoints; ++i) {
      const std::string name = shard_name(shard) + "#" + std::to_string(i);
      const int slot = static_cast<int>(siphash24(name, {}) % kRingSlots);
      points_.try_emplace(slot, shard);
    }
    std::vector<std::int64_t> held(held_.size());
    std::int64_t last = points_.rbegin()->first - kRingSlots;
    for (const auto& [slot, owner] : points_) {
      held[owner] += keys_between(last, slot);
      last = slot;
    }
    held_ = held;
    const double share = static_cast<double>(kKeys) / static_cast<double>(held_.size());
    return {static_cast<double>(held_.back()) / share,
            static_cast<double>(*std::max_element(held_.begin(), held_.end())) / share};
  }

 private:
  std::int64_t keys_between(std::int64_t from, std::int64_t to) const {  // (from, to], from may be below zero
    if (from < 0) return below_[to + 1] + below_[kRingSlots] - below_[from + kRingSlots + 1];
    return below_[to + 1] - below_[from + 1];
  }

  std::vector<std::int64_t> below_;
  std::map<int, int> points_;
  std::vector<std::int64_t> held_;
};

void run() {
  const Keys keys = make_keys();
  Buckets buckets(keys);
  Ring ring(keys);
  for (int shards = 1; shards <= kShardsMax; ++shards) {
    const Figures ours = buckets.join();
    const Figures theirs = ring.join();
    std::printf(
        "{\"shards\": %d, \"moved\": %.4f, \"fullest\": %.4f, \"ring_moved\": %.4f, \"ring_fullest\": "
        "%.4f}\n",
        shards, ours.moved, ours.fullest, theirs.moved, theirs.fullest);
  }
}

}  // namespace
}  // namespace bedplate::sharding

int main() {
  bedplate::sharding::run();
  return 0;
}
