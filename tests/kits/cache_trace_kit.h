// SPDX-License-Identifier: Apache-2.0
// Traces of keys, and the cache that everybody writes first, for tests and benches to compare with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <list>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bedplate::cache {

/// Draws 0 to `count`-1, item i in proportion to 1 / (i + 1)^skew.
class Zipf {
 public:
  Zipf(std::size_t count, double skew) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i)
      cumulated_.push_back(sum += 1 / std::pow(static_cast<double>(i + 1), skew));
    for (double& share : cumulated_) share /= sum;
  }
  std::uint64_t operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<double>(0, 1)(random);
    return static_cast<std::uint64_t>(std::ranges::lower_bound(cumulated_, at) - cumulated_.begin());
  }

 private:
  std::vector<double> cumulated_;
};

inline std::vector<std::uint64_t> zipf_trace(std::size_t items, double skew, std::size_t length) {
  std::mt19937_64 random(7);
  Zipf zipf(items, skew);
  std::vector<std::uint64_t> trace(length);
  for (std::uint64_t& key : trace) key = zipf(random);
  return trace;
}

/// Zipf traffic that is broken into by scans over keys that nobody asks for again: `scan` of them after every
/// `between` requests.
inline std::vector<std::uint64_t> scan_trace(std::size_t items, double skew, std::size_t length,
                                             std::size_t between, std::size_t scan) {
  std::mt19937_64 random(11);
  Zipf zipf(items, skew);
  std::vector<std::uint64_t> trace;
  std::uint64_t fresh = 1ull << 40;
  while (trace.size() < length) {
    for (std::size_t i = 0; i < between; ++i) trace.push_back(zipf(random));
    for (std::size_t i = 0; i < scan; ++i) trace.push_back(fresh++);
  }
  return trace;
}

/// Least recently used, bounded by bytes, each entry counted as `overhead` more than its key and value. Not
/// thread-safe.
class LruModel {
 public:
  LruModel(std::size_t size_bytes_max, std::size_t overhead)
      : size_bytes_max_(size_bytes_max), overhead_(overhead) {}

  const std::string* find(const std::string& key) {
    auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }
  void put(const std::string& key, std::string value) {
    if (auto found = entries_.find(key); found != entries_.end()) drop(found->second);
    size_bytes_ += key.size() + value.size() + overhead_;
    order_.emplace_front(key, std::move(value));
    entries_[key] = order_.begin();
    while (size_bytes_ > size_bytes_max_) drop(std::prev(order_.end()));
  }

 private:
  using Order = std::list<std::pair<std::string, std::string>>;
  void drop(Order::iterator entry) {
    size_bytes_ -= entry->first.size() + entry->second.size() + overhead_;
    entries_.erase(entry->first);
    order_.erase(entry);
  }

  const std::size_t size_bytes_max_;
  const std::size_t overhead_;
  std::size_t size_bytes_ = 0;
  Order order_;
  std::unordered_map<std::string, Order::iterator> entries_;
};

}  // namespace bedplate::cache
