// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/json_schema/json_schema.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bedplate/describe/json/json.h"
#include "bedplate/describe/json_schema/decimal.h"
#include "bedplate/describe/schema.h"

namespace bedplate {
namespace {

JsonSchema compiled(std::string_view schema) {
  Result<JsonSchema> made = JsonSchema::compile(schema);
  if (!made) throw std::runtime_error(std::string(schema) + ": " + made.error().faults().at(0).message);
  return *made;
}

/// "/name too_short; /size wrong_type"; "" when it fits.
std::string faults_of(std::string_view schema, std::string_view value) {
  const Result<void> checked = compiled(schema).check(value);
  if (checked) return "";
  if (checked.error().faults().empty()) return checked.error().code();
  std::string text;
  for (const Fault& fault : checked.error().faults())
    text += (text.empty() ? "" : "; ") + fault.pointer + " " + fault.code;
  return text;
}

/// The places in the schema that are wrong.
std::string refused(std::string_view schema) {
  const Result<JsonSchema> made = JsonSchema::compile(schema);
  if (made) return "";
  std::string text;
  for (const Fault& fault : made.error().faults()) text += (text.empty() ? "" : "; ") + fault.pointer;
  return text.empty() ? made.error().code() : text;
}

struct Case {
  const char* schema;
  std::vector<const char*> fit;
  std::vector<const char*> misfit;
};

TEST(JsonSchemaTest, KeywordsMeanWhatTheSpecificationSays) {
  const Case cases[] = {
      {"true", {"1", "{}"}, {}},
      {"false", {}, {"1", "null"}},
      {"{}", {"1", "null"}, {}},
      {R"({"type": "integer"})",
       {"1", "1.0", "1e2", "-0.0", "10000000000000000000000.0"},
       {"1.5", "\"1\"", "1e-1"}},
      {R"({"type": ["null", "string"]})", {"null", "\"\""}, {"1", "{}", "false"}},
      {R"({"type": "number"})", {"1", "1.5"}, {"true"}},
      {R"({"enum": [1, "a", {"x": [1.0, null]}]})",
       {"1.0", "\"a\"", R"({"x": [1, null]})"},
       {"2", "{}", "\"1\""}},
      {R"({"const": {"a": 1, "b": 2}})", {R"({"b": 2.0, "a": 1})"}, {R"({"a": 1})", "1"}},
      {R"({"const": false})", {"false"}, {"0", "null", "[]"}},
      {R"({"enum": [1, 2], "const": 2})", {"2"}, {"1"}},
      {R"({"minimum": 1.1, "maximum": 3})",
       {"1.1", "3.0", "\"x\""},
       {"1.0999999999999999999999999999", "3.1"}},
      {R"({"exclusiveMinimum": -1, "exclusiveMaximum": 1})", {"0", "-0.9"}, {"-1", "1", "1.0"}},
      {R"({"minimum": 9007199254740993})", {"9007199254740993"}, {"9007199254740992"}},
      {R"({"multipleOf": 0.01})", {"4.35", "0.07", "1e300", "0"}, {"4.351", "1e-3"}},
      {R"({"multipleOf": 1.5})", {"4.5", "3", "-6"}, {"4", "1"}},
      {R"({"multipleOf": 7})", {"700000000000000000000000", "-14"}, {"700000000000000000000001"}},
      {R"({"minLength": 2, "maxLength": 3})", {"\"äö\"", "\"\\ud83d\\ude00ab\"", "1"}, {"\"a\"", "\"abcd\""}},
      {R"({"pattern": "^[a-c]+$"})", {"\"abc\"", "1"}, {"\"abd\"", "\"abc\\n\""}},
      {R"({"format": "date"})", {"\"2024-02-29\"", "1"}, {"\"2023-02-29\""}},
      {R"({"format": "of-tomorrow"})", {"\"x\""}, {}},
      {R"({"items": {"type": "string"}, "prefixItems": [{"type": "integer"}]})",
       {"[]", "[1]", "[1, \"a\"]"},
       {"[\"a\"]", "[1, 2]"}},
      {R"({"prefixItems": [true, true], "items": false})", {"[1, 2]", "[1]"}, {"[1, 2, 3]"}},
      {R"({"minItems": 1, "maxItems": 2, "uniqueItems": true})",
       {"[1]", "[1, \"1\"]", "{}", "[[1], [2]]"},
       {"[]", "[1, 2, 3]", "[1, 1.0]", R"([{"a": 1, "b": 2}, {"b": 2, "a": 1}])"}},
      {R"({"contains": {"minimum": 5}})", {"[1, 5]", "\"x\""}, {"[]", "[1]"}},
      {R"({"contains": {"minimum": 5}, "minContains": 2, "maxContains": 3})",
       {"[5, 6]", "[5, 6, 7, 1]"},
       {"[5]", "[5, 6, 7, 8]"}},
      {R"({"contains": {}, "minContains": 0})", {"[]"}, {}},
      {R"({"minContains": 2, "then": false, "else": false})", {"[]", "1"}, {}},
      {R"({"required": ["a"], "minProperties": 1, "maxProperties": 2})",
       {R"({"a": 1})", "[]"},
       {"{}", R"({"a": 1, "b": 1, "c": 1})"}},
      {R"({"properties": {"a": {"type": "string"}}, "patternProperties": {"^x": {"type": "integer"}},
           "additionalProperties": {"type": "null"}})",
       {R"({"a": "", "x1": 1, "other": null})", "{}"},
       {R"({"a": 1})", R"({"x1": ""})", R"({"other": 1})"}},
      {R"({"propertyNames": {"maxLength": 2}})", {R"({"ab": 1})"}, {R"({"abc": 1})"}},
      {R"({"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["d"]}}})",
       {"{}", R"({"a": 1, "b": 1})", R"({"c": 1, "d": 1})", R"({"b": 1})"},
       {R"({"a": 1})", R"({"c": 1})"}},
      {R"({"allOf": [{"minimum": 1}, {"maximum": 2}]})", {"1", "2"}, {"0", "3"}},
      {R"({"anyOf": [{"type": "integer"}, {"minimum": 2}]})", {"1", "2.5"}, {"1.5"}},
      {R"({"oneOf": [{"type": "integer"}, {"minimum": 2}]})", {"1", "2.5"}, {"3", "1.5"}},
      {R"({"not": {"type": "integer"}})", {"\"x\""}, {"1"}},
      {R"({"if": {"maximum": 0}, "then": {"minimum": -9}, "else": {"multipleOf": 2}})",
       {"-9", "0", "4"},
       {"-10", "3"}},
      {R"({"$defs": {"a/b~ %": {"type": "integer"}}, "items": {"$ref": "#/$defs/a~1b~0%20%25"}})",
       {"[1]"},
       {"[\"\"]"}},
      {R"({"$defs": {"x": {"$anchor": "here", "type": "null"}}, "$ref": "#here", "maximum": 1})",
       {"null"},
       {"1"}},
      {R"({"properties": {"next": {"$ref": "#"}}, "additionalProperties": false})",
       {R"({"next": {"next": {}}})"},
       {R"({"next": {"next": {"prev": {}}}})"}},
      {R"({"definitions": {"old": {"type": "null"}}, "$ref": "#/definitions/old"})", {"null"}, {"1"}},
      {R"({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "x", "x-own": {"type": 1}})",
       {"1"},
       {}},
  };
  for (const Case& one : cases) {
    for (const char* value : one.fit)
      EXPECT_EQ(faults_of(one.schema, value), "") << one.schema << " " << value;
    for (const char* value : one.misfit)
      EXPECT_NE(faults_of(one.schema, value), "") << one.schema << " " << value;
  }
}

