// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/text/text_format.h"

#include <cstddef>

#include "bedplate/base/id.h"
#include "bedplate/base/text.h"
#include "bedplate/base/time.h"

namespace bedplate {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_alphanumeric(char c) {
  return is_digit(c) || is_letter(c);
}
bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

bool is_atom_character(char c) {
  return is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-/=?^_`{|}~");
}

/// RFC 5322 dot-atom-text.
bool is_dot_atom(std::string_view text) {
  char before = '.';
  for (char c : text) {
    if (c == '.' ? before == '.' : !is_atom_character(c)) return false;
    before = c;
  }
  return before != '.';
}

/// No top-level domain is a number (RFC 3696 section 2): such a host is an IPv4 address, or a slip in one.
bool ends_in_a_number(std::string_view host) {
  for (char c : host.substr(host.rfind('.') + 1))
    if (!is_digit(c)) return false;
  return true;
}

/// RFC 3986 percent-encoded octets complete, and no character outside `allowed` beside letters and digits.
bool has_uri_characters(std::string_view text, std::string_view allowed) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || hex_digit_value(text[i + 1]) < 0 || hex_digit_value(text[i + 2]) < 0)
        return false;
      i += 2;
    } else if (!is_alphanumeric(text[i]) && !is_one_of(text[i], allowed)) {
      return false;
    }
  }
  return true;
}

constexpr std::string_view kUnreservedAndSubDelims = "-._~!$&'()*+,;=";
constexpr std::string_view kPathCharacters = "-._~!$&'()*+,;=:@/";
constexpr std::string_view kQueryCharacters = "-._~!$&'()*+,;=:@/?";

/// RFC 3986 section 3.2: [ userinfo "@" ] host [ ":" port ].
bool is_authority(std::string_view text) {
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    if (!has_uri_characters(text.substr(0, at), "-._~!$&'()*+,;=:")) return false;
    text.remove_prefix(at + 1);
  }
  std::size_t host_end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) return false;
    host_end = close + 1 == text.size() ? std::string_view::npos : close + 1;
    if (host_end != std::string_view::npos && text[host_end] != ':') return false;
  } else if (!has_uri_characters(text.substr(0, host_end), kUnreservedAndSubDelims)) {
    return false;
  }
  if (host_end == std::string_view::npos) return true;
  for (char c : text.substr(host_end + 1))
    if (!is_digit(c)) return false;
  return true;
}

/// A number of at most `digits_max` digits, without leading zeros, up to `max`; what was read is taken off.
bool take_number(std::string_view& text, std::size_t digits_max, unsigned max) {
  std::size_t digits = 0;
  unsigned value = 0;
  while (digits < text.size() && digits < digits_max && is_digit(text[digits]))
    value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
  if (digits == 0 || value > max || (digits > 1 && text[0] == '0')) return false;
  text.remove_prefix(digits);
  return true;
}

bool is_port(std::string_view text) {
  constexpr unsigned kPortMax = 65'535;
  return take_number(text, 5, kPortMax) && text.empty();
}

/// A host that browsers read as it stands: a name whose last label cannot be a number, or an IP address.
bool is_web_host(std::string_view text) {
  if (text.starts_with('[')) return text.ends_with(']') && is_ipv6(text.substr(1, text.size() - 2));
  if (!is_hostname(text)) return false;
  const std::size_t dot = text.rfind('.');
  return is_ipv4(text) || !is_digit(text[dot == std::string_view::npos ? 0 : dot + 1]);
}

/// Groups of one to four hexadecimal digits with colons between; the last may be an IPv4 address, which
/// counts as two. The number of groups, or -1.
int count_ipv6_groups(std::string_view text, bool may_end_in_ipv4) {
  if (text.empty()) return 0;
  int groups = 0;
  while (true) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && may_end_in_ipv4 && is_ipv4(group)) return groups + 2;
    if (group.empty() || group.size() > 4) return -1;
    for (char c : group)
      if (hex_digit_value(c) < 0) return -1;
    ++groups;
    if (colon == std::string_view::npos) return groups;
    text.remove_prefix(colon + 1);
  }
}

}  // namespace

std::string_view text_format_name(TextFormat format) {
  constexpr std::string_view kNames[] = {"",     "email",    "uri",  "uuid", "date-time",
                                         "date", "hostname", "ipv4", "ipv6", "uri"};
  return kNames[static_cast<std::size_t>(format)];
}

std::string_view text_format_phrase(TextFormat format) {
  constexpr std::string_view kPhrases[] = {"",
                                           "an e-mail address",
                                           "an absolute URI",
                                           "a UUID",
                                           "an RFC 3339 date and time, such as 2026-11-21T10:00:00Z",
                                           "a date, such as 2026-11-21",
                                           "a host name",
                                           "an IPv4 address",
                                           "an IPv6 address",
                                           "the address of a web page, such as https://example.com/about"};
  return kPhrases[static_cast<std::size_t>(format)];
}

bool matches_text_format(TextFormat format, std::string_view text) {
  switch (format) {
    case TextFormat::none:
      return true;
    case TextFormat::email:
      return is_email(text);
    case TextFormat::uri:
      return is_uri(text);
    case TextFormat::uuid:
      return is_uuid(text);
    case TextFormat::date_time:
      return is_date_time(text);
    case TextFormat::date:
      return is_date(text);
    case TextFormat::hostname:
      return is_hostname(text);
    case TextFormat::ipv4:
      return is_ipv4(text);
    case TextFormat::ipv6:
      return is_ipv6(text);
    case TextFormat::web_url:
      return is_web_url(text);
  }
  return false;
}

bool is_email(std::string_view text) {
  constexpr std::size_t kSizeMax = 254;
  constexpr std::size_t kLocalSizeMax = 64;
  const std::size_t at = text.find('@');
  if (text.size() > kSizeMax || at == std::string_view::npos || at == 0 || at > kLocalSizeMax) return false;
  const std::string_view host = text.substr(at + 1);
  return is_dot_atom(text.substr(0, at)) && is_hostname(host) && !ends_in_a_number(host);
}

bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text[0])) return false;
  for (char c : text.substr(0, colon))
    if (!is_alphanumeric(c) && !is_one_of(c, "+-.")) return false;
  text.remove_prefix(colon + 1);
  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
    if (!has_uri_characters(text.substr(hash + 1), kQueryCharacters)) return false;
    text = text.substr(0, hash);
  }
  if (const std::size_t question = text.find('?'); question != std::string_view::npos) {
    if (!has_uri_characters(text.substr(question + 1), kQueryCharacters)) return false;
    text = text.substr(0, question);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const std::size_t slash = text.find('/');
    if (!is_authority(text.substr(0, slash))) return false;
    text = slash == std::string_view::npos ? std::string_view() : text.substr(slash);
  }
  return has_uri_characters(text, kPathCharacters);
}

bool is_web_url(std::string_view text) {
  if (!is_uri(text)) return false;
  const std::size_t scheme_size = text.find(':');
  if (!equal_ignoring_case(text.substr(0, scheme_size), "http") &&
      !equal_ignoring_case(text.substr(0, scheme_size), "https"))
    return false;
  text.remove_prefix(scheme_size);
  if (!text.starts_with("://")) return false;
  text.remove_prefix(3);
  text = text.substr(0, text.find_first_of("/?#"));
  const std::size_t host_size = text.starts_with('[') ? text.find(']') + 1 : text.find(':');
  if (host_size < text.size() && (text[host_size] != ':' || !is_port(text.substr(host_size + 1))))
    return false;
  return is_web_host(text.substr(0, host_size));
}

bool is_uuid(std::string_view text) {
  return Uuid::parse(text).has_value();
}

bool is_date_time(std::string_view text) {
  return parse_rfc3339(text).has_value();
}

bool is_date(std::string_view text) {
  constexpr std::string_view kMidnight = "T00:00:00Z";
  constexpr std::size_t kDateSize = 10;
  if (text.size() != kDateSize) return false;
  char instant[kDateSize + kMidnight.size()];
  text.copy(instant, kDateSize);
  kMidnight.copy(instant + kDateSize, kMidnight.size());
  return parse_rfc3339({instant, sizeof instant}).has_value();
}

bool is_hostname(std::string_view text) {
  constexpr std::size_t kSizeMax = 253;
  constexpr std::size_t kLabelSizeMax = 63;
  if (text.empty() || text.size() > kSizeMax) return false;
  std::size_t label_size = 0;
  char before = '.';
  for (char c : text) {
    if (c == '.') {
      if (label_size == 0 || before == '-') return false;
      label_size = 0;
    } else {
      if (!is_alphanumeric(c) && (c != '-' || label_size == 0)) return false;
      if (++label_size > kLabelSizeMax) return false;
    }
    before = c;
  }
  return is_alphanumeric(before);
}

bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (!text.starts_with('.')) return false;
      text.remove_prefix(1);
    }
    if (!take_number(text, 3, 255)) return false;
  }
  return text.empty();
}

bool is_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return count_ipv6_groups(text, true) == 8;
  const int before = count_ipv6_groups(text.substr(0, gap), false);
  const int after = count_ipv6_groups(text.substr(gap + 2), true);
  return before >= 0 && after >= 0 && before + after <= 7;
}

}  // namespace bedplate
