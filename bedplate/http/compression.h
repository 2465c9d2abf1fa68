// SPDX-License-Identifier: Apache-2.0
// Content codings for answers: gzip (RFC 1952), br (RFC 7932), zstd (RFC 8878), chosen by Accept-Encoding
// (RFC 9110 section 12.5.3).
//
//   CodingChoice choice = choose_coding(request.field_list(FieldId::accept_encoding));
//   std::unique_ptr<Encoder> encoder = encoders.take(choice.coding);
//   encoder->encode(bytes, Encoder::Flush::end, out);
//   encoders.give_back(std::move(encoder));
//
// Levels are set for answers made on the fly: more than half of what the highest levels save, at a tenth of
// their time. Windows are small (256 KiB at most), so that a thousand streams do not take a gigabyte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bedplate/base/buffer.h"

namespace bedplate::http {

enum class Coding : std::uint8_t { identity, gzip, brotli, zstd };

inline constexpr std::size_t kCodingCount = 4;

/// "gzip", "br", "zstd"; "identity".
std::string_view coding_name(Coding coding);

struct CodingChoice {
  Coding coding = Coding::identity;
  /// The client refuses the identity coding: small answers are compressed too.
  bool identity_refused = false;
};

/// The coding with the highest quality; of equals zstd, then br, then gzip. Without a field, or when nothing
/// that we speak is welcome: identity. That holds even where the client refuses identity, because at that
/// point the operation has happened and a 406 would hide its answer.
CodingChoice choose_coding(std::string_view accept_encoding);

/// Text, JSON, XML, scripts, SVG, wasm: whatever its parameters. Not event streams, whose pieces are small
/// and urgent.
bool is_compressible(std::string_view media_type);

/// One stream of one coding; used again for the next after end. Not thread-safe.
class Encoder {
 public:
  enum class Flush {
    none,  ///< may keep bytes back
    sync,  ///< the other side can read all that was given so far
    end,   ///< the last piece; afterwards the encoder is ready for a new stream
  };

  /// identity has no encoder: null.
  static std::unique_ptr<Encoder> make(Coding coding);
  virtual ~Encoder() = default;

  /// Appends to `out`. False: the library failed (out of memory); the encoder is of no further use.
  virtual bool encode(std::string_view bytes, Flush flush, Buffer& out) = 0;
  /// Forgets an unfinished stream. False: it cannot be used again.
  virtual bool reset() = 0;
  virtual Coding coding() const = 0;
};

/// Encoders that wait for their next stream, a few of each coding. One a loop.
class EncoderCache {
 public:
  /// Null for identity, or when there is no memory.
  std::unique_ptr<Encoder> take(Coding coding);
  void give_back(std::unique_ptr<Encoder> encoder);

 private:
  static constexpr std::size_t kKeptMax = 2;
  std::array<std::vector<std::unique_ptr<Encoder>>, kCodingCount> kept_;
};

}  // namespace bedplate::http
