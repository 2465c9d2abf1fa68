// SPDX-License-Identifier: Apache-2.0
// Properties of the JSON codec: whatever a value holds, it comes back; whatever the bytes, nothing breaks.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <map>

#include "bedplate/base/text.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/describe/validate.h"

namespace bedplate {
namespace {

enum class Color { red, green, blue };
consteval auto describe(Color) {
  return schema::values<Color::red, Color::green, Color::blue>();
}

struct Sample {
  std::string text;
  std::int64_t i = 0;
  std::uint64_t u = 0;
  std::int16_t small = 0;
  double real = 0;
  float narrow = 0;
  bool flag = false;
  Color color = Color::red;
  Uuid id;
  Time at{};
  std::optional<std::string> maybe;
  Patch<std::int32_t> patch;
  std::vector<std::string> list;
  std::map<std::string, std::int64_t> map;
  std::vector<Sample> nested;

  bool operator==(const Sample&) const = default;

  static consteval auto describe() {
    using namespace schema;
    return object<Sample>("", {
                                  field<&Sample::text>(),
                                  field<&Sample::i>(),
                                  field<&Sample::u>(),
                                  field<&Sample::small>(),
                                  field<&Sample::real>(),
                                  field<&Sample::narrow>(),
                                  field<&Sample::flag>(),
                                  field<&Sample::color>(),
                                  field<&Sample::id>(),
                                  field<&Sample::at>(),
                                  field<&Sample::maybe>(),
                                  field<&Sample::patch>(nullable),
                                  field<&Sample::list>(),
                                  field<&Sample::map>(),
                                  field<&Sample::nested>(),
                              });
  }
};

/// Text of every kind of code point: plain, to be escaped, of two, three and four bytes.
std::string arbitrary_text() {
  std::string text;
  for (char32_t point : *rc::gen::container<std::u32string>(rc::gen::oneOf(
           rc::gen::inRange<char32_t>(0x20, 0x7F), rc::gen::inRange<char32_t>(0, 0x20),
           rc::gen::inRange<char32_t>(0x80, 0x800), rc::gen::inRange<char32_t>(0x800, 0xD800),
           rc::gen::inRange<char32_t>(0xE000, 0x10000), rc::gen::inRange<char32_t>(0x10000, 0x110000)))) {
    char bytes[4];
    text.append(bytes, static_cast<std::size_t>(write_utf8(bytes, point) - bytes));
  }
  return text;
}

double arbitrary_real() {
  const double real = std::bit_cast<double>(*rc::gen::arbitrary<std::uint64_t>());
  return std::isfinite(real) ? real : 0.25;
}

Sample arbitrary_sample(int depth) {
  Sample s;
  s.text = arbitrary_text();
  s.i = *rc::gen::arbitrary<std::int64_t>();
  s.u = static_cast<std::uint64_t>(*rc::gen::arbitrary<std::int64_t>());
  s.small = *rc::gen::arbitrary<std::int16_t>();
  s.real = arbitrary_real();
  const float narrow = std::bit_cast<float>(*rc::gen::arbitrary<std::uint32_t>());
  s.narrow = std::isfinite(narrow) ? narrow : 0.5f;
  s.flag = *rc::gen::arbitrary<bool>();
  s.color = *rc::gen::element(Color::red, Color::green, Color::blue);
  for (std::uint8_t& byte : s.id.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
  s.at = Time(
      std::chrono::microseconds(*rc::gen::inRange<std::int64_t>(-62135596800000000, 253402300800000000)));
  if (*rc::gen::arbitrary<bool>()) s.maybe = arbitrary_text();
  const int state = *rc::gen::inRange(0, 3);
  if (state == 1) s.patch.set_null();
  if (state == 2) s.patch.emplace() = *rc::gen::arbitrary<std::int32_t>();
  const int items = *rc::gen::inRange(0, 4);
  for (int i = 0; i < items; ++i) {
    s.list.push_back(arbitrary_text());
    s.map[arbitrary_text()] = *rc::gen::arbitrary<std::int64_t>();
    if (depth > 0) s.nested.push_back(arbitrary_sample(depth - 1));
  }
  return s;
}

RC_GTEST_PROP(JsonProperty, what_is_written_reads_back_the_same, ()) {
  const Sample sample = arbitrary_sample(1);
  const std::string text = to_json(sample);
  JsonLimits stored;
  stored.view = View::stored;
  const Result<Sample> read = from_json<Sample>(text, stored);
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == sample);
  RC_ASSERT(to_json(*read) == text);
}

RC_GTEST_PROP(JsonProperty, input_is_refused_when_a_nul_is_in_it_and_only_then, ()) {
  const Sample sample = arbitrary_sample(1);
  const std::string text = to_json(sample);
  bool has_nul = false;
  for (std::size_t at = 0; (at = text.find('\\', at)) != std::string::npos; at += 2)
    has_nul |= std::string_view(text).substr(at).starts_with("\\u0000");
  RC_ASSERT(from_json<Sample>(text).has_value() == !has_nul);
  RC_ASSERT(validate(sample).has_value() == !has_nul);
}

RC_GTEST_PROP(JsonProperty, texts_read_back_the_same, ()) {
  const Sample s = arbitrary_sample(0);
  RC_ASSERT(*from_text<std::int64_t>(to_text(s.i)) == s.i);
  RC_ASSERT(*from_text<std::uint64_t>(to_text(s.u)) == s.u);
  RC_ASSERT(*from_text<double>(to_text(s.real)) == s.real);
  RC_ASSERT(*from_text<float>(to_text(s.narrow)) == s.narrow);
  const Result<std::string> string = from_text<std::string>(to_text(s.text));
  RC_ASSERT(string.has_value() == (s.text.find('\0') == std::string::npos));
  if (string) RC_ASSERT(*string == s.text);
  RC_ASSERT(*from_text<Uuid>(to_text(s.id)) == s.id);
  RC_ASSERT(*from_text<Time>(to_text(s.at)) == s.at);
  RC_ASSERT(*from_text<Color>(to_text(s.color)) == s.color);
}

RC_GTEST_PROP(JsonProperty, damaged_text_is_refused_or_read_as_something_that_writes, ()) {
  std::string text = to_json(arbitrary_sample(0));
  const int damages = *rc::gen::inRange(1, 4);
  for (int i = 0; i < damages; ++i)
    text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
  const std::string exact(text);  // its own memory: reading past the end is seen
  Sample sample;
  Faults faults;
  const bool well_formed = read_json(exact, type_of<Sample>(), &sample, faults).has_value();
  RC_ASSERT(well_formed == check_json(exact).has_value());
  if (well_formed && faults.empty()) {
    const Result<Sample> again = from_json<Sample>(to_json(sample));
    RC_ASSERT(again.has_value() && *again == sample);
  }
}

}  // namespace
}  // namespace bedplate
