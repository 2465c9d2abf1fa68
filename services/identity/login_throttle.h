// SPDX-License-Identifier: Apache-2.0
// Back-off against guessing passwords, in bounded memory.
//
//   if (auto wait = throttle.admit(account, address, now); wait > 0s) ... refuse, with Retry-After ...
//   ... check the password ...
//   if (right) throttle.succeeded(account, address, now);
//
//   if (auto wait = throttle.admit_sign_up(address, now); wait > 0s) ...
//
// Counts are kept, each with its own allowance; past it every further attempt doubles the wait:
// - an account from one address: few guesses, long waits;
// - an address over all accounts: more guesses (an office has one address), long waits;
// - an account over all addresses (a botnet): many guesses, and only short waits, because this is the count
//   with which strangers could keep the owner out. Whoever has logged in to the account from the same address
//   before is not held up by it;
// - sign-ups from an address, good ones too: they are a way to ask which accounts exist.
//
// An attempt counts when it is admitted, not when it has failed, so a thousand at once do not slip through
// together; a success gives its count back. An account that does not exist counts like one that does: only
// the text is known here. A count is forgotten after a quiet time of twice the longest wait.
//
// State is one table of fixed size, not the database: guesses must not cost writes. It starts empty with the
// process, and each replica counts for itself. When a row of the table is full, the entry that matters least
// gives way.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/hash.h"
#include "bedplate/base/time.h"
#include "services/identity/settings.h"

namespace bedplate::identity {

/// Thread-safe.
class LoginThrottle {
 public:
  explicit LoginThrottle(const LoginThrottleSettings& settings);

  /// Zero: go on, the attempt has been counted. Else how long to wait, rounded up, and nothing was counted.
  /// `account` is a key that is equal for equal accounts (email_key()).
  std::chrono::seconds admit(std::string_view account, std::string_view address, Time now);
  /// The same for an attempt to make an account.
  std::chrono::seconds admit_sign_up(std::string_view address, Time now);
  /// The attempt was right: its counts are given back, and the address is known for this account from now on.
  void succeeded(std::string_view account, std::string_view address, Time now);

 private:
  enum class Kind : std::uint8_t { account_and_address = 1, address, account, known, sign_up };

  /// An entry is named by a keyed hash and its kind: two that collide share a count, which is harmless.
  struct Entry {
    std::uint64_t name = 0;
    std::int64_t last_ms = 0;
    std::int32_t count = 0;
  };
  struct Allowance {
    std::int32_t attempts;
    std::int64_t wait_max_seconds;
  };

  static constexpr std::size_t kWays = 8;

  std::uint64_t name_of(Kind kind, std::string_view account, std::string_view address) const;
  bool forgotten(const Entry& entry, std::int64_t now) const;
  Entry* row_of(std::uint64_t name);
  Entry* find(std::uint64_t name, std::int64_t now);
  Entry& find_or_add(std::uint64_t name, std::int64_t now);
  std::int64_t wait_of(std::uint64_t name, const Allowance& allowance, std::int64_t now);
  void count(std::uint64_t name, std::int64_t now);
  void give_back(std::uint64_t name, std::int64_t now);

  const bool enabled_;
  const Allowance account_and_address_;
  const Allowance address_;
  const Allowance account_;
  const Allowance sign_up_;
  const std::int64_t forget_after_ms_;
  const HashKey key_;
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

/// The part of an address that one customer of a network holds: all of an IPv4 address, the first 64 bits of
/// an IPv6 one. Anything else (a Unix socket) is one bucket by its text.
std::string address_bucket(std::string_view address);

}  // namespace bedplate::identity
