// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/lock.h"

#include <fmt/format.h>

#include <algorithm>

#include "bedplate/async/timer.h"
#include "bedplate/base/random.h"

namespace bedplate::cache {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRetryFirst{5};
constexpr milliseconds kRetryLast{200};

// One hash holds the owner while it is locked; the last token outlives it in a hash of its own field, under the same
// key's slot. The key lives a day longer than the lock, so that tokens grow also where the server's clock steps back.
constexpr std::string_view kAcquire = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held = redis.call('HMGET', KEYS[1], 'until', 'token')
if held[1] and tonumber(held[1]) > now then return false end
local token = now
if held[2] and tonumber(held[2]) >= token then token = tonumber(held[2]) + 1 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', string.format('%.0f', now + ARGV[2] * 1000),
           'token', string.format('%.0f', token))
redis.call('PEXPIRE', KEYS[1], ARGV[2] + 86400000)
return string.format('%.0f', token)
)";
constexpr std::string_view kExtend = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held = redis.call('HMGET', KEYS[1], 'owner', 'until')
if held[1] ~= ARGV[1] or tonumber(held[2]) <= now then return 0 end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + ARGV[2] * 1000))
redis.call('PEXPIRE', KEYS[1], ARGV[2] + 86400000)
return 1
)";
constexpr std::string_view kRelease = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held = redis.call('HMGET', KEYS[1], 'owner', 'until')
if held[1] ~= ARGV[1] or tonumber(held[2]) <= now then return 0 end
redis.call('HSET', KEYS[1], 'until', '0')
return 1
)";

std::string new_owner() {
  return fmt::format("{:016x}{:016x}", random_u64(), random_u64());
}

std::unexpected<Error> locked(std::string_view name) {
  return fail(Category::conflict, "locked",
              "The lock '" + std::string(name) + "' is held by another process.");
}
std::unexpected<Error> lock_lost(std::string_view name) {
  return fail(Category::conflict, "lock_lost",
              "The lock '" + std::string(name) + "' has expired or was released; it is not held any more.");
}

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Async<Lock> Locks::wait_for(std::string_view name, milliseconds lifetime, milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (milliseconds wait = kRetryFirst;; wait = std::min(wait * 2, kRetryLast)) {
    Result<Lock> lock = co_await acquire(name, lifetime);
    if (lock || lock.error().code() != "locked") co_return lock;
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) co_return lock;
    // Half of it by chance: those who wait must not come all at once.
    const milliseconds pause =
        wait / 2 + milliseconds(random_u64() % static_cast<std::uint64_t>(wait.count()));
    const std::chrono::nanoseconds left = until - now;
    co_await ok(sleep_for(std::min<std::chrono::nanoseconds>(pause, left)));
  }
}

// ---- in memory

Async<Lock> MemoryLocks::acquire(std::string_view name, milliseconds lifetime) {
  const auto now = std::chrono::steady_clock::now();
  std::lock_guard lock(mutex_);
  std::erase_if(held_, [now](const auto& each) { return each.second.until <= now; });
  if (held_.contains(name)) co_return locked(name);
  Lock granted;
  granted.name = name;
  granted.owner = new_owner();
  granted.token = last_token_ = std::max(last_token_ + 1, now_us());
  held_.emplace(granted.name, Held{granted.owner, now + lifetime});
  co_return granted;
}

Async<void> MemoryLocks::extend(const Lock& lock, milliseconds lifetime) {
  const auto now = std::chrono::steady_clock::now();
  std::unique_lock guard(mutex_);
  auto held = held_.find(lock.name);
  const bool ours = held != held_.end() && held->second.owner == lock.owner && held->second.until > now;
  if (ours) held->second.until = now + lifetime;
  guard.unlock();
  if (!ours) co_await lock_lost(lock.name);
}

Async<void> MemoryLocks::release(const Lock& lock) {
  const auto now = std::chrono::steady_clock::now();
  std::unique_lock guard(mutex_);
  auto held = held_.find(lock.name);
  const bool ours = held != held_.end() && held->second.owner == lock.owner && held->second.until > now;
  if (ours) held_.erase(held);
  guard.unlock();
  if (!ours) co_await lock_lost(lock.name);
}

// ---- in Redis

RedisLocks::RedisLocks(redis::Client& client, std::string prefix)
    : client_(client), prefix_(std::move(prefix)), acquire_(kAcquire), extend_(kExtend), release_(kRelease) {}

Async<Lock> RedisLocks::acquire(std::string_view name, milliseconds lifetime) {
  Lock lock;
  lock.name = name;
  lock.owner = new_owner();
  std::vector<std::string> arguments{lock.owner, std::to_string(lifetime.count())};
  redis::Reply reply = co_await ok(client_.eval(acquire_, key_of(name), std::move(arguments)));
  if (reply.is_null() || reply.kind == redis::Reply::Kind::boolean) co_return locked(name);
  lock.token = std::stoll(reply.text);
  co_return lock;
}

Async<void> RedisLocks::check_and(const redis::Script& script, const Lock& lock,
                                  std::vector<std::string> arguments) {
  redis::Reply reply = co_await ok(client_.eval(script, key_of(lock.name), std::move(arguments)));
  if (reply.integer != 1) co_await lock_lost(lock.name);
}

Async<void> RedisLocks::extend(const Lock& lock, milliseconds lifetime) {
  return check_and(extend_, lock, {lock.owner, std::to_string(lifetime.count())});
}

Async<void> RedisLocks::release(const Lock& lock) {
  return check_and(release_, lock, {lock.owner});
}

}  // namespace bedplate::cache
