// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/chunked.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace bedplate::http {
namespace {

struct Outcome {
  std::string data;
  bool done = false;
  bool failed = false;
  std::size_t used = 0;
  bool operator==(const Outcome&) const = default;
};

// Feeds the bytes in pieces of the given sizes, then the rest at once.
Outcome decode(std::string_view bytes, const std::vector<std::size_t>& sizes = {}) {
  ChunkedDecoder decoder;
  Outcome outcome;
  std::size_t next = 0;
  while (outcome.used < bytes.size() && !decoder.done() && !decoder.failed()) {
    const std::size_t size = next < sizes.size() ? sizes[next++] : bytes.size();
    std::string_view piece = bytes.substr(outcome.used, size);
    const std::size_t before = piece.size();
    while (!piece.empty() && !decoder.done() && !decoder.failed()) outcome.data += decoder.next(piece);
    outcome.used += before - piece.size();
  }
  outcome.done = decoder.done();
  outcome.failed = decoder.failed();
  return outcome;
}

std::string encode(const std::vector<std::string>& chunks) {
  std::string out;
  for (const std::string& chunk : chunks) {
    if (chunk.empty()) continue;
    char head[kChunkHeadSizeMax];
    out.append(head, write_chunk_head(head, chunk.size()));
    out += chunk + "\r\n";
  }
  return out + "0\r\n\r\n";
}

TEST(ChunkedTest, StopsWhereTheNextRequestBegins) {
  const Outcome outcome = decode("3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1");
  EXPECT_EQ(outcome.data, "abc");
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.used, 13u);
}

// RFC 9112 section 7.1.1 has blanks read before the ";" of an extension, and nowhere else beside a size.
TEST(ChunkedTest, BlanksMayStandBeforeAnExtensionOnly) {
  for (std::string_view size : {"3 ;x", "3\t;x", "3 \t ; x = y", "3;x ;y"}) {
    const Outcome outcome = decode(std::string(size) + "\r\nabc\r\n0 ;z\r\n\r\n");
    EXPECT_TRUE(outcome.done) << size;
    EXPECT_EQ(outcome.data, "abc") << size;
  }
  for (std::string_view size : {"3 ", "3\t", " 3", "3 3", "3 ,x", " ;x", "3 \n;x", "3\v;x"})
    EXPECT_TRUE(decode(std::string(size) + "\r\nabc\r\n0\r\n\r\n").failed) << size;
}

TEST(ChunkedTest, OverheadIsBounded) {
  std::string tiny;
  for (int i = 0; i < 5000; ++i) tiny += "1;" + std::string(50, 'x') + "\r\na\r\n";
  EXPECT_TRUE(decode(tiny).failed);
  EXPECT_TRUE(decode("1" + std::string(ChunkedDecoder::kOverheadMax, ' ') + ";x\r\na\r\n").failed);
  std::string plain;
  for (int i = 0; i < 2000; ++i) plain += "1\r\na\r\n";
  EXPECT_FALSE(decode(plain).failed);
}

RC_GTEST_PROP(ChunkedTest, GivesBackWhatWasWritten, (const std::vector<std::string>& chunks)) {
  const Outcome outcome = decode(encode(chunks));
  std::string all;
  for (const std::string& chunk : chunks) all += chunk;
  RC_ASSERT(outcome.done && outcome.data == all);
}

RC_GTEST_PROP(ChunkedTest, SplitsDoNotMatter, (const std::vector<std::string>& chunks)) {
  std::string bytes = encode(chunks) + "next";
  // Damage it now and then.
  if (*rc::gen::arbitrary<bool>())
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  const auto sizes = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 6));
  RC_ASSERT(decode(bytes) == decode(bytes, sizes));
  RC_ASSERT(decode(bytes) == decode(bytes, std::vector<std::size_t>(bytes.size(), 1)));
}

}  // namespace
}  // namespace bedplate::http
