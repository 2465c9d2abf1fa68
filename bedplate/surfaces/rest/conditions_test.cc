// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/conditions.h"

#include <gmock/gmock.h>

#include "bedplate/operations/if_match.h"
#include "tests/kits/rest_kit.h"

namespace bedplate::api {
namespace {

using ::testing::HasSubstr;

TEST(IfMatchTest, AllowsWhatIsAskedForAndNotExcepted) {
  EXPECT_TRUE(IfMatch().check(1));
  EXPECT_TRUE(IfMatch({1, 2}).check(2));
  EXPECT_FALSE(IfMatch(std::vector<std::int64_t>()).allows(1));
  IfMatch condition({1, 2});
  condition.except({2, 3});
  EXPECT_TRUE(condition.check(1));
  const Result<void> excepted = condition.check(2);
  ASSERT_FALSE(excepted);
  EXPECT_EQ(excepted.error().code(), "version_excluded");
  EXPECT_EQ(excepted.error().subject(), "2");
  const Result<void> both = condition.check(3);
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().code(), "version_mismatch") << "If-Match counts first";
  IfMatch nothing;
  nothing.except_any();
  EXPECT_FALSE(nothing.check(7));
}

class ConditionsTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  void SetUp() override {
    kit_.parts.rate_limit.enabled = false;
    kit_.execution.rate_limit.enabled = false;
  }
  /// The path of a new thing, at version 1.
  std::string create() {
    Reply made = kit_.send("POST", "/v1/things", R"({"title":"Lamp"})");
    EXPECT_EQ(made.status, 201) << made.body;
    return made.field("Location");
  }
  Reply rename(const std::string& path, FieldList fields) {
    return kit_.send("PATCH", path, R"({"title":"Desk"})", std::move(fields));
  }
  Reply remove(const std::string& path, FieldList fields) {
    fields.push_back({"Authorization", "Bearer good"});
    return kit_.call("DELETE", path, std::move(fields));
  }
  static void expect_refused(const Reply& reply, int status, std::string_view code) {
    EXPECT_EQ(reply.status, status) << reply.body;
    EXPECT_THAT(reply.body, HasSubstr("\"code\":\"" + std::string(code) + "\""));
  }

  RestKit kit_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, ConditionsTest, testing::every_dialect(), testing::dialect_name);

TEST_P(ConditionsTest, AWriteObeysIfNoneMatch) {
  const std::string path = create();
  for (std::string_view tags : {"*", "\"1\"", "W/\"1\"", "\"1-gzip\"", "\"9\", \"1\"", "\"x,y\",W/\"1\""}) {
    SCOPED_TRACE(tags);
    const Reply refused = rename(path, {{"If-None-Match", tags}});
    expect_refused(refused, 412, "version_excluded");
    EXPECT_EQ(refused.field("ETag"), "\"1\"");
  }
  EXPECT_THAT(kit_.get(path).body, HasSubstr("Lamp")) << "nothing was written";
  EXPECT_EQ(rename(path, {{"If-None-Match", "\"9\", W/\"8\", \"foreign\""}}).status, 200);
  EXPECT_EQ(rename(path, {{"If-None-Match", "\"7\""}, {"If-None-Match", "\"2\""}}).status, 412)
      << "two lines are one list";
}

TEST_P(ConditionsTest, AWriteObeysIfMatch) {
  const std::string path = create();
  for (std::string_view tags : {"\"9\"", "W/\"1\"", "\"9\", \"foreign\""}) {
    SCOPED_TRACE(tags);
    const Reply refused = rename(path, {{"If-Match", tags}});
    expect_refused(refused, 412, "version_mismatch");
    EXPECT_EQ(refused.field("ETag"), "\"1\"");
  }
  EXPECT_THAT(kit_.get(path).body, HasSubstr("Lamp"));
  EXPECT_EQ(rename(path, {{"If-Match", "\"9\", \"1\""}}).status, 200);
  EXPECT_EQ(rename(path, {{"If-Match", "*"}}).status, 200);
}

TEST_P(ConditionsTest, IfMatchCountsBeforeIfNoneMatch) {
  const std::string path = create();
  expect_refused(rename(path, {{"If-None-Match", "\"1\""}, {"If-Match", "\"9\""}}), 412, "version_mismatch");
  expect_refused(rename(path, {{"If-None-Match", "\"1\""}, {"If-Match", "\"1\""}}), 412, "version_excluded");
  EXPECT_EQ(kit_.get(path, {{"If-None-Match", "\"1\""}, {"If-Match", "\"9\""}}).status, 412);
  EXPECT_EQ(kit_.get(path, {{"If-None-Match", "\"1\""}, {"If-Match", "\"1\""}}).status, 304);
  EXPECT_EQ(rename(path, {{"If-None-Match", "\"9\""}, {"If-Match", "\"1\""}}).status, 200);
}

TEST_P(ConditionsTest, AReadObeysBoth) {
  const std::string path = create();
  for (std::string_view method : {"GET", "HEAD"}) {
    SCOPED_TRACE(method);
    const auto read = [&](FieldList fields) {
      fields.push_back({"Authorization", "Bearer good"});
      return kit_.call(method, path, std::move(fields));
    };
    for (std::string_view tags : {"\"99\"", "W/\"1\"", "\"foreign\""}) {
      const Reply refused = read({{"If-Match", tags}});
      expect_refused(refused, 412, "version_mismatch");
      EXPECT_EQ(refused.field("ETag"), "\"1\"") << tags;
    }
    for (std::string_view tags : {"\"1\"", "*", "\"99\", \"1-br\""})
      EXPECT_EQ(read({{"If-Match", tags}}).status, 200) << tags;
    for (std::string_view tags : {"\"1\"", "W/\"1\"", "*", "\"99\", \"1\""})
      EXPECT_EQ(read({{"If-None-Match", tags}}).status, 304) << tags;
    EXPECT_EQ(read({{"If-None-Match", "\"99\""}}).status, 200);
  }
}

