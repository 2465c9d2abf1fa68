// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/field.h"

#include <array>
#include <cstring>

#include "bedplate/http/message/chars.h"

namespace bedplate::http {
namespace {

constexpr std::array<std::string_view, kFieldCount> kNames = {
    "",
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Age",
    "Allow",
    "Authorization",
    "Bedplate-Commit",
    "Cache-Control",
    "Connection",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Date",
    "Deprecation",
    "DNT",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "From",
    "Host",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Modified",
    "Link",
    "Location",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Prefer",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "RateLimit-Limit",
    "RateLimit-Policy",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Referer",
    "Retry-After",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "Server",
    "Set-Cookie",
    "Sunset",
    "TE",
    "traceparent",
    "tracestate",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "Warning",
    "WWW-Authenticate",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-HTTP-Method-Override",
    "X-Real-IP",
    "X-Request-Id",
};

// A perfect hash: the size and three characters are different for every known name, and a multiplier found at
// compile time spreads them over the slots without a collision. 0x20 makes letters lower-case and leaves the
// hyphen.
constexpr unsigned kSlotBits = 10;

constexpr std::uint32_t key_of(std::string_view name) {
  const auto at = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(name[i]) | 0x20u);
  };
  const std::size_t size = name.size();
  return static_cast<std::uint32_t>(size) | at(0) << 8 | at(size >= 3 ? size - 3 : 0) << 16 |
         at(size / 2) << 24;
}

constexpr std::uint32_t slot_of(std::uint32_t key, std::uint32_t multiplier) {
  return (key * multiplier) >> (32 - kSlotBits);
}

constexpr bool is_perfect(std::uint32_t multiplier) {
  std::array<bool, 1u << kSlotBits> taken{};
  for (std::size_t i = 1; i < kFieldCount; ++i) {
    bool& slot = taken[slot_of(key_of(kNames[i]), multiplier)];
    if (slot) return false;
    slot = true;
  }
  return true;
}

consteval std::uint32_t find_multiplier() {
  std::uint32_t multiplier = 0x9e3779b1;
  while (!is_perfect(multiplier))
    multiplier = multiplier * 1664525 + 1013904222;  // stays odd: odd * odd + even
  return multiplier;
}
constexpr std::uint32_t kMultiplier = find_multiplier();

constexpr std::array<std::uint8_t, 1u << kSlotBits> make_slots() {
  std::array<std::uint8_t, 1u << kSlotBits> slots{};
  for (std::size_t i = 1; i < kFieldCount; ++i)
    slots[slot_of(key_of(kNames[i]), kMultiplier)] = static_cast<std::uint8_t>(i);
  return slots;
}
constexpr auto kSlots = make_slots();

bool same_name(const char* a, const char* b, std::size_t size) {
  constexpr std::uint64_t kLower = 0x20 * chars::kOnes;
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8)
      if ((chars::load8(a + i) | kLower) != (chars::load8(b + i) | kLower)) return false;
    return (chars::load8(a + size - 8) | kLower) == (chars::load8(b + size - 8) | kLower);
  }
  if (size >= 4) {
    const auto load4 = [](const char* p) {
      std::uint32_t word;
      std::memcpy(&word, p, sizeof word);
      return word | 0x20202020u;
    };
    return load4(a) == load4(b) && load4(a + size - 4) == load4(b + size - 4);
  }
  for (std::size_t i = 0; i < size; ++i)
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  return true;
}

}  // namespace

FieldId field_id(std::string_view name) {
  if (name.empty()) return FieldId::other;
  const std::uint8_t i = kSlots[slot_of(key_of(name), kMultiplier)];
  const std::string_view known = kNames[i];
  if (known.size() != name.size() || !same_name(known.data(), name.data(), name.size()))
    return FieldId::other;
  return static_cast<FieldId>(i);
}

std::string_view field_name(FieldId id) {
  return kNames[static_cast<std::size_t>(id)];
}

bool is_token(std::string_view text) {
  const char* end = text.data() + text.size();
  return !text.empty() && chars::skip(text.data(), end, chars::kToken) == end;
}

bool is_field_value(std::string_view text) {
  if (text.empty()) return true;
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (blank(text.front()) || blank(text.back())) return false;
  const char* end = text.data() + text.size();
  return chars::skip_value(text.data(), end) == end;
}

}  // namespace bedplate::http
