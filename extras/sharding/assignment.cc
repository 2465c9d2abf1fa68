// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/assignment.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

namespace bedplate::sharding {
namespace {

struct Share {
  std::string name;
  std::size_t owned = 0;
  std::size_t due = 0;
};

// Who has the most gets the larger shares: then the fewest buckets move.
std::vector<Share> shares_of(const std::vector<std::string>& shards,
                             const std::unordered_map<std::string, std::size_t>& owned, std::size_t buckets) {
  std::vector<Share> shares;
  for (const std::string& name : shards) {
    const auto found = owned.find(name);
    shares.push_back({.name = name, .owned = found == owned.end() ? 0 : found->second});
  }
  std::ranges::sort(shares, [](const Share& a, const Share& b) {
    return a.owned != b.owned ? a.owned > b.owned : a.name < b.name;
  });
  const std::size_t least = buckets / shares.size();
  const std::size_t larger = buckets % shares.size();
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i].due = least + (i < larger ? 1 : 0);
  return shares;
}

}  // namespace

std::vector<PlannedMove> plan_moves(std::span<const std::string> owners, std::vector<std::string> shards) {
  std::unordered_map<std::string, std::size_t> owned;
  for (const std::string& name : owners) ++owned[name];
  std::vector<Share> shares = shares_of(shards, owned, owners.size());

  std::unordered_map<std::string, std::size_t> keeps;
  for (const Share& share : shares) keeps[share.name] = std::min(share.owned, share.due);
  std::vector<PlannedMove> moves;
  std::size_t receiver = 0;
  for (std::size_t bucket = 0; bucket < owners.size(); ++bucket) {
    const auto keeper = keeps.find(owners[bucket]);
    if (keeper != keeps.end() && keeper->second > 0) {
      --keeper->second;
      continue;
    }
    while (shares[receiver].owned >= shares[receiver].due) ++receiver;
    ++shares[receiver].owned;
    moves.push_back(
        {.bucket = static_cast<Bucket>(bucket), .from = owners[bucket], .to = shares[receiver].name});
  }
  return moves;
}

}  // namespace bedplate::sharding
