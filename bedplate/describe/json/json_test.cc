// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/json/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <variant>

#include "bedplate/describe/describe.h"
#include "bedplate/describe/validate.h"

namespace bedplate {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

enum class Level { low, mid, high };
consteval auto describe(Level) {
  using namespace schema;
  return values<Level::low, Level::mid, Level::high>();
}

struct Node {
  std::string name;
  std::vector<Node> kids;
  static consteval auto describe() {
    using namespace schema;
    return object<Node>("A tree", {field<&Node::name>(), field<&Node::kids>(optional_with_default)});
  }
};

struct Email {
  std::string address;
  static consteval auto describe() {
    using namespace schema;
    return object<Email>("By e-mail", {field<&Email::address>(format::email)});
  }
};

struct TextMessage {
  std::string phone;
  static consteval auto describe() {
    using namespace schema;
    return object<TextMessage>("By phone", {field<&TextMessage::phone>(pattern("^\\+[0-9]+$"))});
  }
};

struct All {
  Id<Node> id;
  bool on = false;
  std::int8_t i8 = 0;
  std::uint8_t u8 = 0;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  double d = 0;
  float f = 0;
  Level level = Level::low;
  Time at{};
  std::optional<std::vector<int>> numbers;
  Patch<std::string> name;
  Patch<int> rank;
  std::map<std::string, std::vector<double>> samples;
  std::optional<Node> node;
  std::variant<Email, TextMessage> via;
  Json extra;
  static consteval auto describe() {
    using namespace schema;
    return object<All>("Everything", {
                                         field<&All::id>(),
                                         field<&All::on>(),
                                         field<&All::i8>(),
                                         field<&All::u8>(),
                                         field<&All::i64>(),
                                         field<&All::u64>(),
                                         field<&All::d>(),
                                         field<&All::f>(),
                                         field<&All::level>(),
                                         field<&All::at>(),
                                         field<&All::numbers>(length{1, 3}),
                                         field<&All::name>(length{2, 5}),
                                         field<&All::rank>(nullable, range{-3, 3}),
                                         field<&All::samples>(),
                                         field<&All::node>(),
                                         field<&All::via>(),
                                         field<&All::extra>(optional_with_default),
                                     });
  }
};

constexpr std::string_view kAll =
    R"({"id":"018f3c1e-7a2b-7c3d-9e4f-5a6b7c8d9e0f","on":true,"i8":-128,"u8":255,"i64":-9223372036854775808,)"
    R"("u64":18446744073709551615,"d":-0.0015,"f":0.1,"level":"high","at":"2024-02-29T21:59:59.500Z",)"
    R"("numbers":[1,-2,3],"rank":null,"samples":{"a/b":[1,2.25],"c":[]},"node":{"name":"r","kids":[)"
    R"({"name":"k","kids":[]}]},"via":{"text_message":{"phone":"+49"}},"extra":{"x":[1, 2]}})";

/// "pointer code; pointer code", or the error, or "ok".
template <class T>
std::string faults_of(std::string_view text, T* out = nullptr, const JsonLimits& limits = {}) {
  T value{};
  Faults faults;
  if (Result<void> read = read_json(text, type_of<T>(), &value, faults, limits); !read)
    return read.error().code();
  std::string all;
  for (const Fault& fault : faults.list())
    all += (all.empty() ? "" : "; ") + fault.pointer + " " + fault.code;
  if (out != nullptr) *out = std::move(value);
  return all.empty() ? "ok" : all;
}

TEST(Json, every_kind_there_and_back) {
  All all;
  ASSERT_EQ(faults_of<All>(kAll, &all), "ok");
  EXPECT_EQ(to_json(all), kAll);
  EXPECT_TRUE(all.name.is_absent());
  EXPECT_TRUE(all.rank.is_null());
  EXPECT_EQ(all.u64, std::numeric_limits<std::uint64_t>::max());
}

TEST(Json, every_fault_at_once) {
  EXPECT_EQ(
      faults_of<All>(
          R"({"id":"x","on":1,"i8":128,"u8":-1,"i64":9223372036854775808,"u64":18446744073709551616,)"
          R"("d":"1","f":1e39,"level":"top","at":"2023-02-29T00:00:00Z","numbers":[1,2,3,4],"name":null,)"
          R"("rank":4,"zz":{"a":[1,{}]},"on":true,"samples":{"a/b":[null],"a/b":[]},"node":null,)"
          R"("via":{"text_message":{"phone":"49"}}})"),
      "/id format; /on wrong_type; /i8 too_large; /u8 too_small; /i64 too_large; /u64 too_large; /d "
      "wrong_type; "
      "/f too_large; /level not_one_of; /at format; /numbers too_long; /name null_not_allowed; /rank "
      "too_large; "
      "/zz unknown_field; /on duplicate_field; /samples/a~1b/0 null_not_allowed; /samples/a~1b "
      "duplicate_field; "
      "/via/text_message/phone pattern");
  EXPECT_EQ(faults_of<Node>(R"({"kids":[{"name":"a"},{"nam":1,"name":2},{"kids":[{"kids":{}}]}]})"),
            "/kids/1/nam unknown_field; /kids/1/name wrong_type; /kids/2/kids/0/kids wrong_type; "
            "/kids/2/kids/0/name required; /kids/2/name required; /name required");
}

TEST(Json, a_fault_says_what_to_do_and_repeats_nothing) {
  const Result<TextMessage> read = from_json<TextMessage>(R"({"phone":"hunter2","secret~/key":1})");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().category(), Category::invalid);
  EXPECT_EQ(read.error().code(), "validation_failed");
  ASSERT_EQ(read.error().faults().size(), 2u);
  EXPECT_EQ(read.error().faults()[0].message, "must match ^\\+[0-9]+$");
  EXPECT_EQ(read.error().faults()[1].pointer, "/secret~0~1key");
}

