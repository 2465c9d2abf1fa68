// SPDX-License-Identifier: Apache-2.0
#include "bedplate/execution/commit_hook.h"

#include <utility>

namespace bedplate::api {

std::vector<ErrorCode> errors_of(std::span<CommitHook* const> hooks) {
  std::vector<ErrorCode> errors;
  for (const CommitHook* hook : hooks)
    for (const ErrorCode& error : hook->errors()) errors.push_back(error);
  return errors;
}

Async<void> run_hooks(std::span<CommitHook* const> hooks, Commit& commit, sql::Transaction& transaction,
                      Result<void> done) {
  commit.refused = done ? nullptr : &done.error();
  for (CommitHook* hook : hooks) {
    // What fails and keeps nothing is rolled back: nobody needs to see it.
    if (!done && !done.error().keeps_writes()) break;
    if (!done && !hook->sees_refusals()) continue;
    Result<void> hooked = co_await hook->before_commit(commit, transaction);
    if (hooked) continue;
    done = std::move(hooked);
    break;
  }
  if (!done) co_await std::unexpected(std::move(done.error()));
}

}  // namespace bedplate::api
