// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/transfer/canonical_json.h"

#include <map>
#include <optional>
#include <vector>

#include "bedplate/base/text.h"
#include "bedplate/describe/describe.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/json/json_value.h"

namespace bedplate::sql {
namespace {

void append_number(std::string& out, std::string_view text) {
  const std::optional<std::int64_t> integer = parse_int(text);
  if (integer) {
    out += std::to_string(*integer);
    return;
  }
  const std::optional<double> real = parse_double(text);
  if (!real) {
    out += text;
    return;
  }
  char digits[kDoubleSizeMax];
  out.append(digits, write_double(digits, *real == 0 ? 0.0 : *real));
}

// What a database holds may have U+0000, which input may not.
constexpr JsonLimits kStored{.view = View::stored};

// Each level reads its members as texts of their own; the reader bounds the depth.
bool append_value(std::string& out, std::string_view text) {
  switch (text.empty() ? '\0' : text.front()) {
    case '{': {
      const auto members = from_json<std::map<std::string, Json>>(text, kStored);
      if (!members) return false;
      char mark = '{';
      for (const auto& [name, value] : *members) {
        out += mark;
        append_json_string(out, name);
        out += ':';
        if (!append_value(out, value.text())) return false;
        mark = ',';
      }
      out += members->empty() ? "{}" : "}";
      return true;
    }
    case '[': {
      const auto items = from_json<std::vector<Json>>(text, kStored);
      if (!items) return false;
      char mark = '[';
      for (const Json& item : *items) {
        out += mark;
        if (!append_value(out, item.text())) return false;
        mark = ',';
      }
      out += items->empty() ? "[]" : "]";
      return true;
    }
    case '"': {
      const auto string = from_json<std::string>(text, kStored);
      if (!string) return false;
      append_json_string(out, *string);
      return true;
    }
    case 't':
    case 'f':
    case 'n':
      out += text;
      return true;
    default:
      append_number(out, text);
      return true;
  }
}

}  // namespace

std::string canonical_json(std::string_view text) {
  const Result<Json> json = Json::parse(text);
  std::string out;
  if (json && append_value(out, json->text())) return out;
  return std::string(text);
}

}  // namespace bedplate::sql
