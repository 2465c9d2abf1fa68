// SPDX-License-Identifier: Apache-2.0
// HookedDatabase: the database as a procedure or an admin command gets it. Every transaction that it begins runs the
// commit hooks before it commits, and leaves word of how far the commits have come.
//
//   HookedDatabase database(host.database(), hooks, "admin.grant", caller);
//   co_await ok(administration.grant(database, email, "admin"));        // each of its transactions is audited
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/execution/commit_hook.h"
#include "bedplate/sql/database.h"

namespace bedplate::api {

/// The user whom a call is for: the caller, or on whose behalf it acts. Nothing: anonymous, or the program itself.
std::optional<Uuid> user_of(const Caller& caller);

/// Of one call. Everything it is given outlives it.
class HookedDatabase final : public sql::Database {
 public:
  /// Transactions are of `commit`, whose output is never there.
  HookedDatabase(sql::Database& database, std::span<CommitHook* const> hooks, const Commit& commit,
                 const Clock* clock = nullptr)
      : database_(database), hooks_(hooks), commit_(commit), clock_(clock) {}

  Async<void> transact(const sql::CallContext& context, sql::TransactionBody& body) override;
  Async<void> read(const sql::CallContext& context, sql::ReadBody& body) override {
    return database_.read(context, body);
  }
  std::vector<std::string> replicas() const override { return database_.replicas(); }
  Async<void> ask_replica(std::size_t index) override { return database_.ask_replica(index); }
  sql::Announcements& announcements() override { return database_.announcements(); }
  sql::Dialect dialect() const override { return database_.dialect(); }
  sql::DatabaseStats stats() const override { return database_.stats(); }
  std::vector<sql::StatementStats> statement_stats() const override { return database_.statement_stats(); }
  Result<std::unique_ptr<sql::Maintenance>> maintenance() override { return database_.maintenance(); }
  void close() override {}  // its owner's business

  /// Where the newest commit stands.
  const sql::CommitPosition& newest() const { return newest_; }

 private:
  sql::Database& database_;
  const std::span<CommitHook* const> hooks_;
  const Commit& commit_;
  const Clock* const clock_;
  sql::CommitPosition newest_;
};

}  // namespace bedplate::api
