// SPDX-License-Identifier: Apache-2.0
// Hashes of passwords: argon2id (RFC 9106) in a pool of its own.
//
//   PasswordHasher hasher(PasswordCost{}, {.threads = 2, .queue_max = 64});
//   std::string stored = co_await ok(hasher.hash(password));
//   bool right = co_await ok(hasher.verify(stored, password));
//
// What is hashed is the normalized password (password_text.h).
//
// A hash takes tens of milliseconds and tens of MiB on purpose, so it never runs on a loop; when more are
// asked for than the queue holds, the answer is Category::unavailable at once, and the rest of the server
// goes on.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bedplate/async/async.h"
#include "bedplate/base/result.h"

namespace bedplate {
class WorkerPool;
}

namespace bedplate::auth {

/// How much work a hash is. The default is libsodium's "interactive" cost: 64 MiB and two passes.
class PasswordCost {
 public:
  static constexpr std::uint32_t kMemoryKibMin = 19 * 1024;  ///< OWASP's least for argon2id, at two passes.
  static constexpr std::uint32_t kMemoryKibMax = 1024 * 1024;
  static constexpr std::uint32_t kPassesMin = 2;
  static constexpr std::uint32_t kPassesMax = 16;

  PasswordCost() = default;
  /// Values outside the bounds are brought inside.
  PasswordCost(std::uint32_t memory_kib, std::uint32_t passes);
  /// As cheap as argon2id gets: for tests and benches that make many users. Protects nothing.
  static PasswordCost worthless_for_tests();

  std::uint32_t memory_kib() const { return memory_kib_; }
  std::uint32_t passes() const { return passes_; }

 private:
  std::uint32_t memory_kib_ = 64 * 1024;
  std::uint32_t passes_ = 2;
};

/// Thread-safe; the coroutines resume on the loop that called.
class PasswordHasher {
 public:
  struct PoolSize {
    unsigned threads = 2;
    unsigned queue_max = 64;
  };

  PasswordHasher(PasswordCost cost, PoolSize size);
  ~PasswordHasher();
  PasswordHasher(const PasswordHasher&) = delete;
  PasswordHasher& operator=(const PasswordHasher&) = delete;

  /// A PHC string ("$argon2id$v=19$m=65536,t=2,p=1$...") with a random salt. Category::invalid for what cannot be
  /// a password: see normalize_password().
  Async<std::string> hash(std::string_view password);

  /// Whether the password is the one that was hashed. The stored hash outlives the call. What cannot be a password
  /// costs the same work.
  Async<bool> verify(std::string_view stored, std::string_view password);

  /// The same work as verify() against a hash of today's cost, for nobody's password: what answering for an
  /// account that does not exist costs.
  Async<void> verify_nothing(std::string_view password);

  /// The stored hash was made at another cost: hash the password again while it is at hand.
  bool needs_rehash(std::string_view stored) const;

  /// How many times argon2id has run: the work done, for metrics and for tests that compare it.
  std::uint64_t runs() const { return runs_.load(std::memory_order_relaxed); }
  /// How many passwords wait for a thread now.
  std::size_t waiting() const;

 private:
  const PasswordCost cost_;
  const std::string nobodys_hash_;
  std::atomic<std::uint64_t> runs_{0};
  std::unique_ptr<WorkerPool> pool_;
};

}  // namespace bedplate::auth
