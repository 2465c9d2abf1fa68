// SPDX-License-Identifier: Apache-2.0
#include "services/identity/email.h"

#include <gtest/gtest.h>

#include <string>

namespace bedplate::identity {
namespace {

using namespace std::string_literals;

TEST(Email, SpaceAroundItIsTakenAway) {
  for (const char* typed : {"ada@example.com", " ada@example.com", "ada@example.com ",
                            "\tada@example.com\r\n", "\u00a0ada@example.com\u3000"})
    EXPECT_EQ(canonical_email(typed), "ada@example.com") << typed;
  EXPECT_EQ(canonical_email("ada @example.com"), std::nullopt);
  EXPECT_EQ(canonical_email("ada@ example.com"), std::nullopt);
}

TEST(Email, ADomainOutsideAsciiBecomesALabels) {
  EXPECT_EQ(canonical_email("ada@b\u00fccher.example"), "ada@xn--bcher-kva.example");
  EXPECT_EQ(canonical_email("ada@bu\u0308cher.example"), "ada@xn--bcher-kva.example");
  EXPECT_EQ(canonical_email("Ada@B\u00dcCHER.Example"), "Ada@xn--bcher-kva.example");
  EXPECT_EQ(canonical_email("ada@xn--bcher-kva.example"), "ada@xn--bcher-kva.example");
  EXPECT_EQ(canonical_email("ada@fa\u00df.example"), "ada@xn--fa-hia.example") << "not fass.example";
  EXPECT_EQ(canonical_email("ada@\u4f8b\u3048\u3002\u30c6\u30b9\u30c8"), "ada@xn--r8jz45g.xn--zckzah");
}

TEST(Email, WhatIsNoAddress) {
  for (const char* typed : {"", " ", "@", "ada", "ada@", "@example.com", "\u00e4da@example.com",
                            "a@b@example.com", "x@1.2.3.4", "x@[1.2.3.4]", "x@2130706433", "x@1.2.3.4.",
                            "ada@\u2603\ufffd.example", "ada@exa mple.com", "ada@-b\u00fccher.example"})
    EXPECT_EQ(canonical_email(typed), std::nullopt) << typed;
  EXPECT_EQ(canonical_email("ada@b\u00fccher.example\0.com"s), std::nullopt);
  EXPECT_EQ(canonical_email("a@" + std::string(260, 'b')), std::nullopt);
}

TEST(Email, OneKeyForEveryWayToTypeAnAddress) {
  EXPECT_EQ(email_key("ada@example.com"), "ada@example.com");
  EXPECT_EQ(email_key(" ADA@Example.COM "), "ada@example.com");
  EXPECT_EQ(email_key("Ada@B\u00fccher.EXAMPLE"), "ada@xn--bcher-kva.example");
  EXPECT_EQ(email_key("ADA@XN--BCHER-KVA.example"), "ada@xn--bcher-kva.example");
  EXPECT_NE(email_key("a.da@example.com"), email_key("ada@example.com"));
  EXPECT_EQ(email_key(" Nobody "), "nobody");
}

}  // namespace
}  // namespace bedplate::identity
