// SPDX-License-Identifier: Apache-2.0
// The authenticator of signed access tokens, with a cache of the ones it has verified.
//
//   KeyRing ring;  Revocations revocations;
//   TokenAuthenticator authenticator(ring, revocations, policy);
//   Result<PrincipalRef> who = authenticator.authenticate({.bearer = token}, clock.now());
//
// Every thread has a cache of its own (no lock, no sharing). A hit compares the whole token, its expiry and
// the revocation epoch. What fails to verify is never stored, so bad tokens cannot push good ones out. While
// revocations are not known (Revocations::mark_stale()) a good token is answered Category::unavailable
// `revocations_unknown`.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "bedplate/auth/authenticator.h"
#include "bedplate/auth/key_ring.h"
#include "bedplate/auth/revocations.h"
#include "bedplate/auth/token.h"

namespace bedplate::auth {

class TokenCache;

class TokenAuthenticator final : public Authenticator {
 public:
  static constexpr std::size_t kCacheEntries = 8192;

  /// The ring and the revocations outlive it. `cache_entries` is per thread; about 1 KiB each when in use.
  TokenAuthenticator(const KeyRing& ring, const Revocations& revocations, TokenPolicy policy,
                     std::size_t cache_entries = kCacheEntries);
  ~TokenAuthenticator() override;

  Result<PrincipalRef> authenticate(const Credentials& credentials, Time now) override;

  /// Signatures checked so far, on all threads: what the cache did not save.
  std::uint64_t verifications() const { return verifications_.load(std::memory_order_relaxed); }

 private:
  TokenCache& cache_of_this_thread();
  Result<PrincipalRef> verify(std::string_view bearer, Time now, TokenCache& cache);
  void warn_of_clocks(Time now);

  const KeyRing& ring_;
  const Revocations& revocations_;
  const TokenPolicy policy_;
  const std::size_t cache_entries_;
  const std::uint64_t
      instance_;  ///< Never used twice in a process: names this one's cache in thread-local memory.
  std::atomic<std::uint64_t> verifications_{0};
  std::atomic<std::int64_t> warned_in_minute_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<TokenCache>> caches_;  ///< One per thread that ever called.
};

}  // namespace bedplate::auth
