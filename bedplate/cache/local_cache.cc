// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/local_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <span>
#include <utility>

#include "bedplate/base/hash.h"
#include "bedplate/cache/ghosts.h"

namespace bedplate::cache {
namespace detail {

Entry* make_entry(std::string_view key, std::string_view value) {
  void* memory = ::operator new(sizeof(Entry) + key.size() + value.size());
  auto* entry = new (memory) Entry;
  char* bytes = reinterpret_cast<char*>(entry + 1);
  if (!key.empty()) std::memcpy(bytes, key.data(), key.size());
  if (!value.empty()) std::memcpy(bytes + key.size(), value.data(), value.size());
  entry->key_size = static_cast<std::uint32_t>(key.size());
  entry->value_size = static_cast<std::uint32_t>(value.size());
  return entry;
}

void destroy_entry(Entry* entry) {
  entry->~Entry();
  ::operator delete(entry);
}

}  // namespace detail

namespace {

using detail::Entry;
using detail::Queue;

constexpr std::uint8_t kHitsMax = 3;
constexpr std::size_t kSlotsMin = 64;
constexpr std::size_t kShardsMax = 64;
constexpr std::size_t kShardBytes = 4 << 20;
constexpr std::size_t kEntriesPerShardMin = 8;  // the largest entry is this part of a shard

std::size_t cost_of(const Entry& entry) {
  return LocalCache::kEntryOverheadBytes + entry.key_size + entry.value_size;
}

std::int64_t ns_of(LocalCache::TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

// A lifetime of "for ever" must not wrap around.
std::int64_t add_saturating(std::int64_t a, std::int64_t b) {
  std::int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::numeric_limits<std::int64_t>::max();
  return sum;
}

/// A queue of entries, linked in place.
struct Fifo {
  Entry* newest = nullptr;
  Entry* oldest = nullptr;
  std::size_t size_bytes = 0;

  void push(Entry& entry) {
    entry.newer = nullptr;
    entry.older = newest;
    (newest ? newest->newer : oldest) = &entry;
    newest = &entry;
    size_bytes += cost_of(entry);
  }
  void remove(Entry& entry) {
    (entry.newer ? entry.newer->older : newest) = entry.older;
    (entry.older ? entry.older->newer : oldest) = entry.newer;
    size_bytes -= cost_of(entry);
  }
};

/// Where a key's entry is: open addressing, at most half full.
struct Slot {
  std::uint64_t hash = 0;
  Entry* entry = nullptr;
};

}  // namespace

/// A cache of its own for the keys that hash to it.
class alignas(64) LocalCache::Shard {
 public:
  Shard() : slots_(new Slot[kSlotsMin]), mask_(kSlotsMin - 1), ghosts_(kSlotsMin / 2) {}
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard() { clear(); }

  void set_size_max(std::size_t bytes) {
    size_bytes_max_ = bytes;
    small_bytes_max_ = bytes / 10;
  }

  std::optional<Hit> find(std::uint64_t hash, std::string_view key, std::int64_t now_ns) {
    std::optional<Hit> hit;
    std::lock_guard lock(mutex_);
    Slot* slot = find_slot(hash, key);
    if (!slot) {
      ++stats_.misses;
      return hit;
    }
    Entry& entry = *slot->entry;
    if (entry.expires_at_ns <= now_ns) {
      ++stats_.misses;
      ++stats_.expired;
      drop(*slot);
      return hit;
    }
    ++hits_;
    if (entry.hits < kHitsMax) ++entry.hits;
    entry.retain();
    hit.emplace(Value(&entry), entry.absent,
                Lifetime{std::chrono::nanoseconds(entry.fresh_until_ns - now_ns),
                         std::chrono::nanoseconds(entry.expires_at_ns - now_ns)});
    return hit;
  }

