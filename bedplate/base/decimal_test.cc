// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/decimal.h"

#include <gtest/gtest.h>

#include <string>

namespace bedplate {
namespace {

Decimal dec(std::string_view text) {
  const std::optional<Decimal> read = Decimal::parse(text);
  EXPECT_TRUE(read) << text;
  return read.value_or(Decimal());
}

const std::string kLargest(38, '9');

TEST(DecimalTest, ReadsAndWritesOneFormOfAValue) {
  for (const auto& [text, form] : {std::pair{"0", "0"},
                                   {"-0", "0"},
                                   {"12.50", "12.5"},
                                   {"007.0", "7"},
                                   {"-0.05", "-0.05"},
                                   {"100", "100"},
                                   {"0.000", "0"},
                                   {"-12345678901234567890.123456789", "-12345678901234567890.123456789"}})
    EXPECT_EQ(dec(text).to_string(), form);
  EXPECT_EQ(dec(kLargest).to_string(), kLargest);
  EXPECT_EQ(dec("-0." + kLargest).to_string(), "-0." + kLargest);
  EXPECT_EQ(dec("0." + std::string(37, '0') + "1000").to_string(), "0." + std::string(37, '0') + "1");
}

TEST(DecimalTest, ShowsAsManyDecimalsAsAsked) {
  EXPECT_EQ(dec("12.5").to_string(2), "12.50");
  EXPECT_EQ(dec("12").to_string(2), "12.00");
  EXPECT_EQ(dec("-0.125").to_string(2), "-0.125");
}

TEST(DecimalTest, RefusesWhatIsNoNumberOrHasTooManyDigits) {
  for (const std::string& text :
       {std::string(), std::string("-"), std::string("."), std::string("1."), std::string(".5"),
        std::string("+1"), std::string("1e2"), std::string("1,5"), std::string(" 1"), std::string("1.2.3"),
        std::string("0x1"), "1" + kLargest, "0.0" + kLargest, "1." + kLargest})
    EXPECT_FALSE(Decimal::parse(text)) << text;
}

TEST(DecimalTest, AddsAndMultipliesExactly) {
  EXPECT_EQ(dec("0.1").plus(dec("0.2"))->to_string(), "0.3");
  EXPECT_EQ(dec("1.25").minus(dec("1.25"))->to_string(), "0");
  EXPECT_EQ(dec("12.50").times(Decimal(3))->to_string(), "37.5");
  EXPECT_EQ(dec("-0.5").times(dec("0.5"))->to_string(), "-0.25");
}

TEST(DecimalTest, FailsWhere38DigitsAreNotEnough) {
  EXPECT_EQ(dec(kLargest).plus(Decimal(1)).error().code(), "decimal_overflow");
  EXPECT_EQ(dec(kLargest).plus(dec(kLargest)).error().code(), "decimal_overflow");
  EXPECT_EQ(dec(kLargest).plus(dec("0.1")).error().code(), "decimal_overflow");
  EXPECT_EQ(dec(kLargest).times(Decimal(2)).error().code(), "decimal_overflow");
  EXPECT_EQ(dec("0." + kLargest).times(dec("0.1")).error().code(), "decimal_overflow");
  EXPECT_TRUE(dec(kLargest).plus(dec("-1")));
}

TEST(DecimalTest, RoundsHalvesToTheEvenNeighbour) {
  EXPECT_EQ(dec("0.125").rounded(2).to_string(), "0.12");
  EXPECT_EQ(dec("0.135").rounded(2).to_string(), "0.14");
  EXPECT_EQ(dec("0.1251").rounded(2).to_string(), "0.13");
  EXPECT_EQ(dec("-2.5").rounded(0).to_string(), "-2");
  EXPECT_EQ(dec("-3.5").rounded(0).to_string(), "-4");
  EXPECT_EQ(dec("9.99").rounded(1).to_string(), "10");
  EXPECT_EQ(dec("1.5").rounded(9).to_string(), "1.5");
}

TEST(DecimalTest, ComparesValues) {
  EXPECT_EQ(dec("1.50"), dec("1.5"));
  EXPECT_LT(dec("9"), dec("10"));
  EXPECT_LT(dec("-10"), dec("-9.99"));
  EXPECT_LT(dec("-0.1"), dec("0"));
  EXPECT_LT(dec("0." + kLargest), dec("1"));
  EXPECT_GT(dec(kLargest), dec("99999.5"));
  EXPECT_GT(dec("0.10000000000000000000000000000000000001"), dec("0.1"));
}

TEST(DecimalTest, BecomesAnIntegerWhereItIsOne) {
  EXPECT_EQ(dec("-9223372036854775808").to_int64(), INT64_MIN);
  EXPECT_EQ(dec("9223372036854775808").to_int64(), std::nullopt);
  EXPECT_EQ(dec("1.5").to_int64(), std::nullopt);
}

}  // namespace
}  // namespace bedplate
