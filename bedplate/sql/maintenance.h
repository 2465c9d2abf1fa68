// SPDX-License-Identifier: Apache-2.0
// Maintenance: a connection of its own for migrations, which blocks. Drivers implement it; migrate.h uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/sql/dialect.h"
#include "bedplate/sql/params.h"
#include "bedplate/sql/session.h"

namespace bedplate::sql {

/// Rows on their way into one table.
class BulkInsert {
 public:
  virtual ~BulkInsert() = default;
  /// As many values as there are columns. On PostgreSQL a row that the table refuses may show only in a later
  /// call, or in finish().
  virtual Result<void> add(std::span<const Param> row) = 0;
  /// How many rows there were. Without it, or after an error, the transaction can only be rolled back.
  virtual Result<std::int64_t> finish() = 0;
};

/// One thread at a time.
class Maintenance {
 public:
  Maintenance() = default;
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;
  virtual ~Maintenance() = default;

  virtual Dialect dialect() const = 0;
  /// Opens a transaction that only one runner at a time can hold; waits for another's end, within limits.
  virtual Result<void> begin() = 0;
  /// Opens a transaction that only reads, all of it one snapshot, while others go on writing. End it with rollback().
  virtual Result<void> begin_read() = 0;
  /// Refuses when a foreign key is left without its row.
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;
  /// Runs every statement of a script in the open transaction. The error's subject has the engine's words and
  /// the line: "line 3: no such table: users".
  virtual Result<void> run_script(std::string_view script) = 0;
  /// Many rows into one table, in the open transaction, by the fastest way that the engine has (PostgreSQL:
  /// COPY). Nothing else runs on this connection until finish(). Names are not quoted by the caller.
  virtual Result<std::unique_ptr<BulkInsert>> bulk_insert(std::string_view table,
                                                          std::span<const std::string_view> columns) = 0;
  /// For single statements. They are done when start() returns.
  virtual Session& session() = 0;
};

}  // namespace bedplate::sql
