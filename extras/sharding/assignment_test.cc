// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/assignment.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace bedplate::sharding {
namespace {

std::vector<std::string> names(int count) {
  std::vector<std::string> list;
  for (int i = 0; i < count; ++i) list.push_back("shard" + std::to_string(i));
  return list;
}

void carry_out(std::vector<std::string>& owners, const std::vector<PlannedMove>& moves) {
  for (const PlannedMove& move : moves) owners[static_cast<std::size_t>(move.bucket)] = move.to;
}

std::map<std::string, std::size_t> counts(const std::vector<std::string>& owners) {
  std::map<std::string, std::size_t> count;
  for (const std::string& owner : owners) ++count[owner];
  return count;
}

RC_GTEST_PROP(Assignment, IsEvenAndMovesNoMoreThanItMust, ()) {
  const int buckets = *rc::gen::element(16, 256, 1024);
  std::vector<std::string> owners(static_cast<std::size_t>(buckets));
  const int changes = *rc::gen::inRange(1, 6);
  for (int i = 0; i < changes; ++i) {
    const auto shards =
        *rc::gen::suchThat(rc::gen::unique<std::vector<std::string>>(rc::gen::elementOf(names(20))),
                           [](const auto& list) { return !list.empty(); });
    auto before = counts(owners);
    const std::vector<PlannedMove> moves = plan_moves(owners, shards);
    for (const PlannedMove& move : moves) {
      RC_ASSERT(owners[static_cast<std::size_t>(move.bucket)] == move.from);
      RC_ASSERT(move.from != move.to);
    }
    carry_out(owners, moves);
    const auto after = counts(owners);
    const std::size_t least = static_cast<std::size_t>(buckets) / shards.size();
    std::size_t gained = 0;
    for (const auto& [name, count] : after) {
      RC_ASSERT(std::ranges::find(shards, name) != shards.end());
      RC_ASSERT(count >= least && count <= least + 1);
      gained += count > before[name] ? count - before[name] : 0;
    }
    RC_ASSERT(moves.size() ==
              gained);  // no bucket moves between two shards that both stay as full as they were
    RC_ASSERT(plan_moves(owners, shards).empty());
  }
}

TEST(Assignment, MovesExactlyTheShareOfAShardThatJoins) {
  std::vector<std::string> owners(16384);
  carry_out(owners, plan_moves(owners, names(9)));
  const std::vector<PlannedMove> moves = plan_moves(owners, names(10));
  EXPECT_EQ(moves.size(), 16384u / 10);
  for (const PlannedMove& move : moves) EXPECT_EQ(move.to, "shard9");
}

TEST(Keys, HaveTheSameBucketForEver) {
  EXPECT_EQ(ShardKey("ada").bucket(16384), 4134);
  EXPECT_EQ(ShardKey(*Uuid::parse("018f0000-0000-7000-8000-000000000001")).bucket(16384), 13849);
  for (const std::int64_t buckets : {16, 65536}) {
    std::set<Bucket> seen;
    for (int i = 0; i < 1000; ++i) {
      const Bucket bucket = ShardKey(std::to_string(i)).bucket(buckets);
      EXPECT_GE(bucket, 0);
      EXPECT_LT(bucket, buckets);
      seen.insert(bucket);
    }
    EXPECT_GE(seen.size(), buckets == 16 ? 16u : 980u);
  }
}

}  // namespace
}  // namespace bedplate::sharding
