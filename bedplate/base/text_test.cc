// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <cstdio>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "bedplate/base/buffer.h"

namespace bedplate {
namespace {

// ---- Numbers

std::string int_text(std::int64_t value) {
  char out[kIntSizeMax];
  return {out, write_int(out, value)};
}

std::string uint_text(std::uint64_t value) {
  char out[kIntSizeMax];
  return {out, write_uint(out, value)};
}

std::string double_text(double value) {
  char out[kDoubleSizeMax];
  return {out, write_double(out, value)};
}

TEST(Text, BlankIsWhiteSpaceOnly) {
  for (auto text :
       {"", " ", "\t\n\v\f\r", "\u00A0", "\u1680\u2000\u200A", "\u2028\u2029\u202F\u205F\u3000\uFEFF"})
    EXPECT_TRUE(is_blank(text)) << text;
  for (auto text : {"x", " x", "\u00A0\u00AD", "\u200B", "\u0085", "\u180E", "\x1F"})
    EXPECT_FALSE(is_blank(text)) << text;
}

TEST(Numbers, WritesIntegersAtEveryPowerOfTen) {
  EXPECT_EQ(uint_text(0), "0");
  std::uint64_t power = 1;
  for (int i = 0; i < 20; ++i, power *= 10) {
    EXPECT_EQ(uint_text(power), std::to_string(power));
    EXPECT_EQ(uint_text(power - 1), std::to_string(power - 1));
    EXPECT_EQ(uint_text(power + 1), std::to_string(power + 1));
  }
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t value = std::uint64_t{1} << bit;
    EXPECT_EQ(uint_text(value), std::to_string(value));
    EXPECT_EQ(uint_text(value - 1), std::to_string(value - 1));
  }
}

TEST(Numbers, WritesTheEndsOfTheRange) {
  EXPECT_EQ(int_text(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(int_text(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
  EXPECT_EQ(uint_text(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(int_text(-1), "-1");
}

RC_GTEST_PROP(Numbers, IntegersComeBack, (std::int64_t a, std::uint64_t b)) {
  RC_ASSERT(int_text(a) == std::to_string(a));
  RC_ASSERT(parse_int(int_text(a)) == a);
  RC_ASSERT(parse_uint(uint_text(b)) == b);
}

TEST(Numbers, WritesDoublesAsJsonNumbers) {
  EXPECT_EQ(double_text(0.0), "0");
  EXPECT_EQ(double_text(-0.0), "-0");
  EXPECT_EQ(double_text(0.1), "0.1");
  EXPECT_EQ(double_text(100000), "100000");
  EXPECT_EQ(double_text(-123456789012345.0), "-123456789012345");
  EXPECT_EQ(double_text(1e15), "1e+15");
  EXPECT_EQ(double_text(1e22), "1e+22");
  EXPECT_EQ(double_text(5e-324), "5e-324");
  EXPECT_EQ(double_text(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(double_text(-2.2250738585072014e-308), "-2.2250738585072014e-308");
  EXPECT_EQ(double_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(double_text(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(double_text(std::numeric_limits<double>::quiet_NaN()), "nan");
}

RC_GTEST_PROP(Numbers, FiniteDoublesComeBackBitForBit, (std::uint64_t bits)) {
  const auto value = std::bit_cast<double>(bits);
  RC_PRE(std::isfinite(value));
  const auto back = parse_double(double_text(value));
  RC_ASSERT(back.has_value());
  RC_ASSERT(std::bit_cast<std::uint64_t>(*back) == bits);
}

TEST(Numbers, RefusesWhatIsNotAWholeNumber) {
  for (const char* text : {"", "-", "+1", " 1", "1 ", "0x10", "1.0", "1e3", "--1", "9223372036854775808",
                           "-9223372036854775809", "1\n", "\xD9\xA1"}) {
    EXPECT_EQ(parse_int(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_uint("-1"), std::nullopt);
  EXPECT_EQ(parse_uint("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_int(std::string_view("1\0", 2)), std::nullopt);
}

TEST(Numbers, RefusesWhatIsNotAFiniteNumber) {
  for (const char* text : {"", "-", ".5", "1.", "1.e3", "1e", "1e+", "inf", "nan", "infinity", "-inf",
                           "0x1p3", "1e309", "-1e309", "1e99999999999999999999", "+1", " 1", "1 ", "1,5"}) {
    EXPECT_EQ(parse_double(text), std::nullopt) << text;
  }
}

TEST(Numbers, ReadsTooSmallAsZero) {
  EXPECT_EQ(parse_double("1e-400"), 0.0);
  EXPECT_EQ(parse_double("0.0000001e-99999999999999999999"), 0.0);
  EXPECT_EQ(parse_double("0e999999"), 0.0);
  EXPECT_TRUE(std::signbit(*parse_double("-1e-400")));
  EXPECT_EQ(parse_double("1" + std::string(400, '0') + "e-400"), 1.0);
}

// ---- UTF-8

/// An independent reading of RFC 3629: decode, then look at the value.
bool is_utf8_by_value(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80        ? 1
                             : lead >> 5U == 6  ? 2
                             : lead >> 4U == 14 ? 3
                             : lead >> 3U == 30 ? 4
                                                : 0;
    if (size == 0 || i + size > text.size()) return false;
    char32_t value = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if (byte >> 6U != 2) return false;
      value = value << 6U | (byte & 0x3FU);
    }
    constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < kLeast[size] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
    i += size;
  }
  return true;
}

TEST(Utf8, AgreesWithTheDefinitionOnEveryStartOfFourBytes) {
  // The second byte decides every special case; the others only have to continue.
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      for (const unsigned third : {0x7FU, 0x80U, 0xBFU, 0xC0U}) {
        const std::string text = {static_cast<char>(first), static_cast<char>(second),
                                  static_cast<char>(third), static_cast<char>(0x80)};
        for (std::size_t size = 1; size <= 4; ++size) {
          const std::string_view part(text.data(), size);
          ASSERT_EQ(is_valid_utf8(part), is_utf8_by_value(part)) << to_hex(part);
        }
      }
    }
  }
}

TEST(Utf8, WritesEveryCodePoint) {
  char out[4];
  for (char32_t point = 0; point <= 0x10FFFF; point += 7) {
    const std::string_view text(out, write_utf8(out, point));
    ASSERT_TRUE(is_valid_utf8(text)) << static_cast<unsigned>(point);
    ASSERT_EQ(count_code_points(text), 1U);
  }
  EXPECT_EQ(std::string_view(out, write_utf8(out, 0xD800)), "\xEF\xBF\xBD");
  EXPECT_EQ(std::string_view(out, write_utf8(out, 0x110000)), "\xEF\xBF\xBD");
}

TEST(Utf8, SaysWhereItIsBroken) {
  EXPECT_EQ(find_invalid_utf8(""), std::string_view::npos);
  EXPECT_EQ(find_invalid_utf8("plain ascii, longer than a word"), std::string_view::npos);
  EXPECT_EQ(find_invalid_utf8("twelve bytes\xFF"), 12U);
  EXPECT_EQ(find_invalid_utf8("\xC3\xA9\xC3"), 2U);
}

TEST(Utf8, CutsBetweenCodePoints) {
  EXPECT_EQ(utf8_prefix("h\xC3\xA9llo", 2), "h");
  EXPECT_EQ(utf8_prefix("h\xC3\xA9llo", 3), "h\xC3\xA9");
  EXPECT_EQ(utf8_prefix("\xF0\x9F\x98\x80", 3), "");
  EXPECT_EQ(utf8_prefix("abc", 3), "abc");
}

// ---- JSON strings

std::string json(std::string_view text) {
  Buffer out;
  append_json_string(out, text);
  return out.to_string();
}

/// One byte at a time, by the letter of RFC 8259.
std::string json_slowly(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t size = utf8_sequence_size(text.data() + i, text.data() + text.size());
    if (size != 1) {
      out += size == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(i, size);
      i += size == 0 ? 1 : size;
      continue;
    }
    constexpr std::string_view kNamed = "\"\\\n\r\t\b\f";
    constexpr std::string_view kLetters = "\"\\nrtbf";
    const std::size_t named = kNamed.find(static_cast<char>(byte));
    if (named != std::string_view::npos) {
      out += {'\\', kLetters[named]};
    } else if (byte < 0x20) {
      out += "\\u00" + to_hex(text.substr(i, 1));
    } else {
      out.push_back(static_cast<char>(byte));
    }
    ++i;
  }
  return out + '"';
}

TEST(JsonString, EscapesWhatItMust) {
  EXPECT_EQ(json(""), "\"\"");
  EXPECT_EQ(json("say \"hi\"\\\n\r\t\b\f"), R"("say \"hi\"\\\n\r\t\b\f")");
  EXPECT_EQ(json(std::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
  EXPECT_EQ(json("\xE2\x82\xAC"), "\"\xE2\x82\xAC\"");
  EXPECT_EQ(json("bad \xFF\xC3 end"), "\"bad \xEF\xBF\xBD\xEF\xBF\xBD end\"");
}

TEST(JsonString, FindsEveryByteAtEveryPlace) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        ASSERT_EQ(json(text), json_slowly(text)) << size << ' ' << at << ' ' << byte;
        const bool special = byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
        const char* end = text.data() + text.size();
        ASSERT_EQ(find_json_special(text.data(), end) - text.data(),
                  static_cast<std::ptrdiff_t>(special ? at : size));
      }
    }
  }
}

/// Text with a good share of what is special.
rc::Gen<std::string> hostile_text() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
                          rc::gen::element<std::string>("\"", "\\", "\n", "\x01", "\x7F", "\xC2\x9B",
                                                        "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                                        "\xFF", "\xED\xA0\x80", "\xE2\x82"),
                          rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~')),
                          rc::gen::arbitrary<std::string>())),
                      [](const std::vector<std::string>& parts) {
                        std::string text;
                        for (const auto& part : parts) text += part;
                        return text;
                      });
}

RC_GTEST_PROP(JsonString, EveryWriterAgreesWithTheSlowOne, ()) {
  const auto text = *hostile_text();
  const std::string expected = json_slowly(text);
  RC_ASSERT(json(text) == expected);
  std::string appended = "before";
  append_json_string(appended, text);
  RC_ASSERT(appended == "before" + expected);
  std::vector<char> room(json_string_size_max(text.size()));
  const std::string escaped(room.data(), write_json_escaped(room.data(), text));
  RC_ASSERT('"' + escaped + '"' == expected);
  RC_ASSERT(is_valid_utf8(escaped));
}

std::string visible(std::string_view text) {
  std::vector<char> room(json_string_size_max(text.size()));
  return {room.data(), write_visible_escaped(room.data(), room.data() + room.size(), text).end};
}

TEST(VisibleText, EscapesWhatADisplayObeys) {
  const auto obeys = [](char32_t c) {
    return (c >= 0x7F && c <= 0x9F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0x200E || c == 0x200F || c == 0x061C;
  };
  for (char32_t c = 0x20; c < 0x3000; ++c) {
    if (c == '"' || c == '\\') continue;
    char bytes[4];
    const std::string text(bytes, write_utf8(bytes, c));
    char expected[8];
    std::snprintf(expected, sizeof expected, "\\u%04x", static_cast<unsigned>(c));
    ASSERT_EQ(visible("a" + text + "b"), "a" + (obeys(c) ? expected : text) + "b") << expected;
  }
}

RC_GTEST_PROP(VisibleText, IsAPrefixWhereThereIsNoRoomForAll, ()) {
  const auto text = *hostile_text();
  const auto room = *rc::gen::inRange<std::size_t>(0, 2 * text.size() + 8);
  std::vector<char> out(room + 1);
  const auto written = write_visible_escaped(out.data(), out.data() + room, text);
  RC_ASSERT(written.end <= out.data() + room);
  const std::string body(out.data(), written.end);
  RC_ASSERT(body == visible(text.substr(0, written.read)));
  RC_ASSERT(written.read == text.size() || room - body.size() < 6);
}

// ---- Hexadecimal and base64url

TEST(Base64url, MatchesTheVectorsOfRfc4648) {
  const std::pair<std::string, std::string> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xFB\xFF", "-_8"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(to_base64url(bytes), text);
    EXPECT_EQ(from_base64url(text), bytes);
  }
}

TEST(Base64url, RefusesOtherForms) {
  for (const char* text :
       {"Zg==", "Zg=", "Z", "Zm9vY", "Zh", "Zm9", "Zm9v\n", "Zm+v", "Zm/v", " Zg", "Z\xC3"}) {
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Base64url, ComesBack, (const std::string& bytes)) {
  RC_ASSERT(from_base64url(to_base64url(bytes)) == bytes);
  RC_ASSERT(from_hex(to_hex(bytes)) == bytes);
  RC_ASSERT(from_hex(to_upper(to_hex(bytes))) == bytes);
}

TEST(Hex, RefusesOtherForms) {
  for (const char* text : {"0", "0g", "0x", " 0", "00 ", "\xFF\xFF"}) {
    EXPECT_EQ(from_hex(text), std::nullopt) << text;
  }
}

// ---- Comparing

TEST(Compare, IgnoresTheCaseOfAsciiOnly) {
  EXPECT_TRUE(equal_ignoring_case("Content-Length", "content-LENGTH"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("@", "`"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_FALSE(equal_ignoring_case("\xC3\x89", "\xC3\xA9"));
  EXPECT_EQ(to_lower("MiXeD-1"), "mixed-1");
  EXPECT_EQ(to_upper("MiXeD-1"), "MIXED-1");
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
}

TEST(Compare, InConstantTime) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secrets"));
}

TEST(EditDistance, CountsChangesAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("thread", "threads"), 1U);
  EXPECT_EQ(edit_distance("theards", "threads"), 2U);
  EXPECT_EQ(edit_distance("lisetn", "listen"), 1U);
  EXPECT_EQ(edit_distance(std::string(200, 'a'), "a"), 200U);
}

RC_GTEST_PROP(EditDistance, IsSymmetricAndBounded, (const std::string& a, const std::string& b)) {
  const std::size_t distance = edit_distance(a, b);
  RC_ASSERT(distance == edit_distance(b, a));
  RC_ASSERT(distance <= std::max(a.size(), b.size()));
  RC_ASSERT((distance == 0) == (a == b));
}

TEST(Nearest, FindsWhatWasMeant) {
  const std::string_view keys[] = {"server.listen", "server.threads", "database.url", "log.level"};
  EXPECT_EQ(find_nearest("server.thread", keys), "server.threads");
  EXPECT_EQ(find_nearest("sever.lisetn", keys), "server.listen");
  EXPECT_EQ(find_nearest("loglevel", keys), "log.level");
  EXPECT_EQ(find_nearest("colour", keys), std::nullopt);
  EXPECT_EQ(find_nearest("", keys), std::nullopt);
  EXPECT_EQ(find_nearest("x", {}), std::nullopt);
}

}  // namespace
}  // namespace bedplate
