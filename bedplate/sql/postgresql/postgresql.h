// SPDX-License-Identifier: Apache-2.0
// The PostgreSQL driver: many processes, one database.
//
//   PostgresqlOptions options;
//   options.url = "postgresql://app@db.internal/notes?sslmode=verify-full";
//   auto database = open_postgresql(options);            // Result<std::unique_ptr<Database>>
//
// - Reads that run at the same time share a few connections of their loop: what a tick of the loop asks is
//   sent with one sync, and one that fails harms no other. A read of several statements, or one that takes
//   longer than shared_read_time_max_ms, has a connection of its own, on which all its statements see one
//   snapshot; it starts again there.
// - A transaction owns a connection. It is SERIALIZABLE unless told otherwise, and runs again when the server
//   says that it cannot be put in an order with others, until command_time_max_ms are over.
// - A commit whose answer is lost with its connection is `commit_unknown`: not repeated, for it may have been
//   applied.
// - Deadlines and cancelled callers stop what runs on an owned connection; on a shared one the caller goes at
//   once and the server's time-out ends the statement.
// - When the server is away, callers get Category::unavailable at once, with a Retry-After; connections are
//   made again in the background, and statements prepared again on them.
// - Parameters take the types that the server finds for them, so `SELECT $1` is text: write `$1::bigint`.
//   Columns of other types than the usual ones (intervals, arrays, inet) are selected `::text`. A sum of
//   bigints is a numeric without decimals, which reads as an integer.
// - A tenant (CallContext) is told to the server with each group and transaction, for row-level security:
//   current_setting('bedplate.tenant', true), null or empty without one.
//
// More reasons, with measurements: docs/decisions/0011-postgresql-driver.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/sql/call_context.h"
#include "bedplate/sql/database.h"

namespace bedplate::sql {

struct PostgresqlOptions {
  /// As libpq reads it (postgresql://user:password@host:port/name?sslmode=verify-full). May hold a password:
  /// it is never logged and never in an error.
  std::string url;
  /// Read replicas, as URLs. Reads whose CallContext allows it go to them, in turn; one that lags behind what
  /// the caller has seen is waited for, and then, like one that is away, left to the primary.
  std::vector<std::string> replica_urls;
  /// A pooler that hands out connections by transaction (pgbouncer, transaction mode) stands in between: no
  /// prepared statements, no LISTEN, no session locks.
  bool transaction_pooler = false;

  /// Of transactions; a call can ask for another (CallContext::isolation).
  Isolation isolation = Isolation::serializable;
  std::size_t read_connections = 2;         ///< shared by the reads of one loop
  std::size_t transaction_connections = 8;  ///< of one loop: transactions, and reads that need their own
  std::size_t queue_max = 8192;             ///< transactions waiting for a connection; more are turned away
  std::int64_t connect_timeout_ms = 5'000;
  std::int64_t shared_read_time_max_ms = 200;  ///< of a statement on a shared connection; then it moves
  std::int64_t read_time_max_ms = 10'000;      ///< of a whole read on a connection of its own
  std::int64_t command_time_max_ms = 5'000;    ///< of a whole transaction
  std::int64_t lock_time_max_ms = 5'000;       ///< waiting for a row or table that another transaction holds
  std::int64_t replica_wait_ms = 50;           ///< for a replica to catch up, before the primary is asked
  std::int64_t slow_query_ms = 200;            ///< longer ones are logged, one a second, with a plan; 0: none
  std::size_t rows_max = 10'000;               ///< of one statement, when they are all there
  /// Of one statement's answer as it comes from the server, about: it is in memory, whole, before its rows can be
  /// counted. More is `result_too_large` and ends the connection; reads that share it are sent again on another one.
  /// Over a Unix socket, values above 200 kB are hardly counted.
  std::size_t result_size_max_bytes = 128 << 20;
  std::size_t value_size_max_bytes = 64 << 20;
  std::size_t statements_max = 256;  ///< prepared statements kept per connection
};

/// The URL can be read, and nothing in it lies where it cannot be meant, as behind an "@" in a password. `key` is the
/// setting or flag that has it. Category::invalid `database_url` otherwise; the text holds no part of the URL.
Result<void> check_postgresql_url(const std::string& url, std::string_view key);

/// Connects once, to see that the server is there; loops connect when they first need it. Does not migrate.
Result<std::unique_ptr<Database>> open_postgresql(const PostgresqlOptions& options);

}  // namespace bedplate::sql
