// SPDX-License-Identifier: Apache-2.0
// Value: what a cache holds for a key: immutable bytes that several threads share without copying them.
//
//   Value value = Value::copy_of(json);
//   use(value.view());   // valid while `value`, or a copy of it, lives
//
// A copy costs one atomic increment. An entry that a cache throws out lives on until its last reader lets go of it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace bedplate::cache {

namespace detail {

enum class Queue : std::uint8_t { none, small, main };

/// One allocation for everything about an entry: this, then the key's bytes, then the value's.
struct Entry {
  std::atomic<std::uint32_t> references{1};
  std::uint8_t hits = 0;  ///< since it was queued, at most kHitsMax; under the shard's lock, like all below
  Queue queue = Queue::none;
  bool absent = false;
  std::uint32_t key_size = 0;
  std::uint32_t value_size = 0;
  std::uint64_t hash = 0;
  std::int64_t fresh_until_ns = 0;
  std::int64_t expires_at_ns = 0;
  Entry* newer = nullptr;
  Entry* older = nullptr;

  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  std::string_view key() const { return {bytes(), key_size}; }
  std::string_view value() const { return {bytes() + key_size, value_size}; }
  void retain() { references.fetch_add(1, std::memory_order_relaxed); }
};

Entry* make_entry(std::string_view key, std::string_view value);
void destroy_entry(Entry* entry);
inline void release(Entry* entry) {
  if (entry->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy_entry(entry);
}

}  // namespace detail

/// Copies may be used by different threads at the same time; one Value by one at a time.
class Value {
 public:
  Value() = default;  ///< no bytes
  Value(const Value& other) : entry_(other.entry_) {
    if (entry_) entry_->retain();
  }
  Value(Value&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  Value& operator=(Value other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~Value() {
    if (entry_) detail::release(entry_);
  }

  static Value copy_of(std::string_view bytes) { return Value(detail::make_entry({}, bytes)); }

  std::string_view view() const { return entry_ ? entry_->value() : std::string_view(); }

 private:
  friend class LocalCache;
  explicit Value(detail::Entry* taken_over) : entry_(taken_over) {}

  detail::Entry* entry_ = nullptr;
};

/// How long an entry is good, and how long it is worth keeping: between the two it is stale, to be shown while
/// somebody fetches it anew.
struct Lifetime {
  std::chrono::nanoseconds fresh{std::chrono::minutes(5)};
  std::chrono::nanoseconds keep{std::chrono::minutes(5)};  ///< at least `fresh`
};

/// What a cache answers for a key that it has.
struct Hit {
  Value value;
  bool absent = false;  ///< a negative entry: it is known that there is no such thing
  Lifetime left;        ///< from now on; `fresh` is zero or less for what is stale
  bool fresh() const { return left.fresh.count() > 0; }
};

}  // namespace bedplate::cache
