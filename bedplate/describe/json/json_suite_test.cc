// SPDX-License-Identifier: Apache-2.0
// The grammar of JSON (RFC 8259), case by case: what every parser must accept, and what none may. Each case
// runs against the raw grammar and as the value of an unknown field of a struct; both must agree.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "bedplate/describe/json/json.h"
#include "bedplate/describe/json/json_value.h"

namespace bedplate {
namespace {

using namespace std::string_view_literals;

struct Holder {
  int known = 0;
  static consteval auto describe() {
    using namespace schema;
    return object<Holder>("", {field<&Holder::known>(optional_with_default)});
  }
};

bool accepted_by_struct(std::string_view text) {
  Holder holder;
  Faults faults;
  const std::string wrapped = "{\"unknown\":" + std::string(text) + "}";
  return read_json(wrapped, type_of<Holder>(), &holder, faults).has_value();
}

constexpr std::string_view kAccepted[] = {
    // Structure
    "[]",
    "{}",
    "[[]   ]",
    " [1]",
    "[1] ",
    "[1]\n",
    "\t\r\n [ \t1\r,\n2 ] \n",
    "null",
    "true",
    "false",
    "42",
    "-0.1",
    "\"\"",
    "\"asd\"",
    "\" \"",
    "[null, 1, \"1\", {}]",
    "[\"\"]",
    "[null]",
    "[false]",
    "[1,null,null,null,2]",
    "[\"a\"]",
    "[2] ",
    "[[[[[[[[]]]]]]]]",
    "[[],[[]]]",
    // Objects
    R"({"a":"b"})",
    R"({"a":"b","a":"c"})",
    R"({"a":"b","a":"b"})",
    R"({"":0})",
    R"({"foo\u0000bar": 42})",
    R"({"min": -1.0e+28, "max": 1.0e+28})",
    R"({"title":"\u041f\u043e\u043b"})",
    "{\n\"a\": \"b\"\n}",
    R"({"x":[{"id": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}], "id": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})",
    R"({"a":[]})",
    R"({"asd":"sdf", "dfg":"fgh"})",
    // Numbers
    "[123e65]",
    "[0e+1]",
    "[0e1]",
    "[ 4]",
    "[-0.000000000000000000000000000000000000000000000000000000000000000000001]",
    "[20e1]",
    "[-0]",
    "[-123]",
    "[-1]",
    "[-0]",
    "[1E22]",
    "[1E-2]",
    "[1E+2]",
    "[123e45]",
    "[123.456e78]",
    "[1e-2]",
    "[1e+2]",
    "[123]",
    "[123.456789]",
    "[0]",
    "[0.0]",
    "[-0.0]",
    "[1.0]",
    "[0.4e006]",
    "[123123e100000]",
    "[1e400]",
    "[1e-400]",
    "[-1e+9999]",
    "[123456789012345678901234567890]",
    "[0.00000000000000000000000000000000001]",
    // Strings
    R"(["\u0060\u012a\u12AB"])",
    R"(["\uD801\udc37"])",
    R"(["\ud83d\ude39\ud83d\udc8d"])",
    R"(["\"\\\/\b\f\n\r\t"])",
    R"(["\\u0000"])",
    R"(["\""])",
    "[\"a/*b*/c/*d//e\"]",
    R"(["\\a"])",
    R"(["\\n"])",
    R"(["\u0012"])",
    R"(["\uFFFF"])",
    "[\"asd\"]",
    "[ \"asd\"]",
    R"(["\uDBFF\uDFFF"])",
    R"(["new\u00A0line"])",
    "[\"\xF4\x8F\xBF\xBF\"]",
    "[\"\xEF\xBF\xBF\"]",
    R"(["\u0000"])",
    R"(["\u002c"])",
    "[\"\xCF\x80\"]",
    "[\"\xF0\x9B\xBF\xBF\"]",
    "[\"asd \"]",
    R"("\u0061\u30af\u30EA\u30b9")",
    "[\"\xE2\x80\xA8\"]",
    "[\"\xE2\x80\xA9\"]",
    R"(["\u0061\u30af\u30EA\u30b9"])",
    "[\"new\xC2\xA0line\"]",
    "[\"\x7F\"]",
    R"(["\uA66D"])",
    R"(["\u005C"])",
    "[\"\xE2\x8D\x82\xE3\x88\xB4\xE2\x8D\x82\"]",
    R"(["\u0022"])",
    "[\"\xED\x9F\xBF\"]",
    "[\"\xEE\x80\x80\"]",
    R"(["\uDBFF\uDFFE"])",
    R"(["\uFDD0"])",
    R"(["\u200B"])",
    R"(["\u2064"])",
    R"(["\uFFFE"])",
};

