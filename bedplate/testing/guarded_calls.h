// SPDX-License-Identifier: Apache-2.0
// GuardedCalls: runs operations of a TestApp's program while a QueryGuard watches their statements.
//
//   seed(app.database(), kNotes, 6'000, {.owners = twenty_users});              // tables as large as in life
//   GuardedCalls calls(app, ann.id());
//   EXPECT_TRUE(calls.call<Note>("notes.find", api::Ref<Note>({.id = note.id})));
//   EXPECT_THAT(calls.findings(), IsEmpty());                                  // no statement reads a table to its end
//
// A call is made in the test's own thread, without HTTP, on behalf of the user and with every scope. Limits, commit
// hooks and the audit log are left out, so the guard sees the statements of operations alone. Let the user own a small
// part of each table: for one who owns a third of it, reading all of it may be the best plan.
//
// It has a database object of its own on the TestApp's database, and goes before that. One thread; not while calls over
// HTTP are running.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/auth/caller.h"
#include "bedplate/execution/executor.h"
#include "bedplate/operations/handle.h"
#include "bedplate/sql/database.h"
#include "bedplate/testing/query_guard.h"
#include "bedplate/testing/test_app.h"

namespace bedplate::testing {

class GuardedCalls {
 public:
  /// As `user`. Throws std::runtime_error when the database cannot be opened a second time.
  GuardedCalls(TestApp& app, auth::UserId user);
  GuardedCalls(const GuardedCalls&) = delete;
  GuardedCalls& operator=(const GuardedCalls&) = delete;
  ~GuardedCalls();

  /// By its name and the type of its answer, as User::call().
  template <class Out, class In>
  Result<Out> call(std::string_view name, const In& input) {
    const api::OperationHandle<In, Out> handle{name};
    return call(handle, input);
  }
  template <class In, class Out>
  Result<Out> call(const api::OperationHandle<In, Out>& handle, const In& input) {
    return run_to_end(loop_, executor_->call(handle, caller_, input));
  }
  template <class Out>
  Result<Out> call(std::string_view name) {
    const api::OperationHandle<void, Out> handle{name};
    return run_to_end(loop_, executor_->call(handle, caller_));
  }

  /// See QueryGuard::findings().
  std::vector<std::string> findings(std::int64_t large = QueryGuard::kLarge) {
    return guard_->findings(loop_, large);
  }
  /// For allow() and statements().
  QueryGuard& guard() { return *guard_; }

 private:
  Loop loop_;  // outlives the database
  std::unique_ptr<sql::Database> database_;
  std::unique_ptr<QueryGuard> guard_;
  std::unique_ptr<api::Executor> executor_;
  auth::Principal principal_;
  auth::Caller caller_;
};

}  // namespace bedplate::testing
