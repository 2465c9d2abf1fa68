// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/url.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "bedplate/base/text.h"
#include "bedplate/http/message/chars.h"

namespace bedplate::http {
namespace {

// What a byte of a target means to the scan of the path.
enum PathClass : std::uint8_t { kPlain, kSlash, kPercent, kQuestion, kBad };

constexpr std::array<std::uint8_t, 256> make_path_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) classes[c] = c > 0x20 && c < 0x7f ? kPlain : kBad;
  for (char c : std::string_view("#<>\"\\")) classes[static_cast<unsigned char>(c)] = kBad;
  classes['/'] = kSlash;
  classes['%'] = kPercent;
  classes['?'] = kQuestion;
  return classes;
}
constexpr auto kPathClasses = make_path_classes();

// Browsers leave more bytes alone in a query than RFC 3986 allows; only these can never stand there.
bool is_query_valid(std::string_view query) {
  for (char c : query)
    if (!chars::is(c, chars::kVisible) || c == '#' || c == '<' || c == '>' || c == '"') return false;
  return true;
}

// Appends what `text` means; where its first bad escape stands, or npos.
std::size_t decode(std::string_view text, std::string& out, bool plus_is_space) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return i;
      const int high = hex_digit_value(text[i + 1]);
      const int low = hex_digit_value(text[i + 2]);
      if (high < 0 || low < 0) return i;
      c = static_cast<char>(high << 4 | low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    out.push_back(c);
  }
  return std::string_view::npos;
}

// Where a name or a value has a bad escape, or decodes to what is not UTF-8.
std::size_t find_fault(std::string_view text) {
  std::string decoded;
  const std::size_t bad_escape = decode(text, decoded, true);
  const std::size_t bad_utf8 = find_invalid_utf8(decoded);
  if (bad_utf8 == std::string_view::npos) return bad_escape;
  std::size_t at = 0;
  for (std::size_t i = 0; i < bad_utf8; ++i) at += text[at] == '%' ? 3 : 1;
  return at;
}

// RFC 3986 section 5.2.4, in place; `path` begins with "/".
void remove_dot_segments(std::string& path) {
  std::size_t out = 0;
  std::size_t at = 0;
  while (at < path.size()) {
    std::size_t end = path.find('/', at + 1);
    if (end == std::string::npos) end = path.size();
    const std::string_view segment(path.data() + at + 1, end - at - 1);
    const bool is_last = end == path.size();
    if (segment == ".") {
      if (is_last) path[out++] = '/';
    } else if (segment == "..") {
      while (out > 0 && path[out - 1] != '/') --out;
      if (out > 0) --out;
      if (is_last) path[out++] = '/';
    } else {
      const std::size_t size = end - at;
      std::memmove(path.data() + out, path.data() + at, size);
      out += size;
    }
    at = end;
  }
  if (out == 0) path[out++] = '/';
  path.resize(out);
}

TargetError decode_path(std::string_view raw, std::string& storage) {
  storage.clear();
  if (!percent_decode(raw, storage)) return TargetError::bad_escape;
  for (std::size_t at = raw.find('%'); at != std::string_view::npos; at = raw.find('%', at + 3)) {
    const int byte = hex_digit_value(raw[at + 1]) << 4 | hex_digit_value(raw[at + 2]);
    if (byte == '/' || byte == '\\') return TargetError::encoded_slash;
  }
  if (!is_valid_utf8(storage)) return TargetError::bad_utf8;
  remove_dot_segments(storage);
  return TargetError::none;
}

// `text` begins with "/": path and query.
TargetError parse_origin(std::string_view text, std::string& storage, Target& out) {
  bool plain = true;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const std::uint8_t kind = kPathClasses[static_cast<unsigned char>(text[at])];
    if (kind == kPlain) continue;
    if (kind == kBad) return TargetError::bad_character;
    if (kind == kQuestion) break;
    if (kind == kPercent || (at + 1 < text.size() && text[at + 1] == '.')) plain = false;
  }
  const std::string_view raw = text.substr(0, at);
  out.query = at < text.size() ? text.substr(at + 1) : std::string_view();
  if (!out.query.empty() && !is_query_valid(out.query)) return TargetError::bad_character;
  out.path = raw;
  if (plain) return TargetError::none;
  const TargetError error = decode_path(raw, storage);
  out.path = storage;
  return error;
}

