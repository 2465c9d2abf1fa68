// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/hash.h"

#include <bit>
#include <cstring>

#include "bedplate/base/random.h"

namespace bedplate {

namespace {

static_assert(std::endian::native == std::endian::little, "load words byte by byte on a big-endian machine");

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  explicit SipState(const HashKey& key)
      : v0(key.first ^ 0x736f6d6570736575U),
        v1(key.second ^ 0x646f72616e646f6dU),
        v2(key.first ^ 0x6c7967656e657261U),
        v3(key.second ^ 0x7465646279746573U) {}

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
};

template <int kWordRounds, int kFinalRounds>
std::uint64_t siphash(std::string_view bytes, const HashKey& key) {
  SipState state(key);
  auto absorb = [&state](std::uint64_t word) {
    state.v3 ^= word;
    for (int i = 0; i < kWordRounds; ++i) state.round();
    state.v0 ^= word;
  };
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    absorb(word);
  }
  std::uint64_t last = 0;
  if (left != 0) std::memcpy(&last, p, left);
  absorb(last | static_cast<std::uint64_t>(bytes.size()) << 56);
  state.v2 ^= 0xff;
  for (int i = 0; i < kFinalRounds; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace

const HashKey& process_hash_key() {
  static const HashKey key = [] {
    HashKey made;
    random_bytes(&made, sizeof made);
    return made;
  }();
  return key;
}

std::uint64_t keyed_hash(std::string_view bytes, const HashKey& key) {
  return siphash<1, 3>(bytes, key);
}

std::uint64_t siphash24(std::string_view bytes, const HashKey& key) {
  return siphash<2, 4>(bytes, key);
}

}  // namespace bedplate
