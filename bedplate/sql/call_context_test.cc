// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/call_context.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace bedplate::sql {
namespace {

TEST(CommitPosition, WritesAndReadsItsPosition) {
  for (std::uint64_t position : {std::uint64_t{1}, std::uint64_t{0x16b3740}, ~std::uint64_t{0}}) {
    const CommitPosition mark(position);
    ASSERT_TRUE(CommitPosition::parse(mark.to_string()));
    EXPECT_EQ(*CommitPosition::parse(mark.to_string()), mark);
  }
  EXPECT_EQ(CommitPosition(0x16b3740).to_string(), "16b3740");
  EXPECT_EQ(CommitPosition().to_string(), "");
}

TEST(CommitPosition, RefusesEveryOtherText) {
  for (const char* text : {"", " 1", "1 ", "0x1", "-1", "1B", "g", "0/16B3740", "12345678901234567"})
    EXPECT_FALSE(CommitPosition::parse(text)) << text;
}

TEST(CommitPosition, LaterIsGreater) {
  EXPECT_LT(CommitPosition(), CommitPosition(1));
  EXPECT_LT(CommitPosition(9), CommitPosition(10));
}

}  // namespace
}  // namespace bedplate::sql