  /// Takes `entry` over.
  bool put(Entry* entry, std::int64_t now_ns) {
    std::lock_guard lock(mutex_);
    Slot* slot = find_slot(entry->hash, entry->key());
    if (cost_of(*entry) > size_bytes_max_ / kEntriesPerShardMin) {
      ++stats_.refused;
      if (slot) drop(*slot);
      detail::release(entry);
      return false;
    }
    ++stats_.stored;
    if (slot) {
      replace(*slot, entry);
    } else {
      entry->queue = ghosts_.take(entry->hash, entries_) ? Queue::main : Queue::small;
      add_slot(entry);
    }
    queue_of(*entry).push(*entry);
    while (size_bytes() > size_bytes_max_) make_room(now_ns);
    return true;
  }

  bool erase(std::uint64_t hash, std::string_view key) {
    std::lock_guard lock(mutex_);
    Slot* slot = find_slot(hash, key);
    if (slot) drop(*slot);
    return slot != nullptr;
  }

  void clear() {
    std::lock_guard lock(mutex_);
    for (Slot& slot : all_slots())
      if (slot.entry) detail::release(slot.entry);
    slots_.reset(new Slot[kSlotsMin]);
    mask_ = kSlotsMin - 1;
    ghosts_ = Ghosts(kSlotsMin / 2);
    small_ = main_ = Fifo();
    entries_ = 0;
  }

  void add_to(LocalCacheStats& sum) const {
    std::lock_guard lock(mutex_);
    sum.hits += hits_;
    sum.misses += stats_.misses;
    sum.expired += stats_.expired;
    sum.stored += stats_.stored;
    sum.evicted += stats_.evicted;
    sum.refused += stats_.refused;
    sum.entries += entries_;
    sum.size_bytes += size_bytes();
  }

 private:
  std::size_t size_bytes() const { return small_.size_bytes + main_.size_bytes; }
  std::span<Slot> all_slots() const { return {slots_.get(), mask_ + 1}; }
  Fifo& queue_of(const Entry& entry) { return entry.queue == Queue::small ? small_ : main_; }

  Slot* find_slot(std::uint64_t hash, std::string_view key) {
    for (std::size_t i = hash & mask_;; i = (i + 1) & mask_) {
      Slot& slot = slots_[i];
      if (!slot.entry) return nullptr;
      // The key stands behind the header: fetch both lines of memory at once.
      __builtin_prefetch(slot.entry->bytes());
      if (slot.hash == hash && slot.entry->key() == key) return &slot;
    }
  }

  void add_slot(Entry* entry) {
    if (++entries_ * 2 > mask_ + 1) grow();
    place({entry->hash, entry});
  }

  void place(Slot slot) {
    std::size_t i = slot.hash & mask_;
    while (slots_[i].entry) i = (i + 1) & mask_;
    slots_[i] = slot;
  }

  void grow() {
    const std::span<Slot> old = all_slots();
    const std::unique_ptr<Slot[]> owned =
        std::exchange(slots_, std::unique_ptr<Slot[]>(new Slot[old.size() * 2]));
    mask_ = old.size() * 2 - 1;
    for (const Slot& slot : old)
      if (slot.entry) place(slot);
    ghosts_.grow((mask_ + 1) / 2);
  }

  // Closes the gap, so that no search ends early and no marker of the dead is needed.
  void remove_slot(Slot& slot) {
    auto hole = static_cast<std::size_t>(&slot - slots_.get());
    for (std::size_t i = hole;;) {
      i = (i + 1) & mask_;
      if (!slots_[i].entry) break;
      std::size_t home = slots_[i].hash & mask_;
      if (((i - home) & mask_) < ((i - hole) & mask_)) continue;  // it stands between its home and the hole
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole] = Slot();
    --entries_;
  }

  void drop(Slot& slot) {
    Entry* entry = slot.entry;
    queue_of(*entry).remove(*entry);
    remove_slot(slot);
    detail::release(entry);
  }

