// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/compression.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "bedplate/base/text.h"
#include "bedplate/http/message/content.h"

namespace bedplate::http {
namespace {

constexpr int kGzipLevel = 5;
constexpr int kGzipWindowBits = 15 + 16;  // 32 KiB, with a gzip header
constexpr int kBrotliQuality = 4;
constexpr int kBrotliWindowBits = 18;
constexpr int kZstdLevel = 3;
constexpr int kZstdWindowBits = 18;
constexpr std::size_t kStep = 16 * 1024;  // bytes of room for each call of a library

class GzipEncoder final : public Encoder {
 public:
  static std::unique_ptr<Encoder> make() {
    std::unique_ptr<GzipEncoder> encoder(new GzipEncoder);
    encoder->ready_ = deflateInit2(&encoder->stream_, kGzipLevel, Z_DEFLATED, kGzipWindowBits, 8,
                                   Z_DEFAULT_STRATEGY) == Z_OK;
    if (!encoder->ready_) return nullptr;
    return encoder;
  }
  ~GzipEncoder() override {
    if (ready_) deflateEnd(&stream_);
  }

  bool encode(std::string_view bytes, Flush flush, Buffer& out) override {
    // zlib counts in 32 bits.
    constexpr std::size_t kPieceMax = std::size_t{1} << 30;
    while (bytes.size() > kPieceMax) {
      if (!encode(bytes.substr(0, kPieceMax), Flush::none, out)) return false;
      bytes.remove_prefix(kPieceMax);
    }
    const int mode = flush == Flush::end ? Z_FINISH : flush == Flush::sync ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
      stream_.next_out = reinterpret_cast<Bytef*>(out.need(kStep));
      stream_.avail_out = static_cast<uInt>(kStep);
      const int result = deflate(&stream_, mode);
      out.advance_to(reinterpret_cast<char*>(stream_.next_out));
      if (result == Z_STREAM_END) return reset();
      if (result != Z_OK && result != Z_BUF_ERROR) return false;
      if (stream_.avail_out != 0 && flush != Flush::end) return true;
    }
  }
  bool reset() override { return deflateReset(&stream_) == Z_OK; }
  Coding coding() const override { return Coding::gzip; }

 private:
  GzipEncoder() = default;
  z_stream stream_{};
  bool ready_ = false;
};

class BrotliEncoder final : public Encoder {
 public:
  static std::unique_ptr<Encoder> make() {
    std::unique_ptr<BrotliEncoder> encoder(new BrotliEncoder);
    if (!encoder->reset()) return nullptr;
    return encoder;
  }
  ~BrotliEncoder() override { BrotliEncoderDestroyInstance(state_); }

  bool encode(std::string_view bytes, Flush flush, Buffer& out) override {
    const BrotliEncoderOperation operation = flush == Flush::end    ? BROTLI_OPERATION_FINISH
                                             : flush == Flush::sync ? BROTLI_OPERATION_FLUSH
                                                                    : BROTLI_OPERATION_PROCESS;
    auto* next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::size_t left_in = bytes.size();
    do {
      auto* next_out = reinterpret_cast<std::uint8_t*>(out.need(kStep));
      std::size_t left_out = kStep;
      if (!BrotliEncoderCompressStream(state_, operation, &left_in, &next_in, &left_out, &next_out, nullptr))
        return false;
      out.advance_to(reinterpret_cast<char*>(next_out));
    } while (left_in != 0 || BrotliEncoderHasMoreOutput(state_));
    return flush != Flush::end || reset();
  }
  // The library has no reset; a new state is cheap beside the compression.
  bool reset() override {
    BrotliEncoderDestroyInstance(state_);
    state_ = BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
    if (!state_) return false;
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, kBrotliQuality);
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, kBrotliWindowBits);
    return true;
  }
  Coding coding() const override { return Coding::brotli; }

 private:
  BrotliEncoder() = default;
  BrotliEncoderState* state_ = nullptr;
};

class ZstdEncoder final : public Encoder {
 public:
  static std::unique_ptr<Encoder> make() {
    std::unique_ptr<ZstdEncoder> encoder(new ZstdEncoder);
    encoder->context_ = ZSTD_createCCtx();
    if (!encoder->context_) return nullptr;
    ZSTD_CCtx_setParameter(encoder->context_, ZSTD_c_compressionLevel, kZstdLevel);
    ZSTD_CCtx_setParameter(encoder->context_, ZSTD_c_windowLog, kZstdWindowBits);
    return encoder;
  }
  ~ZstdEncoder() override { ZSTD_freeCCtx(context_); }

