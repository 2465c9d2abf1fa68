// SPDX-License-Identifier: Apache-2.0
// The erasures that Redis has not been told: it was away, or did not answer. They are repeated when it can be reached
// again, for it may come back with what it had.
//
//   owed.add(key);                                      // DEL failed
//   if (owed.has(key)) ...                              // what Redis has of it is old
//   while (std::optional<OwedErasure> one = owed.next()) owed.settle(*one, co_await erased(one->key));
//
// At most `keys_max` are remembered. Beyond that the oldest is forgotten, whose value is the nearest to its end, and
// counted. They are in memory: a process that ends takes them with it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace bedplate::cache {

struct OwedErasure {
  std::string key;
  std::uint64_t number = 0;
};

/// Thread-safe. While nothing is owed, has() and any() are a load.
class OwedErasures {
 public:
  explicit OwedErasures(std::size_t keys_max = 65'536) : keys_max_(keys_max) {}

  void add(std::string_view key);
  bool any() const { return owed_.load(std::memory_order_acquire) > 0; }
  bool has(std::string_view key) const { return any() && finds(key); }

  /// The oldest that nobody is repeating. It is owed until settle().
  std::optional<OwedErasure> next();
  /// `done`: it is not owed any more, unless it was added again since next(). Otherwise it waits again.
  void settle(const OwedErasure& repeated, bool done);

  std::uint64_t owed() const { return owed_.load(std::memory_order_relaxed); }
  std::uint64_t forgotten() const { return forgotten_.load(std::memory_order_relaxed); }

 private:
  bool finds(std::string_view key) const;

  const std::size_t keys_max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::uint64_t> numbers_;  ///< of all that are owed
  std::map<std::uint64_t, std::string> waiting_;            ///< those that nobody is repeating, oldest first
  std::uint64_t last_ = 0;
  std::atomic<std::uint64_t> owed_{0};
  std::atomic<std::uint64_t> forgotten_{0};
};

}  // namespace bedplate::cache
