// SPDX-License-Identifier: Apache-2.0
#include "bedplate/execution/rate_limit.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "bedplate/base/hash.h"

namespace bedplate::api {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t seconds_up(std::int64_t ns) {
  return ns <= 0 ? 0 : (ns + kSecond - 1) / kSecond;
}

/// Held for a few dozen instructions. Spins a little and then lets others run: with more threads than cores the
/// holder may be off its core.
class StripeLock {
 public:
  explicit StripeLock(std::atomic_flag& busy) : busy_(busy) {
    for (int spins = 0; busy_.test_and_set(std::memory_order_acquire); ++spins)
      if (spins > 64) std::this_thread::yield();
  }
  StripeLock(const StripeLock&) = delete;
  StripeLock& operator=(const StripeLock&) = delete;
  ~StripeLock() { busy_.clear(std::memory_order_release); }

 private:
  std::atomic_flag& busy_;
};

}  // namespace

namespace {

/// IPv4 as text, of IPv6 the eight bytes of its network, of anything else what it is.
struct NormalAddress {
  explicit NormalAddress(std::string_view address) : bytes(address) {
    char copy[INET6_ADDRSTRLEN + 1];
    if (address.find(':') == std::string_view::npos || address.size() >= sizeof copy) return;
    std::memcpy(copy, address.data(), address.size());
    copy[address.size()] = '\0';
    in6_addr parsed;
    if (inet_pton(AF_INET6, copy, &parsed) != 1) return;
    if (IN6_IS_ADDR_V4MAPPED(&parsed)) {
      bytes = inet_ntop(AF_INET, &parsed.s6_addr[12], text, sizeof text);
      return;
    }
    std::memcpy(text, parsed.s6_addr, 8);
    bytes = {text, 8};
    is_network = true;
  }
  NormalAddress(const NormalAddress&) = delete;
  NormalAddress& operator=(const NormalAddress&) = delete;

  std::string_view bytes;
  bool is_network = false;
  char text[INET_ADDRSTRLEN];
};

}  // namespace

std::uint64_t rate_key_of_address(std::string_view address) {
  return keyed_hash(NormalAddress(address).bytes);
}

std::string rate_name_of_address(std::string_view address) {
  const NormalAddress normal(address);
  if (!normal.is_network) return std::string(normal.bytes);
  in6_addr network{};
  std::memcpy(network.s6_addr, normal.bytes.data(), normal.bytes.size());
  char text[INET6_ADDRSTRLEN];
  return std::string(inet_ntop(AF_INET6, &network, text, sizeof text)) + "/64";
}

std::uint64_t rate_key_of(const Uuid& id) {
  char bytes[16];
  std::memcpy(bytes, id.bytes.data(), sizeof bytes);
  return keyed_hash({bytes, sizeof bytes});
}

std::int64_t rate_unit_ns(const RateLimit& limit) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(kSecond) / limit.rate));
}

RateDecision rate_decision(std::int64_t unit_ns, std::int64_t burst, std::int64_t cost, bool allowed,
                           std::int64_t full_in_ns) {
  const std::int64_t burst_ns = unit_ns * burst;
  RateDecision decision;
  decision.allowed = allowed;
  decision.limit = burst;
  decision.remaining = std::max<std::int64_t>(0, (burst_ns - full_in_ns) / unit_ns);
  decision.reset_seconds = seconds_up(full_in_ns);
  const std::int64_t price = std::min(cost * unit_ns, burst_ns);
  if (!allowed)
    decision.retry_after_seconds = std::max<std::int64_t>(1, seconds_up(full_in_ns + price - burst_ns));
  return decision;
}

RateLimiter::RateLimiter(RateLimit limit, std::size_t entries_max)
    : unit_ns_(rate_unit_ns(limit)),
      burst_ns_(unit_ns_ * limit.burst),
      burst_(limit.burst),
      line_mask_(std::bit_ceil(std::max<std::size_t>(entries_max / kWays, 1)) - 1),
      stripes_(new Stripe[kStripes]()),
      // calloc: the system gives zero pages when they are first touched, so an idle limiter costs no memory.
      entries_(static_cast<Entry*>(std::calloc((line_mask_ + 1) * kWays, sizeof(Entry)))) {
  if (entries_ == nullptr) throw std::bad_alloc();
}

RateLimiter::~RateLimiter() {
  std::free(entries_);
}

RateLimiter::Entry& RateLimiter::entry_of(std::uint64_t key, std::int64_t now_ns) {
  Entry* line = entries_ + (key & line_mask_) * kWays;
  Entry* free = line;
  for (Entry* entry = line; entry != line + kWays; ++entry) {
    if (entry->key == key) return *entry;
    if (entry->full_at_ns < free->full_at_ns) free = entry;
  }
  *free = {key, now_ns};
  return *free;
}

RateDecision RateLimiter::take(std::uint64_t key, std::int64_t cost, std::int64_t now_ns) {
  // What costs more than a whole bucket takes a whole bucket, or it could never run.
  const std::int64_t price = std::min(cost * unit_ns_, burst_ns_);
  std::int64_t full_at;
  bool allowed;
  {
    StripeLock lock(stripe_of(key).busy);
    Entry& entry = entry_of(key, now_ns);
    full_at = std::max(entry.full_at_ns, now_ns);
    allowed = full_at + price - now_ns <= burst_ns_;
    if (allowed) entry.full_at_ns = full_at += price;
  }
  return rate_decision(unit_ns_, burst_, cost, allowed, full_at - now_ns);
}

void RateLimiter::charge(std::uint64_t key, std::int64_t cost, std::int64_t now_ns) {
  StripeLock lock(stripe_of(key).busy);
  Entry& entry = entry_of(key, now_ns);
  // Never further into debt than one more bucket: a burst of bad tokens does not lock an address out for long.
  entry.full_at_ns = std::min(std::max(entry.full_at_ns, now_ns) + cost * unit_ns_, now_ns + 2 * burst_ns_);
}

}  // namespace bedplate::api
