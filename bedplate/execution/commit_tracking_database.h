// SPDX-License-Identifier: Apache-2.0
// CommitTrackingDatabase: the database that a procedure is given. It records how far the procedure's commits have come,
// for the client to be told (sql::CommitPosition). Private header.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "bedplate/sql/database.h"

namespace bedplate::api {

class CommitTrackingDatabase final : public sql::Database {
 public:
  /// `database` and `newest` outlive it.
  CommitTrackingDatabase(sql::Database& database, sql::CommitPosition& newest)
      : database_(database), newest_(newest) {}

  Async<void> transact(const sql::CallContext& context, sql::TransactionBody& body) override {
    sql::CallContext marked = context;
    sql::CommitPosition committed;
    marked.committed = &committed;
    Result<void> done = co_await database_.transact(marked, body);
    newest_ = std::max(newest_, committed);
    if (context.committed && !committed.empty()) *context.committed = committed;
    if (!done) co_await std::unexpected(std::move(done.error()));
  }
  Async<void> read(const sql::CallContext& context, sql::ReadBody& body) override {
    return database_.read(context, body);
  }
  sql::Dialect dialect() const override { return database_.dialect(); }
  sql::DatabaseStats stats() const override { return database_.stats(); }
  Result<std::unique_ptr<sql::Maintenance>> maintenance() override { return database_.maintenance(); }
  void close() override {}  // its owner's business

 private:
  sql::Database& database_;
  sql::CommitPosition& newest_;
};

}  // namespace bedplate::api
