// SPDX-License-Identifier: Apache-2.0
// Verified tokens of one thread: a table of fixed size, four entries a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/auth/principal.h"

namespace bedplate::auth {

/// Not thread-safe: each thread has its own.
///
/// The row is chosen by bytes of the signature, which nobody but the holder of the signing key can choose; a
/// made-up token can meet a full row, but only verified ones ever take a place in it.
class TokenCache {
 public:
  struct Entry {
    std::string token;
    std::string kid;
    PrincipalRef principal;
    std::uint64_t epoch = 0;  ///< The revocation epoch at which it was last found good.
    std::uint64_t used = 0;
  };

  explicit TokenCache(std::size_t entries);

  /// The entry whose token is this one, byte for byte; null: never seen, or forgotten.
  Entry* find(std::string_view token);
  /// Takes a free place or that of the least recently used of its row.
  void put(std::string_view token, std::string_view kid, PrincipalRef principal, std::uint64_t epoch);
  static void forget(Entry& entry);

 private:
  static constexpr std::size_t kWays = 4;

  Entry* row_of(std::string_view token);

  std::vector<Entry> entries_;
  std::size_t row_mask_;
  std::uint64_t clock_ = 0;
};

}  // namespace bedplate::auth
