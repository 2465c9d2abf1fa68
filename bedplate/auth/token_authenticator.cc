// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/token_authenticator.h"

#include <utility>

#include "bedplate/auth/token_cache.h"
#include "bedplate/base/log.h"

namespace bedplate::auth {
namespace {

std::atomic<std::uint64_t> next_instance{1};

// Which cache this thread used last. Instance numbers never repeat, so what is left of an authenticator that
// is gone is never taken for another's.
struct LastUsed {
  std::uint64_t instance = 0;
  TokenCache* cache = nullptr;
};
thread_local LastUsed last_used;

// Not the bearer's fault, and over soon.
std::unexpected<Error> revocations_unknown() {
  auto failure = fail(Category::unavailable, "revocations_unknown",
                      "Whether this token is still good cannot be found out just now.");
  return std::unexpected(std::move(failure.error()).with_retry_after(std::chrono::seconds(1)));
}

}  // namespace

TokenAuthenticator::TokenAuthenticator(const KeyRing& ring, const Revocations& revocations,
                                       TokenPolicy policy, std::size_t cache_entries)
    : ring_(ring),
      revocations_(revocations),
      policy_(std::move(policy)),
      cache_entries_(cache_entries),
      instance_(next_instance.fetch_add(1, std::memory_order_relaxed)) {}

TokenAuthenticator::~TokenAuthenticator() = default;

Result<PrincipalRef> TokenAuthenticator::authenticate(const Credentials& credentials, Time now) {
  const std::string_view bearer = credentials.bearer;
  if (bearer.size() > kTokenSizeMax) return invalid_token();
  TokenCache& cache = cache_of_this_thread();
  TokenCache::Entry* entry = cache.find(bearer);
  if (!entry) return verify(bearer, now, cache);
  if (now >= entry->principal->expires_at) {
    const Time expired_at = entry->principal->expires_at;
    TokenCache::forget(*entry);
    return expired_token(expired_at, now);
  }
  // Read before the look-up: what is revoked after this load makes the next request ask again.
  std::uint64_t epoch = revocations_.epoch();
  if (entry->epoch != epoch) [[unlikely]] {
    if (revocations_.stale()) return revocations_unknown();
    const bool revoked = revocations_.revoked(*entry->principal);
    if (revoked || !ring_.find(entry->kid, now)) {
      TokenCache::forget(*entry);
      return fail(revoked ? kTokenRevoked : kInvalidToken);
    }
    entry->epoch = epoch;
  }
  return entry->principal;
}

Result<PrincipalRef> TokenAuthenticator::verify(std::string_view bearer, Time now, TokenCache& cache) {
  std::uint64_t epoch = revocations_.epoch();
  verifications_.fetch_add(1, std::memory_order_relaxed);
  Result<TokenClaims> claims = verify_token(bearer, ring_, policy_, now);
  if (!claims) {
    if (claims.error().code() == kTokenNotYetValid.code) warn_of_clocks(now);
    return std::unexpected(std::move(claims.error()));
  }
  if (revocations_.stale()) return revocations_unknown();
  auto principal = std::make_shared<Principal>();
  principal->user = claims->user;
  principal->session = claims->session;
  principal->tenant = claims->tenant;
  principal->roles = std::move(claims->roles);
  principal->scopes = std::move(claims->scopes);
  principal->generation = claims->generation;
  principal->issued_at = claims->issued_at;
  principal->expires_at = claims->expires_at;
  if (revocations_.revoked(*principal)) return fail(kTokenRevoked);
  cache.put(bearer, claims->kid, principal, epoch);
  return principal;
}

// A client sends such a token again and again: the log gets one line a minute.
void TokenAuthenticator::warn_of_clocks(Time now) {
  const std::int64_t minute = std::chrono::floor<std::chrono::minutes>(now).time_since_epoch().count();
  if (warned_in_minute_.exchange(minute, std::memory_order_relaxed) == minute) return;
  log_warn("an access token of another server was refused because its time has not come: the clocks differ");
}

TokenCache& TokenAuthenticator::cache_of_this_thread() {
  if (last_used.instance == instance_) [[likely]]
    return *last_used.cache;
  thread_local std::vector<LastUsed>
      known;  // of every authenticator that this thread has met: one, tests aside
  for (const LastUsed& one : known) {
    if (one.instance != instance_) continue;
    last_used = one;
    return *one.cache;
  }
  std::lock_guard lock(mutex_);
  caches_.push_back(std::make_unique<TokenCache>(cache_entries_));
  last_used = {instance_, caches_.back().get()};
  known.push_back(last_used);
  return *last_used.cache;
}

}  // namespace bedplate::auth
