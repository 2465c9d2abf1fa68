// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/url.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace bedplate::outbound {
namespace {

TEST(OutboundUrl, ReadsSchemeHostPortAndTarget) {
  const Url url = parse_url("HTTPS://Hooks.Example.COM.:8443/in%20x?y=1#top").value();
  EXPECT_TRUE(url.https);
  EXPECT_EQ(url.host, "hooks.example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/in%20x?y=1");
  EXPECT_EQ(url.to_string(), "https://hooks.example.com:8443/in%20x?y=1");
  EXPECT_EQ(parse_url("http://a").value().to_string(), "http://a/");
  EXPECT_EQ(parse_url("http://a?b").value().target, "/?b");
  EXPECT_EQ(parse_url("https://a:443/").value().to_string(), "https://a/");
  const Url six = parse_url("http://[2001:DB8:0::1]:81/").value();
  EXPECT_EQ(six.host, "2001:db8::1");
  EXPECT_TRUE(six.is_address);
  EXPECT_EQ(six.authority(), "[2001:db8::1]:81");
  EXPECT_TRUE(parse_url("http://127.0.0.1/").value().is_address);
}

TEST(OutboundUrl, RefusesWhatTwoReadersCouldReadDifferently) {
  for (const char* text : {"",
                           "example.com",
                           "//example.com/",
                           "ftp://example.com/",
                           "file:///etc/passwd",
                           "javascript://a",
                           "http://",
                           "http:///x",
                           "http://user@example.com/",
                           "http://user:pw@example.com/",
                           "http://good.com@evil.com/",
                           "http://good.com\\@evil.com/",
                           "http://a b/",
                           "http://a/b c",
                           "http://a/\n",
                           "http://a/\x7f",
                           "http://a/\xc3\xa9",
                           "http://ex%61mple.com/",
                           "http://a_b/",
                           "http://a..b/",
                           "http://.a/",
                           "http://-a/",
                           "http://a-/",
                           "http://a:/",
                           "http://a:0/",
                           "http://a:65536/",
                           "http://a:8o/",
                           "http://a:+80/",
                           "http://a:80:80/",
                           "http://127.1/",
                           "http://0x7f000001/",
                           "http://0x7f.0.0.1/",
                           "http://2130706433/",
                           "http://0177.0.0.1/",
                           "http://127.0.0.01/",
                           "http://127.0.0.256/",
                           "http://1.2.3.4.5/",
                           "http://a.1/",
                           "http://127.0.0.1../",
                           "http://[::1/",
                           "http://[::1]x/",
                           "http://[fe80::1%eth0]/",
                           "http://[fe80::1%25eth0]/",
                           "http://[1.2.3.4]/",
                           "http://[]/",
                           "http://::1/"})
    EXPECT_FALSE(parse_url(text).has_value()) << text;
  const Result<Url> refused = parse_url("https://user:secret@example.com/");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "bad_url");
  EXPECT_EQ(refused.error().detail().find("secret"), std::string::npos);
}

TEST(OutboundUrl, FollowsLocations) {
  const Url base = parse_url("https://example.com:8443/a/b?c").value();
  EXPECT_EQ(parse_location(base, "/x?y").value().to_string(), "https://example.com:8443/x?y");
  EXPECT_EQ(parse_location(base, "?z").value().to_string(), "https://example.com:8443/a/b?z");
  EXPECT_EQ(parse_location(base, "//evil.com/").value().origin(), "https://evil.com");
  EXPECT_FALSE(parse_location(base, "/a").value().same_origin(parse_url("http://example.com:8443/").value()));
  EXPECT_FALSE(parse_location(base, "relative").has_value());
  EXPECT_FALSE(parse_location(base, "@evil.com/").has_value());
}

TEST(OutboundUrl, ReadsWhatItWritesAsTheSame) {
  rc::check("parse(to_string(parse(x))) == parse(x)", [] {
    const auto part = rc::gen::container<std::string>(rc::gen::elementOf(std::string("aZ09.-:[]@/\\?#%x _")));
    const std::string text =
        *rc::gen::elementOf(std::vector<std::string>{"http://", "https://", "HTTP://a"}) + *part;
    const Result<Url> url = parse_url(text);
    if (!url) return;
    RC_ASSERT(parse_url(url->to_string()).value() == *url);
    RC_ASSERT(url->host.find_first_of("@/\\?#%[] ") == std::string::npos);
  });
}

}  // namespace
}  // namespace bedplate::outbound
