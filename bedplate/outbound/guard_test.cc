// SPDX-License-Identifier: Apache-2.0
// What a guarded client may not be made to reach. 127.0.0.2 stands for the internet, 127.0.0.1 for what is private.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "bedplate/outbound/client.h"
#include "tests/kits/outbound_kit.h"
#include "tests/kits/raw_server_kit.h"

namespace bedplate::outbound {
namespace {

using testing::OutboundRoom;
using testing::RawServer;
using Peer = RawServer::Connection;

bool is_second_loopback(const SocketAddress& address) {
  return address.host() == "127.0.0.2";
}
bool passes_once(const SocketAddress&) {
  static int calls = 0;
  return calls++ % 2 == 0;
}

ClientOptions guarded(bool (*judge)(const SocketAddress&) = nullptr, bool any_scheme = false) {
  ClientOptions options;
  options.guard.emplace();
  options.guard->judge = judge;
  options.guard->plain_http = options.guard->any_port = any_scheme;
  return options;
}

void answer(Peer& peer, int) {
  while (!peer.read_until("\r\n\r\n").empty()) peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
}

std::string code_of(const Result<Response>& result) {
  return result ? "status " + std::to_string(result->status) : result.error().code();
}

TEST(OutboundGuard, RefusesSchemesPortsAndAddresses) {
  OutboundRoom room(guarded());
  room.resolver.add("rebound.example.com", std::vector<std::string>{"93.184.215.14", "127.0.0.1"});
  room.resolver.add("metadata.example.com", std::vector<std::string>{"169.254.169.254"});
  room.resolver.add("mapped.example.com", std::vector<std::string>{"::ffff:10.0.0.1"});
  room.resolver.add("nat64.example.com", std::vector<std::string>{"64:ff9b::7f00:1"});
  for (const char* url :
       {"http://example.com/", "https://example.com:8443/", "https://127.0.0.1/", "https://[::1]/",
        "https://0.0.0.0/", "https://169.254.169.254/", "https://100.64.0.1/", "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/", "https://[fd00::1]/", "https://rebound.example.com/",
        "https://metadata.example.com/", "https://mapped.example.com/", "https://nat64.example.com/"})
    EXPECT_EQ(code_of(room.get(url)), "address_refused") << url;
  for (const char* url :
       {"https://user:pw@example.com/", "https://127.1/", "https://0x7f000001/", "https://2130706433/"})
    EXPECT_EQ(code_of(room.get(url)), "bad_url") << url;
  const Result<Response> told = room.get("https://metadata.example.com/secret?token=1");
  EXPECT_EQ(told.error().category(), Category::invalid);
  EXPECT_NE(told.error().detail().find("metadata.example.com"), std::string::npos);
  for (const char* leak : {"169.254", "secret", "token"})
    EXPECT_EQ(told.error().detail().find(leak), std::string::npos);
}

TEST(OutboundGuard, ConnectsToTheAddressThatWasJudgedThoughTheNameChangesMeanwhile) {
  RawServer allowed(&answer, "127.0.0.2");
  RawServer inside(&answer, "127.0.0.1");
  OutboundRoom room(guarded(&is_second_loopback, true));
  room.resolver.add("hooks.example.com",
                    [](int time) { return std::vector<std::string>{time == 0 ? "127.0.0.2" : "127.0.0.1"}; });
  const std::string allowed_url = "http://hooks.example.com:" + std::to_string(allowed.port()) + "/";
  EXPECT_EQ(code_of(room.get(allowed_url)), "status 200");
  EXPECT_EQ(room.resolver.lookups(), 1);
  // The second look-up says loopback: also the kept connection is not used.
  EXPECT_EQ(code_of(room.get(allowed_url)), "address_refused");
  EXPECT_EQ(code_of(room.get("http://hooks.example.com:" + std::to_string(inside.port()) + "/")),
            "address_refused");
  EXPECT_EQ(allowed.connections(), 1);
  EXPECT_EQ(inside.connections(), 0);
}

TEST(OutboundGuard, JudgesAgainWhenTheSocketIsOpened) {
  RawServer inside(&answer, "127.0.0.1");
  OutboundRoom room(guarded(&passes_once, true));
  room.resolver.add("hooks.example.com", std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(code_of(room.get("http://hooks.example.com:" + std::to_string(inside.port()) + "/")),
            "address_refused");
  EXPECT_EQ(inside.connections(), 0);
}

TEST(OutboundGuard, FollowsNoRedirect) {
  RawServer server(
      [](Peer& peer, int) {
        peer.read_until("\r\n\r\n");
        peer.write(
            "HTTP/1.1 307 Go\r\nContent-Length: 0\r\nLocation: "
            "http://169.254.169.254/latest/meta-data\r\n\r\n");
      },
      "127.0.0.2");
  OutboundRoom room(guarded(&is_second_loopback, true));
  Request request("GET", "http://127.0.0.2:" + std::to_string(server.port()) + "/");
  request.redirects_max = 5;
  EXPECT_EQ(code_of(room.send(std::move(request))), "status 307");
}

TEST(OutboundGuard, GoesThroughTheEgressProxyWhichThenDecides) {
  std::string seen;
  RawServer proxy([&](Peer& peer, int) {
    seen = peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy");
  });
  ClientOptions options = guarded(nullptr, true);
  options.guard->egress_proxy = "http://user:pw@proxy.internal:" + std::to_string(proxy.port());
  OutboundRoom room(std::move(options));
  room.resolver.add("proxy.internal", std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(room.get("http://hooks.example.com/in").value().body, "proxy");
  EXPECT_TRUE(seen.starts_with("GET http://hooks.example.com/in HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("Proxy-Authorization: Basic"), seen.npos) << seen;
  EXPECT_EQ(code_of(room.get("http://127.0.0.1/")), "address_refused");
}

TEST(OutboundGuard, IgnoresTheProxiesOfTheEnvironment) {
  RawServer proxy(&answer);
  RawServer server(&answer, "127.0.0.2");
  const std::string url = "http://127.0.0.1:" + std::to_string(proxy.port());
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::setenv(name, url.c_str(), 1);
  OutboundRoom room(guarded(&is_second_loopback, true));
  EXPECT_EQ(code_of(room.get("http://127.0.0.2:" + std::to_string(server.port()) + "/")), "status 200");
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  EXPECT_EQ(proxy.connections(), 0);
}

TEST(OutboundGuard, AllowsPrivateAddressesWhenToldTo) {
  RawServer server(&answer);
  ClientOptions options;
  options.guard = Guard::allow_private();
  OutboundRoom room(std::move(options));
  EXPECT_EQ(code_of(room.get(server.url("/"))), "status 200");
}

}  // namespace
}  // namespace bedplate::outbound
