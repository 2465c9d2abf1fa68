// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/address.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

namespace bedplate {
namespace {

using Family = SocketAddress::Family;

TEST(SocketAddressTest, ReadsAndWritesEachForm) {
  for (std::string text : {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:65535", "[::]:80", "[2001:db8::17]:443",
                           "*:8080", "unix:/run/bedplate.sock"}) {
    auto address = SocketAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
    if (text[0] == '*') continue;  // a listening choice, not an address that comes back from the system
    sockaddr_storage storage;
    unsigned size = address->to_system(&storage);
    EXPECT_EQ(SocketAddress::from_system(reinterpret_cast<sockaddr*>(&storage), size).to_string(), text);
  }
  EXPECT_EQ(SocketAddress::parse("localhost:1")->to_string(), "127.0.0.1:1");
}

TEST(SocketAddressTest, RefusesMalformedAddressesAndShowsTheForms) {
  for (std::string text : {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                           "127.0.0.1:80x", "127.0.0.256:80", "::1:80", "[::1]", "[]:80", "[::g]:80",
                           "example.org:80", "[fe80::1%nosuchinterface]:80", "unix:"}) {
    auto address = SocketAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code(), "bad_address");
    EXPECT_NE(address.error().detail().find("[::1]:8080"), std::string::npos);
  }
  EXPECT_FALSE(SocketAddress::parse("unix:" + std::string(108, 'x')));
  EXPECT_FALSE(SocketAddress::parse(std::string("unix:/tmp/a\0b", 13)));
}

TEST(SocketAddressTest, KnowsWhatOnlyThisMachineReaches) {
  for (std::string text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/x"})
    EXPECT_TRUE(SocketAddress::parse(text)->is_loopback()) << text;
  for (std::string text : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[fe80::1]:1", "*:1"})
    EXPECT_FALSE(SocketAddress::parse(text)->is_loopback()) << text;
}

TEST(SocketAddressTest, MappedAddressesAreIPv4) {
  sockaddr_storage storage;
  unsigned size = SocketAddress::parse("[::ffff:10.1.2.3]:99")->to_system(&storage);
  auto address = SocketAddress::from_system(reinterpret_cast<sockaddr*>(&storage), size);
  EXPECT_EQ(address.family(), Family::ipv4);
  EXPECT_EQ(address.to_string(), "10.1.2.3:99");
  EXPECT_EQ(address.ip().size(), 4u);
}

}  // namespace
}  // namespace bedplate
