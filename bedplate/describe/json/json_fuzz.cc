// SPDX-License-Identifier: Apache-2.0
// JSON comes from anybody. Whatever the bytes: the two readers of the grammar agree, nothing is read past the
// end, and what was read as a value writes as JSON that reads as the same value.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bedplate/base/decimal.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/validate.h"

namespace {

using namespace bedplate;

enum class Color { red, green };
consteval auto describe(Color) {
  return schema::values<Color::red, Color::green>();
}

struct Mail {
  std::string to;
  static consteval auto describe() {
    using namespace schema;
    return object<Mail>("", {field<&Mail::to>(format::email)});
  }
};

struct Link {
  std::string to;
  static consteval auto describe() {
    using namespace schema;
    return object<Link>("", {field<&Link::to>(format::uri)});
  }
};

struct Sample {
  std::string text;
  std::int64_t i = 0;
  std::uint64_t u = 0;
  std::int8_t small = 0;
  double real = 0;
  float narrow = 0;
  bool flag = false;
  Color color = Color::red;
  Uuid id;
  Time at{};
  std::optional<std::string> maybe;
  Patch<std::int32_t> patch;
  std::vector<std::string> list;
  std::map<std::string, Sample> map;
  std::optional<std::variant<Mail, Link>> either;
  std::optional<Tagged<"is", Mail, Link>> tagged;
  Decimal decimal;
  Bytes bytes;
  Json any;

  static consteval auto describe() {
    using namespace schema;
    return object<Sample>(
        "", {
                field<&Sample::text, "t">(length{0, 40}, optional_with_default),
                field<&Sample::i, "i">(optional_with_default),
                field<&Sample::u, "u">(optional_with_default),
                field<&Sample::small, "s">(range{-5, 100}, optional_with_default),
                field<&Sample::real, "r">(optional_with_default),
                field<&Sample::narrow, "n">(optional_with_default),
                field<&Sample::flag, "f">(optional_with_default),
                field<&Sample::color, "c">(optional_with_default),
                field<&Sample::id>(optional_with_default),
                field<&Sample::at>(optional_with_default),
                field<&Sample::maybe, "m">(pattern("^[a-z]*$")),
                field<&Sample::patch, "p">(nullable),
                field<&Sample::list, "l">(length{0, 5}, unique, each(length{0, 3}), optional_with_default),
                field<&Sample::map, "o">(length{0, 5}, optional_with_default),
                field<&Sample::either, "e">(),
                field<&Sample::tagged>(),
                field<&Sample::decimal>(optional_with_default),
                field<&Sample::bytes>(length{0, 3}, optional_with_default),
                field<&Sample::any, "a">(optional_with_default),
            });
  }
};

void require(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool well_formed = check_json(text).has_value();

  Sample sample;
  Faults faults;
  const Result<void> read = read_json(text, type_of<Sample>(), &sample, faults);
  require(read.has_value() == well_formed);
  const Result<Json> any = from_json<Json>(text, {.view = View::stored});
  require(any.has_value() == well_formed);
  // The only thing wrong with JSON of any kind is U+0000, which only its escape can bring.
  require(from_json<Json>(text).has_value() == (well_formed && validate(*any).has_value()));
  require(from_json<Json>(text).has_value() == well_formed || text.find("\\u0000") != std::string_view::npos);
  if (!well_formed || !faults.empty()) return 0;

  Faults broken;
  validate(type_of<Sample>(), &sample, broken);
  require(broken.empty());
  Buffer written;
  require(write_json(written, type_of<Sample>(), &sample));
  const Result<Sample> again = from_json<Sample>(written.view());
  require(again.has_value() && to_json(*again) == written.view());
  return 0;
}