constexpr std::string_view kRejected[] = {
    // Nothing, or not only one value
    ""sv,
    " "sv,
    "\xEF\xBB\xBF"sv,
    "\xEF\xBB\xBF{}"sv,
    "[][]"sv,
    "1 2"sv,
    "[1]x"sv,
    "{}{}"sv,
    "\"\" \"\""sv,
    "[1]]"sv,
    "{\"a\":true} \"x\""sv,
    "{\"a\":\"b\"}#{}"sv,
    "{\"a\":\"b\"}/**/"sv,
    "{\"a\":\"b\"}//"sv,
    "{\"a\":\"b\"}/"sv,
    "[1]\x0C"sv,
    "\xC3\xA5"sv,
    "<null>"sv,
    "<.>"sv,
    "\0"sv,
    "[1]\0"sv,
    "\xE2\x81\xA0"sv,
    "\xC2\x85[]"sv,
    "asd"sv,
    "*"sv,
    "{\"a\":1}}"sv,
    // Unclosed and mismatched
    "["sv,
    "{"sv,
    "[1"sv,
    "[\"\""sv,
    "[1,"sv,
    "[1,\n1\n,1"sv,
    "[{}"sv,
    "[\"a\""sv,
    "[\"asd"sv,
    "{\"a\""sv,
    "{\"a\":"sv,
    "{\"a\":\"a"sv,
    "{\"a\":1"sv,
    "[1}"sv,
    "{\"x\"]"sv,
    "[}"sv,
    "]"sv,
    "}"sv,
    "[\"a\",\n4\n,1,"sv,
    "[{\"\":[{\"\":["sv,
    "[[[[[["sv,
    "{\"a\":{\"b\":1}"sv,
    "\""sv,
    "[\"a\x00\"]"sv,
    "{]"sv,
    // Commas, colons, keys
    "[1,]"sv,
    "[1,,2]"sv,
    "[,1]"sv,
    "[,]"sv,
    "[\"\",]"sv,
    "[\"x\",,]"sv,
    "[3[4]]"sv,
    "[1 true]"sv,
    "[a]"sv,
    "[\"a\" 1]"sv,
    "[1:2]"sv,
    "[\"\": 1]"sv,
    "[\"x\"",
    "{,}"sv,
    "{\"a\":1,}"sv,
    "{\"a\":1,,\"b\":2}"sv,
    "{\"a\" 1}"sv,
    "{\"a\"::1}"sv,
    "{:\"b\"}"sv,
    "{a: \"b\"}"sv,
    "{'a':0}"sv,
    "{1:1}"sv,
    "{9999E9999:1}"sv,
    "{null:null,null:null}"sv,
    "{\"a\"}"sv,
    "{\"a\":\"b\",\"c\"}"sv,
    "{[: \"x\"}"sv,
    "{\"x\", null}"sv,
    "{\"x\"::\"b\"}"sv,
    "{\"id\":0,,,,,}"sv,
    "{\"a\":\"a\" 123}"sv,
    "{key: 'value'}"sv,
    "{\"id\":0,}"sv,
    "{\"a\":/*comment*/\"b\"}"sv,
    "{\"a\":\"b\",#}"sv,
    "[*]"sv,
    "{*}"sv,
    "[#]"sv,
    "{\"a\":b}"sv,
    "{\xF0\x9F\x87\xA8\xF0\x9F\x87\xAD}"sv,
    "[\n1\n2]"sv,
    "[1\n,2,"sv,
    "{\"\\uD800\":1}"sv,
    // Literals
    "[nul]"sv,
    "[nullx]"sv,
    "[tru]"sv,
    "[truE]"sv,
    "[fals]"sv,
    "[True]"sv,
    "[NULL]"sv,
    "nul"sv,
    "[undefined]"sv,
    "[tru\0]"sv,
    "t"sv,
    // Numbers
    "[++1234]"sv,
    "[+1]"sv,
    "[+Inf]"sv,
    "[-01]"sv,
    "[-1.0.]"sv,
    "[-2.]"sv,
    "[-NaN]"sv,
    "[.-1]"sv,
    "[.2e-3]"sv,
    "[0.1.2]"sv,
    "[0.3e+]"sv,
    "[0.3e]"sv,
    "[0.e1]"sv,
    "[0E+]"sv,
    "[0E]"sv,
    "[0e+]"sv,
    "[0e]"sv,
    "[1.0e+]"sv,
    "[1.0e-]"sv,
    "[1.0e]"sv,
    "[1 000.0]"sv,
    "[1eE2]"sv,
    "[2.e+3]"sv,
    "[2.e-3]"sv,
    "[2.e3]"sv,
    "[9.e+]"sv,
    "[Inf]"sv,
    "[NaN]"sv,
    "[\xEF\xBC\x91]"sv,
    "[1+2]"sv,
    "[0x1]"sv,
    "[0x42]"sv,
    "[Infinity]"sv,
    "[0e+-1]"sv,
    "[-Infinity]"sv,
    "[-foo]"sv,
    "[- 1]"sv,
    "[-012]"sv,
    "[-.123]"sv,
    "[-1x]"sv,
    "[1ea]"sv,
    "[1e1\xE5]"sv,
    "[1.]"sv,
    "[.123]"sv,
    "[1.2a-3]"sv,
    "[1.8011670033376514H-308]"sv,
    "[012]"sv,
    "[00]"sv,
    "[--1]"sv,
    "[-]"sv,
    "-"sv,
    "[1a]"sv,
    "[0\xE5]"sv,
    "[123\xE5]"sv,
    "01"sv,
    "1."sv,
    "1e"sv,
    "[1.e1]"sv,
    "[1,2"sv,
    "[\x30\xC2\xA0]"sv,
    // Strings: escapes
    R"(["\a"])"sv,
    R"(["\x00"])"sv,
    R"(["\u"])"sv,
    R"(["\u1"])"sv,
    R"(["\u12"])"sv,
    R"(["\u123"])"sv,
    R"(["\u00A"])"sv,
    R"(["\u12G4"])"sv,
    R"(["\uqqqq"])"sv,
    R"(["\ "])"sv,
    "[\"\\\xF0\x9F\x8C\x80\"]"sv,
    R"(["\)"sv,
    R"(["\"])"sv,
    R"(["\\\"])"sv,
    "[\"\\\0\"]"sv,
    R"(["\U0041"])"sv,
    "[\"\\\t\"]"sv,
    "[\"\\u\xE5\"]"sv,
    "[\"\\\xE5\"]"sv,
    R"("\)"sv,
    R"(["\'"])"sv,
    "['single quote']"sv,
    "[\\n]"sv,
    R"([\u0020"asd"])"sv,
    R"(["\uD800\u"])"sv,
    R"(["\uD800\u1"])"sv,
    R"(["\uD800\u1x"])"sv,
    // Strings: surrogates that stand alone
    R"(["\uD800"])"sv,
    R"(["\uDC00"])"sv,
    R"(["\uD800\uD800"])"sv,
    R"(["\uD888\u1234"])"sv,
    R"(["\uDd1ea"])"sv,
    R"(["\uD800\n"])"sv,
    R"(["\uDFAA"])"sv,
    R"(["\uDd1e\uD834"])"sv,
    R"(["\uD83D x"])"sv,
    // Strings: control characters and bad UTF-8
    "[\"a\0a\"]"sv,
    "[\"new\nline\"]"sv,
    "[\"\t\"]"sv,
    "[\"\x1F\"]"sv,
    "[\"\xFF\"]"sv,
    "[\"\xC0\xAF\"]"sv,
    "[\"\x81\"]"sv,
    "[\"\xED\xA0\x80\"]"sv,
    "[\"\xE0\xFF\"]"sv,
    "[\"\xF4\xBF\xBF\xBF\"]"sv,
    "[\"\xFC\x83\xBF\xBF\xBF\xBF\"]"sv,
    "[\"\xE6\x97\xA5\xD1\x88\xFA\"]"sv,
    "[\"\xE9\"]"sv,
    "[\"\xF0\x80\x80\x80\"]"sv,
    "[\"\xE2\x82\"]"sv,
    "[\"\xED\xB2\x80\"]"sv,
    "[\"\xF8\x88\x80\x80\x80\"]"sv,
    "[\"0123456789abcde\xC3\"]"sv,
    "{\"\xFF\":1}"sv,
    // UTF-16, and white space that JSON has not
    "\xFE\xFF\0[\0\"\0]"sv,
    "\xFF\xFE[\0\"\0]\0"sv,
    "[\0\"\0]\0"sv,
    "[\x0B]"sv,
    "[\x0C]"sv,
    "[\xC2\xA0]"sv,
    "[\xE2\x81\xA0]"sv,
    "[\"\"\x0B]"sv,
};

