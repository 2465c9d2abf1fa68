// SPDX-License-Identifier: Apache-2.0
// What takes part in the commit of every command beside the command itself: an audit entry, an outbox row. `main`
// plugs hooks in (Rest::Parts::commit_hooks).
#pragma once

#include <span>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/operations/operation.h"

namespace bedplate::sql {
class Transaction;
}

namespace bedplate::api {

class CommitHook {
 public:
  virtual ~CommitHook() = default;
  /// Runs in the command's transaction, after the command has succeeded; an error rolls everything back, unless it
  /// keeps writes. Awaits nothing but the transaction, and may run more than once for one commit. Shared by all
  /// threads. `input` and `output` are of the operation's types, null where it has none.
  virtual Async<void> before_commit(const Operation& operation, const Caller& caller,
                                    sql::Transaction& transaction, const void* input, const void* output) = 0;
  /// Its own failures, for the documents of every command: those of the database are there already. They outlive it.
  virtual std::span<const ErrorCode> errors() const { return {}; }
};

/// Of all of them.
std::vector<ErrorCode> errors_of(std::span<CommitHook* const> hooks);

}  // namespace bedplate::api
