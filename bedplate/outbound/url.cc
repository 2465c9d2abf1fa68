// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "bedplate/base/text.h"

namespace bedplate::outbound {
namespace {

std::unexpected<Error> bad_url(std::string detail) {
  return fail(Category::invalid, "bad_url", std::move(detail));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter_or_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z');
}

bool has_only_url_bytes(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return c > ' ' && c < 0x7f && c != '\\' && c != '"' && c != '<' && c != '>'; });
}

// Labels of letters, digits and inner hyphens (RFC 1123 section 2.1). `host` is lower case.
bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  while (true) {
    const std::size_t dot = std::min(host.find('.'), host.size());
    const std::string_view label = host.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; })) return false;
    if (dot == host.size()) break;
    host.remove_prefix(dot + 1);
  }
  return true;
}

// The last label says that some reader takes the whole for an IPv4 address: it is a number, or looks like one.
bool ends_in_number(std::string_view host) {
  const std::size_t dot = host.rfind('.');
  const std::string_view last = dot == host.npos ? host : host.substr(dot + 1);
  if (!last.empty() && std::ranges::all_of(last, is_digit)) return true;
  return last.starts_with("0x") &&
         std::ranges::all_of(last.substr(2), [](char c) { return hex_digit_value(c) >= 0; });
}

Result<void> read_ipv6(std::string_view text, Url& url) {
  std::array<std::uint8_t, 16> ip{};
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  if (::inet_pton(AF_INET6, std::string(text).c_str(), ip.data()) != 1)
    return bad_url("The host in brackets is not an IPv6 address.");
  ::inet_ntop(AF_INET6, ip.data(), canonical.data(), canonical.size());
  url.host = canonical.data();
  url.is_address = true;
  return {};
}

Result<void> read_host(std::string_view text, Url& url) {
  std::string host = to_lower(text);
  if (host.ends_with('.')) host.pop_back();
  if (ends_in_number(host)) {
    std::array<std::uint8_t, 4> ip{};
    std::array<char, INET_ADDRSTRLEN> canonical{};
    // inet_pton() reads nothing but four decimal numbers; what it writes again must be the same.
    if (::inet_pton(AF_INET, host.c_str(), ip.data()) != 1 ||
        !::inet_ntop(AF_INET, ip.data(), canonical.data(), canonical.size()) || host != canonical.data())
      return bad_url("Write an IPv4 address as four decimal numbers.");
    url.is_address = true;
  } else if (!is_host_name(host)) {
    return bad_url(
        "The host is not a name of letters, digits and hyphens (names in other scripts: as punycode).");
  }
  url.host = std::move(host);
  return {};
}

Result<void> read_authority(std::string_view text, Url& url) {
  if (text.find('@') != text.npos) return bad_url("A URL with a user name or a password is not taken.");
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == text.npos) return bad_url("The bracket of the IPv6 address is not closed.");
    if (Result<void> read = read_ipv6(text.substr(1, close - 1), url); !read) return read;
    std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return bad_url("After the host only a port may follow.");
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    has_port = colon != text.npos;
    if (has_port) port = text.substr(colon + 1);
    if (Result<void> read = read_host(text.substr(0, colon), url); !read) return read;
  }
  if (!has_port) return {};
  const bool digits = !port.empty() && port.size() <= 5 && std::ranges::all_of(port, is_digit);
  const std::uint64_t number = digits ? parse_uint(port).value_or(0) : 0;
  if (number == 0 || number > 65535) return bad_url("The port is not a number from 1 to 65535.");
  url.port = static_cast<std::uint16_t>(number);
  return {};
}

}  // namespace

std::string Url::authority() const {
  std::string text = host.find(':') == host.npos ? host : "[" + host + "]";
  if (port != (https ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

std::string Url::origin() const {
  return (https ? "https://" : "http://") + authority();
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kUrlSizeMax) return bad_url("The URL is longer than 8 KiB.");
  if (!has_only_url_bytes(text))
    return bad_url(
        "The URL holds a character that must be escaped (a blank, a control character, a backslash, a quote, "
        "a byte that is not ASCII).");
  Url url;
  const std::size_t colon = std::min(text.find("://"), text.size());
  const std::string scheme = to_lower(text.substr(0, colon));
  if (colon == text.size() || (scheme != "http" && scheme != "https"))
    return bad_url("The URL does not begin with https:// or http://.");
  url.https = scheme == "https";
  url.port = url.https ? 443 : 80;
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (Result<void> read = read_authority(rest.substr(0, end), url); !read)
    return std::unexpected(std::move(read.error()));
  if (end < rest.size()) {
    url.target = rest[end] == '?' ? "/" : "";
    url.target += rest.substr(end);
  }
  return url;
}

Result<Url> parse_location(const Url& base, std::string_view location) {
  if (location.starts_with("//")) return parse_url((base.https ? "https:" : "http:") + std::string(location));
  if (location.starts_with('/')) return parse_url(base.origin() + std::string(location));
  if (location.starts_with('?'))
    return parse_url(base.origin() + base.target.substr(0, base.target.find('?')) + std::string(location));
  return parse_url(location);
}

}  // namespace bedplate::outbound
