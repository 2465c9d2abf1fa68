// SPDX-License-Identifier: Apache-2.0
// Rate limits: GCRA (the "virtual scheduling" form of a leaky bucket, ITU-T I.371 annex A) over many keys in fixed
// memory.
//
//   RateLimiter limiter({.rate = 100, .burst = 400}, 131'072);
//   RateDecision d = limiter.take(key_of_address("2001:db8::1"), 1, now_ns);
//   if (!d.allowed) ...                              // 429, Retry-After: d.retry_after_seconds
//
// A key's state is one number, the time at which its bucket would be full again, so a key that has rested needs no
// state at all. The table is set-associative: eight keys share a line, and when all eight are busy the one nearest to
// full makes room. An attacker with more addresses than the table has places can make it forget busy keys early, and
// nothing worse; memory never grows. Keys are hashed with the process's secret, so nobody can aim at a line.
//
// Thread-safe; a take is one short lock of one of 64 stripes, about 30 ns.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bedplate/base/id.h"

namespace bedplate::api {

struct RateLimit {
  double rate = 100;         ///< units a second
  std::int64_t burst = 400;  ///< units at once
};

struct RateDecision {
  bool allowed = true;
  std::int64_t limit = 0;          ///< the burst
  std::int64_t remaining = 0;      ///< units left now
  std::int64_t reset_seconds = 0;  ///< until the bucket is full again, rounded up
  std::int64_t retry_after_seconds =
      0;  ///< until this request would be allowed, rounded up; at least 1 when denied
};

/// What follows for a caller from a bucket that is full again in `full_in_ns`, the price of an allowed request taken
/// already. For every kind of limiter, so that they answer alike.
RateDecision rate_decision(std::int64_t unit_ns, std::int64_t burst, std::int64_t cost, bool allowed,
                           std::int64_t full_in_ns);
/// How long one unit takes to come back, at least a nanosecond.
std::int64_t rate_unit_ns(const RateLimit& limit);

/// IPv6 by its /64, IPv4 (mapped forms too) by the whole address; other text ("unix") as it is.
std::uint64_t rate_key_of_address(std::string_view address);
std::uint64_t rate_key_of(const Uuid& id);
/// The same for an address as text that every process agrees on: "192.0.2.1", "2001:db8:0:1::/64".
std::string rate_name_of_address(std::string_view address);

class RateLimiter {
 public:
  /// `entries_max` is rounded up to a power of two. Memory is touched only where keys come.
  RateLimiter(RateLimit limit, std::size_t entries_max);
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;
  ~RateLimiter();

  /// Takes `cost` units for `key` at `now_ns` (of one steady clock). A denied request takes nothing.
  RateDecision take(std::uint64_t key, std::int64_t cost, std::int64_t now_ns);
  /// Takes `cost` units whether they are there or not: what was spent before it could be weighed (a bad token).
  void charge(std::uint64_t key, std::int64_t cost, std::int64_t now_ns);

 private:
  struct Entry {
    std::uint64_t key;
    std::int64_t full_at_ns;
  };
  struct alignas(64) Stripe {
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
  };
  static constexpr std::size_t kWays = 8;
  static constexpr std::size_t kStripes = 64;

  Entry& entry_of(std::uint64_t key, std::int64_t now_ns);
  // Of the line, not of the key: keys that share a line share its lock.
  Stripe& stripe_of(std::uint64_t key) { return stripes_[(key & line_mask_) % kStripes]; }

  std::int64_t unit_ns_;   // one unit
  std::int64_t burst_ns_;  // a full bucket
  std::int64_t burst_;
  std::size_t line_mask_;
  std::unique_ptr<Stripe[]> stripes_;
  Entry* entries_;
};

}  // namespace bedplate::api
