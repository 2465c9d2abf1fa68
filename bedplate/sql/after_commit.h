// SPDX-License-Identifier: Apache-2.0
// What a transaction wants done once it has committed, and not otherwise: taking entries out of a cache, waking
// somebody.
//
//   tx.after_commit(std::make_unique<Invalidate>(cache, key));
//
// Actions run on the loop of whoever called transact(), after the commit is durable and before that call returns, in
// the order in which they were asked for, also when the caller has been cancelled meanwhile. A transaction that runs
// again begins without any; one that rolls back drops them. When nobody knows whether it committed, because the
// connection broke in COMMIT (`commit_unknown`), they run: so each does no harm where nothing has changed.
//
// They are not durable: a process that dies between the commit and its actions never runs them, so what must happen is
// a row in the transaction, and what is done here is bounded by something else (a time to live).
#pragma once

#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"

namespace bedplate::sql {

class CommitAction {
 public:
  virtual ~CommitAction() = default;
  /// Its failure is its own affair: the commit stands, and the caller hears of nothing else.
  virtual Async<void> after_commit() = 0;
};

/// The list that goes with one call of transact().
class CommitActions {
 public:
  void add(std::unique_ptr<CommitAction> action) { actions_.push_back(std::move(action)); }
  void clear() { actions_.clear(); }
  bool empty() const { return actions_.empty(); }

  Async<void> run() {
    for (std::unique_ptr<CommitAction>& action : actions_) std::ignore = co_await action->after_commit();
  }

 private:
  std::vector<std::unique_ptr<CommitAction>> actions_;
};

}  // namespace bedplate::sql
