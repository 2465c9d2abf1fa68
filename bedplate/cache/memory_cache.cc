// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/memory_cache.h"

namespace bedplate::cache {

Async<std::optional<Hit>> MemoryCache::get(std::string_view key) {
  co_return local_.find(key, std::chrono::steady_clock::now());
}

Async<void> MemoryCache::put(std::string_view key, Entry entry, Lifetime lifetime) {
  if (!is_key(key)) co_return;
  const auto now = std::chrono::steady_clock::now();
  if (entry.absent)
    local_.put_absent(key, lifetime, now);
  else
    local_.put(key, entry.value, lifetime, now);
}

Async<void> MemoryCache::erase(std::string_view key) {
  local_.erase(key);
  if (InvalidationListener* listener = listener_.load()) listener->on_invalidated(key);
  co_return;
}

}  // namespace bedplate::cache
