// SPDX-License-Identifier: Apache-2.0
// Fuzz target: any bytes are a query or too long for one, and what the engines are asked holds no sign from outside.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bedplate/search/highlight.h"
#include "bedplate/search/query.h"
#include "bedplate/search/terms.h"

namespace {

// Between the signs that terms.cc writes, quoted words alone.
void check_quotes(std::string_view expression, char quote) {
  bool inside = false;
  for (char c : expression) {
    if (c == quote)
      inside = !inside;
    else if (inside ? c == '\'' || c == '"' || c == '\\' || c == '\0'
                    : std::string_view("()|&!:*<-> ANDORNOT").find(c) == std::string_view::npos)
      __builtin_trap();
  }
  if (inside) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto language = static_cast<search::Language>(data[0] % 29);
  Result<search::Query> query = search::parse_query(text, language);
  if (!query) return 0;
  check_quotes(search::fts5_expression(*query, Uuid{}), '"');
  check_quotes(search::tsquery(*query, Uuid{}), '\'');
  const std::string html = search::highlight_html(text, *query);
  if (html.size() < text.size()) __builtin_trap();
  static_cast<void>(search::snippet_html(text, *query, 3));
  return 0;
}
