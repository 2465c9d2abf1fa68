// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/hash.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_map>

namespace bedplate {
namespace {

TEST(SipHash, MatchesTheVectorsOfItsAuthors) {
  // Key 00..0f, messages 00, 00 01, 00 01 02, ...: the first and two later rows of vectors.h of the reference
  // code.
  const HashKey key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
  std::string message;
  EXPECT_EQ(siphash24(message, key), 0x726fdb47dd0e0e31U);
  for (char c = 0; c < 15; ++c) message.push_back(c);
  EXPECT_EQ(siphash24(message, key), 0xa129ca6149be45e5U);  // the example in the paper
  EXPECT_EQ(siphash24(std::string_view(message).substr(0, 8), key), 0x93f5f5799a932462U);
}

TEST(KeyedHash, DependsOnEveryByteAndOnTheKey) {
  const HashKey key{1, 2};
  const std::string text = "abcdefghijklmnopq";
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = '!';
    EXPECT_NE(keyed_hash(text, key), keyed_hash(other, key)) << i;
  }
  EXPECT_NE(keyed_hash(text, key), keyed_hash(text, HashKey{1, 3}));
  EXPECT_NE(keyed_hash("", key), keyed_hash(std::string_view("\0", 1), key));
  EXPECT_EQ(keyed_hash(text), keyed_hash(text));
}

TEST(KeyedHash, LooksUpWithoutATemporaryString) {
  std::unordered_map<std::string, int, KeyedStringHash, std::equal_to<>> map{{"one", 1}};
  EXPECT_EQ(map.find(std::string_view("one"))->second, 1);
  EXPECT_EQ(map.find(std::string_view("on")), map.end());
  EXPECT_EQ(KeyedStringHash()(std::string("one")), KeyedStringHash()(std::string_view("one")));
}

}  // namespace
}  // namespace bedplate
