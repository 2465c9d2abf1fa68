// SPDX-License-Identifier: Apache-2.0
// Character classes of HTTP and the loops that run over them, eight bytes at a time where it pays. Internal
// to the parsers of this room.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace bedplate::http::chars {

static_assert(std::endian::native == std::endian::little, "the word-wise scans count bytes from the low end");

enum Class : std::uint8_t {
  kToken = 1,    // tchar, RFC 9110 section 5.6.2
  kValue = 2,    // HTAB, SP, VCHAR, obs-text
  kVisible = 4,  // 0x21 to 0x7e
  kDigit = 8,
  kHex = 16,
  kHost = 32,        // of a registered name
  kUnreserved = 64,  // RFC 3986 section 2.3
};

constexpr std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  auto add = [&](std::string_view set, unsigned bits) {
    for (char c : set) table[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(bits);
  };
  for (unsigned c = 0x20; c < 256; ++c)
    if (c != 0x7f) table[c] |= kValue;
  table['\t'] |= kValue;
  for (unsigned c = 0x21; c < 0x7f; ++c) table[c] |= kVisible;
  add("0123456789", kToken | kDigit | kHex | kHost | kUnreserved);
  add("abcdefABCDEF", kHex);
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kToken | kHost | kUnreserved);
  add("!#$%&'*+-.^_`|~", kToken);
  add("-._~", kHost | kUnreserved);
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kTable = make_table();

inline bool is(char c, Class wanted) {
  return (kTable[static_cast<unsigned char>(c)] & wanted) != 0;
}

inline const char* skip(const char* p, const char* end, Class wanted) {
  while (p != end && is(*p, wanted)) ++p;
  return p;
}

inline std::uint64_t load8(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

inline constexpr std::uint64_t kOnes = 0x0101010101010101;
inline constexpr std::uint64_t kHighs = 0x8080808080808080;

// The high bit of each byte that is below `limit` (at most 0x80) or DEL. Bits above the first one set may be
// wrong.
inline std::uint64_t controls(std::uint64_t word, std::uint64_t limit) {
  const std::uint64_t del = word ^ (0x7f * kOnes);
  return (((word - limit * kOnes) & ~word) | ((del - kOnes) & ~del)) & kHighs;
}

/// The first byte that a field value may not hold. Tokens make values of many hundred bytes, so sixteen at a time.
inline const char* skip_value(const char* p, const char* end) {
#ifdef __SSE2__
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    const auto hits = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, del)));
    if (hits == 0) {
      p += 16;
      continue;
    }
    p += std::countr_zero(hits);
    if (*p != '\t') return p;
    ++p;
  }
#endif
  while (end - p >= 8) {
    const std::uint64_t hits = controls(load8(p), 0x20);
    if (hits == 0) {
      p += 8;
      continue;
    }
    p += std::countr_zero(hits) / 8;
    if (*p != '\t') return p;
    ++p;
  }
  return skip(p, end, kValue);
}

/// The first byte that is not a visible ASCII character.
inline const char* skip_visible(const char* p, const char* end) {
  while (end - p >= 8) {
    const std::uint64_t word = load8(p);
    const std::uint64_t hits = controls(word, 0x21) | (word & kHighs);
    if (hits != 0) return p + std::countr_zero(hits) / 8;
    p += 8;
  }
  return skip(p, end, kVisible);
}

}  // namespace bedplate::http::chars
