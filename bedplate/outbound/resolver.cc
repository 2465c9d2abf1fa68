// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <memory>

namespace bedplate::outbound {
namespace {

constexpr std::size_t kAddressesMax = 32;

Result<std::vector<SocketAddress>> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, &::freeaddrinfo);
  std::vector<SocketAddress> found;
  for (const addrinfo* one = code == 0 ? list : nullptr; one; one = one->ai_next) {
    SocketAddress address = SocketAddress::from_system(one->ai_addr, one->ai_addrlen);
    address.set_port(port);
    if (!address.ip().empty() && found.size() < kAddressesMax) found.push_back(std::move(address));
  }
  if (!found.empty()) return found;
  return std::unexpected(Error(Category::unavailable, "resolve_failed",
                               "The host " + host + " has no address that could be found.")
                             .with_subject(code == 0 ? "no address" : ::gai_strerror(code)));
}

}  // namespace

Async<std::vector<SocketAddress>> SystemResolver::resolve(std::string host, std::uint16_t port) {
  std::vector<SocketAddress> found = co_await ok(pool_.run([&] { return look_up(host, port); }));
  co_return std::move(found);
}

}  // namespace bedplate::outbound
