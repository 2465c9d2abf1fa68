// SPDX-License-Identifier: Apache-2.0
// StatementCounters: what the statements of one database have cost, by their names. Inside the drivers only.
//
//   counters.note(statement.name, {.time_us = 4'000, .failed = false, .slow = false});
//   std::vector<StatementStats> stats = counters.stats();
//
// Bounded: the first 255 names have a counter each, the rest and all statements without a name share one.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bedplate/sql/database.h"

namespace bedplate::sql {

struct StatementRun {
  std::int64_t time_us = 0;
  bool failed = false;
  bool slow = false;
};

/// Thread-safe, without locks: a few atomic additions a statement, to counters that few threads share.
class StatementCounters {
 public:
  static constexpr std::size_t kNamesMax = 255;

  StatementCounters() : shards_(std::make_unique<Shard[]>(kShards)) {}

  /// `name` lives as long as the program. Names are told apart by their address, and joined by their text in stats().
  void note(std::string_view name, const StatementRun& run);
  std::vector<StatementStats> stats() const;

 private:
  static constexpr std::size_t kShards = 4;  // by thread
  static constexpr std::size_t kSlots = 512;

  struct Slot {
    std::atomic<const char*> name{nullptr};
    std::atomic<std::uint32_t> name_size{0};
    std::atomic<std::uint64_t> runs{0};
    std::atomic<std::uint64_t> failures{0};
    std::atomic<std::uint64_t> slow{0};
    std::atomic<std::uint64_t> time_us{0};
  };
  struct alignas(64) Shard {
    std::array<Slot, kSlots> slots;
    Slot others;
    std::atomic<std::size_t> names{0};
  };
  static Slot& slot_of(Shard& shard, std::string_view name);

  const std::unique_ptr<Shard[]> shards_;
};

}  // namespace bedplate::sql
