// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/revocations.h"

#include <algorithm>

namespace bedplate::auth {

void Revocations::revoke_session(SessionId session, Time until, Time now) {
  if (until <= now) return;
  std::lock_guard lock(mutex_);
  make_room(now);
  auto [entry, added] = sessions_.try_emplace(session, until);
  if (!added && entry->second >= until) return;
  entry->second = until;
  if (added) epoch_.fetch_add(1, std::memory_order_release);
}

void Revocations::revoke_user(UserId user, std::int64_t generation, Time until, Time now) {
  if (until <= now) return;
  std::lock_guard lock(mutex_);
  make_room(now);
  auto [entry, added] = users_.try_emplace(user, UserEntry{generation, until});
  if (!added) {
    if (entry->second.generation >= generation) return;
    entry->second.generation = generation;
    entry->second.until = std::max(entry->second.until, until);
  }
  epoch_.fetch_add(1, std::memory_order_release);
}

void Revocations::bump() {
  epoch_.fetch_add(1, std::memory_order_release);
}

// The epoch moves after: a reader that sees the new epoch sees the flag too.
void Revocations::mark_stale() {
  if (!stale_.exchange(true)) bump();
}

bool Revocations::revoked(const Principal& principal) const {
  std::lock_guard lock(mutex_);
  if (principal.issued_at < refused_before_) return true;
  if (sessions_.contains(principal.session)) return true;
  auto user = users_.find(principal.user);
  return user != users_.end() && principal.generation < user->second.generation;
}

std::size_t Revocations::size() const {
  std::lock_guard lock(mutex_);
  return sessions_.size() + users_.size();
}

// Under the lock. Forgets what has run out, but only when the bound is near: a sweep costs the whole map.
void Revocations::make_room(Time now) {
  if (sessions_.size() + users_.size() < entries_max_) return;
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second <= now; });
  std::erase_if(users_, [&](const auto& entry) { return entry.second.until <= now; });
  if (sessions_.size() + users_.size() < entries_max_ - entries_max_ / 4) return;
  sessions_.clear();
  users_.clear();
  // Tokens carry whole seconds: one that is issued within this second counts as older than the flood.
  refused_before_ = std::chrono::floor<std::chrono::seconds>(now) + std::chrono::seconds(1);
  epoch_.fetch_add(1, std::memory_order_release);
}

}  // namespace bedplate::auth
