// SPDX-License-Identifier: Apache-2.0
// Undoing a move that has not switched: the source serves the bucket as before, and what had arrived at the target goes
// when it can be reached. For Mover, which says when (mover.h, "Cancelling").
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "extras/sharding/bucket_rows.h"
#include "extras/sharding/mover.h"

namespace bedplate::sharding {

/// Each part may be repeated, by another process too. What it is given outlives it.
class MoveUndo final : private Pulse {
 public:
  MoveUndo(ShardedDatabase& shards, const std::vector<std::string>& tables, const MoverOptions& options,
           Move move)
      : shards_(shards), tables_(tables), options_(options), move_(std::move(move)) {}

  /// Gives the bucket back to its source and ends the move, which leaves a note of its target in the directory.
  Async<void> at_source();
  /// Deletes what the note speaks of, and the note.
  Async<void> at_target();

 private:
  Async<BucketSide> side(const std::string& name) const;
  Async<void> beat() override;
  Result<void> done(MoveStep step) const {
    return options_.after_step ? options_.after_step(step) : Result<void>();
  }
  BucketCopy copy() { return {source_, target_, move_, options_.page_rows, *this}; }

  ShardedDatabase& shards_;
  const std::vector<std::string>& tables_;
  const MoverOptions& options_;
  const Move move_;
  BucketSide source_;
  BucketSide target_;
};

}  // namespace bedplate::sharding
