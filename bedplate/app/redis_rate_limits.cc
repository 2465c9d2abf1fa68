// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/redis_rate_limits.h"

#include <tuple>

#include <fmt/format.h>

namespace bedplate::app {
namespace {

// A bucket is the time at which it is full again, in microseconds of the server's clock. ARGV: microseconds a unit,
// burst in units, cost in units, and whether it is taken in any case (then no further into debt than one more bucket).
// Answers whether it was allowed, and in how many microseconds the bucket is full.
constexpr std::string_view kScript = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local unit = tonumber(ARGV[1])
local burst = ARGV[2] * unit
local price = ARGV[3] * unit
local full = tonumber(redis.call('GET', KEYS[1]) or 0)
if full < now then full = now end
local allowed = 1
if ARGV[4] == '1' then
  full = math.min(full + price, now + 2 * burst)
else
  if price > burst then price = burst end
  -- Half a microsecond of room: numbers here are doubles.
  if full + price - now <= burst + 0.5 then full = full + price else allowed = 0 end
end
if full > now then
  redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil((full - now) / 1000) + 1)
end
return {allowed, math.ceil(full - now)}
)";

}  // namespace

RedisRateLimits::RedisRateLimits(redis::Client& client, std::string prefix, telemetry::Registry& metrics)
    : client_(client),
      prefix_(std::move(prefix) + "rate:"),
      script_(kScript),
      shared_(
          metrics.counter("bedplate_rate_limit_shared_total", "Requests weighed by all replicas together.")),
      local_(metrics.counter("bedplate_rate_limit_local_total",
                             "Requests weighed by this replica alone, because Redis was away.")) {}

Async<redis::Reply> RedisRateLimits::run(std::string key, const api::RateLimit& limit, std::int64_t cost,
                                         bool force) {
  std::vector<std::string> arguments{fmt::format("{}", 1e6 / limit.rate), std::to_string(limit.burst),
                                     std::to_string(cost), force ? "1" : "0"};
  return client_.eval(script_, prefix_ + key, std::move(arguments));
}

Async<std::optional<api::RateDecision>> RedisRateLimits::take(std::string key, api::RateLimit limit,
                                                              std::int64_t cost) {
  Result<redis::Reply> reply = co_await run(std::move(key), limit, cost, false);
  if (!reply && reply.error().category() == Category::cancelled)
    co_return std::unexpected(std::move(reply.error()));
  if (!reply || reply->items.size() != 2) {
    local_.add();
    co_return std::nullopt;
  }
  shared_.add();
  co_return api::rate_decision(api::rate_unit_ns(limit), limit.burst, cost, reply->items[0].integer == 1,
                               reply->items[1].integer * 1000);
}

void RedisRateLimits::charge(std::string key, api::RateLimit limit, std::int64_t cost) {
  charge_later(std::move(key), limit, cost).detach(nullptr);
}

Async<void> RedisRateLimits::charge_later(std::string key, api::RateLimit limit, std::int64_t cost) {
  std::ignore = co_await run(std::move(key), limit, cost, true);
}

}  // namespace bedplate::app
