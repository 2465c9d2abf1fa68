// SPDX-License-Identifier: Apache-2.0
// Ghosts: which keys left a cache's small queue a short while ago, by fingerprint.
//
// Sixteen bytes for each key remembered. Four fingerprints share a line, and the oldest makes room; how long
// ago is counted in keys remembered since. One key in some thousands is taken for another: it enters the main queue
// undeserved, and leaves it soon. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bedplate::cache {

class Ghosts {
 public:
  /// Room for `places`, a power of two, at least 4.
  explicit Ghosts(std::size_t places) : lines_(places / kWays) {}

  void remember(std::uint64_t hash) {
    Line& line = line_of(fingerprint(hash));
    *std::ranges::min_element(line, {}, [](const Ghost& ghost) { return ghost.time; }) = {fingerprint(hash),
                                                                                          ++clock_};
  }

  /// Whether `hash` is among the last `reach` remembered; it is no longer after this.
  bool take(std::uint64_t hash, std::size_t reach) {
    for (Ghost& ghost : line_of(fingerprint(hash))) {
      if (ghost.time == 0 || ghost.fingerprint != fingerprint(hash)) continue;
      const bool recent = clock_ - ghost.time < reach;
      ghost = Ghost();
      return recent;
    }
    return false;
  }

  void grow(std::size_t places) {
    std::vector<Line> old(places / kWays);
    old.swap(lines_);
    for (const Line& line : old)
      for (const Ghost& ghost : line) keep(ghost);
  }

 private:
  static constexpr std::size_t kWays = 4;
  struct Ghost {
    std::uint32_t fingerprint = 0;
    std::uint64_t time = 0;  ///< zero: none
  };
  using Line = std::array<Ghost, kWays>;

  // Not the bits that choose the shard (the top ones), nor only those that choose a slot.
  static std::uint32_t fingerprint(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 12); }
  Line& line_of(std::uint32_t fingerprint) { return lines_[fingerprint & (lines_.size() - 1)]; }

  void keep(const Ghost& ghost) {
    if (ghost.time == 0) return;
    for (Ghost& place : line_of(ghost.fingerprint)) {
      if (place.time != 0) continue;
      place = ghost;
      return;
    }
  }

  std::vector<Line> lines_;
  std::uint64_t clock_ = 0;
};

}  // namespace bedplate::cache
