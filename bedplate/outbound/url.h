// SPDX-License-Identifier: Apache-2.0
// The absolute http and https URLs that requests go to, read strictly: what two readers could read differently is
// refused, so that the host that is judged is the host that is connected to.
//
//   Url url = *parse_url("https://Hooks.Example.com:8443/in?x=1#top");
//   url.host == "hooks.example.com"; url.port == 8443; url.target == "/in?x=1";
//   url.to_string() == "https://hooks.example.com:8443/in?x=1";
//
// Refused (Category::invalid `bad_url`): other schemes, user names and passwords, blanks, control characters,
// backslashes, bytes that are not ASCII (write host names as punycode, paths percent-encoded), hosts with escapes, with
// "_" or empty labels, and addresses in any form but 192.0.2.1 and [2001:db8::1]: 127.1, 0x7f000001, 2130706433, a
// zone id. The messages never repeat the URL, which may hold a secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bedplate/base/result.h"

namespace bedplate::outbound {

inline constexpr std::size_t kUrlSizeMax = 8 * 1024;

struct Url {
  bool https = false;
  bool is_address = false;   ///< `host` is an IP address
  std::string host;          ///< lower case, without a dot at the end; an IPv6 address without brackets
  std::uint16_t port = 0;    ///< 80 or 443 where the URL says none
  std::string target = "/";  ///< path and query; never empty, without the fragment

  /// "example.com:8443", "[::1]"; without the port where it is the scheme's own.
  std::string authority() const;
  /// Scheme, host and port.
  std::string origin() const;
  /// What parse_url() reads as the same Url.
  std::string to_string() const { return origin() + target; }
  bool same_origin(const Url& other) const {
    return https == other.https && port == other.port && host == other.host;
  }
  bool operator==(const Url&) const = default;
};

/// Any thread.
Result<Url> parse_url(std::string_view text);

/// What a Location field of an answer from `base` leads to: an absolute URL, "//host/path", "/path" or "?query". Other
/// references (RFC 3986 section 4.2) are refused.
Result<Url> parse_location(const Url& base, std::string_view location);

}  // namespace bedplate::outbound
