// SPDX-License-Identifier: Apache-2.0
// cache: the in-process cache against what one writes first: a mutex, an unordered_map and a list in order of use
// (`map`), and against a shared_mutex with an unordered_map that throws out whatever comes first (`std`). Hits are
// measured with two threads at once on keys that are all there, hit ratios on traces with room for a tenth of the keys
// of the traffic.
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bedplate/cache/local_cache.h"
#include "tests/kits/cache_trace_kit.h"

namespace {

using namespace bedplate::cache;

constexpr int kRounds = 7;
constexpr std::size_t kThreads = 2;
constexpr std::size_t kItems = 100'000;
constexpr std::size_t kFindsPerThread = 1'000'000;
constexpr std::size_t kValueSize = 200;
constexpr Lifetime kLong{std::chrono::hours(1), std::chrono::hours(1)};
const LocalCache::TimePoint kNow = std::chrono::steady_clock::now();

std::string key_of(std::uint64_t number) {
  return "task:" + std::to_string(1'000'000 + number);
}

using SharedValue = std::shared_ptr<const std::string>;

/// Mutex, map and list: every hit moves its entry to the front.
class MapLru {
 public:
  SharedValue find(const std::string& key) {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->second;
  }
  void put(const std::string& key, SharedValue value) {
    std::lock_guard lock(mutex_);
    order_.emplace_front(key, std::move(value));
    entries_[key] = order_.begin();
  }

 private:
  using Order = std::list<std::pair<std::string, SharedValue>>;
  std::mutex mutex_;
  Order order_;
  std::unordered_map<std::string, Order::iterator> entries_;
};

/// Readers share a lock; nothing is known of use.
class SharedMap {
 public:
  SharedValue find(const std::string& key) {
    std::shared_lock lock(mutex_);
    auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second;
  }
  void put(const std::string& key, SharedValue value) {
    std::unique_lock lock(mutex_);
    entries_[key] = std::move(value);
  }

 private:
  std::shared_mutex mutex_;
  std::unordered_map<std::string, SharedValue> entries_;
};

/// Nanoseconds a find, as all threads together see it.
template <class Find>
double time_hits(const std::vector<std::vector<std::string>>& keys, Find find) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (const auto& mine : keys) {
    threads.emplace_back([&mine, &find] {
      std::size_t bytes = 0;
      for (const std::string& key : mine) bytes += find(key);
      if (bytes != mine.size() * kValueSize) std::fprintf(stderr, "a hit was missed\n");
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  return took.count() / static_cast<double>(kFindsPerThread * keys.size());
}

void print(const char* measure, const char* yardstick, const char* unit, const std::vector<double>& ours,
           const std::vector<double>& theirs) {
  auto list = [](const std::vector<double>& numbers) {
    std::string text;
    for (double number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
    return text;
  };
  std::printf(
      "{\"measure\": \"%s\", \"yardstick\": \"%s\", \"unit\": \"%s\", \"ours\": [%s], \"theirs\": [%s]}\n",
      measure, yardstick, unit, list(ours).c_str(), list(theirs).c_str());
}

void measure_hits() {
  LocalCache ours({.size_bytes_max = 256 << 20});
  MapLru lru;
  SharedMap shared;
  const std::string value(kValueSize, 'v');
  for (std::size_t i = 0; i < kItems; ++i) {
    ours.put(key_of(i), value, kLong, kNow);
    lru.put(key_of(i), std::make_shared<std::string>(value));
    shared.put(key_of(i), std::make_shared<std::string>(value));
  }
  std::vector<std::vector<std::string>> keys(kThreads);
  for (std::size_t i = 0; i < kThreads; ++i)
    for (std::uint64_t number : zipf_trace(kItems, 0.9, kFindsPerThread))
      keys[i].push_back(key_of((number + i) % kItems));
  auto in_ours = [&](const std::string& key) {
    std::optional<Hit> hit = ours.find(key, kNow);
    return hit ? hit->value.view().size() : 0;
  };
  auto in_theirs = [](auto& cache) {
    return [&cache](const std::string& key) {
      SharedValue found = cache.find(key);
      return found ? found->size() : 0;
    };
  };
  std::vector<double> our_times, lru_times, shared_times;
  for (int round = 0; round < kRounds; ++round) {
    our_times.push_back(time_hits(keys, in_ours));
    lru_times.push_back(time_hits(keys, in_theirs(lru)));
    shared_times.push_back(time_hits(keys, in_theirs(shared)));
  }
  print("hits", "mutex + map + list", "ns", our_times, lru_times);
  print("hits_shared", "shared_mutex + map", "ns", our_times, shared_times);
}

// Lower is better in what a bench prints, so a hit ratio is printed upside down: requests for each hit.
void measure_trace(const char* name, const std::vector<std::uint64_t>& trace) {
  constexpr std::size_t kCost = LocalCache::kEntryOverheadBytes + 12 + kValueSize;
  LocalCache ours({.size_bytes_max = kItems / 10 * kCost});
  LruModel lru(kItems / 10 * kCost, LocalCache::kEntryOverheadBytes);
  const std::string value(kValueSize, 'v');
  double our_hits = 0;
  double their_hits = 0;
  for (std::uint64_t number : trace) {
    const std::string key = key_of(number);
    if (ours.find(key, kNow))
      ++our_hits;
    else
      ours.put(key, value, kLong, kNow);
    if (lru.find(key))
      ++their_hits;
    else
      lru.put(key, value);
  }
  const auto requests = static_cast<double>(trace.size());
  print(name, "LRU", "requests a hit", {requests / our_hits}, {requests / their_hits});
}

}  // namespace

int main() {
  measure_hits();
  measure_trace("zipf_0.7", zipf_trace(kItems, 0.7, 1'000'000));
  measure_trace("zipf_0.9", zipf_trace(kItems, 0.9, 1'000'000));
  measure_trace("zipf_1.1", zipf_trace(kItems, 1.1, 1'000'000));
  measure_trace("scan", scan_trace(kItems, 0.9, 1'000'000, 20'000, 10'000));
}
