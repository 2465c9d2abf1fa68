// SPDX-License-Identifier: Apache-2.0
// Which shard should own which bucket: an even share each, with as few buckets moved as that allows.
//
//   std::vector<PlannedMove> moves = plan_moves(owners, {"a", "b", "c"});   // c has just joined
//
// N shards get floor(B/N) or ceil(B/N) of B buckets. When one joins, exactly its own share moves, all of it to the new
// shard; when one leaves, exactly what it had moves. No shard has more than 1 + N/B times the mean: 1.06 with 1000
// shards of 16384 buckets. (`./dev bench sharding` shows both, beside
// consistent hashing with 100 points a shard, which comes to 1.2 to 1.5 times the mean and moves up to a third more.)
#pragma once

#include <span>
#include <string>
#include <vector>

#include "extras/sharding/key.h"

namespace bedplate::sharding {

struct PlannedMove {
  Bucket bucket = 0;
  std::string from;  ///< empty: nobody owns it yet
  std::string to;
};

/// `owners[bucket]` is the name of the shard that owns it now, or empty. `shards` are those that shall own all of it:
/// at least one, names unique. In the order of buckets; the same input gives the same plan.
std::vector<PlannedMove> plan_moves(std::span<const std::string> owners, std::vector<std::string> shards);

}  // namespace bedplate::sharding
