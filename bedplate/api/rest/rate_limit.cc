#include "bedplate/api/rest/rate_limit.h"

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

std::uint64_t rate_key_of_address(std::string_view address) {
  char text[INET6_ADDRSTRLEN + 1];
  if (address.find(':') == std::string_view::npos || address.size() >= sizeof text)
    return keyed_hash(address);
  std::memcpy(text, address.data(), address.size());
  text[address.size()] = '\0';
  in6_addr parsed;
  if (inet_pton(AF_INET6, text, &parsed) != 1) return keyed_hash(address);
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) {
    char plain[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &parsed.s6_addr[12], plain, sizeof plain);
    return keyed_hash(plain);
  }
  char network[8];
  std::memcpy(network, parsed.s6_addr, sizeof network);
  return keyed_hash({network, sizeof network});
}

std::uint64_t rate_key_of(const Uuid& id) {
  char bytes[16];
  std::memcpy(bytes, id.bytes.data(), sizeof bytes);
  return keyed_hash({bytes, sizeof bytes});
}

RateLimiter::RateLimiter(RateLimit limit, std::size_t entries_max)
    : unit_ns_(
          std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(kSecond) / limit.rate))),
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
  RateDecision decision;
  decision.allowed = allowed;
  decision.limit = burst_;
  decision.remaining = std::max<std::int64_t>(0, (burst_ns_ - (full_at - now_ns)) / unit_ns_);
  decision.reset_seconds = seconds_up(full_at - now_ns);
  if (!allowed)
    decision.retry_after_seconds =
        std::max<std::int64_t>(1, seconds_up(full_at + price - now_ns - burst_ns_));
  return decision;
}

void RateLimiter::charge(std::uint64_t key, std::int64_t cost, std::int64_t now_ns) {
  StripeLock lock(stripe_of(key).busy);
  Entry& entry = entry_of(key, now_ns);
  // Never further into debt than one more bucket: a burst of bad tokens does not lock an address out for long.
  entry.full_at_ns = std::min(std::max(entry.full_at_ns, now_ns) + cost * unit_ns_, now_ns + 2 * burst_ns_);
}

}  // namespace bedplate::api
