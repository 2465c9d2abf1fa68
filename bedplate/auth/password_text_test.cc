// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/password_text.h"

#include <gtest/gtest.h>

#include <string>

namespace bedplate::auth {
namespace {

using namespace std::string_literals;

TEST(PasswordText, TheSameTextTypedOtherwiseIsTheSamePassword) {
  EXPECT_EQ(normalize_password("pa\u0308sswo\u0308rd"), "p\u00e4ssw\u00f6rd");
  EXPECT_EQ(normalize_password("p\u00e4ssw\u00f6rd"), "p\u00e4ssw\u00f6rd");
  EXPECT_EQ(normalize_password("\u212b"), "\u00c5") << "the sign of the angstrom is the letter";
  EXPECT_EQ(normalize_password("\u1112\u1161\u11ab"), "\ud55c") << "Hangul";
  EXPECT_EQ(normalize_password("q\u0307\u0323"), "q\u0323\u0307") << "marks in their order";
  EXPECT_EQ(normalize_password("\u0958"), "\u0915\u093c") << "composition exclusions come apart";
}

// RFC 8265 section 4.2.1, 2: the spaces of general category Zs.
TEST(PasswordText, EverySpaceIsTheSpaceBar) {
  for (std::string space :
       {" ", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2003", "\u200a", "\u202f", "\u205f", "\u3000"})
    EXPECT_EQ(normalize_password("a" + space + "b"), "a b") << space;
  EXPECT_EQ(normalize_password(" a  b "), " a  b ") << "none is taken away";
}

TEST(PasswordText, EveryOtherDifferenceCounts) {
  for (const char* text : {"correct horse", "Correct Horse", "\uff41", "\ufb01", "\u2168", "\u00b2", "\u00df",
                           "\U0001F468\u200D\U0001F469\u200D\U0001F467", "\u202e", "\U0001FAE8\U0003FFFD"})
    EXPECT_EQ(normalize_password(text), text);
}

TEST(PasswordText, WhatNobodyCanType) {
  EXPECT_EQ(normalize_password(""), std::nullopt);
  for (std::string bad : {"a\0b"s, "a\tb"s, "a\nb"s, "a\x1b"s, "a\x7f"s, "a\u0080"s, "a\u009f"s, "\xff"s,
                          "a\xc3"s, "\xed\xa0\x80"s})
    EXPECT_EQ(normalize_password(bad), std::nullopt) << bad;
}

TEST(PasswordText, NormalizingAgainChangesNothing) {
  for (const char* text : {"pa\u0308ss", "\u0344", "\u1112\u1161", "\U0001D15E", "a\u3000b"}) {
    const std::string once = *normalize_password(text);
    EXPECT_EQ(normalize_password(once), once);
  }
}

}  // namespace
}  // namespace bedplate::auth
