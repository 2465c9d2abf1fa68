// SPDX-License-Identifier: Apache-2.0
// Invalidations that Redis may not have received, because it could not be reached or did not answer. They are repeated
// when it can be reached again: until then its old values may come back with it.
//
//   pending.add(key);                                      // DEL failed
//   if (pending.has(key)) ...                              // what Redis has of it is old
//   while (std::optional<PendingInvalidation> one = pending.next()) pending.settle(*one, co_await erased(one->key));
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

struct PendingInvalidation {
  std::string key;
  std::uint64_t number = 0;
};

/// Thread-safe. While nothing is pending, has() and any() are one atomic load.
class PendingInvalidations {
 public:
  explicit PendingInvalidations(std::size_t keys_max = 65'536) : keys_max_(keys_max) {}

  void add(std::string_view key);
  bool any() const { return pending_.load(std::memory_order_acquire) > 0; }
  bool has(std::string_view key) const { return any() && finds(key); }

  /// The oldest that is not being repeated. It is pending until settle().
  std::optional<PendingInvalidation> next();
  /// `done`: it is not pending any more, unless it was added again since next(). Otherwise it waits again.
  void settle(const PendingInvalidation& repeated, bool done);

  std::uint64_t pending() const { return pending_.load(std::memory_order_relaxed); }
  std::uint64_t forgotten() const { return forgotten_.load(std::memory_order_relaxed); }

 private:
  bool finds(std::string_view key) const;

  const std::size_t keys_max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::uint64_t> numbers_;  ///< of all that are pending
  std::map<std::uint64_t, std::string> waiting_;  ///< those that are not being repeated, oldest first
  std::uint64_t last_ = 0;
  std::atomic<std::uint64_t> pending_{0};
  std::atomic<std::uint64_t> forgotten_{0};
};

}  // namespace bedplate::cache
