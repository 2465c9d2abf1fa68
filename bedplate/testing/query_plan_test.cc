// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/query_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bedplate::testing {
namespace {

std::string scanned(std::vector<std::string> lines, std::string_view statement) {
  std::vector<SqlitePlanRow> plan;
  for (std::string& line : lines) plan.push_back({0, 0, 0, std::move(line)});
  std::string tables;
  for (const Scan& scan : scans_of(plan, statement)) tables += scan.table + " ";
  return tables;
}

TEST(QueryPlanTest, FindsScansInSqlitesPlans) {
  EXPECT_EQ(scanned({"SCAN tasks"}, "SELECT * FROM tasks"), "tasks ");
  EXPECT_EQ(scanned({"SCAN t USING COVERING INDEX by_title"}, "SELECT 1 FROM tasks AS t"), "tasks ");
  EXPECT_EQ(scanned({"SCAN t"}, "SELECT 1 FROM users u JOIN tasks t ON t.owner = u.id"), "tasks ");
  EXPECT_EQ(scanned({"SCAN main.notes"}, "SELECT 1 FROM notes"), "notes ");
  EXPECT_EQ(scanned({"SEARCH tasks USING PRIMARY KEY (owner=?)", "USE TEMP B-TREE FOR ORDER BY"}, ""), "");
  EXPECT_EQ(scanned({"SCAN words VIRTUAL TABLE INDEX 0:M3",
                     "SCAN json_each VIRTUAL TABLE INDEX 1:", "SCAN CONSTANT ROW", "LIST SUBQUERY 1"},
                    ""),
            "");
  EXPECT_EQ(scanned({"CO-ROUTINE found", "SEARCH tasks USING PRIMARY KEY (owner=?)", "SCAN found"},
                    "SELECT count(*) FROM (SELECT 1 FROM tasks WHERE owner = $1 LIMIT 5) AS found"),
            "");
  EXPECT_EQ(scanned({"SCAN words VIRTUAL TABLE INDEX 0:"}, "SELECT rowid FROM words"), "words ");
}

TEST(QueryPlanTest, FindsScansInPostgresqlsPlans) {
  auto tables = [](std::string_view json) {
    std::string names;
    for (const Scan& scan : scans_of_postgresql(json)) names += scan.table + " ";
    return names;
  };
  EXPECT_EQ(tables(R"j([{"Plan": {"Node Type": "Aggregate", "Plans": [
      {"Node Type": "Seq Scan", "Relation Name": "tasks", "Alias": "t", "Plan Rows": 5}]}}])j"),
            "tasks ");
  EXPECT_EQ(tables(R"j([{"Plan": {"Node Type": "Index Scan", "Relation Name": "tasks", "Index Name": "i",
      "Index Cond": "(id = 1)"
}
}])j"),
            "");
  EXPECT_EQ(
      tables(
          R"j([{"Plan": {"Node Type": "Index Only Scan", "Relation Name": "tasks", "Index Name": "i"}}])j"),
      "tasks ");
  EXPECT_EQ(tables(R"j([{"Plan": {"Node Type": "Limit", "Plans": [
      {"Node Type": "Index Scan", "Relation Name": "tasks", "Index Name": "i"}]}}])j"),
            "");
  EXPECT_EQ(tables("not a plan"), "? ");
}

}  // namespace
}  // namespace bedplate::testing
