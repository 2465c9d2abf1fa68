// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/buffer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace bedplate {
namespace {

TEST(Buffer, StartsEmptyWithoutMemory) {
  Buffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(buffer.view(), "");
  buffer.append("");
  EXPECT_TRUE(buffer.empty());
}

RC_GTEST_PROP(Buffer, HoldsWhatWasAppended, (const std::vector<std::string>& parts)) {
  Buffer buffer;
  std::string expected;
  for (const auto& part : parts) {
    buffer.append(part);
    buffer.put('|');
    expected += part + '|';
  }
  RC_ASSERT(buffer.view() == expected);
}

TEST(Buffer, WritesThroughTheCursor) {
  Buffer buffer;
  char* p = buffer.need(100'000);
  EXPECT_GE(buffer.capacity(), 100'000U);
  *p++ = 'a';
  *p++ = 'b';
  buffer.advance_to(p);
  EXPECT_EQ(buffer.view(), "ab");
  EXPECT_EQ(buffer.back(), 'b');
}

TEST(Buffer, KeepsItsMemoryUntilToldOtherwise) {
  Buffer buffer;
  buffer.append(std::string(10'000, 'x'));
  const char* memory = buffer.data();
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
  buffer.append("y");
  EXPECT_EQ(buffer.data(), memory);
  buffer.shrink_to(20'000);
  EXPECT_GE(buffer.capacity(), 10'000U);
  buffer.shrink_to(4'096);
  EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(Buffer, DropsFromEitherEnd) {
  Buffer buffer;
  buffer.append("head body tail");
  buffer.truncate(9);
  buffer.consume(5);
  EXPECT_EQ(buffer.view(), "body");
  buffer.consume(4);
  EXPECT_TRUE(buffer.empty());
}

TEST(Buffer, Moves) {
  Buffer a;
  a.append("text");
  Buffer b(std::move(a));
  EXPECT_EQ(b.view(), "text");
  Buffer c;
  c.append("other");
  c = std::move(b);
  EXPECT_EQ(c.view(), "text");
}

}  // namespace
}  // namespace bedplate
