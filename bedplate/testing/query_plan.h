// SPDX-License-Identifier: Apache-2.0
// What an engine's plan reads from end to end. For query_guard.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/describe/describe.h"

namespace bedplate::testing {

struct Scan {
  std::string table;
  std::string how;  ///< the line of the plan
};

/// A row of SQLite's EXPLAIN QUERY PLAN.
struct SqlitePlanRow {
  std::int64_t id = 0;
  std::int64_t parent = 0;
  std::int64_t notused = 0;
  std::string detail;

  static consteval auto describe() {
    using namespace schema;
    return object<SqlitePlanRow>("A step of a plan.",
                                 {field<&SqlitePlanRow::id>(), field<&SqlitePlanRow::parent>(),
                                  field<&SqlitePlanRow::notused>(), field<&SqlitePlanRow::detail>()});
  }
};

/// `statement` says what an alias stands for.
std::vector<Scan> scans_of(std::span<const SqlitePlanRow> plan, std::string_view statement);
/// Of EXPLAIN (FORMAT JSON).
std::vector<Scan> scans_of_postgresql(std::string_view json);

}  // namespace bedplate::testing