TEST(JsonSchemaTest, AllFaultsAreReportedAtOnceWithTheirPlaces) {
  constexpr std::string_view kSchema = R"({
    "type": "object", "required": ["name", "kind"], "additionalProperties": false,
    "properties": {"name": {"type": "string", "minLength": 1, "pattern": "^[a-z]"},
                   "kind": {"enum": ["a", "b"]},
                   "a/b": {"items": {"type": "integer", "maximum": 9}, "uniqueItems": true}}})";
  EXPECT_EQ(faults_of(kSchema, R"({"name": "", "a/b": [1, "x", 10, 1], "other": 1})"),
            "/kind required; /a~1b/1 wrong_type; /a~1b/2 too_large; /a~1b not_unique; /name too_short; "
            "/name pattern; /other unknown_field");
  EXPECT_EQ(faults_of(kSchema, "[]"), " wrong_type");
  EXPECT_EQ(faults_of(R"({"anyOf": [{"type": "null"}, {"required": ["a", "b"]}]})", "{}"), " no_match")
      << "what an alternative lacks is no fault of its own";
  EXPECT_EQ(faults_of("{}", "{"), "malformed_json");
  EXPECT_EQ(faults_of("{}", R"({"a": 1, "a": 2})"), "malformed_json");
}

TEST(JsonSchemaTest, WhatWouldChangeTheMeaningAndIsNotHereIsRefusedByName) {
  EXPECT_EQ(refused(R"({"unevaluatedProperties": false, "properties": {"a": {"$dynamicRef": "#x"}}})"),
            "/properties/a/$dynamicRef; /unevaluatedProperties");
  EXPECT_EQ(refused(R"({"$schema": "http://json-schema.org/draft-07/schema#"})"), "/$schema");
  EXPECT_EQ(refused(R"({"$id": "https://example.com/a", "items": {"$id": "b"}})"), "/items/$id");
  EXPECT_EQ(refused(R"({"$ref": "https://example.com/a"})"), "/$ref");
  EXPECT_EQ(refused(R"({"$ref": "#/$defs/none", "items": {"$ref": "#none"}, "not": {"$ref": "#/%2"}})"),
            "/$ref; /items/$ref; /not/$ref");
  EXPECT_EQ(refused(R"({"items": [{}], "dependencies": {}})"), "/dependencies; /items");
  EXPECT_EQ(refused(R"({"properties": {"dependencies": true}})"), "") << "a name, not a keyword";
  EXPECT_EQ(refused(R"({"const": {"$dynamicRef": 1}})"), "") << "a value, not a schema";
}

TEST(JsonSchemaTest, AMalformedSchemaIsRefusedAtEveryPlace) {
  EXPECT_EQ(
      refused(R"({"type": "int", "minLength": -1, "maxLength": 1.5, "required": "a", "pattern": "(",
                        "multipleOf": 0, "allOf": [], "properties": {"a": 1}, "uniqueItems": 1})"),
      "/allOf; /maxLength; /minLength; /multipleOf; /pattern; /properties/a; /required; /type; /uniqueItems");
  EXPECT_FALSE(JsonSchema::compile("[]"));
  EXPECT_EQ(refused("{"), "malformed_json");
  EXPECT_EQ(refused(R"({"pattern": "(?=look)."})"), "/pattern");
}

TEST(JsonSchemaTest, CirclesThatNeverEnterTheValueAreRefused) {
  EXPECT_FALSE(JsonSchema::compile(R"({"$ref": "#"})"));
  EXPECT_NE(
      refused(R"({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}})"),
      "");
  std::string links = R"({"$ref": "#/$defs/d0", "$defs": {)";
  for (int i = 0; i < 5000; ++i)
    links += "\"d" + std::to_string(i) + R"(": {"$ref": "#/$defs/d)" + std::to_string(i + 1) + "\"}, ";
  EXPECT_NE(refused(links + R"("d5000": true}})"), "");
}

TEST(JsonSchemaTest, WorkIsBounded) {
  // Each level asks three times for the one below it: 3^14 checks.
  std::string schema = R"({"$ref": "#/$defs/d14", "$defs": {"d0": {"type": "integer"})";
  for (int i = 1; i <= 14; ++i) {
    const std::string below = R"({"$ref": "#/$defs/d)" + std::to_string(i - 1) + "\"}";
    schema += ", \"d" + std::to_string(i) + R"(": {"items": {"allOf": [)" + below + "," + below + "," +
              below + "]}}";
  }
  schema += "}}";
  std::string value = "1";
  for (int i = 0; i < 14; ++i) value = "[" + value + "]";
  EXPECT_EQ(faults_of(schema, value), "too_complex");
  EXPECT_EQ(faults_of("{}", std::string(65, '[') + std::string(65, ']')), "malformed_json");
  std::string many = "[0";
  for (int i = 0; i < 300'000; ++i) many += ",0";
  EXPECT_EQ(faults_of("{}", many + "]"), "malformed_json");
}

// --- Against the reader of described types, whose schema is written by SchemaWriter -----------------------------

enum class Color { red, green };
consteval auto describe(Color) {
  return schema::values<Color::red, Color::green>();
}

struct Sample {
  std::string name;
  std::int32_t size = 0;
  std::optional<double> weight;
  std::vector<std::string> labels;
  std::map<std::string, std::int64_t> counts;
  Color color = Color::red;

  static consteval auto describe() {
    using namespace schema;
    return object<Sample>(
        "A sample.",
        {field<&Sample::name>(length{1, 3}), field<&Sample::size>(range{-5, 5}), field<&Sample::weight>(),
         field<&Sample::labels>(unique), field<&Sample::counts>(), field<&Sample::color>()});
  }
};

rc::Gen<std::string> any_value() {
  return rc::gen::element<std::string>("1", "-5", "5.0", "6", "1.5", "\"\"", "\"abc\"", "\"abcd\"", "\"red\"",
                                       "\"blue\"", "null", "true", "[]", R"(["a", "b"])", R"(["a", "a"])",
                                       "[1]", "{}", R"({"x": 1})", R"({"x": "1"})", "1e400", "\"äöü\"");
}

RC_GTEST_PROP(JsonSchemaProperty, TakesWhatTheReaderOfTheTypeTakes, ()) {
  static const JsonSchema schema = compiled(json_schema(type_of<Sample>(), View::input));
  const std::pair<const char*, const char*> members[] = {
      {"name", "\"äöü\""},       {"size", "-5"},       {"weight", "1e-3"}, {"labels", R"(["a", "b"])"},
      {"counts", R"({"x": 1})"}, {"color", "\"red\""}, {"other", "1"}};
  std::string text = "{";
  // Mostly what fits, so that whole objects do.
  for (const auto& [name, fitting] : members) {
    const int choice = *rc::gen::inRange(0, 12);
    if (choice == 0 || (name == std::string_view("other") && choice > 1)) continue;
    text += (text.size() > 1 ? ", \"" : "\"") + std::string(name) +
            "\": " + (choice == 1 ? *any_value() : fitting);
  }
  text += "}";
  // A schema's numbers have no largest, those of a double do.
  RC_PRE(text.find("\"weight\": 1e400") == std::string::npos);
  const bool read = from_json<Sample>(text).has_value();
  const Result<void> checked = schema.check(text);
  RC_CLASSIFY(read, "fits");
  if (read != checked.has_value()) RC_LOG() << text;
  RC_ASSERT(read == checked.has_value());
}

RC_GTEST_PROP(DecimalProperty, ComparesAsWholeNumbersDo, (std::int32_t a, std::int32_t b)) {
  const auto scaled = [](std::int32_t value) { return detail::Decimal(std::to_string(value) + ".00e-2"); };
  RC_ASSERT((scaled(a) < scaled(b)) == (a < b));
  RC_ASSERT((scaled(a) == scaled(b)) == (a == b));
  if (b > 0) RC_ASSERT(scaled(a).is_multiple_of(scaled(b)) == (a % b == 0));
}

}  // namespace
}  // namespace bedplate
