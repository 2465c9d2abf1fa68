// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/two_level_cache.h"

#include <algorithm>

#include "bedplate/base/hash.h"

namespace bedplate::cache {

TwoLevelCache::TwoLevelCache(redis::Client& client, RedisCache& redis, TwoLevelOptions options)
    : client_(client), redis_(redis), options_(options), local_(options.local) {}

TwoLevelCache::~TwoLevelCache() {
  close();
}

void TwoLevelCache::start(Loop& loop) {
  loop_ = &loop;
  loop.call(
      [&] { subscriber_ = redis::Subscriber::start(loop, client_.dialer(), {redis_.channel()}, *this); });
}

void TwoLevelCache::close() {
  if (!loop_) return;
  loop_->call([&] {
    subscriber_->close();
    subscriber_.reset();
  });
  loop_ = nullptr;
}

bool TwoLevelCache::hears() const {
  return subscriber_ && subscriber_->subscribed();
}

Async<std::optional<Hit>> TwoLevelCache::get(std::string_view key) {
  std::optional<Hit> hit = local_.find(key, std::chrono::steady_clock::now());
  if (hit) co_return hit;
  const std::uint64_t erasures = erasures_of(key).load();
  hit = co_await ok(redis_.get(key));
  if (hit) {
    Entry entry = hit->absent ? Entry::none() : Entry(hit->value.view());
    keep_here(key, entry, hit->left, erasures);
  }
  co_return hit;
}

Async<void> TwoLevelCache::put(std::string_view key, Entry entry, Lifetime lifetime) {
  if (!is_key(key)) co_return;
  keep_here(key, entry, lifetime, erasures_of(key).load());
  co_await ok(redis_.put(key, entry, lifetime));
}

Async<void> TwoLevelCache::erase(std::string_view key) {
  forget(key);
  Result<void> erased = co_await redis_.erase(key);
  // Again: meanwhile somebody here may have fetched from Redis what was about to go.
  forget(key);
  if (!erased) co_await std::unexpected(std::move(erased.error()));
}

std::atomic<std::uint64_t>& TwoLevelCache::erasures_of(std::string_view key) {
  return erasures_[keyed_hash(key) % erasures_.size()];
}

void TwoLevelCache::keep_here(std::string_view key, const Entry& entry, Lifetime lifetime,
                              std::uint64_t erasures) {
  const std::chrono::nanoseconds longest = hears() ? options_.local_lifetime_max : options_.deaf_lifetime_max;
  lifetime.fresh = std::min(lifetime.fresh, longest);
  lifetime.keep = std::min(lifetime.keep, longest);
  const auto now = std::chrono::steady_clock::now();
  if (entry.absent)
    local_.put_absent(key, lifetime, now);
  else
    local_.put(key, entry.value, lifetime, now);
  // Looked at last: an erasure that is not seen here comes after the put, and takes it away.
  if (erasures_of(key).load() != erasures) local_.erase(key);
}

void TwoLevelCache::forget(std::string_view key) {
  erasures_of(key).fetch_add(1);
  local_.erase(key);
  if (InvalidationListener* listener = listener_.load()) listener->on_invalidated(key);
}

void TwoLevelCache::on_message(std::string_view, std::string_view message) {
  if (message.size() <= RedisCache::kSenderSize || message.starts_with(redis_.sender())) return;
  forget(message.substr(RedisCache::kSenderSize));
}

void TwoLevelCache::on_subscribed() {
  redis_.repeat_pending();
  for (std::atomic<std::uint64_t>& count : erasures_) count.fetch_add(1);
  local_.clear();
  if (InvalidationListener* listener = listener_.load()) listener->on_invalidated({});
}

}  // namespace bedplate::cache
