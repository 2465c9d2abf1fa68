// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/schema.h"

#include <gtest/gtest.h>

#include <map>
#include <variant>

#include "bedplate/describe/describe.h"

namespace bedplate {
namespace {

enum class Status { todo, done };
consteval auto describe(Status) {
  return schema::values<Status::todo, Status::done>("How far it is");
}

struct Card {
  std::string number;
  static consteval auto describe() {
    using namespace schema;
    return object<Card>("", {field<&Card::number>(pattern("^[0-9]+$"), secret)});
  }
};

struct Cash {
  std::uint64_t cents = 0;
  static consteval auto describe() {
    using namespace schema;
    return object<Cash>("", {field<&Cash::cents>()});
  }
};

struct Task {
  Id<Task> id;
  std::string title;
  Status status = Status::todo;
  std::optional<Time> due_at;
  std::vector<std::string> labels;
  std::optional<Status> before;
  Patch<std::int16_t> rank;
  double share = 0.5;
  std::string password;
  std::map<std::string, Json> extra;
  std::optional<std::string> next;
  static consteval auto describe() {
    using namespace schema;
    return object<Task>(
        "A unit of work",
        {
            field<&Task::id>(read_only, "Set by the server"),
            field<&Task::title>(length{1, 200}, example("Buy milk"), "What is to be done"),
            field<&Task::status>(optional_with_default),
            field<&Task::due_at>(deprecated),
            field<&Task::labels>(length{0, 20}, unique, each(length{1, 40}), example("[\"a\"]")),
            field<&Task::before>(),
            field<&Task::rank>(nullable, range{-5, 5}),
            field<&Task::share>(limits{0, 1}, optional_with_default),
            field<&Task::password>(write_only, format::email),
            field<&Task::extra>(length{0, 3}),
            field<&Task::next>(omit_null),
        });
  }
};

std::string field_schema(std::string_view name, View view) {
  SchemaWriter writer;
  Buffer out;
  writer.write_field(out, *type_of<Task>().object().find(name), type_of<Task>(), view);
  return out.to_string();
}

TEST(Schema, fields) {
  EXPECT_EQ(field_schema("id", View::output),
            R"({"type":"string","format":"uuid","description":"Set by the server","readOnly":true})");
  EXPECT_EQ(field_schema("title", View::input),
            R"({"type":"string","minLength":1,"maxLength":200,"pattern":"^[^\\x00]*$",)"
            R"("description":"What is to be done","examples":["Buy milk"]})");
  EXPECT_EQ(field_schema("status", View::input), R"({"$ref":"#/$defs/Status","default":"todo"})");
  EXPECT_EQ(field_schema("due_at", View::input),
            R"({"type":["string","null"],"format":"date-time","deprecated":true})");
  EXPECT_EQ(
      field_schema("labels", View::input),
      R"({"type":"array","items":{"type":"string","minLength":1,"maxLength":40,"pattern":"^[^\\x00]*$"},)"
      R"("minItems":0,"maxItems":20,"uniqueItems":true,"examples":[["a"]]})");
  EXPECT_EQ(field_schema("before", View::input), R"({"anyOf":[{"$ref":"#/$defs/Status"},{"type":"null"}]})");
  EXPECT_EQ(field_schema("rank", View::input),
            R"({"type":["integer","null"],"format":"int32","minimum":-5,"maximum":5})");
  EXPECT_EQ(field_schema("share", View::input),
            R"({"type":"number","format":"double","minimum":0,"maximum":1,"default":0.5})");
  EXPECT_EQ(field_schema("password", View::input), R"({"type":"string","format":"email","writeOnly":true})");
  EXPECT_EQ(field_schema("extra", View::input),
            R"({"type":"object","additionalProperties":{},"minProperties":0,"maxProperties":3})");
  EXPECT_EQ(field_schema("next", View::input), R"({"type":["string","null"],"pattern":"^[^\\x00]*$"})");
  EXPECT_EQ(field_schema("next", View::output), R"({"type":"string"})");
}

struct Profile {
  Id<Profile> id;
  std::string name;
  std::string page;
  std::string code;
  Status status = Status::todo;
  static consteval auto describe() {
    using namespace schema;
    return object<Profile>("", {
                                   field<&Profile::id>(read_only, "Set by the server"),
                                   field<&Profile::name>(not_blank),
                                   field<&Profile::page>(format::web_url),
                                   field<&Profile::code>(not_blank, pattern("^[a-z ]+$")),
                                   field<&Profile::status>(read_only),
                               });
  }
};

TEST(Schema, words_that_json_schema_does_not_have_are_patterns) {
  const std::string input = json_schema(type_of<Profile>(), View::input);
  const std::string output = json_schema(type_of<Profile>(), View::output);
  EXPECT_NE(input.find(R"("name":{"type":"string","pattern":"^[^\\x00]*[^\\s\\x00][^\\x00]*$"})"),
            std::string::npos);
  EXPECT_NE(output.find(R"("name":{"type":"string","pattern":"\\S"})"), std::string::npos);
  EXPECT_NE(
      input.find(
          R"("page":{"type":"string","pattern":"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+([/?#].*)?$","format":"uri"})"),
      std::string::npos);
  EXPECT_NE(output.find(R"("code":{"type":"string","pattern":"^[a-z ]+$","allOf":[{"pattern":"\\S"}]})"),
            std::string::npos);
}

struct PatchProfile {
  Patch<std::string> name;
  static consteval auto describe() {
    using namespace schema;
    return object<PatchProfile>("", {field<&PatchProfile::name>(same_as<&Profile::name>)}, edits<Profile>);
  }
};

TEST(Schema, read_only_fields_of_what_is_edited_stand_in_input) {
  const std::string input = json_schema(type_of<PatchProfile>(), View::input);
  EXPECT_NE(
      input.find(
          R"("id":{"type":"string","format":"uuid","description":"Set by the server","readOnly":true})"),
      std::string::npos)
      << input;
  EXPECT_NE(input.find(R"("status":{"$ref":"#/$defs/Status","readOnly":true}},"additionalProperties":false)"),
            std::string::npos)
      << input;
  EXPECT_NE(input.find(R"("Status":{"type":"string")"), std::string::npos);
  EXPECT_EQ(json_schema(type_of<PatchProfile>(), View::output).find("\"id\""), std::string::npos);
}

TEST(Schema, integers_have_the_bounds_of_their_type) {
  const auto of = [](const TypeInfo& type) {
    SchemaWriter writer;
    Buffer out;
    writer.write(out, type, View::input);
    return out.to_string();
  };
  EXPECT_EQ(of(type_of<std::int8_t>()),
            R"({"type":"integer","format":"int32","minimum":-128,"maximum":127})");
  EXPECT_EQ(of(type_of<std::uint64_t>()),
            R"({"type":"integer","format":"int64","minimum":0,"maximum":18446744073709551615})");
  EXPECT_EQ(
      of(type_of<std::int64_t>()),
      R"({"type":"integer","format":"int64","minimum":-9223372036854775808,"maximum":9223372036854775807})");
  EXPECT_EQ((of(type_of<std::optional<std::variant<Card, Cash>>>())),
            R"({"oneOf":[{"type":"object","properties":{"card":{"$ref":"#/$defs/Card"}},"required":["card"],)"
            R"("additionalProperties":false},{"type":"object","properties":{"cash":{"$ref":"#/$defs/Cash"}},)"
            R"("required":["cash"],"additionalProperties":false},{"type":"null"}]})");
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST(Schema, views_differ_in_what_is_required_and_shown) {
  const std::string input = json_schema(type_of<Task>(), View::input);
  const std::string output = json_schema(type_of<Task>(), View::output);
  EXPECT_TRUE(check_json(input).has_value());
  EXPECT_TRUE(check_json(output).has_value());
  EXPECT_TRUE(
      contains(input, R"("$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/Task")"));
  EXPECT_TRUE(
      contains(input, R"("required":["title","labels","password","extra"],"additionalProperties":false)"));
  EXPECT_TRUE(
      contains(output, R"("required":["id","title","status","due_at","labels","before","share","extra"]})"));
  EXPECT_FALSE(contains(input, "\"id\":"));
  EXPECT_FALSE(contains(output, "\"password\":"));
  EXPECT_TRUE(
      contains(input, R"("Status":{"type":"string","description":"How far it is","enum":["todo","done"]})"));
}

TEST(Schema, two_views_in_one_document_have_two_names) {
  SchemaWriter writer("#/components/schemas/");
  for (View view : {View::input, View::output}) {
    writer.collect(type_of<std::vector<Task>>(), view);
    writer.collect(type_of<Cash>(), view);
  }
  EXPECT_EQ(writer.name_of(type_of<Task>(), View::input), "TaskInput");
  EXPECT_EQ(writer.name_of(type_of<Task>(), View::output), "Task");
  EXPECT_EQ(writer.name_of(type_of<Status>(), View::input), "Status");
  Buffer out;
  out.put('{');
  writer.write_definitions(out);
  out.put('}');
  EXPECT_TRUE(check_json(out.view()).has_value());
  EXPECT_TRUE(contains(out.view(), "\"TaskInput\":{"));
  EXPECT_TRUE(contains(out.view(), "\"Task\":{"));
  EXPECT_TRUE(contains(out.view(), "#/components/schemas/Status"));
}

namespace other {
struct Task {
  static consteval auto describe() { return schema::object<Task>("Another one"); }
};
}  // namespace other

TEST(Schema, two_types_of_one_name_are_told_apart) {
  SchemaWriter writer;
  EXPECT_EQ(writer.name_of(type_of<Task>(), View::input), "Task");
  EXPECT_EQ(writer.name_of(type_of<other::Task>(), View::input), "Task2");
  EXPECT_EQ(json_schema(type_of<int>(), View::input),
            R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"integer","format":"int32",)"
            R"("minimum":-2147483648,"maximum":2147483647})");
}

}  // namespace
}  // namespace bedplate
