// SPDX-License-Identifier: Apache-2.0
#include "bedplate/operations/paging/cursor.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "bedplate/base/text.h"

namespace rc {
template <>
struct Arbitrary<bedplate::api::CursorValue> {
  static Gen<bedplate::api::CursorValue> arbitrary() {
    using bedplate::api::CursorValue;
    return gen::oneOf(
        gen::map(gen::arbitrary<std::int64_t>(), [](std::int64_t v) { return CursorValue(v); }),
        gen::map(gen::arbitrary<std::int32_t>(), [](std::int32_t v) { return CursorValue(v / 8.0); }),
        gen::map(gen::arbitrary<std::string>(), [](std::string v) { return CursorValue(std::move(v)); }),
        gen::map(gen::arbitrary<std::int64_t>(),
                 [](std::int64_t v) { return CursorValue(bedplate::Time(std::chrono::microseconds(v))); }),
        gen::map(gen::arbitrary<std::array<std::uint8_t, 16>>(), [](std::array<std::uint8_t, 16> bytes) {
          bedplate::Uuid id;
          id.bytes = bytes;
          return CursorValue(id);
        }));
  }
};
}  // namespace rc

namespace bedplate::api {
namespace {

CursorValues some_values() {
  auto values = *rc::gen::arbitrary<CursorValues>();
  if (values.size() > kCursorValuesMax) values.resize(kCursorValuesMax);
  return values;
}

RC_GTEST_PROP(CursorProperty, ReadsBackWhatItWrote, (const std::string& scope)) {
  CursorValues values = some_values();
  std::string word = encode_cursor(scope, values);
  RC_PRE(word.size() <= kCursorSizeMax);
  RC_ASSERT(decode_cursor(scope, word) == values);
}

RC_GTEST_PROP(CursorProperty, RefusesAnotherScope, (const std::string& scope, const std::string& other)) {
  RC_PRE(scope != other);
  RC_ASSERT(!decode_cursor(other, encode_cursor(scope, some_values())).has_value());
}

RC_GTEST_PROP(CursorProperty, RefusesAnyChangedByte, (const std::string& scope)) {
  std::string word = encode_cursor(scope, some_values());
  std::size_t at = *rc::gen::inRange<std::size_t>(0, word.size());
  char other = *rc::gen::element('A', 'z', '0', '-', '_', '=', '/', '\0');
  RC_PRE(word[at] != other);
  word[at] = other;
  RC_ASSERT(!decode_cursor(scope, word).has_value());
}

RC_GTEST_PROP(CursorProperty, RefusesAnyCutWord, ()) {
  std::string word = encode_cursor("s", some_values());
  RC_ASSERT(!decode_cursor("s", word.substr(0, *rc::gen::inRange<std::size_t>(0, word.size()))).has_value());
}

RC_GTEST_PROP(CursorProperty, SurvivesAnything, (const std::string& bytes)) {
  (void)decode_cursor("s", bytes);
  (void)decode_cursor("s", to_base64url(bytes));
}

TEST(CursorTest, IsOneUrlWord) {
  std::string word = encode_cursor("s", CursorValues{std::int64_t{1}, std::string("x y/z")});
  EXPECT_EQ(word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
}

}  // namespace
}  // namespace bedplate::api
