// SPDX-License-Identifier: Apache-2.0
// CommitHook: what takes part in the commit of every operation beside the operation itself: an audit entry, an outbox
// row, the completion of a job. `main` plugs hooks in (Executor::Parts::commit_hooks).
//
//   class Audit final : public CommitHook {
//     Async<void> before_commit(const Commit& commit, sql::Transaction& tx) override {
//       co_await ok(tx.run("INSERT INTO audit_log (operation) VALUES ($1)", commit.name));
//     }
//   };
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/operations/operation.h"

namespace bedplate::sql {
class Transaction;
}

namespace bedplate::api {

/// A transaction that is about to commit, as its hooks see it. Borrowed for the hook's run.
struct Commit {
  Commit(std::string_view of, const Caller& who) : name(of), caller(who) {}

  std::string_view name;  ///< of the operation, "tasks.create", or of an admin command, "admin.grant"
  const Caller& caller;
  const Operation* operation = nullptr;  ///< null: an admin command
  const void* input = nullptr;           ///< of the operation's type; null where it has none
  const void* output = nullptr;  ///< the same; null too in the transactions of a procedure, which goes on
  const Extra* extra = nullptr;  ///< what the call handed over beside it (operations/parameters.h)
  /// The operation failed and keeps its writes (refuse_and_commit()). Null: it succeeded.
  const Error* refused = nullptr;
};

class CommitHook {
 public:
  virtual ~CommitHook() = default;
  /// Runs in the transaction, after the operation's own work; an error rolls everything back, unless it keeps writes.
  /// Awaits nothing but the transaction, and may run more than once for one commit. Shared by all threads.
  virtual Async<void> before_commit(const Commit& commit, sql::Transaction& transaction) = 0;
  /// Whether it also runs for a transaction whose operation failed and keeps its writes.
  virtual bool sees_refusals() const { return false; }
  /// Its own failures, for the documents of every command: those of the database are there already. They outlive it.
  virtual std::span<const ErrorCode> errors() const { return {}; }
};

/// Of all of them.
std::vector<ErrorCode> errors_of(std::span<CommitHook* const> hooks);

/// Runs the hooks of a transaction whose work ended with `done`, and says how the transaction ends: as `done`, or with
/// the first hook's failure. All that it refers to outlives it.
Async<void> run_hooks(std::span<CommitHook* const> hooks, Commit& commit, sql::Transaction& transaction,
                      Result<void> done);

}  // namespace bedplate::api