TEST(JsonSuite, accepts_what_is_json) {
  for (std::string_view text : kAccepted) {
    const Result<void> checked = check_json(text);
    EXPECT_TRUE(checked.has_value()) << text << ": " << checked.error().detail();
    EXPECT_TRUE(accepted_by_struct(text)) << text;
    EXPECT_TRUE(from_json<Json>(text, {.view = View::stored}).has_value()) << text;
  }
}

TEST(JsonSuite, rejects_what_is_not_json) {
  for (std::string_view text : kRejected) {
    const Result<void> checked = check_json(text);
    ASSERT_FALSE(checked.has_value()) << text;
    EXPECT_EQ(checked.error().category(), Category::malformed);
    EXPECT_EQ(checked.error().code(), "malformed_json");
    EXPECT_FALSE(from_json<Json>(text).has_value()) << text;
    EXPECT_FALSE(from_json<Holder>(text).has_value()) << text;
  }
}

TEST(JsonSuite, rejects_every_prefix) {
  const std::string text =
      R"({"a":[1,-2.5e+3,true,false,null,"\ud83d\ude39\n",{"b":{}}],"long key with more than 16 bytes":"\u00e9"})";
  ASSERT_TRUE(check_json(text).has_value());
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string prefix = text.substr(0, size);  // its own memory: reading past the end is seen
    EXPECT_FALSE(check_json(prefix).has_value()) << prefix;
    EXPECT_FALSE(from_json<Holder>(prefix).has_value()) << prefix;
  }
}

