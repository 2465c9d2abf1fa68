// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/text/text_value.h"

#include <gtest/gtest.h>

#include "bedplate/describe/json/json_value.h"

namespace bedplate {
namespace {

using namespace std::string_view_literals;

enum class Order { ascending, descending_ };
consteval auto describe(Order) {
  return schema::values<Order::ascending, Order::descending_>();
}

struct Query {
  int page = 1;
  std::optional<Order> order;
  std::vector<std::string> labels;
  Patch<Time> since;
  std::optional<std::vector<int>> ids;
  std::map<std::string, int> map;
  static consteval auto describe() {
    using namespace schema;
    return object<Query>("", {
                                 field<&Query::page>(range{1, 100}),
                                 field<&Query::order>(),
                                 field<&Query::labels>(length{0, 2}, unique, each(length{1, 3})),
                                 field<&Query::since>(),
                                 field<&Query::ids>(),
                                 field<&Query::map>(),
                             });
  }
};

std::string read(std::string_view name, std::vector<std::string_view> texts, Query& query) {
  Faults faults;
  const FieldInfo& field = *type_of<Query>().object().find(name);
  const bool good = read_text_field(texts, field, &query, "?" + std::string(name), faults);
  EXPECT_EQ(good, faults.empty());
  std::string all;
  for (const Fault& fault : faults.list()) all += fault.pointer + " " + fault.code + ";";
  return all;
}

TEST(TextValue, fields) {
  Query query;
  EXPECT_EQ(read("page", {"7"}, query), "");
  EXPECT_EQ(query.page, 7);
  EXPECT_EQ(read("page", {"101"}, query), "?page too_large;");
  EXPECT_EQ(read("page", {"0"}, query), "?page too_small;");
  EXPECT_EQ(read("page", {"-99999999999999999999999"}, query), "?page too_small;");
  EXPECT_EQ(read("page", {"1", "2"}, query), "?page duplicate_field;");
  EXPECT_EQ(read("page", {}, query), "?page required;");
  for (std::string_view bad :
       {""sv, " 1"sv, "1 "sv, "1.0"sv, "1e1"sv, "0x1"sv, "+1"sv, "01"sv, "one"sv, "1\0"sv})
    EXPECT_EQ(read("page", {bad}, query), "?page wrong_type;") << bad;
  EXPECT_EQ(read("order", {"descending"}, query), "");
  EXPECT_EQ(query.order, Order::descending_);
  EXPECT_EQ(read("order", {"Descending"}, query), "?order not_one_of;");
  EXPECT_EQ(read("since", {"2026-11-21T10:00:00Z"}, query), "");
  EXPECT_TRUE(query.since.has_value());
  EXPECT_EQ(read("since", {"yesterday"}, query), "?since format;");
  EXPECT_EQ(read("map", {"{}"}, query), "?map wrong_type;");
}

TEST(TextValue, lists) {
  Query query;
  EXPECT_EQ(read("labels", {"a", "b"}, query), "");
  EXPECT_EQ(query.labels, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read("labels", {}, query), "");
  EXPECT_TRUE(query.labels.empty());
  EXPECT_EQ(read("labels", {"a", "a"}, query), "?labels not_unique;");
  EXPECT_EQ(read("labels", {"abcd", "b", "c"}, query), "?labels too_long;?labels too_long;");
  EXPECT_EQ(read("labels", {"\xFF"}, query), "?labels format;");
  EXPECT_EQ(read("ids", {"1", "2"}, query), "");
  EXPECT_EQ(query.ids, (std::vector<int>{1, 2}));
  EXPECT_TRUE(is_text_list(type_of<std::optional<std::vector<int>>>()));
  EXPECT_FALSE(is_text_list(type_of<std::vector<std::vector<int>>>()));
  EXPECT_TRUE(is_text_scalar(type_of<Patch<Time>>()));
  EXPECT_FALSE(is_text_scalar(type_of<Query>()));
}

TEST(TextValue, items_that_could_not_be_read_are_not_called_equal) {
  Query query;
  EXPECT_EQ(read("labels", {"", ""}, query), "?labels too_short;?labels too_short;");
  EXPECT_EQ(read("labels", {"\xFF", "\xFF"}, query), "?labels format;?labels format;");
}

TEST(TextValue, nul_is_refused) {
  Query query;
  EXPECT_EQ(read("labels", {"a", "b\0"sv}, query), "?labels invalid_character;");
  EXPECT_EQ(from_text<std::string>("\0"sv).error().faults()[0].code, "invalid_character");
  EXPECT_EQ(from_text<Json>(R"(["\u0000"])").error().faults()[0].code, "invalid_character");
}

struct Contact {
  std::optional<Time> since;
  std::optional<std::string> email;
  std::optional<std::string> at;
  static consteval auto describe() {
    using namespace schema;
    return object<Contact>("", {field<&Contact::since>(), field<&Contact::email>(format::email),
                                field<&Contact::at>(format::date_time)});
  }
};

TEST(TextValue, a_plus_that_became_a_space_is_told) {
  const auto sentence = [](std::string_view name, std::string_view text, std::string_view pointer) {
    Contact contact;
    Faults faults;
    read_text_field(text, *type_of<Contact>().object().find(name), &contact, pointer, faults);
    return faults.empty() ? "ok" : faults.list()[0].message;
  };
  constexpr std::string_view kPlus = "has a space where a plus belongs: a + is a space here, write %2B";
  EXPECT_EQ(sentence("since", "2030-01-01T00:00:00 01:00", "?since"), kPlus);
  EXPECT_EQ(sentence("at", "2030-01-01T00:00:00 01:00", "?at"), kPlus);
  EXPECT_EQ(sentence("email", "ada home@example.com", "?email"), kPlus);
  // Neither where a plus would not help nor where nothing is decoded.
  EXPECT_EQ(sentence("since", "2030-01-01 00:00:00Z", "?since"),
            "must be an RFC 3339 date and time, such as 2026-11-21T10:00:00Z");
  EXPECT_EQ(sentence("since", "2030-01-01T00:00:00 01:00", "{since}"),
            "must be an RFC 3339 date and time, such as 2026-11-21T10:00:00Z");
  EXPECT_EQ(sentence("since", "9999-12-31T23:59:59-01:00", "?since"),
            "must be in the years 1 to 9999 once it is converted to UTC");
}

TEST(TextValue, there_and_back) {
  EXPECT_EQ(to_text(true), "true");
  EXPECT_EQ(*from_text<bool>("false"), false);
  EXPECT_FALSE(from_text<bool>("1").has_value());
  EXPECT_EQ(to_text(-0.5), "-0.5");
  EXPECT_EQ(*from_text<double>("1e3"), 1000);
  EXPECT_FALSE(from_text<double>("nan").has_value());
  EXPECT_EQ(from_text<double>("1e999").error().faults()[0].code, "too_large");
  EXPECT_EQ(to_text(Order::descending_), "descending");
  EXPECT_EQ(to_text(std::string("\"x\"")), "\"x\"");
  EXPECT_EQ(to_text(std::optional<int>(3)), "3");
  EXPECT_EQ(to_text(std::optional<int>()), "");
  EXPECT_EQ(from_text<Json>(R"({"a": 1})")->text(), R"({"a": 1})");
  EXPECT_FALSE(from_text<Json>("{").has_value());
  EXPECT_FALSE(from_text<Uuid>("x").has_value());
  std::string out;
  const std::vector<int> list{1};
  EXPECT_FALSE(write_text(out, type_of<std::vector<int>>(), &list));
}

}  // namespace
}  // namespace bedplate
