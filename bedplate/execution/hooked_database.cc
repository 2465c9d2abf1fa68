// SPDX-License-Identifier: Apache-2.0
#include "bedplate/execution/hooked_database.h"

#include <algorithm>
#include <utility>

namespace bedplate::api {
namespace {

class HookedBody final : public sql::TransactionBody {
 public:
  HookedBody(sql::TransactionBody& body, std::span<CommitHook* const> hooks, const Commit& commit)
      : body_(body), hooks_(hooks), commit_(commit) {}

  Async<void> run(sql::Transaction& transaction) override {
    Result<void> done = co_await body_.run(transaction);
    co_await ok(run_hooks(hooks_, commit_, transaction, std::move(done)));
  }

 private:
  sql::TransactionBody& body_;
  const std::span<CommitHook* const> hooks_;
  Commit commit_;
};

}  // namespace

std::optional<Uuid> user_of(const Caller& caller) {
  if (!caller.principal) return std::nullopt;
  if (caller.principal->act) return *caller.principal->act;
  if (caller.principal->kind == auth::PrincipalKind::system) return std::nullopt;
  return caller.principal->user;
}

Async<void> HookedDatabase::transact(const sql::CallContext& context, sql::TransactionBody& body) {
  sql::CallContext marked = context;
  if (!marked.user) marked.user = user_of(commit_.caller);
  if (!marked.clock) marked.clock = clock_;
  sql::CommitPosition committed;
  marked.committed = &committed;
  HookedBody hooked(body, hooks_, commit_);
  sql::TransactionBody& given = hooks_.empty() ? body : hooked;
  Result<void> done = co_await database_.transact(marked, given);
  newest_ = std::max(newest_, committed);
  if (context.committed && !committed.empty()) *context.committed = committed;
  if (!done) co_await std::unexpected(std::move(done.error()));
}

}  // namespace bedplate::api
