// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/field.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "bedplate/base/text.h"
#include "bedplate/http/message/method.h"

namespace bedplate::http {
namespace {

TEST(FieldTest, FindsEveryKnownNameInAnyCase) {
  for (std::size_t i = 1; i < kFieldCount; ++i) {
    const auto id = static_cast<FieldId>(i);
    const std::string_view name = field_name(id);
    ASSERT_FALSE(name.empty()) << i;
    EXPECT_EQ(field_id(name), id) << name;
    EXPECT_EQ(field_id(to_lower(name)), id) << name;
    EXPECT_EQ(field_id(to_upper(name)), id) << name;
    EXPECT_EQ(field_id(std::string(name) + "x"), FieldId::other) << name;
    EXPECT_EQ(field_id(name.substr(1)), FieldId::other) << name;
  }
  EXPECT_EQ(field_id(""), FieldId::other);
}

RC_GTEST_PROP(FieldTest, FindsNothingElse, (const std::string& name)) {
  const FieldId id = field_id(name);
  RC_ASSERT(id == FieldId::other || !is_token(name) || equal_ignoring_case(name, field_name(id)));
}

RC_GTEST_PROP(FieldTest, ValuesAreCheckedAlikeInWordsAndBytes, (std::string value)) {
  bool valid = value.empty() ||
               (value.front() != ' ' && value.front() != '\t' && value.back() != ' ' && value.back() != '\t');
  for (char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    valid = valid && (byte == '\t' || (byte >= 0x20 && byte != 0x7f));
  }
  RC_ASSERT(is_field_value(value) == valid);
}

TEST(FieldTest, EveryByteOfAValueInEveryPlace) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 1; at < 20; ++at) {
      std::string value(21, 'v');
      value[at] = static_cast<char>(byte);
      EXPECT_EQ(is_field_value(value), byte == '\t' || (byte >= 0x20 && byte != 0x7f))
          << byte << " at " << at;
    }
  }
}

TEST(MethodTest, KnowsItsNamesInUpperCaseOnly) {
  for (unsigned i = 0; i + 1 < kMethodCount; ++i) {
    const auto method = static_cast<Method>(i);
    EXPECT_EQ(parse_method(method_name(method)), method);
    EXPECT_EQ(parse_method(to_lower(method_name(method))), Method::other);
  }
  EXPECT_EQ(parse_method(""), Method::other);
  EXPECT_EQ(parse_method("GETS"), Method::other);
}

}  // namespace
}  // namespace bedplate::http
