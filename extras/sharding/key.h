// SPDX-License-Identifier: Apache-2.0
// Keys and buckets: which of a fixed number of virtual buckets a key belongs to.
//
//   ShardKey key(order.customer);                 // a Uuid or Id, or text
//   Bucket bucket = key.bucket(16384);            // the same in every process, for ever
//
// The bucket is the upper bits of SipHash-2-4 of the key's bytes under a key that is fixed here: it spreads evenly, and
// is part of the data's format. (Not a secret: somebody who chooses keys can aim at a bucket. Let the server make ids.)
// The number of buckets is fixed when the directory is made: it bounds how many shards there can ever be, since a
// shard owns whole buckets.
//
// Choose as the key what commands never cross: the user, the customer, the tenant. Everything that a command touches
// has one key, and every sharded table has a column `bucket` that holds its row's.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "bedplate/base/id.h"

namespace bedplate::sharding {

using Bucket = std::int64_t;

inline constexpr std::int64_t kBucketsMin = 16;
inline constexpr std::int64_t kBucketsMax = 65536;
/// Up to 1000 shards, none more than a tenth fuller than the mean.
inline constexpr std::int64_t kBucketsDefault = 16384;

class ShardKey {
 public:
  ShardKey(std::string_view text);
  ShardKey(const char* text) : ShardKey(std::string_view(text)) {}
  ShardKey(const Uuid& id);

  /// `buckets` is a power of two between kBucketsMin and kBucketsMax.
  Bucket bucket(std::int64_t buckets) const;
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_;
};

/// The keys that a command touches: mostly one.
class ShardKeys {
 public:
  ShardKeys(const ShardKey& key) : keys_(1, key) {}
  ShardKeys(std::string_view text) : ShardKeys(ShardKey(text)) {}
  ShardKeys(const char* text) : ShardKeys(ShardKey(text)) {}
  ShardKeys(const Uuid& id) : ShardKeys(ShardKey(id)) {}
  /// At least one.
  ShardKeys(std::vector<ShardKey> keys) : keys_(std::move(keys)) {}

  const std::vector<ShardKey>& list() const { return keys_; }

 private:
  std::vector<ShardKey> keys_;
};

}  // namespace bedplate::sharding