  bool encode(std::string_view bytes, Flush flush, Buffer& out) override {
    const ZSTD_EndDirective directive = flush == Flush::end    ? ZSTD_e_end
                                        : flush == Flush::sync ? ZSTD_e_flush
                                                               : ZSTD_e_continue;
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer room{out.need(kStep), kStep, 0};
      const std::size_t left = ZSTD_compressStream2(context_, &room, &in, directive);
      if (ZSTD_isError(left)) return false;
      out.advance_to(static_cast<char*>(room.dst) + room.pos);
      if (flush == Flush::none ? in.pos == in.size : left == 0) return true;
    }
  }
  bool reset() override { return !ZSTD_isError(ZSTD_CCtx_reset(context_, ZSTD_reset_session_only)); }
  Coding coding() const override { return Coding::zstd; }

 private:
  ZstdEncoder() = default;
  ZSTD_CCtx* context_ = nullptr;
};

std::size_t rank(Coding coding) {
  return static_cast<std::size_t>(coding);
}

}  // namespace

std::string_view coding_name(Coding coding) {
  switch (coding) {
    case Coding::identity:
      return "identity";
    case Coding::gzip:
      return "gzip";
    case Coding::brotli:
      return "br";
    case Coding::zstd:
      return "zstd";
  }
  return "";
}

CodingChoice choose_coding(std::string_view accept_encoding) {
  constexpr int kUnsaid = -1;
  std::array<int, kCodingCount> quality;
  quality.fill(kUnsaid);
  int others = kUnsaid;
  WeightedList list(accept_encoding);
  while (list.next()) {
    if (list.value() == "*") others = list.quality();
    for (std::size_t i = 0; i < kCodingCount; ++i)
      if (equal_ignoring_case(list.value(), coding_name(static_cast<Coding>(i)))) quality[i] = list.quality();
    if (equal_ignoring_case(list.value(), "x-gzip")) quality[rank(Coding::gzip)] = list.quality();
  }
  CodingChoice choice;
  const int identity = quality[rank(Coding::identity)];
  choice.identity_refused = identity == 0 || (identity == kUnsaid && others == 0);
  // Identity that was not named is acceptable, but any coding that was is preferred.
  int best = std::max(identity, 0);
  for (const Coding coding : {Coding::zstd, Coding::brotli, Coding::gzip}) {
    const int said = quality[rank(coding)];
    const int wanted = said == kUnsaid ? others : said;
    const bool better = choice.coding == Coding::identity ? wanted >= best : wanted > best;
    if (wanted <= 0 || !better) continue;
    choice.coding = coding;
    best = wanted;
  }
  return choice;
}

bool is_compressible(std::string_view media_type) {
  const std::string_view essence = trim(media_type.substr(0, media_type.find(';')));
  const auto same = [&](std::string_view other) { return equal_ignoring_case(essence, other); };
  if (essence.size() > 5 && equal_ignoring_case(essence.substr(0, 5), "text/"))
    return !same("text/event-stream");
  const std::size_t plus = essence.rfind('+');
  if (plus != std::string_view::npos) {
    const std::string_view suffix = essence.substr(plus);
    return equal_ignoring_case(suffix, "+json") || equal_ignoring_case(suffix, "+xml");
  }
  return same("application/json") || same("application/javascript") || same("application/xml") ||
         same("application/wasm") || same("application/x-ndjson") || same("application/yaml");
}

std::unique_ptr<Encoder> Encoder::make(Coding coding) {
  switch (coding) {
    case Coding::identity:
      return nullptr;
    case Coding::gzip:
      return GzipEncoder::make();
    case Coding::brotli:
      return BrotliEncoder::make();
    case Coding::zstd:
      return ZstdEncoder::make();
  }
  return nullptr;
}

std::unique_ptr<Encoder> EncoderCache::take(Coding coding) {
  auto& waiting = kept_[rank(coding)];
  if (waiting.empty()) return Encoder::make(coding);
  std::unique_ptr<Encoder> encoder = std::move(waiting.back());
  waiting.pop_back();
  return encoder;
}

void EncoderCache::give_back(std::unique_ptr<Encoder> encoder) {
  if (!encoder) return;
  auto& waiting = kept_[rank(encoder->coding())];
  if (waiting.size() < kKeptMax) waiting.push_back(std::move(encoder));
}

}  // namespace bedplate::http
