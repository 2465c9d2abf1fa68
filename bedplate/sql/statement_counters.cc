// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/statement_counters.h"

#include <map>

namespace bedplate::sql {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

std::size_t shard_of_thread(std::size_t shards) {
  static std::atomic<std::size_t> threads{0};
  static thread_local const std::size_t number = threads.fetch_add(1, kRelaxed);
  return number % shards;
}

}  // namespace

// Open addressing by the address of the name, which is a constant of the program. A slot once taken stays taken.
StatementCounters::Slot& StatementCounters::slot_of(Shard& shard, std::string_view name) {
  if (name.empty()) return shard.others;
  const char* const key = name.data();
  std::size_t at = reinterpret_cast<std::uintptr_t>(key) * 0x9e3779b97f4a7c15U >> 55U;
  for (;; at = (at + 1) % kSlots) {
    Slot& slot = shard.slots[at];
    const char* taken = slot.name.load(std::memory_order_acquire);
    if (taken == key) return slot;
    if (taken) continue;
    if (shard.names.load(kRelaxed) >= kNamesMax) return shard.others;
    if (slot.name.compare_exchange_strong(taken, key, std::memory_order_acq_rel)) {
      shard.names.fetch_add(1, kRelaxed);
      slot.name_size.store(static_cast<std::uint32_t>(name.size()), std::memory_order_release);
      return slot;
    }
    if (taken == key) return slot;
  }
}

void StatementCounters::note(std::string_view name, const StatementRun& run) {
  Slot& slot = slot_of(shards_[shard_of_thread(kShards)], name);
  slot.runs.fetch_add(1, kRelaxed);
  if (run.time_us > 0) slot.time_us.fetch_add(static_cast<std::uint64_t>(run.time_us), kRelaxed);
  if (run.failed) slot.failures.fetch_add(1, kRelaxed);
  if (run.slow) slot.slow.fetch_add(1, kRelaxed);
}

std::vector<StatementStats> StatementCounters::stats() const {
  std::map<std::string_view, StatementStats> by_name;
  const auto add = [&](std::string_view name, const Slot& slot) {
    const std::uint64_t runs = slot.runs.load(kRelaxed);
    if (runs == 0) return;
    StatementStats& sum = by_name[name];
    sum.name = name;
    sum.runs += runs;
    sum.failures += slot.failures.load(kRelaxed);
    sum.slow += slot.slow.load(kRelaxed);
    sum.time_us += slot.time_us.load(kRelaxed);
  };
  for (std::size_t i = 0; i < kShards; ++i) {
    for (const Slot& slot : shards_[i].slots) {
      const std::uint32_t size = slot.name_size.load(std::memory_order_acquire);
      if (size > 0) add({slot.name.load(kRelaxed), size}, slot);
    }
    add({}, shards_[i].others);
  }
  std::vector<StatementStats> all;
  for (const auto& [name, sum] : by_name) all.push_back(sum);
  return all;
}

}  // namespace bedplate::sql
