// SPDX-License-Identifier: Apache-2.0
// Slow statements, each with the plan that the server has for it. Asking for a plan blocks, so a thread does it, on a
// connection of its own that goes again. Private header of the driver.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "bedplate/sql/postgresql/dial.h"
#include "bedplate/sql/postgresql/postgresql.h"
#include "bedplate/sql/statement_counters.h"

namespace bedplate::sql {

/// Of one database. Thread-safe.
class PostgresqlSlowLog {
 public:
  /// `options` outlive it.
  explicit PostgresqlSlowLog(const PostgresqlOptions& options) : options_(options), helper_(1) {}

  /// A statement took this long. Every one is counted; one a second at most is logged, when its plan is there or could
  /// not be had within five seconds. The plan is the one for any values (EXPLAIN without ANALYZE, which runs nothing):
  /// no value is sent, and none is in the log.
  void note(std::int64_t took_ms, std::string_view name, std::string_view sql);
  /// What each named statement has cost, slow or not.
  StatementCounters& statements() { return statements_; }
  const StatementCounters& statements() const { return statements_; }
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  /// As PostgresqlHelpers::stop().
  void stop() { helper_.stop(); }

 private:
  std::string plan_of(const std::string& sql) const;

  const PostgresqlOptions& options_;
  StatementCounters statements_;
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::int64_t> next_ms_{0};  ///< when the next one may be logged
  PostgresqlHelpers helper_;
};

}  // namespace bedplate::sql