TEST(JsonSuite, deep_nesting_is_refused_without_using_the_stack) {
  for (std::string_view open : {"["sv, "{\"a\":"sv, "[{\"a\":"sv}) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += open;
    EXPECT_FALSE(check_json(deep).has_value());
    EXPECT_FALSE(check_json(deep, 1'000'000).has_value());
    EXPECT_FALSE(from_json<Holder>(deep).has_value());
  }
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(check_json(nested(64)).has_value());
  EXPECT_FALSE(check_json(nested(65)).has_value());
  EXPECT_TRUE(check_json(nested(10), 10).has_value());
  EXPECT_FALSE(check_json(nested(11), 10).has_value());
}

TEST(JsonSuite, says_where) {
  const auto detail = [](std::string_view text) { return check_json(text).error().detail(); };
  EXPECT_EQ(detail("[1,]"), "The JSON is malformed at byte 3: a value is missing.");
  EXPECT_EQ(detail("[01]"), "The JSON is malformed at byte 2: a number must not start with 0.");
  EXPECT_EQ(detail("[\"\\ud800x\"]"), "The JSON is malformed at byte 2: a surrogate stands alone.");
  EXPECT_EQ(detail("[\"ab\xFF\"]"), "The JSON is malformed at byte 4: a string is not valid UTF-8.");
  EXPECT_EQ(detail("{\"a\" 1}"), "The JSON is malformed at byte 5: a colon is missing after a key.");
  EXPECT_EQ(detail("[1] x"), "The JSON is malformed at byte 4: something follows the value.");
  EXPECT_EQ(detail(""), "The JSON is malformed at byte 0: a value is missing.");
}

}  // namespace
}  // namespace bedplate
