// SPDX-License-Identifier: Apache-2.0
// Fails a test when an operation's query reads a large table from end to end.
//
//   QueryGuard guard(kit.database());                       // either engine, with as many rows as in life
//   ... run every operation against guard.database() ...    // what it asks is noted, once a text
//   guard.allow("identity_tokens", "DELETE FROM identity_tokens WHERE expires_at",
//               "runs once a minute in the background, over what has an index on no engine");
//   EXPECT_THAT(guard.findings(kit.loop()), IsEmpty());
//
// Each noted statement is explained by the engine itself with the values it was first run with: EXPLAIN QUERY PLAN on
// SQLite, EXPLAIN (FORMAT JSON) on PostgreSQL after ANALYZE. A plan that scans a table of at least `large` rows is a
// finding, and so is a scan of a whole index without a condition. A table that is small here says nothing: fill it
// (seed.h).
//
// An allowance names the table, a part of the statement, and why; one that nothing needed is a finding too.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/sql/database.h"

namespace bedplate::testing {

/// What a query of an operation may take over a table as large as in life: see QueryGuard::slow_queries(). Twenty times
/// as much under ThreadSanitizer, which is not there to measure.
#if defined(__SANITIZE_THREAD__)  // GCC
#define BEDPLATE_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BEDPLATE_THREAD_SANITIZER
#endif
#endif
#if defined(BEDPLATE_THREAD_SANITIZER)
inline constexpr std::chrono::duration<double> kQueryTimeMax(1.0);
#else
inline constexpr std::chrono::duration<double> kQueryTimeMax(0.050);
#endif

class QueryGuard {
 public:
  static constexpr std::int64_t kLarge = 5'000;

  explicit QueryGuard(sql::Database& database);
  QueryGuard(const QueryGuard&) = delete;
  QueryGuard& operator=(const QueryGuard&) = delete;
  ~QueryGuard();

  /// Passes everything on and notes it. Operations that are tested run against this one.
  sql::Database& database();

  void allow(std::string_view table, std::string_view part_of_statement, std::string_view reason);

  /// A sentence for each statement whose plan reads a large table to its end, with the plan. Runs `loop`, the one that
  /// the operations ran on.
  std::vector<std::string> findings(Loop& loop, std::int64_t large = kLarge);
  /// A sentence for each noted read that takes longer than this when it is run on its own, with the values that it was
  /// first run with. Noise only ever adds: the fastest of at least twenty runs counts, of more while the machine may
  /// be busy, and on SQLite the processor's time.
  std::vector<std::string> slow_queries(Loop& loop, std::chrono::duration<double> time_max);
  /// How many statements were noted: a guard that saw none guards nothing.
  std::size_t statements() const;

 private:
  class Recorder;
  struct Allowance {
    std::string table, part, reason;
    bool used = false;
  };

  bool is_large(const std::string& table, std::int64_t large);
  bool is_allowed(const std::string& table, const std::string& statement);

  std::unique_ptr<Recorder> recorder_;
  std::vector<Allowance> allowances_;
  std::map<std::string, std::int64_t> sizes_;
  int looks_ = 0;
};

}  // namespace bedplate::testing
