// SPDX-License-Identifier: Apache-2.0
// bedplate_embed(): the bytes in the binary are the bytes of the files.
#include <gtest/gtest.h>

#include <string_view>

#include "embedded_samples.h"

namespace bedplate {
namespace {

using std::string_view_literals::operator""sv;

TEST(Embed, KeepsOrderNamesAndBytes) {
  const auto files = tests::embedded_samples();
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].name, "hello.txt");
  EXPECT_EQ(files[0].bytes, "hello\n");
  EXPECT_EQ(files[1].name, "empty.txt");
  EXPECT_EQ(files[1].bytes, "");
  EXPECT_EQ(files[2].name, "deep/odd name.bin");
  EXPECT_EQ(files[2].bytes, "\0\x01\"\\\xff"sv);
}

TEST(Embed, EndsEachFileWithNul) {
  for (const EmbeddedFile& file : tests::embedded_samples()) {
    EXPECT_EQ(file.bytes.data()[file.bytes.size()], '\0') << file.name;
  }
}

}  // namespace
}  // namespace bedplate