TEST(Json, at_most_100_faults_then_more) {
  std::string text = "{\"name\":\"x\"";
  for (int i = 0; i < 150; ++i) text += ",\"u" + std::to_string(i) + "\":1";
  const Result<Node> read = from_json<Node>(text + "}");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().faults().size(), 100u);
  EXPECT_TRUE(read.error().more_faults());
}

TEST(Json, another_shape_than_expected) {
  EXPECT_EQ(faults_of<Node>("[]"), " wrong_type");
  EXPECT_EQ(faults_of<Node>("null"), " null_not_allowed");
  EXPECT_EQ(faults_of<Node>("1"), " wrong_type");
  EXPECT_EQ(faults_of<Node>("[1,"), "malformed_json");
  EXPECT_EQ(faults_of<std::vector<int>>("{}"), " wrong_type");
  EXPECT_EQ(faults_of<std::vector<std::string>>(R"(["a",1,null,["b"]])"),
            "/1 wrong_type; /2 null_not_allowed; /3 wrong_type");
  EXPECT_EQ(faults_of<std::string>("\"x\""), "ok");
  EXPECT_EQ((faults_of<std::variant<Email, TextMessage>>(R"({"email":{"address":"a@b"},"text_message":{}})")),
            " wrong_type");
  EXPECT_EQ((faults_of<std::variant<Email, TextMessage>>(R"({"pigeon":{}})")), "/pigeon unknown_field");
  EXPECT_EQ((faults_of<std::variant<Email, TextMessage>>("{}")), " wrong_type");
}

