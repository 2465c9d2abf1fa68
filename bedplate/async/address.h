// SPDX-License-Identifier: Apache-2.0
// Where to listen, where to connect, who is at the other end.
//
//   Result<SocketAddress> a = SocketAddress::parse("127.0.0.1:8080");   // IPv4
//   "[::1]:8080"        IPv6           "[::]:8080"      every IPv6 address, and no IPv4
//   "*:8080"            every address, IPv4 and IPv6 on one (dual-stack) socket
//   "localhost:8080"    127.0.0.1      "unix:/run/bedplate.sock"      a Unix socket
//
// Host names are not looked up here: that blocks.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bedplate/base/result.h"

struct sockaddr;

namespace bedplate {

/// A socket address. IPv4 seen through a dual-stack socket (::ffff:1.2.3.4) is kept as IPv4.
class SocketAddress {
 public:
  enum class Family : std::uint8_t { none, ipv4, ipv6, local };

  SocketAddress() = default;

  /// Category::invalid with code `bad_address` and a sentence that shows the forms.
  static Result<SocketAddress> parse(std::string_view text);
  static SocketAddress from_system(const sockaddr* address, unsigned size);

  Family family() const { return family_; }
  /// Zero for a Unix socket.
  std::uint16_t port() const { return port_; }
  void set_port(std::uint16_t port) { port_ = port; }
  /// One socket for IPv4 and IPv6 ("*:port").
  bool dual_stack() const { return dual_stack_; }
  /// The path of a Unix socket; empty for a client's nameless one.
  const std::string& path() const { return path_; }
  /// The 4 or 16 bytes of an IP address, network order; none for a Unix socket.
  std::span<const std::uint8_t> ip() const;

  /// Only this machine can reach it: 127.0.0.0/8, ::1, a Unix socket.
  bool is_loopback() const;

  /// "127.0.0.1", "::1" (no brackets), "unix:/path" or "unix".
  std::string host() const;
  /// What parse() reads.
  std::string to_string() const;

  /// Fills `storage` (sockaddr_storage) and returns the size in use.
  unsigned to_system(void* storage) const;

 private:
  Family family_ = Family::none;
  bool dual_stack_ = false;
  std::uint16_t port_ = 0;
  std::uint32_t scope_id_ = 0;  ///< the interface of a link-local IPv6 address
  std::array<std::uint8_t, 16> ip_{};
  std::string path_;
};

}  // namespace bedplate
