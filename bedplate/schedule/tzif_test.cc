// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/tzif.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace bedplate::schedule {
namespace {

using namespace std::string_literals;

std::string number(std::int64_t value, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

/// What a file has, to be bent by each test.
struct File {
  char version = '2';
  std::int64_t ut = 0, standard = 0, leap = 0;
  std::string changes = number(1000, 8) + number(2000, 8);
  std::string change_types = "\1\0"s;
  std::string types = number(3600, 4) + "\0\0"s + number(7200, 4) + "\1\4"s;
  std::string names = "CET\0CEST\0"s;
  std::string tail;
  std::string footer = "\nCET-1CEST,M3.5.0,M10.5.0/3\n";

  std::string header(std::int64_t change_count, std::int64_t type_count, std::int64_t name_size) const {
    std::string text = "TZif"s + version + std::string(15, '\0');
    for (std::int64_t count : {ut, standard, leap, change_count, type_count, name_size})
      text += number(count, 4);
    return text;
  }
  std::string bytes() const {
    const std::string block = changes + change_types + types + names + tail;
    const auto header_of = [&] {
      return header(static_cast<std::int64_t>(change_types.size()),
                    static_cast<std::int64_t>(types.size() / 6), static_cast<std::int64_t>(names.size()));
    };
    if (version == '\0') return header_of() + block;
    File first;
    first.version = version;
    first.ut = first.standard = first.leap = 0;
    return first.header(0, 1, 1) + number(0, 4) + "\0\0"s + "\0"s + header_of() + block + footer;
  }
};

std::string error_of(const File& file) {
  const auto data = parse_tzif(file.bytes());
  return data ? "" : data.error().detail();
}

TEST(TzifTest, ReadsVersions2To4) {
  for (char version : {'2', '3', '4'}) {
    File file;
    file.version = version;
    const auto data = parse_tzif(file.bytes());
    ASSERT_TRUE(data) << data.error().detail();
    EXPECT_EQ(data->changes, (std::vector<std::int64_t>{1000, 2000}));
    EXPECT_EQ(data->change_types, (std::vector<std::uint8_t>{1, 0}));
    ASSERT_EQ(data->types.size(), 2u);
    EXPECT_EQ(data->types[1].offset_s, 7200);
    EXPECT_TRUE(data->types[1].daylight);
    EXPECT_EQ(data->types[1].abbreviation, "CEST");
    ASSERT_TRUE(data->rule);
    EXPECT_EQ(data->rule->standard.offset_s, 3600);
  }
}

TEST(TzifTest, ReadsVersion1With32Bits) {
  File file;
  file.version = '\0';
  file.changes = number(-1000, 4) + number(2000, 4);
  const auto data = parse_tzif(file.bytes());
  ASSERT_TRUE(data) << data.error().detail();
  EXPECT_EQ(data->changes, (std::vector<std::int64_t>{-1000, 2000}));
  EXPECT_FALSE(data->rule);
}

TEST(TzifTest, AnEmptyFooterMeansNoRule) {
  File file;
  file.footer = "\n\n";
  const auto data = parse_tzif(file.bytes());
  ASSERT_TRUE(data);
  EXPECT_FALSE(data->rule);
}

TEST(TzifTest, SaysWhatIsWrong) {
  File file;
  file.version = '5';
  EXPECT_EQ(error_of(file), "The time zone file is of a version that is not known.");
  file = {};
  file.leap = 1;
  file.tail = std::string(12, '\0');
  EXPECT_EQ(error_of(file),
            "The time zone file has leap seconds, which this clock does not count: take the zone without "
            "`right/`.");
  file = {};
  file.changes = number(2000, 8) + number(2000, 8);
  EXPECT_EQ(error_of(file), "The time zone file has changes out of order.");
  file = {};
  file.changes = number(INT64_MIN, 8) + number(0, 8);
  EXPECT_EQ(error_of(file), "The time zone file has a change outside -2^59 to 2^59 seconds.");
  file = {};
  file.change_types = "\1\2"s;
  EXPECT_EQ(error_of(file), "The time zone file names a type that it does not have.");
  file = {};
  file.types = number(93'600, 4) + "\0\0"s + number(7200, 4) + "\1\4"s;
  EXPECT_EQ(error_of(file), "The time zone file has an offset of 26 hours or more.");
  file = {};
  file.types[4] = 2;
  EXPECT_EQ(error_of(file), "The time zone file has a daylight saving mark that is neither 0 nor 1.");
  file = {};
  file.names = "CET\0CEST"s;
  EXPECT_EQ(error_of(file), "The time zone file has an abbreviation without an end.");
  file = {};
  file.types[5] = 99;
  EXPECT_EQ(error_of(file), "The time zone file has an abbreviation without an end.");
  file = {};
  file.types.clear();
  EXPECT_EQ(error_of(file), "The time zone file has no local time type.");
  file = {};
  file.names.clear();
  EXPECT_EQ(error_of(file), "The time zone file has no abbreviations.");
  file = {};
  file.ut = 1;
  EXPECT_EQ(error_of(file), "The time zone file has another number of UT indicators than of types.");
  file = {};
  file.standard = 1;
  EXPECT_EQ(error_of(file),
            "The time zone file has another number of standard time indicators than of types.");
  file = {};
  file.footer = "\nsummer\n";
  EXPECT_EQ(error_of(file), "The time zone file has a footer that is no POSIX time zone rule.");
  file.footer = "\nCET-1";
  EXPECT_EQ(error_of(file), "The time zone file has a footer without an end.");
  file.footer = "";
  EXPECT_EQ(error_of(file), "The time zone file has no footer.");
}

TEST(TzifTest, RefusesEveryPartOfAFile) {
  const std::string whole = File().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_tzif(std::string_view(whole).substr(0, size))) << size;
  EXPECT_FALSE(parse_tzif("TZif2" + std::string(300, '\xFF'))) << "four billion of everything";
  EXPECT_FALSE(parse_tzif(std::string(kTzifSizeMax + 1, 'T')));
}

}  // namespace
}  // namespace bedplate::schedule
