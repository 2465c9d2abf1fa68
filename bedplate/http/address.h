// SPDX-License-Identifier: Apache-2.0
// Network addresses: who is calling, through which proxies.
//
//   TrustedProxies proxies = *TrustedProxies::parse({"10.0.0.0/8", "::1"});
//   proxies.client_of(peer, request.field_list(proxies.chain_field()));
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/http/message/field.h"

namespace bedplate::http {

/// An IPv4 or IPv6 address. IPv4 is kept as its mapped IPv6 form (::ffff:a.b.c.d), so that one client has one
/// address whatever the socket was.
class IpAddress {
 public:
  IpAddress() = default;
  /// "192.0.2.7", "2001:db8::1", "[2001:db8::1]"; no port, no zone.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const;
  bool is_loopback() const;
  /// The first `bits` bits of the 128 (a mapped IPv4 address has 96 before its own); the rest is zero.
  IpAddress prefix(unsigned bits) const;
  /// What one client is counted under: the address in IPv4, its /64 in IPv6, where one host owns 2^64
  /// addresses.
  IpAddress rate_limit_bucket() const { return is_v4() ? *this : prefix(64); }
  std::string to_string() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// A network: "10.0.0.0/8", "2001:db8::/32", or one address.
class Network {
 public:
  static std::optional<Network> parse(std::string_view text);
  bool contains(const IpAddress& address) const { return address.prefix(bits_) == base_; }

 private:
  IpAddress base_;
  unsigned bits_ = 128;
};

/// The proxies whose word about the client counts. Immutable; safe from any thread.
class TrustedProxies {
 public:
  TrustedProxies() = default;
  /// An entry that is no network is an error that names it. "unix" trusts Unix sockets.
  static Result<TrustedProxies> parse(std::span<const std::string> networks,
                                      std::string_view chain_field = "x-forwarded-for");

  bool empty() const { return networks_.empty() && !unix_; }
  bool trusts(std::string_view peer_address) const;
  /// Walks the proxies' list from the nearest to the farthest and gives the first address that is not a
  /// trusted proxy. `chain` is X-Forwarded-For, or the `for` values of Forwarded (RFC 7239), first client
  /// first; something unreadable ends the walk at the last good address. `peer` when it is not trusted
  /// itself. The answer views `peer`, or `chain`.
  std::string_view client_of(std::string_view peer, std::string_view chain) const;
  /// Which of the two fields the proxies write.
  FieldId chain_field() const { return chain_field_; }

 private:
  std::vector<Network> networks_;
  bool unix_ = false;
  FieldId chain_field_ = FieldId::x_forwarded_for;
};

}  // namespace bedplate::http
