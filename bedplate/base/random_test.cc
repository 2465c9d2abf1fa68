// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <unordered_set>

namespace bedplate {
namespace {

TEST(Random, FillsEveryByte) {
  // A byte that stays zero in 64 rounds would be chance once in 2^512.
  std::array<std::uint8_t, 1000> seen{};
  for (int round = 0; round < 64; ++round) {
    std::array<std::uint8_t, 1000> bytes{};
    random_bytes(bytes.data(), bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) seen[i] |= bytes[i];
  }
  for (const std::uint8_t byte : seen) EXPECT_NE(byte, 0);
  random_bytes(nullptr, 0);
}

TEST(Random, WordsDifferAndAreBalanced) {
  std::unordered_set<std::uint64_t> seen;
  int bits = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t word = random_u64();
    bits += std::popcount(word);
    EXPECT_TRUE(seen.insert(word).second);
  }
  EXPECT_NEAR(bits, 320'000, 4'000);  // ten standard deviations
}

}  // namespace
}  // namespace bedplate
