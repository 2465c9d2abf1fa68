// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/date.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "bedplate/http/address.h"

namespace bedplate::http {
namespace {

std::string written(std::int64_t second) {
  std::string text(kHttpDateSize, '\0');
  write_http_date(second, text.data());
  return text;
}

TEST(DateTest, WritesAndReadsAllForms) {
  constexpr std::int64_t kSecond = 784111777;
  EXPECT_EQ(written(kSecond), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), kSecond);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), kSecond);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), kSecond);
  EXPECT_EQ(written(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  for (std::string_view bad :
       {"", "Sun", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ", "sun, 06 Nov 1994 08:49:37 GMT"})
    EXPECT_FALSE(parse_http_date(bad)) << bad;
  EXPECT_TRUE(DateLine().now().starts_with("Date: "));
}

RC_GTEST_PROP(DateTest, ReadingUndoesWriting, ()) {
  const auto second = *rc::gen::inRange<std::int64_t>(0, 253402300799);
  RC_ASSERT(parse_http_date(written(second)) == second);
}

TEST(AddressTest, ReadsAddressesAndNetworks) {
  EXPECT_EQ(IpAddress::parse("192.0.2.7")->to_string(), "192.0.2.7");
  EXPECT_EQ(IpAddress::parse("[2001:DB8::1]")->to_string(), "2001:db8::1");
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.7"), IpAddress::parse("192.0.2.7"));
  EXPECT_TRUE(IpAddress::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  for (std::string_view bad : {"", "1.2.3", "1.2.3.4:80", "fe80::1%eth0", "localhost", "1.2.3.4/8"})
    EXPECT_FALSE(IpAddress::parse(bad)) << bad;
  EXPECT_TRUE(Network::parse("10.0.0.0/8")->contains(*IpAddress::parse("10.255.0.1")));
  EXPECT_FALSE(Network::parse("10.0.0.0/8")->contains(*IpAddress::parse("11.0.0.1")));
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(*IpAddress::parse("11.0.0.1")));
  EXPECT_FALSE(Network::parse("0.0.0.0/0")->contains(*IpAddress::parse("::1")));
  EXPECT_FALSE(Network::parse("10.0.0.0/33"));
  EXPECT_FALSE(Network::parse("10.0.0.0/"));
  EXPECT_EQ(IpAddress::parse("2001:db8:1:2:3:4:5:6")->rate_limit_bucket().to_string(), "2001:db8:1:2::");
  EXPECT_EQ(IpAddress::parse("192.0.2.7")->rate_limit_bucket().to_string(), "192.0.2.7");
}

TEST(AddressTest, BelievesProxiesOnlyAsFarAsTheyAreTrusted) {
  const std::vector<std::string> networks = {"10.0.0.0/8"};
  const TrustedProxies proxies = *TrustedProxies::parse(networks);
  EXPECT_EQ(proxies.client_of("192.0.2.1", "1.1.1.1"), "192.0.2.1");
  EXPECT_EQ(proxies.client_of("10.0.0.1", "1.1.1.1"), "1.1.1.1");
  EXPECT_EQ(proxies.client_of("10.0.0.1", "9.9.9.9, 1.1.1.1,10.0.0.2"), "1.1.1.1");
  EXPECT_EQ(proxies.client_of("10.0.0.1", ""), "10.0.0.1");
  EXPECT_EQ(proxies.client_of("10.0.0.1", "unknown"), "10.0.0.1");
  EXPECT_EQ(proxies.client_of("10.0.0.1", "1.1.1.1:5000"), "1.1.1.1");
  EXPECT_EQ(proxies.client_of("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
  const TrustedProxies forwarded = *TrustedProxies::parse(networks, "forwarded");
  EXPECT_EQ(forwarded.client_of("10.0.0.1", "for=9.9.9.9, For=\"[2001:db8::1]:80\";proto=https"),
            "2001:db8::1");
  EXPECT_FALSE(TrustedProxies::parse(networks, "x-real-ip"));
}

}  // namespace
}  // namespace bedplate::http
