// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/message.h"

#include <gtest/gtest.h>

#include <array>

#include "bedplate/describe/json/json.h"
#include "bedplate/http/settings.h"

namespace bedplate::http {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

TEST(RequestTest, CanBeMadeWithoutAConnection) {
  Request request;
  const std::array<Pair, 3> fields = {Pair{"Accept", "a/b"}, {"X-Mine", "1"}, {"accept", "c/d"}};
  ASSERT_TRUE(request.assign({"POST", "/a%20b?c=d", fields, "body", "192.0.2.1"}));
  EXPECT_EQ(request.method(), Method::post);
  EXPECT_EQ(request.path(), "/a b");
  EXPECT_EQ(request.query(), "c=d");
  EXPECT_EQ(request.field("x-mine"), "1");
  EXPECT_FALSE(request.field("x-other"));
  EXPECT_EQ(request.field(FieldId::accept), "a/b");
  EXPECT_EQ(request.field_list(FieldId::accept), "a/b, c/d");
  EXPECT_EQ(request.client_address(), "192.0.2.1");
  EXPECT_EQ(*request.body().run_without_waiting(), "body");
  EXPECT_EQ(*request.body().run_without_waiting(), "body");
  ASSERT_TRUE(request.assign({"GET", "/", {}, "", "unix"}));
  EXPECT_EQ(*request.body().run_without_waiting(), "");
  EXPECT_FALSE(request.assign({"GET", "/%00", {}, "", ""}));
  ASSERT_TRUE(request.assign({"POST", "/", {}, "too large", ""}));
  request.set_body_size_max(3);
  EXPECT_EQ(request.body().run_without_waiting().error().category(), Category::too_large);
}

TEST(ResponseTest, SetsAddsAndRemovesFields) {
  Response response;
  response.set_field(FieldId::content_type, "a/b");
  response.add_field("Set-Cookie", "1");
  response.add_field(FieldId::set_cookie, "2");
  response.set_field("X-Mine", "x");
  response.set_field("content-type", "c/d");
  response.set_field("x-mine", "y");
  EXPECT_EQ(response.field(FieldId::content_type), "c/d");
  EXPECT_EQ(response.field_lines(), "Set-Cookie: 1\r\nSet-Cookie: 2\r\nContent-Type: c/d\r\nx-mine: y\r\n");
  response.remove_field(FieldId::set_cookie);
  EXPECT_EQ(response.field_lines(), "Content-Type: c/d\r\nx-mine: y\r\n");
  FieldBlock block;
  block.add("X-Fixed", "z");
  response.add_fields(block);
  EXPECT_TRUE(response.field_lines().ends_with("X-Fixed: z\r\n"));
  EXPECT_FALSE(response.broken());
  response.clear();
  EXPECT_EQ(response.field_lines(), "");
  EXPECT_EQ(response.status(), 200);
}

TEST(ResponseTest, RefusesInjection) {
  using namespace std::string_view_literals;
  for (std::string_view bad : {"a\r\nb: c"sv, "a\nb"sv, "a\rb"sv, "a\0b"sv, " a"sv, "a "sv, "a\x7f"sv}) {
    Response response;
    response.set_field(FieldId::location, bad);
    EXPECT_TRUE(response.broken()) << bad;
    EXPECT_EQ(response.field_lines(), "");
  }
  Response response;
  response.add_field("bad name", "a");
  EXPECT_TRUE(response.broken());
}

TEST(SettingsTest, AreDescribed) {
  Result<ServerSettings> settings = from_json<ServerSettings>(R"({"listen":["[::1]:0"],"threads":2})");
  ASSERT_TRUE(settings) << settings.error().detail();
  EXPECT_EQ(settings->threads, 2u);
  EXPECT_EQ(settings->header_count_max, 100u);
  EXPECT_FALSE(from_json<ServerSettings>(R"({"forwarded_field":"x-real-ip"})"));
  EXPECT_FALSE(from_json<ServerSettings>(R"({"header_count_max":251})"));
}

}  // namespace
}  // namespace bedplate::http