TEST(Json, integers_are_exact) {
  const auto read = [](std::string_view text) -> std::string {
    std::int64_t value = 0;
    const std::string faults = faults_of<std::int64_t>(text, &value);
    return faults == "ok" ? std::to_string(value) : faults;
  };
  EXPECT_EQ(read("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(read("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(read("9223372036854775808"), " too_large");
  EXPECT_EQ(read("-9223372036854775809"), " too_small");
  EXPECT_EQ(read("123456789012345678901234567890"), " too_large");
  EXPECT_EQ(read("-123456789012345678901234567890"), " too_small");
  EXPECT_EQ(read("1.0"), "1");
  EXPECT_EQ(read("-0"), "0");
  EXPECT_EQ(read("-0.0e5"), "0");
  EXPECT_EQ(read("1e3"), "1000");
  EXPECT_EQ(read("1.5"), " wrong_type");
  EXPECT_EQ(read("15e-1"), " wrong_type");
  EXPECT_EQ(read("150e-1"), "15");
  EXPECT_EQ(read("9007199254740993.0"), "9007199254740993");
  EXPECT_EQ(read("9223372036854775807.0"), "9223372036854775807");
  EXPECT_EQ(read("922337203685477580.7e1"), "9223372036854775807");
  EXPECT_EQ(read("1e400"), " too_large");
  EXPECT_EQ(read("-1e400"), " too_small");
  EXPECT_EQ(read("1e-400"), " wrong_type");
  EXPECT_EQ(read("0e99999999999999999999"), "0");
  EXPECT_EQ(read("1e99999999999999999999"), " too_large");
  EXPECT_EQ(read("\"1\""), " wrong_type");
  EXPECT_EQ(read("true"), " wrong_type");
  EXPECT_EQ(read("01"), "malformed_json");
  EXPECT_EQ(read("1x"), "malformed_json");
  EXPECT_EQ(read("12345678"), "12345678");
  EXPECT_EQ(read("123456789"), "123456789");
  EXPECT_EQ(read("1234567/"), "malformed_json");
}

TEST(Json, unsigned_integers_use_all_their_bits) {
  std::uint64_t value = 0;
  EXPECT_EQ(faults_of<std::uint64_t>("18446744073709551615", &value), "ok");
  EXPECT_EQ(value, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(to_json(value), "18446744073709551615");
  EXPECT_EQ(faults_of<std::uint64_t>("18446744073709551616"), " too_large");
  EXPECT_EQ(faults_of<std::uint64_t>("-1"), " too_small");
  EXPECT_EQ(faults_of<std::uint64_t>("-0"), "ok");
  EXPECT_EQ(faults_of<std::uint32_t>("4294967296"), " too_large");
  EXPECT_EQ(faults_of<std::int32_t>("-2147483649"), " too_small");
  EXPECT_EQ(faults_of<std::int32_t>("-2147483648"), "ok");
}

TEST(Json, reals) {
  const auto read = [](std::string_view text) {
    double value = -1;
    return faults_of<double>(text, &value) == "ok" ? value : std::nan("");
  };
  EXPECT_EQ(read("0.1"), 0.1);
  EXPECT_EQ(read("-0.0"), 0.0);
  EXPECT_TRUE(std::signbit(read("-0.0")));
  EXPECT_EQ(read("123456789012345.678"), 123456789012345.678);
  EXPECT_EQ(read("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(read("5e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(read("1e-400"), 0.0);
  EXPECT_TRUE(std::isnan(read("1e400")));
  EXPECT_TRUE(std::isnan(read("1e309")));
  EXPECT_EQ(faults_of<float>("3.5e38"), " too_large");
  EXPECT_EQ(to_json(0.1f), "0.1");
  EXPECT_EQ(to_json(1e300), "1e+300");
}

TEST(Json, what_has_no_form_is_null_and_reported) {
  All all;
  all.d = std::nan("");
  all.f = std::numeric_limits<float>::infinity();
  all.level = static_cast<Level>(7);
  all.at = Time::max();
  all.samples["x"] = {1, -std::numeric_limits<double>::infinity()};
  Buffer out;
  Faults faults;
  EXPECT_FALSE(write_json(out, type_of<All>(), &all, View::output, &faults));
  EXPECT_TRUE(check_json(out.view()).has_value()) << out.view();
  std::string pointers;
  for (const Fault& fault : faults.list()) pointers += fault.pointer + " " + fault.code + "; ";
  EXPECT_EQ(pointers,
            "/d wrong_type; /f wrong_type; /level not_one_of; /at format; /samples/x/1 wrong_type; ");
  all = All();
  EXPECT_TRUE(to_json(out, all));
}

TEST(Json, strings_with_escapes_and_without) {
  std::string value;
  JsonLimits stored;
  stored.view = View::stored;
  ASSERT_EQ(faults_of<std::string>(R"("\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t\u0000x")", &value, stored), "ok");
  EXPECT_EQ(value, "\xC3\xA9\xF0\x9F\x98\x80\n\"\\/\b\f\r\t\0x"s);
  EXPECT_EQ(to_json(value), "\"\xC3\xA9\xF0\x9F\x98\x80\\n\\\"\\\\/\\b\\f\\r\\t\\u0000x\"");
  EXPECT_EQ(to_json("a\xFF"s), "\"a\xEF\xBF\xBD\"");
  const std::string longer(1000, 'x');
  ASSERT_EQ(faults_of<std::string>("\"" + longer + "\\n" + longer + "\"", &value), "ok");
  EXPECT_EQ(value, longer + "\n" + longer);
}

struct Named {
  std::string name;
  std::vector<std::string> labels;
  static consteval auto describe() {
    using namespace schema;
    return object<Named>(
        "", {field<&Named::name>(length{2, 4}),
             field<&Named::labels>(length{0, 3}, unique, each(length{1, 2}), optional_with_default)});
  }
};

TEST(Json, lengths_count_code_points) {
  EXPECT_EQ(faults_of<Named>(R"({"name":"日本語字"})"), "ok");
  EXPECT_EQ(faults_of<Named>(R"({"name":"日本語字x"})"), "/name too_long");
  EXPECT_EQ(faults_of<Named>(R"({"name":"日"})"), "/name too_short");
  EXPECT_EQ(faults_of<Named>(R"({"name":"\ud83d\ude00"})"), "/name too_short");
  EXPECT_EQ(faults_of<Named>(R"({"name":"\u00e9\u00e9"})"), "ok");
}

TEST(Json, list_rules) {
  EXPECT_EQ(faults_of<Named>(R"({"name":"ab","labels":["a","b","a"]})"), "/labels not_unique");
  EXPECT_EQ(faults_of<Named>(R"({"name":"ab","labels":["a","","bcd"]})"),
            "/labels/1 too_short; /labels/2 too_long");
  EXPECT_EQ(faults_of<Named>(R"({"name":"ab","labels":["a","b","c","d",5,{}]})"), "/labels too_long");
}

TEST(Json, items_that_could_not_be_read_are_not_called_equal) {
  EXPECT_EQ(faults_of<Named>(R"({"name":"ab","labels":[1,2]})"),
            "/labels/0 wrong_type; /labels/1 wrong_type");
  EXPECT_EQ(faults_of<Named>(R"({"name":"ab","labels":["",null]})"),
            "/labels/0 too_short; /labels/1 null_not_allowed");
  EXPECT_EQ(faults_of<Named>(R"({"name":"ab","labels":["a",1,"a"]})"),
            "/labels/1 wrong_type; /labels not_unique");
  EXPECT_EQ(from_json<Named>(R"({"name":"ab","labels":[1,"a","a"]})").error().faults()[1].message,
            "must not have the same item twice (items 1 and 2)");
  EXPECT_EQ((faults_of<std::map<std::string, Named>>(R"({"x":{"name":"ab","labels":[{},[]]}})")),
            "/x/labels/0 wrong_type; /x/labels/1 wrong_type");
}

struct Texts {
  std::string plain;
  std::optional<std::string> ruled;
  Patch<std::string> patch;
  std::vector<std::string> list;
  std::map<std::string, std::vector<std::string>> map;
  std::optional<Json> json;
  static consteval auto describe() {
    using namespace schema;
    return object<Texts>("", {
                                 field<&Texts::plain>(),
                                 field<&Texts::ruled>(length{1, 100}, pattern("x$")),
                                 field<&Texts::patch>(length{0, 100}),
                                 field<&Texts::list>(unique, optional_with_default),
                                 field<&Texts::map>(optional_with_default),
                                 field<&Texts::json>(),
                             });
  }
};

TEST(Json, nul_is_refused_in_every_string_of_input) {
  constexpr std::string_view kText =
      R"({"plain":"\u0000","ruled":"a\u0000b","patch":"\u0000","list":["a","\u0000","\u0000"],)"
      R"("map":{"k\u0000":[],"k":["","\u0000"]},"json":{"a":["\\u0000",{"b":"\u0000","c\u0000":1}]}})";
  EXPECT_EQ(faults_of<Texts>(kText),
            "/plain invalid_character; /ruled invalid_character; /ruled pattern; /patch invalid_character; "
            "/list/1 invalid_character; /list/2 invalid_character; /map/k\0 invalid_character; "
            "/map/k/1 invalid_character; /json/a/1/b invalid_character; /json/a/1/c\0 invalid_character"s);
  EXPECT_EQ(from_json<Texts>(kText).error().faults()[0].message, "must not hold the character U+0000");
  // What was stored once can be read, by its rules.
  JsonLimits stored;
  stored.view = View::stored;
  Texts texts;
  EXPECT_EQ(faults_of<Texts>(kText, &texts, stored), "/ruled pattern; /list not_unique");
  Faults faults;
  validate(type_of<Texts>(), &texts, faults);
  std::string places;
  for (const Fault& fault : faults.list()) places += fault.pointer + " " + fault.code + "; ";
  EXPECT_EQ(places,
            "/plain invalid_character; /ruled invalid_character; /ruled pattern; /patch invalid_character; "
            "/list/1 invalid_character; /list/2 invalid_character; /map/k/1 invalid_character; "
            "/map/k\0 invalid_character; /json/a/1/b invalid_character; /json/a/1/c\0 invalid_character; "s);
  EXPECT_EQ(faults_of<Json>(R"("\\u0000")"), "ok");
}

struct Entity {
  Id<Entity> id;
  std::string name;
  std::int64_t version = 1;
  static consteval auto describe() {
    using namespace schema;
    return object<Entity>("", {field<&Entity::id>(read_only), field<&Entity::name>(length{1, 9}, not_blank),
                               field<&Entity::version>(read_only)});
  }
};

struct ReplaceEntity {
  Id<Entity> id;
  std::string name;
  static consteval auto describe() {
    using namespace schema;
    return object<ReplaceEntity>(
        "", {field<&ReplaceEntity::id>(), field<&ReplaceEntity::name>(same_as<&Entity::name>)},
        edits<Entity>);
  }
};

TEST(Json, read_only_fields_of_what_is_edited_are_ignored) {
  JsonLimits limits;
  limits.fields_elsewhere = 1;  // the id stands in the path
  ReplaceEntity read;
  EXPECT_EQ(faults_of<ReplaceEntity>(R"({"version":[{}],"id":"other","name":"n"})", &read, limits), "ok");
  EXPECT_EQ(read.name, "n");
  EXPECT_EQ(read.id, Id<Entity>());
  EXPECT_EQ(faults_of<ReplaceEntity>(R"({"versions":1,"name":"n"})", nullptr, limits),
            "/versions unknown_field");
  EXPECT_EQ(faults_of<ReplaceEntity>(R"({"id":"x","name":"n"})"), "/id format");  // here it is its own

  EXPECT_EQ(faults_of<Entity>(R"({"id":1,"name":"n"})"), "/id read_only");
  JsonLimits change;
  change.ignore_read_only_fields = true;
  EXPECT_EQ(faults_of<Entity>(R"({"id":1,"name":"n","version":"x"})", nullptr, change), "ok");
  EXPECT_EQ(faults_of<Entity>(R"({"name":"n","version":1,"version":2})", nullptr, change),
            "/version duplicate_field");
}

TEST(Json, blank_is_not_a_name) {
  for (auto blank : {R"(" ")", R"("\t \u00a0\u2003\u3000\ufeff")", "\" \xE2\x80\xA8\""})
    EXPECT_EQ(faults_of<Entity>(R"({"name":)" + std::string(blank) + "}"), "/name blank") << blank;
  for (auto name : {"x", " x", "\xC2\xA0x", "\xE3\x80\x80\xE3\x80\x81", "\xE2\x80\x8B"})
    EXPECT_EQ(faults_of<Entity>(R"({"name":")" + std::string(name) + "\"}"), "ok") << name;
  EXPECT_EQ(faults_of<Entity>(R"({"name":""})"), "/name too_short");
}

/// The sentence of the only fault, or the error's.
template <class T>
std::string sentence_of(std::string_view text) {
  const Result<T> read = from_json<T>(text);
  if (read) return "ok";
  return read.error().faults().empty() ? read.error().detail() : read.error().faults()[0].message;
}

TEST(Json, sentences_name_what_is_wrong) {
  EXPECT_EQ(sentence_of<Level>("1"), "must be one of low, mid, high");
  EXPECT_EQ(sentence_of<Level>("\"x\""), "must be one of low, mid, high");
  EXPECT_EQ(faults_of<Level>("1"), " wrong_type");
  EXPECT_EQ(sentence_of<Time>(R"("9999-12-31T23:59:59-01:00")"),
            "must be in the years 1 to 9999 once it is converted to UTC");
  EXPECT_EQ(sentence_of<Time>(R"("0001-01-01T00:00:00+00:01")"),
            "must be in the years 1 to 9999 once it is converted to UTC");
  EXPECT_EQ(sentence_of<Time>(R"("9999-13-31T23:59:59-01:00")"),
            "must be an RFC 3339 date and time, such as 2026-11-21T10:00:00Z");
  // The byte where the escape begins.
  EXPECT_EQ(sentence_of<std::string>(R"("abc\q")"),
            "The JSON is malformed at byte 4: there is no such escape.");
  EXPECT_EQ(sentence_of<std::string>(R"("abc\u12x4")"),
            "The JSON is malformed at byte 4: \\u needs four hexadecimal digits.");
  EXPECT_EQ(sentence_of<std::string>(R"("\ud83d\u12x4")"),
            "The JSON is malformed at byte 7: \\u needs four hexadecimal digits.");
  EXPECT_EQ(sentence_of<std::string>(R"("ab\ud83dx")"),
            "The JSON is malformed at byte 3: a surrogate stands alone.");
}

TEST(Json, a_byte_order_mark_is_named) {
  constexpr std::string_view kUtf8 = "The JSON is malformed at byte 0: it begins with a byte order mark.";
  EXPECT_EQ(sentence_of<Named>("\xEF\xBB\xBF{\"name\":\"ab\"}"), kUtf8);
  EXPECT_EQ(sentence_of<std::string>("\xEF\xBB\xBF\"x\""), kUtf8);
  EXPECT_EQ(sentence_of<Json>("\xEF\xBB\xBF[]"), kUtf8);
  EXPECT_EQ(check_json("\xEF\xBB\xBF").error().detail(), kUtf8);
  EXPECT_EQ(
      sentence_of<Named>("\xFF\xFE{"sv),
      "The JSON is malformed at byte 0: it begins with a byte order mark of UTF-16, and JSON is UTF-8.");
  EXPECT_EQ(sentence_of<Named>(" \xEF\xBB\xBF{}"), "The JSON is malformed at byte 1: a value is missing.");
}

TEST(Json, keys_in_any_order_with_space_and_escapes) {
  Named named;
  EXPECT_EQ(faults_of<Named>("\n{ \"labels\" : [ \"x\" , \"y\" ] ,\t\"n\\u0061me\" : \"ab\" } ", &named),
            "ok");
  EXPECT_EQ(named.name, "ab");
  EXPECT_EQ(named.labels, (std::vector<std::string>{"x", "y"}));
}

struct Account {
  Id<Account> id;
  std::string email;
  std::string password;
  std::string token = "t";
  std::optional<int> age;
  std::optional<int> hidden;
  int level = 3;
  static consteval auto describe() {
    using namespace schema;
    return object<Account>("", {
                                   field<&Account::id>(read_only),
                                   field<&Account::email>(),
                                   field<&Account::password>(write_only),
                                   field<&Account::token>(secret, optional_with_default),
                                   field<&Account::age>(),
                                   field<&Account::hidden>(omit_null),
                                   field<&Account::level, "accountLevel">(optional_with_default),
                               });
  }
};

TEST(Json, views) {
  Account account;
  EXPECT_EQ(faults_of<Account>(R"({"email":"e","password":"p"})", &account), "ok");
  EXPECT_EQ(account.level, 3);
  constexpr std::string_view kWithId =
      R"({"id":"018f3c1e-7a2b-7c3d-9e4f-5a6b7c8d9e0f","email":"e","password":"p"})";
  EXPECT_EQ(faults_of<Account>(kWithId), "/id read_only");
  JsonLimits stored;
  stored.view = View::stored;
  EXPECT_EQ(faults_of<Account>(kWithId, &account, stored), "ok");
  JsonLimits answer;
  answer.view = View::output;
  EXPECT_EQ(faults_of<Account>(R"({"email":"e"})", &account, answer), "ok");
  EXPECT_EQ(
      to_json(account),
      R"({"id":"00000000-0000-0000-0000-000000000000","email":"e","token":"t","age":null,"accountLevel":3})");
  account.password = "p";
  account.hidden = 1;
  EXPECT_EQ(to_json(account, View::input),
            R"({"email":"e","password":"p","token":"t","age":null,"hidden":1,"accountLevel":3})");
  EXPECT_EQ(
      to_json(account, View::diagnostic),
      R"({"id":"00000000-0000-0000-0000-000000000000","email":"e","password":"***","token":"***","age":null,)"
      R"("hidden":1,"accountLevel":3})");
}

TEST(Json, limits) {
  JsonLimits limits;
  limits.ignore_unknown_fields = true;
  EXPECT_EQ(faults_of<Node>(R"({"name":"x","new":[1,{"a":2}],"newer":"y"})", nullptr, limits), "ok");
  limits.size_bytes_max = 8;
  EXPECT_EQ(faults_of<Node>(R"({"name":"x"})", nullptr, limits), "json_too_large");
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += R"({"name":"","kids":[)";
  EXPECT_EQ(faults_of<Node>(deep), "malformed_json");
  JsonLimits elsewhere;
  elsewhere.fields_elsewhere = 1;  // the name comes from the path, say
  EXPECT_EQ(faults_of<Node>(R"({"kids":[{"name":"inner"}]})", nullptr, elsewhere), "ok");
  EXPECT_EQ(faults_of<Node>(R"({"name":"x"})", nullptr, elsewhere), "/name unknown_field");
  EXPECT_EQ(faults_of<Node>(R"({"kids":[{}]})", nullptr, elsewhere), "/kids/0/name required");
}

struct Window {
  int from = 0;
  int until = 0;
  static void check_order(const Window& window, ObjectProblems& problems) {
    if (window.until < window.from) problems.add("until", "custom", "must not be before from");
  }
  static const char* check_even(const int& value) { return value % 2 == 0 ? nullptr : "must be even"; }
  static consteval auto describe() {
    using namespace schema;
    return object<Window>("",
                          {field<&Window::from>(schema::check<&Window::check_even>),
                           field<&Window::until, "to">(schema::check<&Window::check_even>)},
                          schema::check<&Window::check_order>);
  }
};

const char* check_status(const Level& level) {
  return level == Level::high ? "must not be high" : nullptr;
}
const char* check_numbers(const std::vector<int>& numbers) {
  return numbers.size() == 2 ? nullptr : "must be a pair";
}
const char* check_node(const Node& node) {
  return node.name == "root" ? nullptr : "must be the root";
}

struct Checked {
  Level level = Level::low;
  std::optional<std::vector<int>> pair;
  Patch<Level> patch;
  std::optional<Node> node;
  static consteval auto describe() {
    using namespace schema;
    return object<Checked>("",
                           {
                               field<&Checked::level>(schema::check<&check_status>, optional_with_default),
                               field<&Checked::pair>(schema::check<&check_numbers>),
                               field<&Checked::patch>(schema::check<&check_status>, nullable),
                               field<&Checked::node>(schema::check<&check_node>),
                           });
  }
};

TEST(Json, checks_stand_on_every_kind) {
  EXPECT_EQ(faults_of<Checked>(R"({"level":"high","pair":[1],"patch":"high","node":{"name":"x"}})"),
            "/level custom; /pair custom; /patch custom; /node custom");
  EXPECT_EQ(faults_of<Checked>(R"({"level":"low","pair":[1,2],"patch":"mid","node":{"name":"root"}})"), "ok");
  EXPECT_EQ(faults_of<Checked>(R"({"pair":null,"patch":null,"node":null})"), "ok");
  EXPECT_EQ(faults_of<Checked>(R"({"level":"top","pair":["x"],"node":{}})"),
            "/level not_one_of; /pair/0 wrong_type; /node/name required");
  Checked checked;
  checked.level = Level::high;
  checked.pair = {1};
  checked.node = Node{};
  Faults faults;
  validate(type_of<Checked>(), &checked, faults);
  EXPECT_EQ(faults.list().size(), 3u);
}

TEST(Json, checks_of_the_author) {
  EXPECT_EQ(faults_of<std::vector<Window>>(R"([{"from":2,"to":4},{"from":4,"to":2}])"), "/1/to custom");
  EXPECT_EQ(faults_of<Window>(R"({"from":3,"to":2})"),
            "/from custom");  // across fields only when the fields are well
}

}  // namespace
}  // namespace bedplate
