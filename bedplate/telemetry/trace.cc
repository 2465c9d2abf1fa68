// SPDX-License-Identifier: Apache-2.0
#include "bedplate/telemetry/trace.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "bedplate/base/random.h"
#include "bedplate/base/text.h"

namespace bedplate::telemetry {

namespace {

constexpr unsigned kSampledFlag = 0x01;

/// Lower-case digits only: the specification forbids the others.
template <std::size_t N>
bool read_lower_hex(std::string_view text, std::array<std::uint8_t, N>& out) {
  bool good = true;
  for (std::size_t i = 0; i < N; ++i) {
    const char high = text[2 * i];
    const char low = text[2 * i + 1];
    const int value = hex_digit_value(high) * 16 + hex_digit_value(low);
    good = good && hex_digit_value(high) >= 0 && hex_digit_value(low) >= 0 && high == to_lower(high) &&
           low == to_lower(low);
    out[i] = static_cast<std::uint8_t>(value);
  }
  return good;
}

template <std::size_t N>
bool all_zero(const std::array<std::uint8_t, N>& bytes) {
  return bytes == std::array<std::uint8_t, N>{};
}

template <std::size_t N>
void fill_random(std::array<std::uint8_t, N>& out) {
  static_assert(N % 8 == 0);
  do {
    for (std::size_t at = 0; at < N; at += 8) {
      const std::uint64_t word = random_u64();
      std::memcpy(out.data() + at, &word, sizeof word);
    }
  } while (all_zero(out));
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view header) {
  // version "-" trace-id "-" parent-id "-" flags: 2, 32, 16 and 2 digits
  if (header.size() < kTraceparentSize) return std::nullopt;
  if (header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  std::array<std::uint8_t, 1> version;
  std::array<std::uint8_t, 1> flags;
  TraceContext context;
  if (!read_lower_hex(header.substr(0, 2), version) || version[0] == 0xFF) return std::nullopt;
  if (!read_lower_hex(header.substr(3, 32), context.trace_id) || all_zero(context.trace_id))
    return std::nullopt;
  if (!read_lower_hex(header.substr(36, 16), context.span_id) || all_zero(context.span_id))
    return std::nullopt;
  if (!read_lower_hex(header.substr(53, 2), flags)) return std::nullopt;
  const bool longer = header.size() > kTraceparentSize;
  if (longer && (version[0] == 0 || header[kTraceparentSize] != '-')) return std::nullopt;
  context.sampled = (flags[0] & kSampledFlag) != 0;
  return context;
}

void write_traceparent(const TraceContext& context, char* out) {
  std::memcpy(out, "00-", 3);
  out = write_hex(out + 3, context.trace_id.data(), context.trace_id.size());
  *out++ = '-';
  out = write_hex(out, context.span_id.data(), context.span_id.size());
  std::memcpy(out, context.sampled ? "-01" : "-00", 3);
}

std::string to_traceparent(const TraceContext& context) {
  std::string text(kTraceparentSize, '\0');
  write_traceparent(context, text.data());
  return text;
}

TraceContext new_trace(bool sampled) {
  TraceContext context;
  fill_random(context.trace_id);
  fill_random(context.span_id);
  context.sampled = sampled;
  return context;
}

TraceContext child_of(const TraceContext& parent) {
  TraceContext context = parent;
  fill_random(context.span_id);
  return context;
}

// ---- tracestate

namespace {

bool is_lower_alpha(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_key_char(char c) {
  return is_lower_alpha(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
}

/// simple-key, or tenant-id "@" system-id
bool is_key(std::string_view key) {
  const std::size_t at = key.find('@');
  if (!std::all_of(key.begin(), key.end(), [](char c) { return is_key_char(c) || c == '@'; })) return false;
  if (at == std::string_view::npos) return !key.empty() && key.size() <= 256 && is_lower_alpha(key.front());
  const std::string_view tenant = key.substr(0, at);
  const std::string_view system = key.substr(at + 1);
  return !tenant.empty() && tenant.size() <= 241 && is_key_char(tenant.front()) &&
         (is_lower_alpha(tenant.front()) || is_digit(tenant.front())) && !system.empty() &&
         system.size() <= 14 && is_lower_alpha(system.front()) && system.find('@') == std::string_view::npos;
}

/// Printable ASCII without comma and equals sign; the end is not a space, for that was trimmed.
bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= 256 && std::all_of(value.begin(), value.end(), [](char c) {
    return c >= 0x20 && c <= 0x7E && c != ',' && c != '=';
  });
}

/// Adds the members of one header. False when one is malformed or there are too many.
bool add_members(std::string_view header, std::vector<std::string_view>& members) {
  while (true) {
    const std::size_t comma = header.find(',');
    const std::string_view member = trim(header.substr(0, comma));
    if (!member.empty()) {  // empty ones are allowed and say nothing
      const std::size_t equals = member.find('=');
      if (equals == std::string_view::npos || members.size() == kTracestateMembersMax) return false;
      const std::string_view key = member.substr(0, equals);
      if (!is_key(key) || !is_value(member.substr(equals + 1))) return false;
      for (const std::string_view other : members) {
        if (other.substr(0, other.find('=')) == key) return false;
      }
      members.push_back(member);
    }
    if (comma == std::string_view::npos) return true;
    header.remove_prefix(comma + 1);
  }
}

/// What the members take, with commas between.
std::size_t joined_size(const std::vector<std::string_view>& members) {
  std::size_t size = members.empty() ? 0 : members.size() - 1;
  for (const std::string_view member : members) size += member.size();
  return size;
}

}  // namespace

std::string join_tracestate(std::span<const std::string_view> headers) {
  constexpr std::size_t kLongMember = 128;
  std::vector<std::string_view> members;
  for (const std::string_view header : headers) {
    if (!add_members(header, members)) return {};
  }
  for (std::size_t i = members.size(); i-- > 0 && joined_size(members) > kTracestateSizeMax;) {
    if (members[i].size() > kLongMember) members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
  }
  while (joined_size(members) > kTracestateSizeMax) members.pop_back();
  std::string joined;
  joined.reserve(joined_size(members));
  for (const std::string_view member : members) {
    if (!joined.empty()) joined.push_back(',');
    joined += member;
  }
  return joined;
}

}  // namespace bedplate::telemetry
