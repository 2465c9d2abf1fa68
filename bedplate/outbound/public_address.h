// SPDX-License-Identifier: Apache-2.0
// Whether an address belongs to the public internet.
//
//   is_public(*SocketAddress::parse("93.184.215.14:443"));    // true
//   is_public(*SocketAddress::parse("169.254.169.254:80"));   // false: link-local, where clouds keep their metadata
//   is_public(*SocketAddress::parse("[::ffff:10.0.0.1]:80")); // false: an IPv4 address in an IPv6 one
//
// True only for what the registries of special-purpose addresses (RFC 6890, kept by IANA) leave to everybody, and of
// IPv6 only within 2000::/3. Not public: this network, loopback, private use, carrier-grade NAT, link-local, unique
// local, documentation, benchmarking, multicast, reserved, broadcast, and every form that hides an IPv4 address or
// reaches a translator or a relay: mapped, compatible, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), 6to4, Teredo. Those are
// refused whatever they hide: nobody has to be reached by them.
//
// A pure function, safe from any thread.
#pragma once

#include <cstdint>
#include <span>

#include "bedplate/async/address.h"

namespace bedplate::outbound {

/// Of the 4 or 16 bytes of an address in network order. Any other size is not public.
bool is_public(std::span<const std::uint8_t> ip);
/// A Unix socket is not public.
bool is_public(const SocketAddress& address);

}  // namespace bedplate::outbound
