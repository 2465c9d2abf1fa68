// SPDX-License-Identifier: Apache-2.0
// The cases that the authors of JSON Schema publish: JSON-Schema-Test-Suite, which the source archive of PyPI's
// jsonschema holds too. They are not part of this project; where a copy is at hand, this runs them:
//
//   BEDPLATE_JSON_SCHEMA_SUITE=/where/tests/draft2020-12 ./dev test JsonSchemaSuite
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "bedplate/describe/json/json.h"
#include "bedplate/describe/json/json_value.h"
#include "bedplate/describe/json_schema/json_schema.h"

namespace bedplate {
namespace {

struct SuiteCase {
  std::string description;
  Json data;
  bool valid = false;

  static consteval auto describe() {
    using namespace schema;
    return object<SuiteCase>(
        "A value, and whether it fits.",
        {field<&SuiteCase::description>(), field<&SuiteCase::data>(), field<&SuiteCase::valid>()});
  }
};

struct SuiteGroup {
  std::string description;
  Json schema;
  std::vector<SuiteCase> tests;

  static consteval auto describe() {
    using namespace schema;
    return object<SuiteGroup>(
        "A schema, and what fits it.",
        {field<&SuiteGroup::description>(), field<&SuiteGroup::schema>(), field<&SuiteGroup::tests>()});
  }
};

struct SuiteFile {
  std::vector<SuiteGroup> groups;

  static consteval auto describe() {
    using namespace schema;
    return object<SuiteFile>("A file of the suite.", {field<&SuiteFile::groups>()});
  }
};

SuiteFile read_suite(const std::filesystem::path& path) {
  std::ostringstream text;
  text << "{\"groups\": " << std::ifstream(path).rdbuf() << "}";
  JsonLimits limits;
  limits.ignore_unknown_fields = true;
  Result<SuiteFile> read = from_json<SuiteFile>(text.str(), limits);
  EXPECT_TRUE(read) << path << (read ? "" : read.error().detail());
  return read ? std::move(*read) : SuiteFile{};
}

TEST(JsonSchemaSuite, AnswersAsTheAuthorsSay) {
  const char* directory = std::getenv("BEDPLATE_JSON_SCHEMA_SUITE");
  if (directory == nullptr)
    GTEST_SKIP() << "not run: BEDPLATE_JSON_SCHEMA_SUITE does not say where the authors' cases are";
  int answered = 0;
  int refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".json") continue;
    for (const SuiteGroup& group : read_suite(entry.path()).groups) {
      const Result<JsonSchema> schema = JsonSchema::compile(group.schema.text());
      // What is not supported is refused by name: better than a wrong answer.
      if (!schema) {
        ++refused;
        std::printf("refused: %s: %s (%s)\n", entry.path().stem().c_str(), group.description.c_str(),
                    schema.error().faults().empty() ? schema.error().code().c_str()
                                                    : schema.error().faults().front().message.c_str());
        continue;
      }
      for (const SuiteCase& one : group.tests) {
        ++answered;
        EXPECT_EQ(schema->check(one.data.text()).has_value(), one.valid)
            << entry.path().stem() << ": " << group.description << ": " << one.description << ": "
            << one.data.text();
      }
    }
  }
  std::printf("%d values answered, %d schemas refused\n", answered, refused);
  EXPECT_GT(answered, 0);
}

}  // namespace
}  // namespace bedplate
