// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/public_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace bedplate::outbound {
namespace {

bool judged(const std::string& text) {
  std::array<std::uint8_t, 16> ip{};
  const bool six = text.find(':') != text.npos;
  EXPECT_EQ(::inet_pton(six ? AF_INET6 : AF_INET, text.c_str(), ip.data()), 1) << text;
  return is_public(std::span(ip).first(six ? 16 : 4));
}

TEST(PublicAddress, RefusesBothEndsOfEverySpecialIpv4NetworkAndAllowsItsNeighbours) {
  struct Case {
    const char* before;
    const char* first;
    const char* last;
    const char* after;
  };
  constexpr Case kCases[] = {
      {nullptr, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
      {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
      {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
      {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
      {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
      {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
      {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
      {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
      {"192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0"},
      {"192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0"},
      {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
      {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
      {"192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0"},
      {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
      {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
      {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
      {"223.255.255.255", "224.0.0.0", "255.255.255.255", nullptr},
  };
  for (const Case& one : kCases) {
    EXPECT_FALSE(judged(one.first)) << one.first;
    EXPECT_FALSE(judged(one.last)) << one.last;
    if (one.before) EXPECT_TRUE(judged(one.before)) << one.before;
    if (one.after) EXPECT_TRUE(judged(one.after)) << one.after;
  }
  EXPECT_FALSE(judged("169.254.169.254"));
}

TEST(PublicAddress, RefusesIpv6OutsideGlobalUnicastAndItsSpecialNetworks) {
  for (const char* text : {"::",
                           "::1",
                           "::ffff:8.8.8.8",
                           "::ffff:127.0.0.1",
                           "::8.8.8.8",
                           "64:ff9b::808:808",
                           "64:ff9b::a00:1",
                           "64:ff9b:1::1",
                           "64:ff9b:1:ffff::1",
                           "100::1",
                           "1fff:ffff::1",
                           "2001::1",
                           "2001:1ff:ffff::1",
                           "2001:2::1",
                           "2001:10::1",
                           "2001:20::1",
                           "2001:db8::1",
                           "2001:db8:ffff:ffff::1",
                           "2002::1",
                           "2002:a00:1::1",
                           "2002:ffff::1",
                           "2620:4f:8000::1",
                           "3ffe::1",
                           "3fff::1",
                           "3fff:fff:ffff::1",
                           "4000::1",
                           "5f00::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "ffff::1"})
    EXPECT_FALSE(judged(text)) << text;
  for (const char* text :
       {"2000::1", "2001:200::1", "2001:4860:4860::8888", "2001:db7:ffff::1", "2001:db9::1", "2003::1",
        "2606:4700::1111", "2620:4f:8001::1", "2a00:1450::1", "3ffd::1", "3fff:1000::1"})
    EXPECT_TRUE(judged(text)) << text;
}

TEST(PublicAddress, IsFalseForWhatIsNoIpAddress) {
  EXPECT_FALSE(is_public(std::span<const std::uint8_t>()));
  EXPECT_FALSE(is_public(SocketAddress()));
  EXPECT_FALSE(is_public(*SocketAddress::parse("unix:/run/x.sock")));
  EXPECT_FALSE(is_public(*SocketAddress::parse("[::ffff:10.0.0.1]:80")));
  EXPECT_TRUE(is_public(*SocketAddress::parse("93.184.215.14:443")));
}

}  // namespace
}  // namespace bedplate::outbound
