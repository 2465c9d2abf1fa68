// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/query_plan.h"

#include <cctype>
#include <optional>
#include <set>

#include "bedplate/base/text.h"
#include "bedplate/describe/json/json.h"

namespace bedplate::testing {
namespace {

// The words of a statement or a plan, signs apart.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    auto is_word = [&](std::size_t i) {
      const auto c = static_cast<unsigned char>(text[i]);
      return std::isalnum(c) != 0 || c == '_' || c == '.';
    };
    if (std::isspace(static_cast<unsigned char>(text[at])) != 0) {
      ++at;
      continue;
    }
    const std::size_t begin = at++;
    if (is_word(begin))
      while (at < text.size() && is_word(at)) ++at;
    words.push_back(text.substr(begin, at - begin));
  }
  return words;
}

// The table behind a name in a plan: "FROM tasks t", "JOIN tasks AS t".
std::string table_of(std::string_view name, std::string_view statement) {
  if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos) name.remove_prefix(dot + 1);
  const std::vector<std::string_view> words = words_of(statement);
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i] != name) continue;
    const std::size_t table = equal_ignoring_case(words[i - 1], "AS") ? i - 2 : i - 1;
    if (table == 0) continue;
    for (const char* before : {"FROM", "JOIN", "UPDATE", "INTO", ","})
      if (equal_ignoring_case(words[table - 1], before)) return std::string(words[table]);
  }
  return std::string(name);
}

// A node of PostgreSQL's plan, as far as it matters here.
struct PlanNode {
  std::string type;
  std::optional<std::string> relation;
  std::optional<std::string> condition;
  std::optional<std::string> index;
  std::vector<PlanNode> children;

  static consteval auto describe() {
    using namespace schema;
    return object<PlanNode>(
        "A step of a plan.",
        {field<&PlanNode::type, "Node Type">(), field<&PlanNode::relation, "Relation Name">(),
         field<&PlanNode::condition, "Index Cond">(), field<&PlanNode::index, "Index Name">(),
         field<&PlanNode::children, "Plans">(optional_with_default)});
  }
};

struct Plan {
  PlanNode root;
  static consteval auto describe() {
    using namespace schema;
    return object<Plan>("A plan.", {field<&Plan::root, "Plan">()});
  }
};

void collect(const PlanNode& node, bool limited, std::vector<Scan>& scans) {
  const bool all_of_index = node.type.starts_with("Index") && node.relation && !node.condition && !limited;
  if (node.relation && (node.type == "Seq Scan" || all_of_index))
    scans.push_back({*node.relation, node.type + (node.index ? " of " + *node.index : "")});
  // A LIMIT over an index in order stops early.
  for (const PlanNode& child : node.children) collect(child, node.type == "Limit", scans);
}

}  // namespace

std::vector<Scan> scans_of(std::span<const SqlitePlanRow> plan, std::string_view statement) {
  std::vector<Scan> scans;
  std::set<std::string_view> subqueries;  // with a name: their own steps say what they read
  for (const SqlitePlanRow& row : plan) {
    const std::vector<std::string_view> words = words_of(row.detail);
    // "CO-ROUTINE found", "MATERIALIZE found"
    if (row.detail.starts_with("CO-ROUTINE ") || row.detail.starts_with("MATERIALIZE "))
      subqueries.insert(words.back());
    if (words.size() > 1 && words[0] == "SCAN" && subqueries.contains(words[1])) continue;
    if (words.size() < 2 || words[0] != "SCAN" || words[1] == "CONSTANT" || words[1] == "(") continue;
    const std::string_view detail = row.detail;
    // A virtual table whose index was given something to look for: FTS5's MATCH, json_each's document.
    const std::size_t index = detail.find("VIRTUAL TABLE INDEX ");
    if (index != std::string_view::npos && !detail.ends_with("INDEX 0:")) continue;
    scans.push_back({table_of(words[1], statement), row.detail});
  }
  return scans;
}

std::vector<Scan> scans_of_postgresql(std::string_view json) {
  JsonLimits limits;
  limits.ignore_unknown_fields = true;
  Result<std::vector<Plan>> plans = from_json<std::vector<Plan>>(json, limits);
  std::vector<Scan> scans;
  if (!plans) return {{"?", "a plan that cannot be read: " + plans.error().detail()}};
  for (const Plan& plan : *plans) collect(plan.root, false, scans);
  return scans;
}

}  // namespace bedplate::testing
