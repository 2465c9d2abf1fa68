// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/content.h"

#include <gtest/gtest.h>

#include <array>

#include "bedplate/http/message/etag.h"

namespace bedplate::http {
namespace {

TEST(ContentTest, ReadsMediaTypes) {
  const auto json = parse_media_type("Application/JSON ; Charset=\"utf-8\";x=y");
  ASSERT_TRUE(json);
  EXPECT_TRUE(json->is("application", "json"));
  EXPECT_TRUE(json->is_json());
  EXPECT_EQ(json->parameter("charset"), "utf-8");
  EXPECT_EQ(json->parameter("X"), "y");
  EXPECT_FALSE(json->parameter("z"));
  EXPECT_TRUE(parse_media_type("application/merge-patch+json")->is_json());
  EXPECT_FALSE(parse_media_type("application/jsonp")->is_json());
  for (std::string_view bad :
       {"", "json", "application/", "/json", "a/b; c", "a/b; =c", "a b/c", "a/b c", "a/b; c=d e"})
    EXPECT_FALSE(parse_media_type(bad)) << bad;
}

TEST(ContentTest, WeighsWhatIsAccepted) {
  EXPECT_EQ(accept_quality("", "application/json"), 1000);
  EXPECT_EQ(accept_quality("*/*", "application/json"), 1000);
  EXPECT_EQ(accept_quality("text/html", "application/json"), 0);
  EXPECT_EQ(accept_quality("application/*;q=0.5, application/json;q=0.25, */*;q=0.1", "application/json"),
            250);
  EXPECT_EQ(accept_quality("*/*, application/json;q=0", "application/json"), 0);
  EXPECT_EQ(accept_quality("application/json;v=1;q=0.3", "application/json"), 300);
  EXPECT_EQ(accept_quality("rubbish;;,application/json;q=2, */*;q=0.7", "application/json"), 700);
  constexpr std::array<std::string_view, 2> kOffered = {"application/json", "text/html"};
  EXPECT_EQ(best_accepted("text/html, application/json;q=0.9", kOffered), 1u);
  EXPECT_EQ(best_accepted("*/*", kOffered), 0u);
  EXPECT_FALSE(best_accepted("image/png", kOffered));
}

TEST(ContentTest, SplitsLists) {
  std::string_view rest = " a ,, \"b,c\\\",d\" ,e,";
  EXPECT_EQ(next_list_member(rest), "a");
  EXPECT_EQ(next_list_member(rest), "\"b,c\\\",d\"");
  EXPECT_EQ(next_list_member(rest), "e");
  EXPECT_EQ(next_list_member(rest), "");
  EXPECT_TRUE(list_has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_FALSE(list_has_token("keep-alivex", "keep-alive"));
  EXPECT_FALSE(list_has_token("", "close"));
}

TEST(EtagTest, ComparesVersions) {
  EXPECT_EQ(make_etag(7), "\"7\"");
  EXPECT_EQ(etag_version("\"7-gzip\""), 7u);
  EXPECT_EQ(etag_version("W/\"7\""), 7u);
  EXPECT_FALSE(etag_version("7"));
  EXPECT_FALSE(etag_version("\"seven\""));
  EXPECT_TRUE(if_none_match("\"6\", W/\"7\"", "\"7\""));
  EXPECT_TRUE(if_none_match("*", "\"7\""));
  EXPECT_TRUE(if_none_match("\"7-br\"", "\"7\""));
  EXPECT_FALSE(if_none_match("\"6\"", "\"7\""));
  EXPECT_FALSE(if_none_match("", "\"7\""));
  EXPECT_FALSE(if_none_match("\"7\" garbage", "\"7\""));
  EXPECT_TRUE(if_match("\"6\",\"7-zstd\"", "\"7\"").matches);
  EXPECT_FALSE(if_match("W/\"7\"", "\"7\"").matches);
  EXPECT_TRUE(if_match("*", "\"7\"").matches);
  EXPECT_FALSE(if_match("7", "\"7\"").valid);
  EXPECT_EQ(if_match_version("\"7-gzip\""), 7u);
  EXPECT_FALSE(if_match_version("*"));
  EXPECT_FALSE(if_match_version("\"1\", \"2\""));
}

}  // namespace
}  // namespace bedplate::http
