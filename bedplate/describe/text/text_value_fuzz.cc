// SPDX-License-Identifier: Apache-2.0
// Query parameters, path segments and environment variables come from anybody: each text is read as every
// kind of scalar, and what was read writes as text that reads as the same value.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "bedplate/base/decimal.h"
#include "bedplate/describe/money.h"
#include "bedplate/describe/text/text_format.h"
#include "bedplate/describe/text/text_value.h"

namespace {

using namespace bedplate;

enum class Color { red, green };
consteval auto describe(Color) {
  return schema::values<Color::red, Color::green>();
}

template <class T>
void read_as(std::string_view text) {
  const Result<T> value = from_text<T>(text);
  if (!value) return;
  const std::string written = to_text(*value);
  const Result<T> again = from_text<T>(written);
  if (!again || to_text(*again) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_as<bool>(text);
  read_as<std::int8_t>(text);
  read_as<std::int64_t>(text);
  read_as<std::uint64_t>(text);
  read_as<float>(text);
  read_as<double>(text);
  read_as<std::string>(text);
  read_as<Color>(text);
  read_as<Uuid>(text);
  read_as<Time>(text);
  read_as<Json>(text);
  read_as<Decimal>(text);
  read_as<Date>(text);
  read_as<Duration>(text);
  read_as<Bytes>(text);
  read_as<Currency>(text);
  for (int format = 0; format <= static_cast<int>(TextFormat::web_url); ++format)
    matches_text_format(static_cast<TextFormat>(format), text);
  return 0;
}