TargetError parse_absolute(std::string_view text, std::string& storage, Target& out) {
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return TargetError::bad_form;
  const std::string_view scheme = text.substr(0, scheme_end);
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https"))
    return TargetError::bad_form;
  std::string_view rest = text.substr(scheme_end + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  out.form = TargetForm::absolute;
  out.authority = rest.substr(0, authority_end);
  if (!is_valid_authority(out.authority)) return TargetError::bad_authority;
  rest.remove_prefix(authority_end);
  if (!rest.empty() && rest.front() == '/') return parse_origin(rest, storage, out);
  out.path = "/";
  out.query = rest.empty() ? rest : rest.substr(1);
  return is_query_valid(out.query) ? TargetError::none : TargetError::bad_character;
}

bool is_valid_port(std::string_view digits) {
  if (digits.size() > 5) return false;
  unsigned port = 0;
  for (char c : digits) {
    if (!chars::is(c, chars::kDigit)) return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  return port <= 65535;
}

bool is_bracketed_ipv6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  unsigned colons = 0;
  for (char c : host.substr(1, host.size() - 2)) {
    if (c == ':')
      ++colons;
    else if (!chars::is(c, chars::kHex) && c != '.')
      return false;
  }
  return colons >= 2 && host.size() <= 47;
}

}  // namespace

bool percent_decode(std::string_view text, std::string& out, bool plus_is_space) {
  const std::size_t size = out.size();
  return decode(text, out, plus_is_space) == std::string_view::npos &&
         out.find('\0', size) == std::string::npos;
}

void percent_encode(std::string_view text, std::string& out) {
  for (char c : text) {
    if (chars::is(c, chars::kUnreserved)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back("0123456789ABCDEF"[byte >> 4]);
    out.push_back("0123456789ABCDEF"[byte & 15]);
  }
}

std::string percent_encode(std::string_view text) {
  std::string out;
  percent_encode(text, out);
  return out;
}

TargetError parse_target(std::string_view text, bool is_connect, std::string& storage, Target& out) {
  out = Target();
  storage.clear();
  if (is_connect) {
    out.form = TargetForm::authority;
    out.authority = text;
    return is_valid_authority(text) ? TargetError::none : TargetError::bad_authority;
  }
  if (text.starts_with('/')) return parse_origin(text, storage, out);
  if (text == "*") {
    out.form = TargetForm::asterisk;
    out.path = text;
    return TargetError::none;
  }
  return parse_absolute(text, storage, out);
}

bool is_valid_authority(std::string_view text) {
  if (text.empty() || text.size() > 261) return false;
  if (text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_bracketed_ipv6(text.substr(0, close + 1))) return false;
    const std::string_view rest = text.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_valid_port(rest.substr(1)));
  }
  const char* end = text.data() + text.size();
  const char* host_end = chars::skip(text.data(), end, chars::kHost);
  if (host_end == text.data() || host_end - text.data() > 255) return false;
  if (host_end == end) return true;
  return *host_end == ':' && is_valid_port({host_end + 1, static_cast<std::size_t>(end - host_end - 1)});
}

std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool QueryReader::next() {
  while (ok_ && !rest_.empty()) {
    const std::size_t end = std::min(rest_.find('&'), rest_.size());
    const std::string_view pair = rest_.substr(0, end);
    offset_ = next_offset_;
    next_offset_ += end + 1;
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(0, equals);
    const std::string_view value = equals < pair.size() ? pair.substr(equals + 1) : std::string_view();
    name_ = name;
    value_ = value;
    if (pair.find_first_of("%+") != std::string_view::npos) {
      scratch_.clear();
      ok_ = decode(name, scratch_, true) == std::string_view::npos;
      const std::size_t name_size = scratch_.size();
      ok_ = ok_ && decode(value, scratch_, true) == std::string_view::npos;
      name_ = std::string_view(scratch_).substr(0, name_size);
      value_ = std::string_view(scratch_).substr(name_size);
    }
    // Each by itself: a character whose bytes lie on both sides of the "=" is none.
    ok_ = ok_ && is_valid_utf8(name_) && is_valid_utf8(value_);
    if (!ok_) {
      const std::size_t fault = find_fault(name);
      offset_ += fault != std::string_view::npos ? fault : equals + 1 + find_fault(value);
    }
    return ok_;
  }
  return false;
}

}  // namespace bedplate::http
