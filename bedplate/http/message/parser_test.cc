// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/parser.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace bedplate::http {
namespace {

const std::string kBrowser =
    "GET /v1/tasks?page=2&limit=20 HTTP/1.1\r\n"
    "Host: localhost:8080\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "X-Custom:  spaced\tout \r\n"
    "Connection: keep-alive\r\n"
    "Cookie: a=b; c=d\r\n"
    "Accept: second\r\n"
    "\r\n";

TEST(ParserTest, ReadsAHead) {
  RequestHead head;
  const std::string bytes = kBrowser + "body";
  const HeadParse parse = parse_head(bytes, {}, head);
  ASSERT_EQ(parse.state, ParseState::complete);
  EXPECT_EQ(parse.size, kBrowser.size());
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/v1/tasks?page=2&limit=20");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.fields.size(), 9u);
  EXPECT_EQ(head.value(FieldId::host), "localhost:8080");
  EXPECT_EQ(head.value(FieldId::cookie), "a=b; c=d");
  EXPECT_TRUE(head.is_repeated(FieldId::accept));
  EXPECT_FALSE(head.is_repeated(FieldId::host));
  EXPECT_FALSE(head.has(FieldId::authorization));
  EXPECT_EQ(head.fields[5].value, "spaced\tout");
  EXPECT_EQ(head.fields[5].id, FieldId::other);
}

TEST(ParserTest, WaitsForEveryByte) {
  RequestHead head;
  for (std::size_t size = 0; size < kBrowser.size(); ++size)
    EXPECT_EQ(parse_head(std::string_view(kBrowser).substr(0, size), {}, head).state, ParseState::incomplete)
        << size;
}

TEST(ParserTest, IsUsedAgainWithoutTraces) {
  RequestHead head;
  ASSERT_EQ(parse_head(kBrowser, {}, head).state, ParseState::complete);
  ASSERT_EQ(parse_head("GET / HTTP/1.0\r\n\r\n", {}, head).state, ParseState::complete);
  EXPECT_EQ(head.minor_version, 0);
  EXPECT_TRUE(head.fields.empty());
  EXPECT_FALSE(head.has(FieldId::host));
  EXPECT_FALSE(head.is_repeated(FieldId::accept));
}

TEST(ParserTest, LimitsHoldAlsoForWhatIsNotWhole) {
  RequestHead head;
  const HeadLimits limits{50, 100, 3};
  const auto status = [&](std::string_view bytes) {
    const HeadParse parse = parse_head(bytes, limits, head);
    return parse.state == ParseState::bad ? parse.rejection->status : 0;
  };
  EXPECT_EQ(status("GET /" + std::string(60, 'a')), 414);
  EXPECT_EQ(status("GET /" + std::string(60, 'a') + " HTTP/1.1\r\n\r\n"), 414);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nA: " + std::string(120, 'a')), 431);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nA: " + std::string(120, 'a') + "\r\n\r\n"), 431);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"), 0);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n"), 431);
}

TEST(ParserTest, EveryByteThatMayNotStandInAName) {
  RequestHead head;
  const std::string_view others = "!#$%&'*+-.^_`|~";
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string bytes = std::string("GET / HTTP/1.1\r\nA") + c + "B: c\r\n\r\n";
    const bool token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c != '\0' && others.find(c) != std::string_view::npos);
    const bool valid = token || c == ':';  // "A:B: c" is a value with a colon
    EXPECT_EQ(parse_head(bytes, {}, head).state, valid ? ParseState::complete : ParseState::bad) << byte;
  }
}

// However the bytes arrive, the outcome is that of the whole; a prefix is never refused when the whole is fine.
RC_GTEST_PROP(ParserTest, PrefixesNeverContradictTheWhole, ()) {
  const auto piece =
      rc::gen::element<std::string>("GET ", "POST ", "/a", "*", " ", " HTTP/1.1", " HTTP/1.0", "\r\n", "\r",
                                    "\n", "Host: a\r\n", "X:", "x", ": y\r\n", "\t", "\r\n\r\n");
  std::string bytes = "GET / HTTP/1.1\r\n";
  if (*rc::gen::arbitrary<bool>()) bytes.clear();
  for (const std::string& text : *rc::gen::container<std::vector<std::string>>(piece)) bytes += text;
  RequestHead head;
  const HeadParse whole = parse_head(bytes, {}, head);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const HeadParse part = parse_head(std::string_view(bytes).substr(0, size), {}, head);
    if (part.state == ParseState::incomplete) continue;
    RC_ASSERT(part.state == whole.state);
    if (part.state == ParseState::complete) RC_ASSERT(part.size == whole.size);
    if (part.state == ParseState::bad) RC_ASSERT(part.rejection->status == whole.rejection->status);
  }
}

}  // namespace
}  // namespace bedplate::http
