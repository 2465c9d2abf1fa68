// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/call_context.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace bedplate::sql {
namespace {

TEST(CommitMark, WritesAndReadsItsPosition) {
  for (std::uint64_t position : {std::uint64_t{1}, std::uint64_t{0x16b3740}, ~std::uint64_t{0}}) {
    const CommitMark mark(position);
    ASSERT_TRUE(CommitMark::parse(mark.to_string()));
    EXPECT_EQ(*CommitMark::parse(mark.to_string()), mark);
  }
  EXPECT_EQ(CommitMark(0x16b3740).to_string(), "16b3740");
  EXPECT_EQ(CommitMark().to_string(), "");
}

TEST(CommitMark, RefusesEveryOtherText) {
  for (const char* text : {"", " 1", "1 ", "0x1", "-1", "1B", "g", "0/16B3740", "12345678901234567"})
    EXPECT_FALSE(CommitMark::parse(text)) << text;
}

TEST(CommitMark, LaterIsGreater) {
  EXPECT_LT(CommitMark(), CommitMark(1));
  EXPECT_LT(CommitMark(9), CommitMark(10));
}

}  // namespace
}  // namespace bedplate::sql
