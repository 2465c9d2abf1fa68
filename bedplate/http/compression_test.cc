// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/compression.h"

#include <brotli/decode.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>

namespace bedplate::http {
namespace {

std::string decode(Coding coding, std::string_view bytes) {
  std::string out(1 << 20, '\0');
  std::size_t size = out.size();
  if (coding == Coding::gzip) {
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&stream, Z_FINISH);
    size = result == Z_STREAM_END ? out.size() - stream.avail_out : 0;
    inflateEnd(&stream);
  } else if (coding == Coding::brotli) {
    BrotliDecoderDecompress(bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()), &size,
                            reinterpret_cast<std::uint8_t*>(out.data()));
  } else {
    ZSTD_DCtx* context = ZSTD_createDCtx();
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer room{out.data(), out.size(), 0};
    while (in.pos < in.size && !ZSTD_isError(ZSTD_decompressStream(context, &room, &in))) {
    }
    size = room.pos;
    ZSTD_freeDCtx(context);
  }
  out.resize(size);
  return out;
}

RC_GTEST_PROP(CompressionTest, EveryCodingGivesBackWhatWentIn, (const std::vector<std::string>& pieces)) {
  static EncoderCache cache;
  for (const Coding coding : {Coding::gzip, Coding::brotli, Coding::zstd}) {
    std::unique_ptr<Encoder> encoder = cache.take(coding);
    Buffer out;
    std::string all;
    for (const std::string& piece : pieces) {
      RC_ASSERT(
          encoder->encode(piece, piece.size() % 2 == 0 ? Encoder::Flush::none : Encoder::Flush::sync, out));
      all += piece;
    }
    RC_ASSERT(encoder->encode({}, Encoder::Flush::end, out));
    RC_ASSERT(decode(coding, out.view()) == all);
    cache.give_back(std::move(encoder));
  }
}

TEST(CompressionTest, SyncLetsTheOtherSideReadAlong) {
  for (const Coding coding : {Coding::brotli, Coding::zstd}) {
    std::unique_ptr<Encoder> encoder = Encoder::make(coding);
    Buffer out;
    ASSERT_TRUE(encoder->encode("hello", Encoder::Flush::sync, out));
    EXPECT_FALSE(out.empty());
    const std::size_t first = out.size();
    ASSERT_TRUE(encoder->reset());
    ASSERT_TRUE(encoder->encode("again", Encoder::Flush::end, out));
    EXPECT_EQ(decode(coding, out.view().substr(first)), "again");
  }
}

TEST(CompressionTest, ChoosesByWeightThenByPreference) {
  const auto chosen = [](std::string_view list) { return choose_coding(list).coding; };
  EXPECT_EQ(chosen(""), Coding::identity);
  EXPECT_EQ(chosen("gzip"), Coding::gzip);
  EXPECT_EQ(chosen("GZIP, deflate"), Coding::gzip);
  EXPECT_EQ(chosen("gzip, deflate, br"), Coding::brotli);
  EXPECT_EQ(chosen("gzip, deflate, br, zstd"), Coding::zstd);
  EXPECT_EQ(chosen("gzip;q=1.0, br;q=0.5"), Coding::gzip);
  EXPECT_EQ(chosen("gzip;q=0"), Coding::identity);
  EXPECT_EQ(chosen("*"), Coding::zstd);
  EXPECT_EQ(chosen("*;q=0.5, zstd;q=0"), Coding::brotli);
  EXPECT_EQ(chosen("identity, gzip;q=0.5"), Coding::identity);
  EXPECT_EQ(chosen("gzip;q=nonsense"), Coding::identity);
  EXPECT_TRUE(choose_coding("identity;q=0, gzip").identity_refused);
  EXPECT_TRUE(choose_coding("*;q=0").identity_refused);
  EXPECT_FALSE(choose_coding("*;q=0, identity").identity_refused);
  EXPECT_EQ(chosen("*;q=0"), Coding::identity);
}

TEST(CompressionTest, KnowsWhatIsWorthIt) {
  for (std::string_view yes :
       {"application/json", "application/problem+json; charset=utf-8", "text/html", "image/svg+xml"})
    EXPECT_TRUE(is_compressible(yes)) << yes;
  for (std::string_view no :
       {"", "image/png", "text/event-stream", "application/octet-stream", "application/gzip"})
    EXPECT_FALSE(is_compressible(no)) << no;
}

}  // namespace
}  // namespace bedplate::http
