// SPDX-License-Identifier: Apache-2.0
#include "bedplate/unicode/fold.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "bedplate/base/text.h"

namespace bedplate::unicode {
namespace {

TEST(SortKeyTest, IsTheTextWithoutCaseAccentsAndCompatibilityForms) {
  EXPECT_EQ(sort_key("Buy MILK, 2 l!"), "buy milk, 2 l!");
  EXPECT_EQ(sort_key("Éléphant"), "elephant");
  EXPECT_EQ(sort_key("e\u0301le\u0301phant"), "elephant") << "decomposed";
  EXPECT_EQ(sort_key("Straße"), sort_key("STRASSE"));
  EXPECT_EQ(sort_key("ﬁn"), "fin");
  EXPECT_EQ(sort_key("ΑΘΉΝΑ"), sort_key("αθηνα"));
  EXPECT_EQ(sort_key("Ёлка"), sort_key("елка"));
  EXPECT_EQ(sort_key("日本語"), "日本語");
  EXPECT_EQ(sort_key(""), "");
  EXPECT_EQ(sort_key(" a"), " a") << "nothing is trimmed";
}

TEST(SortKeyTest, IsCutAtAWholeCharacter) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "界";  // three bytes each
  EXPECT_EQ(sort_key(text).size(), kSortKeySizeMax / 3 * 3);
  EXPECT_EQ(sort_key(std::string(1000, 'A')), std::string(kSortKeySizeMax, 'a'));
  EXPECT_EQ(sort_key(std::string(kSortKeySizeMax - 1, 'a') + "ß"), std::string(kSortKeySizeMax - 1, 'a'));
}

RC_GTEST_PROP(SortKeyTest, IsShortUtf8OfAnyBytes, (const std::string& bytes)) {
  const std::string key = sort_key(bytes);
  RC_ASSERT(key.size() <= kSortKeySizeMax);
  RC_ASSERT(is_valid_utf8(key));
}

}  // namespace
}  // namespace bedplate::unicode
