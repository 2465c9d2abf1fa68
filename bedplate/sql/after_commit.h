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

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/sql/announcements.h"

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
  explicit CommitActions(Announcements& announcements) : announcements_(announcements) {}
  void add(std::unique_ptr<CommitAction> action) { actions_.push_back(std::move(action)); }
  /// Each topic once, however often it is asked for.
  void announce(std::string_view topic) {
    if (std::ranges::find(topics_, topic) == topics_.end()) topics_.emplace_back(topic);
  }
  void clear() {
    actions_.clear();
    topics_.clear();
  }
  bool empty() const { return actions_.empty() && topics_.empty(); }

  Async<void> run() {
    for (const std::string& topic : topics_) announcements_.announce(topic);
    for (std::unique_ptr<CommitAction>& action : actions_) std::ignore = co_await action->after_commit();
  }

 private:
  Announcements& announcements_;
  std::vector<std::unique_ptr<CommitAction>> actions_;
  std::vector<std::string> topics_;
};

}  // namespace bedplate::sql
