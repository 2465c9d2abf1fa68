// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/validate.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <thread>
#include <variant>
#include <vector>

#include "bedplate/describe/any_value.h"
#include "bedplate/describe/json/json.h"

namespace bedplate {
namespace {

struct Inner {
  std::string code;
  static consteval auto describe() {
    using namespace schema;
    return object<Inner>("", {field<&Inner::code>(pattern("^[A-Z]{2}$"), length{2, 2})});
  }
};

struct Outer {
  std::string name = "name";
  std::optional<int> count;
  double share = 0;
  std::vector<Inner> list;
  std::map<std::string, Inner> map;
  std::variant<Inner> one;
  Patch<std::string> patch;
  std::vector<int> numbers;

  static void check(const Outer& outer, ObjectProblems& problems) {
    if (outer.name == "forbidden") problems.add("name", "custom", "must be another name");
    if (outer.name == "whole") problems.add("custom", "is wrong as a whole");
  }
  static consteval auto describe() {
    using namespace schema;
    return object<Outer>("",
                         {
                             field<&Outer::name>(length{1, 10}),
                             field<&Outer::count>(range{-10, -5}),
                             field<&Outer::share>(limits{0, 1}),
                             field<&Outer::list>(),
                             field<&Outer::map>(length{0, 1}),
                             field<&Outer::one>(),
                             field<&Outer::patch>(length{1, 3}),
                             field<&Outer::numbers>(unique),
                         },
                         schema::check<&Outer::check>);
  }
};

Outer good() {
  Outer outer;
  std::get<0>(outer.one).code = "AB";
  return outer;
}

std::string faults_of(const Outer& outer) {
  Faults faults;
  validate(type_of<Outer>(), &outer, faults);
  std::string all;
  for (const Fault& fault : faults.list()) all += fault.pointer + " " + fault.code + ";";
  return all;
}

TEST(Validate, every_rule_of_every_part) {
  EXPECT_EQ(faults_of(good()), "");
  Outer outer = good();
  outer.name = "";
  outer.count = -4;
  outer.share = std::numeric_limits<double>::quiet_NaN();
  outer.list = {{"AB"}, {"abc"}};
  outer.map["x/y"] = {"A1"};
  outer.map["z"] = {"ZZ"};
  std::get<0>(outer.one).code = "";
  outer.patch = std::string("long");
  outer.numbers = {3, 1, 2, 1};
  EXPECT_EQ(faults_of(outer),
            "/name too_short;/count too_large;/share wrong_type;/list/1/code too_long;/list/1/code pattern;"
            "/map/x~1y/code pattern;/map too_long;/one/inner/code too_short;/one/inner/code pattern;/patch "
            "too_long;"
            "/numbers not_unique;");
  outer = good();
  outer.count = -11;
  EXPECT_EQ(faults_of(outer), "/count too_small;");
  outer = good();
  outer.name = "\xFF";
  EXPECT_EQ(faults_of(outer), "/name format;");
}

TEST(Validate, items_with_faults_of_their_own_are_not_called_equal) {
  struct Words {
    std::vector<std::string> words;
    static consteval auto describe() {
      using namespace schema;
      return object<Words>("", {field<&Words::words>(unique, each(length{1, 5}))});
    }
  };
  const auto codes = [](std::vector<std::string> words) {
    const Words value{std::move(words)};
    Faults faults;
    validate(type_of<Words>(), &value, faults);
    std::string all;
    for (const Fault& fault : faults.list()) all += fault.pointer + " " + fault.code + ";";
    return all;
  };
  EXPECT_EQ(codes({"", ""}), "/words/0 too_short;/words/1 too_short;");
  EXPECT_EQ(codes({"a", "", "a"}), "/words/1 too_short;/words not_unique;");
}

TEST(Validate, across_fields) {
  Outer outer = good();
  outer.name = "forbidden";
  EXPECT_EQ(faults_of(outer), "/name custom;");
  outer.name = "whole";
  EXPECT_EQ(faults_of(outer), " custom;");
  Faults faults;
  check_across_fields(type_of<Outer>(), &outer, faults);
  EXPECT_EQ(faults.list().size(), 1u);
  EXPECT_FALSE(validate(outer).has_value());
}

TEST(Validate, one_field) {
  Outer outer = good();
  outer.list = {{"x"}};
  Faults faults;
  validate_field(*type_of<Outer>().object().find("list"), &outer, "?list", faults);
  ASSERT_EQ(faults.list().size(), 2u);
  EXPECT_EQ(faults.list()[0].pointer, "?list/0/code");
}

TEST(Validate, patterns_from_many_threads) {
  std::vector<std::thread> threads;
  std::atomic<int> refused = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&refused] {
      for (int i = 0; i < 200; ++i)
        if (!from_json<Inner>(R"({"code":"ab"})")) ++refused;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused, 800);
}

TEST(AnyValue, owns_a_value_whose_type_is_forgotten) {
  AnyValue any(type_of<Outer>());
  EXPECT_EQ(any.get<Outer>().name, "name");
  any.get<Outer>().name = "a name that is too long for the small string";
  AnyValue moved(std::move(any));
  EXPECT_FALSE(any.has_value());
  EXPECT_EQ(moved.get<Outer>().name.size(), 44u);
  any = AnyValue::of(std::string("text"));
  EXPECT_EQ(&any.type(), &type_of<std::string>());
  moved = std::move(any);
  EXPECT_EQ(moved.get<std::string>(), "text");
  moved.reset();
  EXPECT_FALSE(moved.has_value());
}

TEST(Patch, three_states) {
  struct Target {
    std::string plain = "old";
    std::optional<std::string> empty = "old";
  } target;
  Patch<std::string> patch;
  patch.apply_to(target.plain);
  patch.apply_to(target.empty);
  EXPECT_EQ(target.plain, "old");
  EXPECT_EQ(target.empty, "old");
  patch = std::string("new");
  patch.apply_to(target.plain);
  patch.apply_to(target.empty);
  EXPECT_EQ(target.plain, "new");
  EXPECT_EQ(*target.empty, "new");
  patch = nullptr;
  patch.apply_to(target.plain);
  patch.apply_to(target.empty);
  EXPECT_EQ(target.plain, "new");
  EXPECT_FALSE(target.empty.has_value());
}

}  // namespace
}  // namespace bedplate
