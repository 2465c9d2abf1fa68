// SPDX-License-Identifier: Apache-2.0
// Tokens that are refused before they expire: those of sessions that were ended, and those of users whose
// roles or standing have changed since.
//
// A process-wide epoch makes this cheap: every cached token remembers the epoch at which it was last looked
// up here, and is looked up again only when the epoch has moved. So the hot path is one atomic load, and a
// revocation counts on every loop from the moment revoke_...() returns.
//
// An entry is kept until the last token it concerns has expired (minutes). Memory is bounded all the same:
// past the bound, every token issued before now is refused instead, which makes clients refresh and costs
// nothing else.
//
// A reader that fills this from a table which other processes write calls mark_stale() when it could not read the table
// for too long. Until mark_current() all tokens are rejected, because the list of revoked ones is unknown.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "bedplate/auth/principal.h"

namespace bedplate::auth {

/// Thread-safe.
class Revocations {
 public:
  explicit Revocations(std::size_t entries_max = 200'000) : entries_max_(entries_max) {}

  /// One load. Moves whenever something was revoked that was not before.
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }

  /// Refuses the session's tokens until `until`, when the last of them has expired.
  void revoke_session(SessionId session, Time until, Time now);
  /// Refuses the user's tokens of a generation below `generation`.
  void revoke_user(UserId user, std::int64_t generation, Time until, Time now);
  /// Makes caches ask again, although nothing was revoked: a signing key was taken away.
  void bump();

  /// The list is stale: revocations by other processes do not arrive; or it is current again. Idempotent.
  void mark_stale();
  void mark_current() { stale_.store(false, std::memory_order_release); }
  bool stale() const { return stale_.load(std::memory_order_acquire); }

  bool revoked(const Principal& principal) const;
  std::size_t size() const;

 private:
  struct UserEntry {
    std::int64_t generation;
    Time until;
  };
  void make_room(Time now);

  const std::size_t entries_max_;
  std::atomic<std::uint64_t> epoch_{1};
  std::atomic<bool> stale_{false};
  mutable std::mutex mutex_;
  std::unordered_map<SessionId, Time> sessions_;
  std::unordered_map<UserId, UserEntry> users_;
  Time refused_before_ = Time::min();  ///< Tokens issued earlier are refused: the bound was reached.
};

}  // namespace bedplate::auth
