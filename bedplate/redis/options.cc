// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/options.h"

#include <charconv>

namespace bedplate::redis {
namespace {

constexpr std::string_view kForms =
    "Write redis://[user:password@]host[:port][/database], rediss://... for TLS, or redis+unix:/path.";

std::unexpected<Error> url_wrong(std::string_view what) {
  return fail(Category::invalid, "redis_url", std::string(what) + " " + std::string(kForms));
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
    if (error != std::errc() || end != text.data() + i + 3) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

template <class Int>
bool read_number(std::string_view text, Int max, Int& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0 && number <= max;
}

bool read_credentials(std::string_view text, Options& options) {
  const std::size_t colon = text.find(':');
  std::optional<std::string> user = percent_decoded(text.substr(0, colon));
  std::optional<std::string> password =
      percent_decoded(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
  if (!user || !password) return false;
  options.user = std::move(*user);
  options.password = std::move(*password);
  return true;
}

bool read_host(std::string_view text, Endpoint& endpoint) {
  std::string_view port;
  if (text.starts_with('[')) {  // IPv6
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    endpoint.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && !port.starts_with(':')) return false;
    if (!port.empty()) port.remove_prefix(1);
  } else {
    const std::size_t colon = text.find(':');
    endpoint.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (endpoint.host.empty()) return false;
  return port.empty() || (read_number<std::uint16_t>(port, 65535, endpoint.port) && endpoint.port != 0);
}

}  // namespace

std::string Endpoint::to_string() const {
  if (!socket_path.empty()) return "unix:" + socket_path;
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Options> Options::from_url(std::string_view url) {
  Options options;
  if (url.starts_with("redis+unix:")) {
    options.endpoint.socket_path = url.substr(url.find(':') + 1);
    if (!options.endpoint.socket_path.starts_with('/'))
      return url_wrong("The path of a socket begins with a slash.");
    return options;
  }
  options.tls = url.starts_with("rediss://");
  if (!options.tls && !url.starts_with("redis://")) return url_wrong("This is no URL of a Redis.");
  std::string_view rest = url.substr(url.find("//") + 2);
  if (rest.find_first_of("?#") != std::string_view::npos) return url_wrong("The URL takes no parameters.");
  // The last @: a password may hold one that nobody encoded.
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    if (!read_credentials(rest.substr(0, at), options))
      return url_wrong("User or password is badly encoded.");
    rest.remove_prefix(at + 1);
  }
  const std::size_t slash = rest.find('/');
  if (!read_host(rest.substr(0, slash), options.endpoint))
    return url_wrong("The host or the port cannot be read.");
  if (slash != std::string_view::npos && slash + 1 < rest.size() &&
      !read_number(rest.substr(slash + 1), 65535, options.database))
    return url_wrong("The database is a number.");
  return options;
}

}  // namespace bedplate::redis
