// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/redis_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "bedplate/base/random.h"

namespace bedplate::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr char kVersion = 1;
constexpr char kAbsent = 1;
constexpr int kRepeatingMax = 16;                // at once
constexpr milliseconds kPauseAfterFailure{100};  // while some of a Cluster answers and some does not
constexpr milliseconds kLifetimeMax = std::chrono::hours(24 * 365);

std::int64_t now_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t steady_ns() {
  return nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Rounded up, so that what is asked for is never nothing.
std::int64_t to_ms(nanoseconds duration) {
  return std::clamp<std::int64_t>(std::chrono::ceil<milliseconds>(duration).count(), 0, kLifetimeMax.count());
}

void put_number(std::string& out, std::int64_t number) {
  for (int shift = 0; shift < 64; shift += 8)
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> shift);
}

std::int64_t get_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return static_cast<std::int64_t>(number);
}

}  // namespace

void Envelope::write(std::string& out) const {
  out += kVersion;
  out += absent ? kAbsent : '\0';
  put_number(out, fresh_until_ms);
  put_number(out, keep_until_ms);
}

std::optional<Envelope> Envelope::read(std::string_view bytes) {
  if (bytes.size() < kSize || bytes[0] != kVersion || (bytes[1] & ~kAbsent) != 0) return std::nullopt;
  Envelope envelope;
  envelope.absent = bytes[1] == kAbsent;
  envelope.fresh_until_ms = get_number(bytes.substr(2));
  envelope.keep_until_ms = get_number(bytes.substr(10));
  return envelope;
}

RedisCache::RedisCache(redis::Client& client, std::string prefix)
    : client_(client), prefix_(std::move(prefix)), sender_(fmt::format("{:016x}", random_u64())) {}

Async<std::optional<Hit>> RedisCache::get(std::string_view key) {
  if (!is_key(key)) co_return std::nullopt;
  redis::Command command("GET", full(key));
  redis::Reply reply = co_await ok(client_.call(std::move(command)));
  on_answered();
  if (debts_->pending.has(key)) co_return std::nullopt;
  const std::optional<Envelope> envelope = Envelope::read(reply.text);
  const std::int64_t now = now_ms();
  if (!envelope || envelope->keep_until_ms <= now) co_return std::nullopt;
  Hit hit;
  hit.value = Value::copy_of(std::string_view(reply.text).substr(Envelope::kSize));
  hit.absent = envelope->absent;
  // Whoever wrote it may have a clock of its own, or an odd idea of time.
  hit.left.fresh = std::min(milliseconds(envelope->fresh_until_ms - now), kLifetimeMax);
  hit.left.keep = std::min(milliseconds(envelope->keep_until_ms - now), kLifetimeMax);
  co_return hit;
}

Async<void> RedisCache::put(std::string_view key, Entry entry, Lifetime lifetime) {
  if (!is_key(key)) co_return;
  const std::int64_t keep_ms = to_ms(std::max(lifetime.fresh, lifetime.keep));
  if (keep_ms == 0) co_return;
  Envelope envelope;
  envelope.absent = entry.absent;
  envelope.fresh_until_ms = now_ms() + to_ms(lifetime.fresh);
  envelope.keep_until_ms = now_ms() + keep_ms;
  std::string bytes;
  bytes.reserve(Envelope::kSize + entry.value.size());
  envelope.write(bytes);
  bytes += entry.value;
  redis::Command command("SET", full(key), bytes, "PX", keep_ms);
  co_await ok(client_.call(std::move(command)));
  on_answered();
}

Async<void> RedisCache::erase(std::string_view key) {
  if (!is_key(key)) co_return;
  if (InvalidationListener* listener = listener_.load()) listener->on_invalidated(key);
  const std::string owned_key(key);
  Result<void> erased = co_await erase_there(client_, full(key), channel(), sender_ + owned_key);
  if (erased) {
    on_answered();
    co_return;
  }
  debts_->pending.add(owned_key);
  co_await std::unexpected(std::move(erased.error()));
}

// The message goes also when the key could not be erased: the caches in front of Redis have it too.
Async<void> RedisCache::erase_there(redis::Client& client, std::string full_key, std::string channel,
                                    std::string message) {
  redis::Command command("DEL", full_key);
  Result<redis::Reply> erased = co_await client.call(std::move(command));
  redis::Command tell("PUBLISH", channel, message);
  co_await ok(client.call(std::move(tell)));
  if (!erased) co_await std::unexpected(std::move(erased.error()));
}

// ---- what Redis was not told

void RedisCache::on_answered() {
  if (!debts_->pending.any()) [[likely]]
    return;
  if (steady_ns() >= debts_->pause_until_ns.load(std::memory_order_relaxed)) repeat_pending();
}

void RedisCache::repeat_pending() {
  for (int i = 0; i < kRepeatingMax && debts_->pending.any(); ++i) {
    if (debts_->repeating.fetch_add(1) >= kRepeatingMax) {
      debts_->repeating.fetch_sub(1);
      return;
    }
    repeat(client_, debts_, prefix_, sender_).detach(nullptr);
  }
}

Async<void> RedisCache::repeat(redis::Client& client, std::shared_ptr<Debts> debts, std::string prefix,
                               std::string sender) {
  while (std::optional<PendingInvalidation> one = debts->pending.next()) {
    const Result<void> erased =
        co_await erase_there(client, prefix + one->key, prefix + "erased", sender + one->key);
    debts->pending.settle(*one, erased.has_value());
    if (erased) continue;
    debts->pause_until_ns.store(steady_ns() + nanoseconds(kPauseAfterFailure).count(),
                                std::memory_order_relaxed);
    break;
  }
  debts->repeating.fetch_sub(1);
}

}  // namespace bedplate::cache
