// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/token_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace bedplate::auth {
namespace {

// A token ends in 86 characters of signature. 16 from their middle hold 96 bits as good as random; too short
// for that is too short to be a token.
constexpr std::size_t kHashedBytes = 16;
constexpr std::size_t kHashedFromEnd = 64;

std::uint64_t hash_of(std::string_view token) {
  std::uint64_t words[2];
  static_assert(sizeof(words) == kHashedBytes);
  std::memcpy(words, token.data() + token.size() - kHashedFromEnd, sizeof(words));
  std::uint64_t mixed = (words[0] ^ std::rotl(words[1], 29)) * 0x9E37'79B9'7F4A'7C15u;
  return mixed ^ (mixed >> 32);
}

}  // namespace

TokenCache::TokenCache(std::size_t entries)
    : entries_(std::bit_ceil(std::max(entries, kWays))), row_mask_(entries_.size() / kWays - 1) {}

TokenCache::Entry* TokenCache::row_of(std::string_view token) {
  return &entries_[(hash_of(token) & row_mask_) * kWays];
}

TokenCache::Entry* TokenCache::find(std::string_view token) {
  if (token.size() < kHashedFromEnd) return nullptr;
  Entry* row = row_of(token);
  for (Entry* entry = row; entry != row + kWays; ++entry) {
    if (entry->token != token) continue;
    entry->used = ++clock_;
    return entry;
  }
  return nullptr;
}

void TokenCache::put(std::string_view token, std::string_view kid, PrincipalRef principal,
                     std::uint64_t epoch) {
  if (token.size() < kHashedFromEnd) return;
  Entry* row = row_of(token);
  Entry* place =
      std::min_element(row, row + kWays, [](const Entry& a, const Entry& b) { return a.used < b.used; });
  place->token.assign(token);
  place->kid.assign(kid);
  place->principal = std::move(principal);
  place->epoch = epoch;
  place->used = ++clock_;
}

void TokenCache::forget(Entry& entry) {
  entry.token.clear();
  entry.principal.reset();
  entry.used = 0;
}

}  // namespace bedplate::auth
