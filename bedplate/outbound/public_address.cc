// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/public_address.h"

#include <algorithm>
#include <array>

namespace bedplate::outbound {
namespace {

template <std::size_t N>
struct Network {
  std::array<std::uint8_t, N> prefix;
  int bits;

  bool contains(std::span<const std::uint8_t> ip) const {
    const int whole = bits / 8;
    if (!std::equal(prefix.begin(), prefix.begin() + whole, ip.begin())) return false;
    const int rest = bits % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return (prefix[static_cast<std::size_t>(whole)] & mask) == (ip[static_cast<std::size_t>(whole)] & mask);
  }
};

// The IANA IPv4 Special-Purpose Address Registry, with multicast (RFC 5771). 192.0.0.0/24 is refused whole, its two
// anycast addresses included.
constexpr Network<4> kSpecial4[] = {
    {{0, 0, 0, 0}, 8},        // this network (RFC 791)
    {{10, 0, 0, 0}, 8},       // private use (RFC 1918)
    {{100, 64, 0, 0}, 10},    // carrier-grade NAT (RFC 6598)
    {{127, 0, 0, 0}, 8},      // loopback (RFC 1122)
    {{169, 254, 0, 0}, 16},   // link-local (RFC 3927)
    {{172, 16, 0, 0}, 12},    // private use
    {{192, 0, 0, 0}, 24},     // IETF protocol assignments (RFC 6890)
    {{192, 0, 2, 0}, 24},     // documentation (RFC 5737)
    {{192, 31, 196, 0}, 24},  // AS112 (RFC 7535)
    {{192, 52, 193, 0}, 24},  // AMT relays (RFC 7450)
    {{192, 88, 99, 0}, 24},   // 6to4 relays (RFC 7526)
    {{192, 168, 0, 0}, 16},   // private use
    {{192, 175, 48, 0}, 24},  // AS112 (RFC 7534)
    {{198, 18, 0, 0}, 15},    // benchmarking (RFC 2544)
    {{198, 51, 100, 0}, 24},  // documentation
    {{203, 0, 113, 0}, 24},   // documentation
    {{224, 0, 0, 0}, 4},      // multicast
    {{240, 0, 0, 0}, 4},      // reserved (RFC 1112), and broadcast
};

// What 2000::/3 holds that is not for everybody. Everything outside it is refused already.
constexpr Network<16> kGlobalUnicast = {{0x20}, 3};
constexpr Network<16> kSpecial6[] = {
    {{0x20, 0x01}, 23},                          // IETF protocol assignments: Teredo, ORCHID, benchmarking
    {{0x20, 0x01, 0x0d, 0xb8}, 32},              // documentation (RFC 3849)
    {{0x20, 0x02}, 16},                          // 6to4 (RFC 3056)
    {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48},  // AS112 (RFC 7534)
    {{0x3f, 0xfe}, 16},                          // the former 6bone
    {{0x3f, 0xff}, 20},                          // documentation (RFC 9637)
};

}  // namespace

bool is_public(std::span<const std::uint8_t> ip) {
  const auto holds = [ip](const auto& network) { return network.contains(ip); };
  if (ip.size() == 4) return std::ranges::none_of(kSpecial4, holds);
  if (ip.size() == 16) return kGlobalUnicast.contains(ip) && std::ranges::none_of(kSpecial6, holds);
  return false;
}

bool is_public(const SocketAddress& address) {
  return is_public(address.ip());
}

}  // namespace bedplate::outbound
