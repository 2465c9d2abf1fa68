// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/url.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "bedplate/base/text.h"

namespace bedplate::http {
namespace {

std::string path_of(std::string_view target) {
  std::string storage;
  Target out;
  const TargetError error = parse_target(target, false, storage, out);
  return error == TargetError::none ? std::string(out.path)
                                    : "error " + std::to_string(static_cast<int>(error));
}

TEST(UrlTest, NormalisesPaths) {
  EXPECT_EQ(path_of("/"), "/");
  EXPECT_EQ(path_of("/a/b"), "/a/b");
  EXPECT_EQ(path_of("/a/b/"), "/a/b/");
  EXPECT_EQ(path_of("/a//b"), "/a//b");
  EXPECT_EQ(path_of("/./a"), "/a");
  EXPECT_EQ(path_of("/a/."), "/a/");
  EXPECT_EQ(path_of("/a/.."), "/");
  EXPECT_EQ(path_of("/a/../"), "/");
  EXPECT_EQ(path_of("/.."), "/");
  EXPECT_EQ(path_of("/../.."), "/");
  EXPECT_EQ(path_of("/a/b/c/./../../g"), "/a/g");
  EXPECT_EQ(path_of("/a//../b"), "/a/b");
  EXPECT_EQ(path_of("/.a/..b/c..d/..."), "/.a/..b/c..d/...");
  EXPECT_EQ(path_of("/%2e%2e/%2E/x"), "/x");
  EXPECT_EQ(path_of("/a%20b/%C3%A4"), "/a b/\xc3\xa4");
  EXPECT_EQ(path_of("/%25%32%66"), "/%2f");
  EXPECT_EQ(path_of("http://h"), "/");
  EXPECT_EQ(path_of("HTTPS://h:1/x/../y?q"), "/y");
}

TEST(UrlTest, SeparatesTheQuery) {
  std::string storage;
  Target out;
  EXPECT_EQ(parse_target("/a?b=c?d", false, storage, out), TargetError::none);
  EXPECT_EQ(out.query, "b=c?d");
  EXPECT_EQ(parse_target("http://h?x", false, storage, out), TargetError::none);
  EXPECT_EQ(out.path, "/");
  EXPECT_EQ(out.query, "x");
  EXPECT_EQ(parse_target("/a?b<c", false, storage, out), TargetError::bad_character);
}

TEST(UrlTest, ChecksAuthorities) {
  for (std::string_view good :
       {"a", "example.org", "a:80", "a:", "127.0.0.1:65535", "[::1]", "[2001:db8::1]:443", "a_b-c~d"})
    EXPECT_TRUE(is_valid_authority(good)) << good;
  for (std::string_view bad : {"", ":80", "a:65536", "a:8x", "a b", "a@b", "a/b", "[::1", "::1", "[::1]x",
                               "[]", "[g::]", "a,b", "a:80:80", "\xc3\xa4", "a\tb", "[::1]:99999"})
    EXPECT_FALSE(is_valid_authority(bad)) << bad;
  EXPECT_EQ(host_of("[::1]:80"), "[::1]");
  EXPECT_EQ(host_of("a:80"), "a");
}

std::vector<std::pair<std::string, std::string>> pairs_of(std::string_view query, bool& ok) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string scratch;
  QueryReader reader(query, scratch);
  while (reader.next()) pairs.emplace_back(reader.name(), reader.value());
  ok = reader.ok();
  return pairs;
}

TEST(UrlTest, ReadsQueries) {
  bool ok = false;
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(pairs_of("a=b&c&=d&&e=%20+x&f=a=b", ok),
            (Pairs{{"a", "b"}, {"c", ""}, {"", "d"}, {"e", "  x"}, {"f", "a=b"}}));
  EXPECT_TRUE(ok);
  for (std::string_view bad : {"a=%", "a=%2", "%zz=1", "a=%ff", "%c3=%a9"}) {
    pairs_of(bad, ok);
    EXPECT_FALSE(ok) << bad;
  }
}

TEST(UrlTest, NulInAQueryIsForItsReaderToRefuse) {
  bool ok = false;
  using namespace std::string_literals;
  EXPECT_EQ(pairs_of("a%00=b&c=%00", ok),
            (std::vector<std::pair<std::string, std::string>>{{"a\0"s, "b"}, {"c", "\0"s}}));
  EXPECT_TRUE(ok);
}

TEST(UrlTest, PlacesOfFaultsInAQuery) {
  for (const auto& [query, place] :
       std::initializer_list<std::pair<std::string_view, std::size_t>>{{"limit=10&page=1%zz", 15},
                                                                       {"%zz=1", 0},
                                                                       {"a=%C3%A9%", 8},
                                                                       {"a=b&%C3=%A9", 4},
                                                                       {"a+b%20c=x&d=%41+%ff", 16},
                                                                       {"a=\xff", 2},
                                                                       {"b\xff=%41", 1}}) {
    std::string scratch;
    QueryReader reader(query, scratch);
    while (reader.next()) continue;
    EXPECT_FALSE(reader.ok()) << query;
    EXPECT_EQ(reader.offset(), place) << query;
  }
}

RC_GTEST_PROP(UrlTest, DecodingUndoesEncoding, (const std::string& text)) {
  std::string decoded;
  const bool ok = percent_decode(percent_encode(text), decoded);
  RC_ASSERT(ok == (text.find('\0') == std::string::npos));
  if (ok) RC_ASSERT(decoded == text);
}

RC_GTEST_PROP(UrlTest, NoPathKeepsADotSegmentOrLeavesTheRoot, ()) {
  const auto piece =
      rc::gen::element<std::string>("/", ".", "..", "a", "%2e", "%2E%2e", "//", "/./", "/../", "%41");
  std::string target = "/";
  for (const std::string& text : *rc::gen::container<std::vector<std::string>>(piece)) target += text;
  std::string storage;
  Target out;
  RC_ASSERT(parse_target(target, false, storage, out) == TargetError::none);
  const std::string path = std::string(out.path) + "/";
  RC_ASSERT(path.starts_with("/"));
  RC_ASSERT(path.find("/./") == std::string::npos && path.find("/../") == std::string::npos);
}

}  // namespace
}  // namespace bedplate::http
