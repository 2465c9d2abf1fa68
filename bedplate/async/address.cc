// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

namespace bedplate {
namespace {

std::unexpected<Error> bad_address(std::string_view text) {
  return fail(Category::invalid, "bad_address",
              "\"" + std::string(text) +
                  "\" is not an address: write 127.0.0.1:8080, [::1]:8080, *:8080 (all, IPv4 and IPv6), "
                  "localhost:8080 or unix:/path/to.sock.");
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

constexpr std::size_t kLocalPathSizeMax = sizeof(sockaddr_un::sun_path) - 1;

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  SocketAddress address;
  if (text.starts_with("unix:")) {
    std::string_view path = text.substr(5);
    if (path.empty() || path.find('\0') != path.npos) return bad_address(text);
    if (path.size() > kLocalPathSizeMax)
      return fail(Category::invalid, "bad_address",
                  "\"" + std::string(text) + "\" is not an address: the path of a Unix socket has at most " +
                      std::to_string(kLocalPathSizeMax) + " bytes, and this one has " +
                      std::to_string(path.size()) + ".");
    address.family_ = Family::local;
    address.path_ = path;
    return address;
  }
  std::size_t colon = text.rfind(':');
  if (colon == text.npos) return bad_address(text);
  std::optional<std::uint16_t> port = parse_port(text.substr(colon + 1));
  if (!port) return bad_address(text);
  address.port_ = *port;
  std::string host(text.substr(0, colon));
  if (host == "localhost") host = "127.0.0.1";
  if (host == "*") {
    address.family_ = Family::ipv6;
    address.dual_stack_ = true;
    return address;
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (std::size_t percent = host.find('%'); percent != host.npos) {
      address.scope_id_ = ::if_nametoindex(host.c_str() + percent + 1);
      if (address.scope_id_ == 0) return bad_address(text);
      host.resize(percent);
    }
    if (::inet_pton(AF_INET6, host.c_str(), address.ip_.data()) != 1) return bad_address(text);
    address.family_ = Family::ipv6;
    return address;
  }
  if (::inet_pton(AF_INET, host.c_str(), address.ip_.data()) != 1) return bad_address(text);
  address.family_ = Family::ipv4;
  return address;
}

SocketAddress SocketAddress::from_system(const sockaddr* system, unsigned size) {
  SocketAddress address;
  if (size < sizeof(sa_family_t)) return address;
  if (system->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in in;
    std::memcpy(&in, system, sizeof in);
    address.family_ = Family::ipv4;
    address.port_ = ntohs(in.sin_port);
    std::memcpy(address.ip_.data(), &in.sin_addr, 4);
  } else if (system->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in;
    std::memcpy(&in, system, sizeof in);
    address.port_ = ntohs(in.sin6_port);
    const std::uint8_t* bytes = in.sin6_addr.s6_addr;
    if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes)) {
      address.family_ = Family::ipv4;
      std::copy_n(bytes + kMappedPrefix.size(), 4, address.ip_.begin());
    } else {
      address.family_ = Family::ipv6;
      address.scope_id_ = in.sin6_scope_id;
      std::copy_n(bytes, 16, address.ip_.begin());
    }
  } else if (system->sa_family == AF_UNIX) {
    address.family_ = Family::local;
    std::size_t path_size = size - offsetof(sockaddr_un, sun_path);
    if (size > offsetof(sockaddr_un, sun_path)) {
      // system may be shorter than a sockaddr_un: the path is what `size` covers.
      const char* path = reinterpret_cast<const char*>(system) + offsetof(sockaddr_un, sun_path);
      address.path_.assign(path, ::strnlen(path, path_size));
    }
  }
  return address;
}

std::span<const std::uint8_t> SocketAddress::ip() const {
  if (family_ == Family::ipv4) return std::span(ip_).first(4);
  if (family_ == Family::ipv6) return ip_;
  return {};
}

bool SocketAddress::is_loopback() const {
  if (family_ == Family::local) return true;
  if (family_ == Family::ipv4) return ip_[0] == 127;
  if (family_ != Family::ipv6) return false;
  return ip_[15] == 1 && std::all_of(ip_.begin(), ip_.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

std::string SocketAddress::host() const {
  char text[INET6_ADDRSTRLEN];
  switch (family_) {
    case Family::none:
      return "";
    case Family::ipv4:
      return ::inet_ntop(AF_INET, ip_.data(), text, sizeof text);
    case Family::ipv6:
      return dual_stack_ ? "*" : ::inet_ntop(AF_INET6, ip_.data(), text, sizeof text);
    case Family::local:
      return path_.empty() ? "unix" : "unix:" + path_;
  }
  return "";
}

std::string SocketAddress::to_string() const {
  if (family_ == Family::none || family_ == Family::local) return host();
  bool brackets = family_ == Family::ipv6 && !dual_stack_;
  std::string zone;
  char name[IF_NAMESIZE];
  if (brackets && scope_id_ != 0 && ::if_indextoname(scope_id_, name)) zone = std::string("%") + name;
  return (brackets ? "[" + host() + zone + "]" : host()) + ":" + std::to_string(port_);
}

unsigned SocketAddress::to_system(void* storage) const {
  std::memset(storage, 0, sizeof(sockaddr_storage));
  if (family_ == Family::ipv4) {
    auto* in = static_cast<sockaddr_in*>(storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(port_);
    std::memcpy(&in->sin_addr, ip_.data(), 4);
    return sizeof *in;
  }
  if (family_ == Family::ipv6) {
    auto* in = static_cast<sockaddr_in6*>(storage);
    in->sin6_family = AF_INET6;
    in->sin6_port = htons(port_);
    in->sin6_scope_id = scope_id_;
    std::memcpy(&in->sin6_addr, ip_.data(), 16);
    return sizeof *in;
  }
  auto* local = static_cast<sockaddr_un*>(storage);
  local->sun_family = AF_UNIX;
  std::memcpy(local->sun_path, path_.data(), path_.size());  // parse() has checked the size
  return static_cast<unsigned>(offsetof(sockaddr_un, sun_path) + path_.size() + 1);
}

}  // namespace bedplate
