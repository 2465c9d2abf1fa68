// SPDX-License-Identifier: Apache-2.0
// The chunked transfer coding (RFC 9112 section 7.1), as it arrives.
//
//   ChunkedDecoder decoder;
//   while (!input.empty()) {
//     std::string_view piece = decoder.next(input);   // takes what it read off the front of `input`
//     if (decoder.failed()) ...                       // 400 and close
//     if (decoder.done()) break;                      // `input` now begins with the next request
//     if (!piece.empty()) use(piece);                 // a view into the input
//   }
//
// Strict where leniency has been used to smuggle requests: sizes are hexadecimal digits and nothing else (no
// sign, no 0x, no overflow; blanks only before the ";" of an extension, where RFC 9112 section 7.1.1 has them
// read), lines end with CR LF, extensions are bounded and hold no control characters, the trailers follow the
// grammar of header fields and may not name framing, routing or credentials.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bedplate::http {

class ChunkedDecoder {
 public:
  /// Reads as far as one piece of data, or through everything that is not data. Empty: more input is needed,
  /// or the end, or a failure.
  std::string_view next(std::string_view& input);

  bool done() const { return state_ == State::done; }
  bool failed() const { return state_ == State::failed; }
  void reset();

  /// Bytes of extensions and sizes that a body may spend beside its data: 16 KiB and as much again as the
  /// data.
  static constexpr std::size_t kOverheadMax = 16 * 1024;
  static constexpr std::size_t kTrailerSizeMax = 8 * 1024;
  static constexpr std::size_t kTrailerCountMax = 64;

 private:
  enum class State : std::uint8_t {
    size,
    size_blank,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,
    done,
    failed
  };
  void read_framing_byte(char c);
  void read_size_byte(char c);
  void read_trailer_byte(char c);
  bool is_trailer_line_valid() const;

  State state_ = State::size;
  std::uint8_t digits_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t data_size_ = 0;
  std::uint64_t overhead_ = 0;
  std::size_t trailer_size_ = 0;
  std::size_t trailer_count_ = 0;
  std::string line_;  // of the trailer section
};

/// Room for write_chunk_head().
inline constexpr std::size_t kChunkHeadSizeMax = 18;
/// "1f4\r\n" for a chunk of that size. Returns the end.
char* write_chunk_head(char* out, std::size_t size);

}  // namespace bedplate::http
