// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/pending_invalidations.h"

#include <utility>

#include "bedplate/base/log.h"

namespace bedplate::cache {

void PendingInvalidations::add(std::string_view key) {
  std::lock_guard lock(mutex_);
  const std::uint64_t number = ++last_;
  auto [known, is_new] = numbers_.try_emplace(std::string(key), number);
  if (!is_new) waiting_.erase(std::exchange(known->second, number));
  waiting_.emplace(number, key);
  if (numbers_.size() > keys_max_ && !waiting_.empty()) {
    numbers_.erase(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    if (forgotten_.fetch_add(1, std::memory_order_relaxed) == 0)
      log_warn(
          "Redis is away, and more was erased meanwhile than is remembered: old values may come back with "
          "it");
  }
  pending_.store(numbers_.size(), std::memory_order_release);
}

bool PendingInvalidations::finds(std::string_view key) const {
  std::lock_guard lock(mutex_);
  return numbers_.contains(std::string(key));
}

std::optional<PendingInvalidation> PendingInvalidations::next() {
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  auto oldest = waiting_.extract(waiting_.begin());
  return PendingInvalidation{std::move(oldest.mapped()), oldest.key()};
}

void PendingInvalidations::settle(const PendingInvalidation& repeated, bool done) {
  std::lock_guard lock(mutex_);
  const auto known = numbers_.find(repeated.key);
  if (known == numbers_.end() || known->second != repeated.number) return;
  if (done)
    numbers_.erase(known);
  else
    waiting_.emplace(repeated.number, repeated.key);
  pending_.store(numbers_.size(), std::memory_order_release);
}

}  // namespace bedplate::cache
