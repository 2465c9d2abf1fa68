// SPDX-License-Identifier: Apache-2.0
#include "services/identity/login_throttle.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>

#include "bedplate/base/random.h"

namespace bedplate::identity {
namespace {

constexpr std::int64_t kKnownMs = 30LL * 86'400'000;  // how long an address stays known for an account

HashKey random_key() {
  return {random_u64(), random_u64()};
}

std::int64_t to_ms(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

std::chrono::seconds in_seconds(std::int64_t ms) {
  return std::chrono::ceil<std::chrono::seconds>(std::chrono::milliseconds(ms));
}

}  // namespace

LoginThrottle::LoginThrottle(const LoginThrottleSettings& settings)
    : enabled_(settings.enabled),
      account_and_address_{static_cast<std::int32_t>(settings.attempts_per_account_and_address),
                           settings.backoff_max_seconds},
      address_{static_cast<std::int32_t>(settings.attempts_per_address), settings.backoff_max_seconds},
      account_{static_cast<std::int32_t>(settings.attempts_per_account),
               settings.account_backoff_max_seconds},
      sign_up_{static_cast<std::int32_t>(settings.sign_ups_per_address), settings.backoff_max_seconds},
      forget_after_ms_(2000 * settings.backoff_max_seconds),
      key_(random_key()) {
  if (enabled_) entries_.resize(std::bit_ceil(static_cast<std::size_t>(settings.entries_max)));
}

std::chrono::seconds LoginThrottle::admit(std::string_view account, std::string_view address, Time time) {
  if (!enabled_) return {};
  const std::int64_t now = to_ms(time);
  const std::string bucket = address_bucket(address);
  const std::uint64_t by_address = name_of(Kind::address, "", bucket);
  const std::uint64_t by_both = name_of(Kind::account_and_address, account, bucket);
  const std::uint64_t by_account = name_of(Kind::account, account, "");

  std::lock_guard lock(mutex_);
  std::int64_t wait =
      std::max(wait_of(by_address, address_, now), wait_of(by_both, account_and_address_, now));
  if (!find(name_of(Kind::known, account, bucket), now))
    wait = std::max(wait, wait_of(by_account, account_, now));
  if (wait > 0) return in_seconds(wait);
  count(by_address, now);
  count(by_both, now);
  count(by_account, now);
  return {};
}

std::chrono::seconds LoginThrottle::admit_sign_up(std::string_view address, Time time) {
  if (!enabled_) return {};
  const std::int64_t now = to_ms(time);
  const std::uint64_t name = name_of(Kind::sign_up, "", address_bucket(address));
  std::lock_guard lock(mutex_);
  const std::int64_t wait = wait_of(name, sign_up_, now);
  if (wait == 0) count(name, now);
  return in_seconds(wait);
}

void LoginThrottle::succeeded(std::string_view account, std::string_view address, Time time) {
  if (!enabled_) return;
  const std::int64_t now = to_ms(time);
  const std::string bucket = address_bucket(address);
  std::lock_guard lock(mutex_);
  // The address keeps what its other attempts cost it: else one's own account would be a way to reset the
  // count.
  give_back(name_of(Kind::address, "", bucket), now);
  give_back(name_of(Kind::account, account, ""), now);
  if (Entry* entry = find(name_of(Kind::account_and_address, account, bucket), now)) *entry = Entry{};
  count(name_of(Kind::known, account, bucket), now);
}

std::uint64_t LoginThrottle::name_of(Kind kind, std::string_view account, std::string_view address) const {
  std::string text;
  text.reserve(account.size() + address.size() + 2);
  text += static_cast<char>('0' + static_cast<int>(kind));
  text += account;
  text += '\0';
  text += address;
  // The low three bits are the kind. No kind is zero, so no name is: that is a free place.
  return (keyed_hash(text, key_) & ~std::uint64_t{7}) | static_cast<std::uint64_t>(kind);
}

bool LoginThrottle::forgotten(const Entry& entry, std::int64_t now) const {
  const bool known = (entry.name & 7) == static_cast<std::uint64_t>(Kind::known);
  return now - entry.last_ms >= (known ? kKnownMs : forget_after_ms_);
}

LoginThrottle::Entry* LoginThrottle::row_of(std::uint64_t name) {
  return &entries_[((name >> 3) * kWays) & (entries_.size() - 1)];
}

LoginThrottle::Entry* LoginThrottle::find(std::uint64_t name, std::int64_t now) {
  Entry* row = row_of(name);
  for (Entry* entry = row; entry != row + kWays; ++entry)
    if (entry->name == name) return forgotten(*entry, now) ? nullptr : entry;
  return nullptr;
}

LoginThrottle::Entry& LoginThrottle::find_or_add(std::uint64_t name, std::int64_t now) {
  Entry* row = row_of(name);
  auto same = [&](const Entry& entry) { return entry.name == name; };
  Entry* place = std::find_if(row, row + kWays, same);
  if (place != row + kWays && !forgotten(*place, now)) return *place;
  if (place == row + kWays) {
    auto weight = [&](const Entry& entry) { return forgotten(entry, now) ? 0 : entry.count; };
    place = std::min_element(row, row + kWays, [&](const Entry& a, const Entry& b) {
      return weight(a) != weight(b) ? weight(a) < weight(b) : a.last_ms < b.last_ms;
    });
  }
  *place = Entry{name, now, 0};
  return *place;
}

// Milliseconds until the next attempt: none within the allowance, then 1, 2, 4, ... seconds from the last one.
std::int64_t LoginThrottle::wait_of(std::uint64_t name, const Allowance& allowance, std::int64_t now) {
  const Entry* entry = find(name, now);
  if (!entry || entry->count < allowance.attempts) return 0;
  const int doublings = std::min(entry->count - allowance.attempts, 30);
  const std::int64_t wait = std::min(std::int64_t{1} << doublings, allowance.wait_max_seconds);
  return std::max<std::int64_t>(0, entry->last_ms + 1000 * wait - now);
}

void LoginThrottle::count(std::uint64_t name, std::int64_t now) {
  Entry& entry = find_or_add(name, now);
  entry.count = std::min(entry.count + 1, 1 << 20);
  entry.last_ms = now;
}

void LoginThrottle::give_back(std::uint64_t name, std::int64_t now) {
  if (Entry* entry = find(name, now); entry && entry->count > 0) --entry->count;
}

std::string address_bucket(std::string_view address) {
  std::string text(address);
  in6_addr v6;
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return text;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {  // the bucket of the same address written as IPv4
    char v4[INET_ADDRSTRLEN];
    return inet_ntop(AF_INET, v6.s6_addr + 12, v4, sizeof v4);
  }
  return std::string(reinterpret_cast<const char*>(v6.s6_addr), 8);
}

}  // namespace bedplate::identity
