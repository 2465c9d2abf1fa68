// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/key.h"

#include <bit>

#include "bedplate/base/hash.h"

namespace bedplate::sharding {
namespace {

// "bedplate shards." Changing it would put every row in another bucket.
constexpr HashKey kPlacement{.first = 0x6574'616c'7064'6562, .second = 0x2e73'6472'6168'7320};

}  // namespace

ShardKey::ShardKey(std::string_view text) : hash_(siphash24(text, kPlacement)) {}

ShardKey::ShardKey(const Uuid& id)
    : ShardKey(std::string_view(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size())) {}

Bucket ShardKey::bucket(std::int64_t buckets) const {
  const int bits = std::countr_zero(static_cast<std::uint64_t>(buckets));
  return static_cast<Bucket>(hash_ >> (64 - bits));
}

}  // namespace bedplate::sharding
