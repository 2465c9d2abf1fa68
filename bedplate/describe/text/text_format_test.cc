// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/text/text_format.h"

#include <gtest/gtest.h>

#include <string>

namespace bedplate {
namespace {

using namespace std::string_view_literals;

TEST(TextFormat, email) {
  for (auto text : {"a@b", "first.last+tag@example.co.uk", "o'neil@x-y.org", "1@2.3a", "1@4.xn--p1ai"})
    EXPECT_TRUE(is_email(text)) << text;
  for (auto text : {"",       "@",       "a@",   "@b",     "a b@c", "a@b c",       ".a@b",      "a.@b",
                    "a..b@c", "a@-b",    "a@b-", "a@b..c", "a@b@c", "a@[1.2.3.4]", "a@1.2.3.4", "1@2.3",
                    "a@7",    "\"a\"@b", "ä@b",  "a@ä",    "a@b.",  "a\n@b"})
    EXPECT_FALSE(is_email(text)) << text;
  EXPECT_TRUE(is_email(std::string(64, 'a') + "@b"));
  EXPECT_FALSE(is_email(std::string(65, 'a') + "@b"));
  EXPECT_FALSE(is_email("a@" + std::string(63, 'b') + "." + std::string(63, 'b') + "." +
                        std::string(63, 'b') + "." + std::string(61, 'b')));
}

TEST(TextFormat, uri) {
  for (auto text : {"http://example.com", "https://user:pw@example.com:8080/a/b;c?q=1#frag",
                    "urn:isbn:0451450523", "mailto:a@b.c", "ftp://[2001:db8::7]/c=GB?x", "file:///etc",
                    "a:", "http://a/%20", "tel:+1-816", "http://[::1]:80/", "news:comp.x"})
    EXPECT_TRUE(is_uri(text)) << text;
  for (auto text : {"", "example.com", "/path", "//host/path", "http//x", ":x", "1a:b", "http://a b",
                    "http://a/%2", "http://a/%zz", "http://a/\"", "http://[1::2::3]/", "http://a:8x/",
                    "http://ä/", "a:b#c#d", "http://[x", "http://[::1]x"})
    EXPECT_FALSE(is_uri(text)) << text;
}

TEST(TextFormat, web_url) {
  for (auto text :
       {"http://example.com", "HTTPS://Example.com/", "https://example.com:8080/a/b;c?q=1#frag",
        "https://example.com?x", "https://example.com#x", "http://localhost", "http://10.0.0.1/a@b",
        "http://[2001:db8::7]:1/", "https://xn--bcher-kva.example/%C3%A4", "https://a.b/c:d@e"})
    EXPECT_TRUE(is_web_url(text)) << text;
  for (auto text : {"",
                    "javascript:alert(1)",
                    "javascript://example.com/%0aalert(1)",
                    "data:text/html,x",
                    "ftp://example.com",
                    "vbscript:x",
                    "file:///etc/passwd",
                    "mailto:a@b.c",
                    "example.com",
                    "//example.com",
                    "http:",
                    "http:/",
                    "http://",
                    "http:///path",
                    "http:example.com",
                    "http:/example.com",
                    "https://?x",
                    "https://#x",
                    "https://bank.example@evil.example",
                    "https://bank.example:pw@evil.example/",
                    "https://@evil.example",
                    "https://bank.example\\@evil.example",
                    "https://bank.example%40evil.example",
                    "https://:80",
                    "https://a:",
                    "https://a:0x50",
                    "https://a:65536",
                    "https://a:-1",
                    "http://2130706433",
                    "http://0x7f000001",
                    "http://127.1",
                    "http://example.1",
                    "http://[::1",
                    "http://[::1]x",
                    "http://[]",
                    "http://a_b.example",
                    "http://a..b",
                    "http://a.",
                    "http://%65xample.com",
                    "http://b\xC3\xBC"
                    "cher.example",
                    " https://example.com",
                    "https://example.com ",
                    "java\nscript:x",
                    "https://exa\nmple.com",
                    "https://example.com/\t",
                    "https://example.com/\x7F"})
    EXPECT_FALSE(is_web_url(text)) << text;
  EXPECT_FALSE(is_web_url("https://example.com/\0"sv));
}

TEST(TextFormat, hosts_and_addresses) {
  for (auto text : {"localhost", "a.b.c", "xn--bcher-kva.example", "1.2.3.4", "a-b"})
    EXPECT_TRUE(is_hostname(text)) << text;
  for (auto text : {"", "-a", "a-", "a..b", ".a", "a.", "a_b", "a b"})
    EXPECT_FALSE(is_hostname(text)) << text;
  EXPECT_TRUE(is_hostname(std::string(63, 'a')));
  EXPECT_FALSE(is_hostname(std::string(64, 'a')));
  for (auto text : {"0.0.0.0", "255.255.255.255", "1.2.3.4"}) EXPECT_TRUE(is_ipv4(text)) << text;
  for (auto text : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1..3.4", "a.b.c.d"})
    EXPECT_FALSE(is_ipv4(text)) << text;
  for (auto text : {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "2001:DB8::ff00:42:8329", "::ffff:1.2.3.4",
                    "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::"})
    EXPECT_TRUE(is_ipv6(text)) << text;
  for (auto text : {"", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
                    "12345::", "g::", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "::1%eth0", ":1::2", "1::2:"})
    EXPECT_FALSE(is_ipv6(text)) << text;
}

TEST(TextFormat, dates_and_ids) {
  EXPECT_TRUE(is_date("2024-02-29"));
  for (auto text : {"2023-02-29", "2024-2-29", "2024-02-29T", "", "24-02-29xx"})
    EXPECT_FALSE(is_date(text)) << text;
  EXPECT_TRUE(is_date_time("2024-02-29T12:00:00+02:00"));
  EXPECT_FALSE(is_date_time("2024-02-29 12:00"));
  EXPECT_TRUE(is_uuid("018F3C1E-7a2b-7c3d-9e4f-5a6b7c8d9e0f"));
  EXPECT_FALSE(is_uuid("{018f3c1e-7a2b-7c3d-9e4f-5a6b7c8d9e0f}"));
}

}  // namespace
}  // namespace bedplate
