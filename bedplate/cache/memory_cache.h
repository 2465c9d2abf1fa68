// SPDX-License-Identifier: Apache-2.0
// MemoryCache: the driver `memory:`. The port over a LocalCache: it never waits and never fails.
#pragma once

#include <atomic>

#include "bedplate/cache/cache.h"
#include "bedplate/cache/local_cache.h"

namespace bedplate::cache {

class MemoryCache final : public Cache {
 public:
  explicit MemoryCache(LocalCacheOptions options = {}) : local_(options) {}

  Async<std::optional<Hit>> get(std::string_view key) override;
  Async<void> put(std::string_view key, Entry entry, Lifetime lifetime) override;
  Async<void> erase(std::string_view key) override;
  void set_listener(InvalidationListener* listener) override { listener_.store(listener); }

  LocalCache& local() { return local_; }

 private:
  LocalCache local_;
  std::atomic<InvalidationListener*> listener_{nullptr};
};

}  // namespace bedplate::cache
