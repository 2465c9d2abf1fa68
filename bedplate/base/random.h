// SPDX-License-Identifier: Apache-2.0
// Random bytes from the operating system's generator. Good for secrets; safe from any thread.
//
//   std::array<std::uint8_t, 32> key;
//   random_bytes(key.data(), key.size());
//
// There is no seedable generator here on purpose: a test that needs repeatable numbers makes its own
// std::mt19937_64.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bedplate {

/// Fills `out` by getrandom(2). The process ends if the system has no generator: nothing could be trusted
/// after that.
void random_bytes(void* out, std::size_t size);

/// 64 random bits from a block that each thread fetches ahead (about 2 ns a call); as unpredictable as
/// random_bytes(). Not for a child after fork(): it would share its parent's block.
std::uint64_t random_u64();

}  // namespace bedplate