  // A new value for a known key keeps what is known about the key.
  void replace(Slot& slot, Entry* entry) {
    Entry* before = slot.entry;
    queue_of(*before).remove(*before);
    entry->queue = before->queue;
    entry->hits = before->hits;
    slot.entry = entry;
    detail::release(before);
  }

  void drop_evicted(Entry& entry) {
    ++stats_.evicted;
    drop(*find_slot(entry.hash, entry.key()));
  }

  // Throws one entry out, or moves one on. Each entry can be moved on kHitsMax times at most before it goes.
  void make_room(std::int64_t now_ns) {
    // What came last is never the first to go, however large it is.
    const bool from_small =
        main_.oldest == nullptr || (small_.size_bytes > small_bytes_max_ && small_.oldest != small_.newest);
    Fifo& fifo = from_small ? small_ : main_;
    Entry& entry = *fifo.oldest;
    if (entry.hits == 0 || entry.expires_at_ns <= now_ns) {
      if (from_small) ghosts_.remember(entry.hash);
      return drop_evicted(entry);
    }
    fifo.remove(entry);
    entry.hits = from_small ? 0 : static_cast<std::uint8_t>(entry.hits - 1);
    entry.queue = Queue::main;
    main_.push(entry);
  }

  // What a hit touches stands in one line of memory, which travels between the cores with the lock.
  mutable std::mutex mutex_;
  std::unique_ptr<Slot[]> slots_;
  std::size_t mask_;
  std::uint64_t hits_ = 0;

  std::size_t size_bytes_max_ = 0;
  std::size_t small_bytes_max_ = 0;
  std::size_t entries_ = 0;
  Ghosts ghosts_;
  Fifo small_;
  Fifo main_;
  LocalCacheStats stats_;
};

// ---- LocalCache

LocalCache::LocalCache(LocalCacheOptions options) {
  std::size_t wanted = options.shards != 0 ? options.shards : options.size_bytes_max / kShardBytes;
  shard_count_ = std::bit_floor(std::clamp<std::size_t>(wanted, 1, kShardsMax));
  shards_ = std::make_unique<Shard[]>(shard_count_);
  for (std::size_t i = 0; i < shard_count_; ++i)
    shards_[i].set_size_max(options.size_bytes_max / shard_count_);
}

LocalCache::~LocalCache() = default;

// The shard by the top bits, the place in it by the bottom ones.
LocalCache::Shard& LocalCache::shard_of(std::uint64_t hash) const {
  return shards_[(hash >> 48) & (shard_count_ - 1)];
}

std::optional<Hit> LocalCache::find(std::string_view key, TimePoint now) {
  const std::uint64_t hash = keyed_hash(key);
  return shard_of(hash).find(hash, key, ns_of(now));
}

bool LocalCache::put_entry(std::string_view key, std::string_view value, bool absent,
                           const Lifetime& lifetime, TimePoint now) {
  // Made before the lock is taken: allocating and copying is most of the work.
  Entry* entry = detail::make_entry(key, value);
  entry->hash = keyed_hash(key);
  entry->absent = absent;
  entry->fresh_until_ns = add_saturating(ns_of(now), lifetime.fresh.count());
  entry->expires_at_ns = add_saturating(ns_of(now), std::max(lifetime.fresh, lifetime.keep).count());
  return shard_of(entry->hash).put(entry, ns_of(now));
}

bool LocalCache::erase(std::string_view key) {
  const std::uint64_t hash = keyed_hash(key);
  return shard_of(hash).erase(hash, key);
}

void LocalCache::clear() {
  for (std::size_t i = 0; i < shard_count_; ++i) shards_[i].clear();
}

LocalCacheStats LocalCache::stats() const {
  LocalCacheStats sum;
  for (std::size_t i = 0; i < shard_count_; ++i) shards_[i].add_to(sum);
  return sum;
}

}  // namespace bedplate::cache