TEST_P(ConditionsTest, WhatIsNotThereIsNotFound) {
  const std::string path = "/v1/things/00000000-0000-7000-8000-000000000000";
  EXPECT_EQ(rename(path, {{"If-None-Match", "*"}}).status, 404);
  EXPECT_EQ(rename(path, {{"If-Match", "\"1\""}}).status, 404);
  EXPECT_EQ(kit_.get(path, {{"If-Match", "\"1\""}}).status, 404);
}

// Its condition may be false, and it could not tell.
TEST_P(ConditionsTest, AWriteThatComparesNoVersionsRefusesConditions) {
  const std::string path = create();
  expect_refused(remove(path, {{"If-Match", "\"1\""}}), 412, "if_match_not_supported");
  expect_refused(remove(path, {{"If-None-Match", "*"}}), 412, "if_none_match_not_supported");
  expect_refused(remove(path, {{"If-None-Match", "\"9\""}}), 412, "if_none_match_not_supported");
  EXPECT_EQ(kit_.get(path).status, 200);
  EXPECT_EQ(remove(path, {{"If-Match", "*"}}).status, 204);
  // A list is there, and has no version.
  expect_refused(kit_.send("POST", "/v1/things", R"({"title":"x"})", {{"If-None-Match", "*"}}), 412,
                 "if_none_match_not_supported");
  EXPECT_EQ(kit_.send("POST", "/v1/things", R"({"title":"x"})", {{"If-None-Match", "\"1\""}}).status, 201);
  // At a path that cannot be read nothing is there.
  EXPECT_EQ(kit_.send("POST", "/v1/login", R"({"title":"x"})", {{"If-None-Match", "*"}}).status, 200);
}

TEST_P(ConditionsTest, AReadWithoutVersionsHasNoTagThatMatches) {
  const Reply refused = kit_.get("/v1/things", {{"If-Match", "\"1\""}});
  expect_refused(refused, 412, "version_mismatch");
  EXPECT_EQ(refused.field("ETag"), "");
  EXPECT_EQ(kit_.get("/v1/things", {{"If-Match", "*"}}).status, 200);
  EXPECT_EQ(kit_.get("/v1/things", {{"If-None-Match", "\"1\""}}).status, 200);
  EXPECT_EQ(kit_.get("/v1/things", {{"If-None-Match", "*"}}).status, 304);
  EXPECT_EQ(kit_.get("/hello", {{"If-Match", "\"1\""}}).status, 412);
}

TEST_P(ConditionsTest, WhatIsNoTagSaysHowToWriteIt) {
  const std::string path = create();
  const auto expect_said = [](const Reply& reply, std::string_view code, std::string_view what) {
    expect_refused(reply, 400, code);
    EXPECT_THAT(reply.body, HasSubstr(what));
  };
  expect_said(rename(path, {{"If-Match", "1"}}), "malformed_if_match", R"(write `If-Match: \"1\"`)");
  expect_said(rename(path, {{"If-Match", "'1'"}}), "malformed_if_match", R"(write `If-Match: \"1\"`)");
  expect_said(rename(path, {{"If-Match", "\"1\", 2"}}), "malformed_if_match", R"(such as `If-Match: \"7\"`)");
  expect_said(rename(path, {{"If-Match", ""}}), "malformed_if_match", R"(such as `If-Match: \"7\"`)");
  expect_said(rename(path, {{"If-None-Match", "1"}}), "malformed_if_none_match",
              R"(write `If-None-Match: \"1\"`)");
  expect_said(kit_.get(path, {{"If-None-Match", "1"}}), "malformed_if_none_match",
              R"(write `If-None-Match: \"1\"`)");
  expect_said(kit_.get(path, {{"If-Match", "1"}}), "malformed_if_match", R"(write `If-Match: \"1\"`)");
  EXPECT_THAT(kit_.get(path).body, HasSubstr("Lamp"));
}

TEST_P(ConditionsTest, TheDocumentSaysHowToWriteThem) {
  kit_.start();
  const std::string& document = kit_.rest->openapi();
  EXPECT_THAT(document, HasSubstr(R"("name":"If-Match","in":"header")"));
  EXPECT_THAT(document, HasSubstr(R"("name":"If-None-Match","in":"header")"));
  EXPECT_THAT(document, HasSubstr(R"("pattern":"^(\\*|(W/)?\"[!#-~]*\")"));
  for (std::string_view code : {"version_mismatch", "version_excluded", "malformed_if_none_match",
                                "if_match_not_supported", "if_none_match_not_supported"})
    EXPECT_THAT(document, HasSubstr(code));
}

TEST_P(ConditionsTest, DocumentsObeyIfMatchToo) {
  kit_.start();
  const std::string etag = kit_.get("/openapi.json").field("ETag");
  EXPECT_EQ(kit_.get("/openapi.json", {{"If-Match", etag}}).status, 200);
  const Reply refused = kit_.get("/openapi.json", {{"If-Match", "\"other\""}});
  expect_refused(refused, 412, "version_mismatch");
  EXPECT_EQ(refused.field("ETag"), etag);
}

}  // namespace
}  // namespace bedplate::api
