// SPDX-License-Identifier: Apache-2.0
// Sixteen bytes at a time: the three questions that the JSON codec asks of text. SSE2 where there is (every
// x86-64), plain loops elsewhere, which compilers turn into what their target has. Not for callers.
#pragma once

#include <cstddef>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace bedplate::detail {

class Bytes16 {
 public:
#if defined(__SSE2__)
  static Bytes16 load(const char* from) {
    return Bytes16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  void store(char* to) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes_); }

  /// Bit i: byte i is a quote, a backslash, a control character or not ASCII.
  unsigned special_mask() const {
    const __m128i quote = _mm_cmpeq_epi8(bytes_, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(bytes_, _mm_set1_epi8('\\'));
    const __m128i low_or_high = _mm_cmplt_epi8(bytes_, _mm_set1_epi8(0x20));  // signed: from 0x80 on is below
    return static_cast<unsigned>(
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), low_or_high)));
  }
  /// Whether the first `size` bytes (all of them when it is more than 16) are the same.
  bool starts_like(Bytes16 other, std::size_t size) const {
    const auto same = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes_, other.bytes_)));
    const unsigned wanted = size >= 16 ? 0xFFFFu : (1u << size) - 1;
    return (same & wanted) == wanted;
  }

 private:
  explicit Bytes16(__m128i bytes) : bytes_(bytes) {}
  __m128i bytes_;
#else
  static Bytes16 load(const char* from) {
    Bytes16 loaded;
    std::memcpy(loaded.bytes_, from, sizeof loaded.bytes_);
    return loaded;
  }
  void store(char* to) const { std::memcpy(to, bytes_, sizeof bytes_); }

  unsigned special_mask() const {
    unsigned mask = 0;
    for (unsigned i = 0; i < 16; ++i) {
      const unsigned char c = bytes_[i];
      mask |= static_cast<unsigned>(c == '"' || c == '\\' || c < 0x20 || c >= 0x80) << i;
    }
    return mask;
  }
  bool starts_like(const Bytes16& other, std::size_t size) const {
    return std::memcmp(bytes_, other.bytes_, size < 16 ? size : 16) == 0;
  }

 private:
  unsigned char bytes_[16];
#endif
};

}  // namespace bedplate::detail
