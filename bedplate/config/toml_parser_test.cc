// SPDX-License-Identifier: Apache-2.0
#include "bedplate/config/toml_parser.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/base/text.h"

namespace bedplate::config {
namespace {

/// The document as JSON, or what is wrong with it.
void append(std::string& out, const TomlNode& node) {
  if (node.kind == TomlNode::Kind::scalar) {
    out += node.json.empty() ? "not finite" : node.json;
    return;
  }
  const bool is_table = node.kind == TomlNode::Kind::table;
  out += is_table ? "{" : "[";
  for (const TomlNode& member : node.members) {
    if (&member != &node.members.front()) out += ",";
    if (is_table) {
      append_json_string(out, member.key);
      out += ":";
    }
    append(out, member);
  }
  out += is_table ? "}" : "]";
}
std::string read(std::string_view text) {
  const auto document = parse_toml(text);
  if (!document) {
    EXPECT_EQ(document.error().category(), Category::malformed);
    return document.error().detail();
  }
  std::string out;
  append(out, *document);
  return out;
}
/// The one value of `x = ...`.
std::string value(const std::string& text) {
  const std::string all = read("x = " + text);
  return all.starts_with("{\"x\":") ? all.substr(5, all.size() - 6) : all;
}

TEST(Toml, ReadsKeysAndTables) {
  EXPECT_EQ(read(""), "{}");
  EXPECT_EQ(read("# only a comment"), "{}");
  EXPECT_EQ(read("a = 1\r\n\tb=2 # c\n\n"), R"({"a":1,"b":2})");
  EXPECT_EQ(read("1234 = 'digits'\n\"quoted key\" = 1\n'lit\\eral' = 2\n\"\" = 3\n-_- = 4"),
            R"({"1234":"digits","quoted key":1,"lit\\eral":2,"":3,"-_-":4})");
  EXPECT_EQ(read("a.b.c = 1\na.b . \"d e\" = 2\n3.14 = 'pi'"),
            R"({"a":{"b":{"c":1,"d e":2}},"3":{"14":"pi"}})");
  EXPECT_EQ(read("[a]\nx = 1\n[ b . c ]\ny = 2\n[b]\nz = 3\n[a.d]"),
            R"({"a":{"x":1,"d":{}},"b":{"c":{"y":2},"z":3}})");
  EXPECT_EQ(read("[fruit]\napple.color = 1\n[fruit.apple.texture]\nsmooth = true"),
            R"({"fruit":{"apple":{"color":1,"texture":{"smooth":true}}}})");
  EXPECT_EQ(read("[[f]]\nn = 1\n[f.p]\nc = 2\n[[f.v]]\nw = 3\n[[f.v]]\nw = 4\n[[f]]\nn = 5"),
            R"({"f":[{"n":1,"p":{"c":2},"v":[{"w":3},{"w":4}]},{"n":5}]})");
}

TEST(Toml, KnowsTheLines) {
  const auto document = parse_toml("a = \"\"\"\n\n\"\"\"\nb = [\n1,\n2]\n[c]\n\n[[d]]\nx.y = 1\n");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->members[0].line, 1U);
  EXPECT_EQ(document->members[1].line, 4U);
  EXPECT_EQ(document->members[1].members[1].line, 6U);
  EXPECT_EQ(document->members[2].line, 7U);
  EXPECT_EQ(document->members[3].line, 9U);
  EXPECT_EQ(document->members[3].members[0].members[0].line, 10U);
}

TEST(Toml, ReadsStrings) {
  EXPECT_EQ(value(R"("a \b\t\n\f\r\"\\ \u00e9\U0001F600 é")"),
            "\"a \\b\\t\\n\\f\\r\\\"\\\\ \xC3\xA9\xF0\x9F\x98\x80 \xC3\xA9\"");
  EXPECT_EQ(value("'C:\\Users\\n'"), R"("C:\\Users\\n")");
  EXPECT_EQ(value("\"\""), "\"\"");
  EXPECT_EQ(value("''"), "\"\"");
  EXPECT_EQ(value("\"tab\there\""), "\"tab\\there\"");
  EXPECT_EQ(value("\"\"\"\nRoses\r\nViolets\"\"\""), R"("Roses\nViolets")");
  EXPECT_EQ(value("\"\"\"\\\n  The \\  \n\n   fox.\\\n   \"\"\""), R"("The fox.")");
  EXPECT_EQ(value("\"\"\"Here are two: \"\". And at the end: \"\"\"\"\""),
            R"("Here are two: \"\". And at the end: \"\"")");
  EXPECT_EQ(value("'''\nI [dw]on't need \\d'''"), R"("I [dw]on't need \\d")");
  EXPECT_EQ(value("''''two''''' "), R"("'two''")");
  EXPECT_EQ(value("\"\"\"\"\"\""), "\"\"");
}

TEST(Toml, ReadsNumbers) {
  for (const auto& [text, json] : std::initializer_list<std::pair<const char*, const char*>>{
           {"0", "0"},
           {"+99", "99"},
           {"-17", "-17"},
           {"-0", "-0"},
           {"1_000_000", "1000000"},
           {"9223372036854775807", "9223372036854775807"},
           {"-9223372036854775808", "-9223372036854775808"},
           {"0xDEAD_beef", "3735928559"},
           {"0o755", "493"},
           {"0b1101", "13"},
           {"0x00", "0"},
           {"+1.0", "1.0"},
           {"-0.01", "-0.01"},
           {"5e+22", "5e+22"},
           {"1e06", "1e06"},
           {"6.626E-34", "6.626e-34"},
           {"224_617.445_991", "224617.445991"},
           {"inf", "not finite"},
           {"-nan", "not finite"},
           {"true", "true"},
           {"false", "false"}}) {
    EXPECT_EQ(value(text), json) << text;
  }
}

TEST(Toml, ReadsDates) {
  for (const auto& [text, json] : std::initializer_list<std::pair<const char*, const char*>>{
           {"1979-05-27T07:32:00Z", "1979-05-27T07:32:00Z"},
           {"1979-05-27 00:32:00.999999-07:00", "1979-05-27T00:32:00.999999-07:00"},
           {"1979-05-27t07:32:00z", "1979-05-27t07:32:00z"},
           {"1979-05-27T07:32:00", "1979-05-27T07:32:00"},
           {"1979-05-27", "1979-05-27"},
           {"07:32:00.5", "07:32:00.5"}}) {
    EXPECT_EQ(value(text), '"' + std::string(json) + '"') << text;
  }
  EXPECT_EQ(value("1979-05-27 # comment"), "\"1979-05-27\"");
}

TEST(Toml, ReadsArraysAndInlineTables) {
  EXPECT_EQ(value("[]"), "[]");
  EXPECT_EQ(value("[ 1, [ 'a', 2.5 ], { b = [] }, ]"), R"([1,["a",2.5],{"b":[]}])");
  EXPECT_EQ(value("[ # comment\n1 # one\n, # two\n\n2,\r\n]"), "[1,2]");
  EXPECT_EQ(value("{}"), "{}");
  EXPECT_EQ(value("{ a = 1, b.c = 2, b.d = 3, 'e f' = {} }"), R"({"a":1,"b":{"c":2,"d":3},"e f":{}})");
}

TEST(Toml, SaysWhatIsWrongAndWhere) {
  for (const auto& [text, problem] : std::initializer_list<std::pair<std::string, const char*>>{
           {"a", "1:2: expected = after the key"},
           {"a =", "1:4: expected a value"},
           {"a = \n1", "1:5: expected a value"},
           {"= 1", "1:1: expected a key"},
           {"a..b = 1", "1:3: expected a key"},
           {"a b = 1", "1:3: expected = after the key"},
           {"a = 1 b = 2", "1:7: the line should end here"},
           {"\xC3\xA9 = 1", "1:1: expected a key"},
           {"x = 1\n\xFF", "2:1: the text is not valid UTF-8"},
           {"\xFF\xFEx = 1", "1:1: the text is UTF-16, and TOML is UTF-8"},
           {"[[", "1:3: expected a key"},
           {"[a", "1:3: expected ]"},
           {"[}]", "1:2: expected a key"},
           {"[a]]", "1:4: the line should end here"},
           {"[[a]", "1:4: expected ]]"},
           {"[]", "1:2: expected a key"},
           {"[a] b = 1", "1:5: the line should end here"},
           {"\"\"\"a\"\"\" = 1", "1:1: a key is not a string of many lines"},
           {"a = 1\na = 2", "2:3: \"a\" is defined already, on line 1"},
           {"a = 1\na.b = 2", "2:5: \"a\" is defined already, on line 1"},
           {"[a]\n[a]", "2:3: \"a\" is defined already, on line 1"},
           {"a = 1\n[a]", "2:3: \"a\" is defined already, on line 1"},
           {"a = 1\n[a.b]", "2:5: \"a\" is a value, not a table"},
           {"a = {}\n[a.b]", "2:5: \"a\" is a value, not a table"},
           {"a = {}\na.b = 1", "2:5: \"a\" is defined already, on line 1"},
           {"a = []\n[[a]]", "2:4: \"a\" is defined already, on line 1"},
           {"[[a]]\n[a]", "2:3: \"a\" is defined already, on line 1"},
           {"[a]\n[[a]]", "2:4: \"a\" is defined already, on line 1"},
           {"[a.b]\nx = 1\n[a]\nb.y = 2", "4:5: \"b\" is defined already, on line 1"},
           {"[f]\napple.color = 1\n[f.apple]", "3:9: \"apple\" is defined already, on line 2"},
           {"a = [1 2]", "1:8: expected , or ] in the array"},
           {"a = [1,,2]", "1:8: expected a value"},
           {"a = [", "1:6: expected a value"},
           {"a = { b = 1,\n c = 2 }", "1:13: expected a key"},
           {"a = { b = 1, }", "1:14: expected a key"},
           {"a = { b = 1, b = 2 }", "1:16: \"b\" is defined already, on line 1"},
           {"a = { b = 1", "1:12: expected , or } in the table, on the same line"},
           {"a = \"x\n\"", "1:7: the string does not end on its line"},
           {"a = 'x", "1:7: the string does not end on its line"},
           {"a = \"\"\"x", "1:9: the string does not end"},
           {"a = \"\\q\"", "1:7: there is no such escape"},
           {"a = \"\\u00g0\"", "1:7: the escape wants 4 hexadecimal digits"},
           {"a = \"\\ud800\"", "1:7: there is no such character"},
           {"a = \"\\U00110000\"", "1:7: there is no such character"},
           {"a = \"\x01\"", "1:6: the string does not end on its line"},
           {"a = '''\x7f'''", "1:8: the string holds a control character"},
           {"a = 1 # \x01", "1:9: a comment holds a control character"},
           {"a = 1\rb = 2", "1:6: the line should end here"},
           {"a = yes", "1:5: this is not a number, a date, true or false (text stands in quotes)"},
           {"a = True", "1:5: this is not a number, a date, true or false (text stands in quotes)"},
           {"a = 127.0.0.1", "1:5: this is not a number, a date, true or false (text stands in quotes)"},
           {"a = 007", "1:5: a number does not begin with a zero"},
           {"a = 9223372036854775808", "1:5: the number does not fit into 64 bits"},
           {"a = 0xFFFFFFFFFFFFFFFF", "1:5: the number does not fit into 64 bits"},
           {"a = 0xG", "1:5: this is not a number"},
           {"a = 0b2", "1:5: this is not a number"},
           {"a = 2026-02-30", "1:5: this is not a date or time"},
           {"a = 2026-11-21T25:00:00Z", "1:5: this is not a date or time"},
           {"a = 10:61:00", "1:5: this is not a date or time"}}) {
    EXPECT_EQ(read(text), problem) << text;
  }
}

TEST(Toml, RefusesOddNumbers) {
  for (const char* text :
       {"1_",  "_1", "1__0", "1.",   ".5",    "1.e5", "1e",    "1e+",      "1_.5", "1._5", "+-1",
        "--1", "0x", "0x_1", "-0x1", "1.5.5", "01.5", "1e1.5", "infinity", "0xp",  "e5",   "1,5"}) {
    EXPECT_FALSE(parse_toml("x = " + std::string(text))) << text;
  }
}

TEST(Toml, IsBounded) {
  EXPECT_EQ(read(std::string(kTomlSizeMax + 1, ' ')), "1:1: the document is larger than 1 MiB");
  EXPECT_EQ(read("a = " + std::string(100'000, '[')).substr(0, 5), "1:69:");
  std::string deep = "a = ";
  for (int i = 0; i < 1000; ++i) deep += "{a.a.a = ";
  EXPECT_NE(read(deep).find("nested too deeply"), std::string::npos);
  std::string key;
  for (int i = 0; i < 100; ++i) key += "a.";
  EXPECT_NE(read(key + "a = 1").find("too many parts"), std::string::npos);
  std::string many = "a = [";
  for (std::size_t i = 0; i < kTomlNodesMax; ++i) many += "1,";
  EXPECT_NE(read(many + "]").find("too many values"), std::string::npos);
}

RC_GTEST_PROP(Toml, AnyTextComesBackFromAString, (const std::vector<std::uint16_t>& points)) {
  std::string bytes;
  for (const char32_t point : points) {
    char utf8[4];
    bytes.append(utf8, write_utf8(utf8, point % 3 == 0 ? point : point % 0x90));
  }
  std::string quoted;
  append_json_string(quoted, bytes);
  for (std::size_t at = 0; (at = quoted.find('\x7f', at)) != std::string::npos;)
    quoted.replace(at, 1, "\\u007f");
  std::string expected;
  append_json_string(expected, bytes);
  RC_ASSERT(value(quoted) == expected);
}

RC_GTEST_PROP(Toml, ChangedDocumentsAreReadOrRefused, (char byte)) {
  std::string text =
      "a.b = [1, \"x\", '''y''', {c = 2026-11-21 10:00:00Z}] # c\n[[d.e]]\nf = \"\"\"\\u00e9\\\n g\"\"\"\nh "
      "= -1_0.5e3\n";
  text[*rc::gen::inRange<std::size_t>(0, text.size())] = byte;
  text.resize(*rc::gen::inRange<std::size_t>(1, text.size() + 1));
  const auto document = parse_toml(text);
  if (!document) RC_ASSERT(document.error().detail().find(": ") != std::string::npos);
}

}  // namespace
}  // namespace bedplate::config
