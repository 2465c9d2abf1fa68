// SPDX-License-Identifier: Apache-2.0
// Hashes for maps whose keys come from outside: keyed, so that nobody can aim at one bucket.
//
//   std::unordered_map<std::string, Entry, KeyedStringHash, std::equal_to<>> entries;
//   entries.find(std::string_view(header));   // no temporary string
//
// SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) under a key that each process
// makes anew, so values must not be stored. Not a cryptographic hash of content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bedplate {

struct HashKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

/// The key of this process: random, made at first use. Thread-safe.
const HashKey& process_hash_key();

/// SipHash-1-3 of the bytes.
std::uint64_t keyed_hash(std::string_view bytes, const HashKey& key);
inline std::uint64_t keyed_hash(std::string_view bytes) {
  return keyed_hash(bytes, process_hash_key());
}

/// SipHash-2-4: the standard form, for other programs to agree with.
std::uint64_t siphash24(std::string_view bytes, const HashKey& key);

struct KeyedStringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return static_cast<std::size_t>(keyed_hash(text));
  }
};

}  // namespace bedplate
