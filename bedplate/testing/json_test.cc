// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/json.h"

#include <gtest/gtest.h>

namespace bedplate::testing {
namespace {

TEST(TestJson, ReadsEveryKind) {
  Json value = Json::parse(
      R"( {"a": [1, -2.5e1, "x\n\u00e9\ud83d\ude00"], "b": {"c": null, "d": true}, "e": false} )");
  ASSERT_TRUE(value.is_object());
  EXPECT_EQ(value.names(), (std::vector<std::string>{"a", "b", "e"}));
  EXPECT_EQ(value["a"].size(), 3u);
  EXPECT_EQ(value["a"][1].number(), -25);
  EXPECT_EQ(value["a"][2].text(), "x\n\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_TRUE(value["b"]["c"].is_null());
  EXPECT_TRUE(value["b"]["d"].boolean());
  EXPECT_FALSE(value["e"].boolean());
  EXPECT_TRUE(value["nowhere"][3]["x"].is_missing());
}

TEST(TestJson, TakesNothingElse) {
  for (const char* text : {"", "{", "[1,]", "{\"a\" 1}", "01", "+1", "nul", "\"\\x\"", "\"\\ud800\"",
                           "\"\n\"", "1 2", "[1", "{a:1}"})
    EXPECT_TRUE(Json::parse(text).is_missing()) << text;
}

}  // namespace
}  // namespace bedplate::testing
