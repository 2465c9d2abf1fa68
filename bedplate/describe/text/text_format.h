// SPDX-License-Identifier: Apache-2.0
// What a text must be to be an e-mail address, a URI and so on: the checks behind schema::format.
#pragma once

#include <string_view>

#include "bedplate/describe/table.h"

namespace bedplate {

/// The name JSON Schema has for it: "email", "date-time".
std::string_view text_format_name(TextFormat format);
/// For a sentence: "an e-mail address".
std::string_view text_format_phrase(TextFormat format);
bool matches_text_format(TextFormat format, std::string_view text);

/// As HTML's input type=email, which is what people can be asked to type, with the sizes of RFC 5321
/// section 4.5.3.1: a dot-atom of at most 64 bytes, "@", a host name; 254 in all. No quoted local parts, no
/// IP addresses, ASCII only.
bool is_email(std::string_view text);
/// RFC 3986 `URI`: a scheme, then only what the grammar allows, percent escapes complete.
bool is_uri(std::string_view text);
/// What a page may link to and a browser will open as it reads: `http` or `https`, a host that is a name or an IP
/// address, perhaps a port, and the rest of a URI. No other scheme (`javascript:`), no user information
/// (`https://bank.example@evil.example`), no numbers that browsers take for an address (`http://2130706433`). It says
/// nothing of where the host leads: a server that fetches it checks that itself.
bool is_web_url(std::string_view text);
/// The 36-character form of RFC 9562, either case.
bool is_uuid(std::string_view text);
/// RFC 3339 date-time.
bool is_date_time(std::string_view text);
/// RFC 3339 full-date, a day that exists.
bool is_date(std::string_view text);
/// RFC 1123: labels of letters, digits and inner hyphens, at most 63 each, 253 in all.
bool is_hostname(std::string_view text);
/// Four decimal numbers without leading zeros.
bool is_ipv4(std::string_view text);
/// RFC 4291 section 2.2, without a zone.
bool is_ipv6(std::string_view text);

}  // namespace bedplate
