// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "bedplate/base/text.h"
#include "bedplate/http/message/content.h"

namespace bedplate::http {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// "192.0.2.7:80" and "[2001:db8::1]:80" without their port; quotes of RFC 7239 taken off.
std::string_view without_port(std::string_view node) {
  if (node.size() >= 2 && node.front() == '"' && node.back() == '"') node = node.substr(1, node.size() - 2);
  if (node.starts_with('[')) {
    const std::size_t close = node.find(']');
    return close == std::string_view::npos ? std::string_view() : node.substr(1, close - 1);
  }
  const std::size_t colon = node.find(':');
  const bool has_port =
      colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos;
  return has_port ? node.substr(0, colon) : node;
}

// The `for` parameter of one element of Forwarded.
std::string_view for_parameter(std::string_view element) {
  while (!element.empty()) {
    const std::size_t end = std::min(element.find(';'), element.size());
    const std::string_view pair = trim(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    if (pair.size() > 4 && equal_ignoring_case(pair.substr(0, 4), "for=")) return pair.substr(4);
  }
  return {};
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  char terminated[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof terminated) return std::nullopt;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  IpAddress address;
  if (inet_pton(AF_INET6, terminated, address.bytes_.data()) == 1) return address;
  if (inet_pton(AF_INET, terminated, address.bytes_.data() + 12) != 1) return std::nullopt;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes_.begin());
  return address;
}

bool IpAddress::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin());
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  IpAddress one;
  one.bytes_[15] = 1;
  return *this == one;
}

IpAddress IpAddress::prefix(unsigned bits) const {
  IpAddress masked;
  for (unsigned i = 0; i < 16 && i * 8 < bits; ++i) {
    const unsigned left = bits - i * 8;
    const unsigned mask = left >= 8 ? 0xffu : 0xffu << (8 - left);
    masked.bytes_[i] = static_cast<std::uint8_t>(bytes_[i] & mask);
  }
  return masked;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4())
    inet_ntop(AF_INET, bytes_.data() + 12, text, sizeof text);
  else
    inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

std::optional<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<IpAddress> base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  Network network;
  if (slash != std::string_view::npos) {
    const unsigned bits_max = base->is_v4() ? 32 : 128;
    const std::optional<std::uint64_t> bits = parse_uint(text.substr(slash + 1));
    if (!bits || *bits > bits_max) return std::nullopt;
    network.bits_ = static_cast<unsigned>(*bits) + (128 - bits_max);
  }
  network.base_ = base->prefix(network.bits_);
  return network;
}

Result<TrustedProxies> TrustedProxies::parse(std::span<const std::string> networks,
                                             std::string_view chain_field) {
  TrustedProxies proxies;
  proxies.chain_field_ = field_id(chain_field);
  if (proxies.chain_field_ != FieldId::x_forwarded_for && proxies.chain_field_ != FieldId::forwarded)
    return fail(Category::invalid, "bad_forwarded_field",
                "server.forwarded_field is neither \"x-forwarded-for\" nor \"forwarded\".");
  for (const std::string& text : networks) {
    if (text == "unix") {
      proxies.unix_ = true;
      continue;
    }
    const std::optional<Network> network = Network::parse(text);
    if (!network)
      return fail(
          Category::invalid, "bad_trusted_proxy",
          "server.trusted_proxies: \"" + text + "\" is not an address or a network such as 10.0.0.0/8.");
    proxies.networks_.push_back(*network);
  }
  return proxies;
}

bool TrustedProxies::trusts(std::string_view peer_address) const {
  if (peer_address == "unix") return unix_;
  const std::optional<IpAddress> address = IpAddress::parse(peer_address);
  return address && std::ranges::any_of(networks_, [&](const Network& n) { return n.contains(*address); });
}

std::string_view TrustedProxies::client_of(std::string_view peer, std::string_view chain) const {
  std::string_view client = peer;
  while (trusts(client) && !chain.empty()) {
    const std::size_t comma = chain.rfind(',');
    const bool is_first = comma == std::string_view::npos;
    const std::string_view element = trim(is_first ? chain : chain.substr(comma + 1));
    chain = is_first ? std::string_view() : chain.substr(0, comma);
    const std::string_view node =
        without_port(chain_field_ == FieldId::forwarded ? for_parameter(element) : element);
    if (!IpAddress::parse(node)) break;
    client = node;
  }
  return client;
}

}  // namespace bedplate::http
