// SPDX-License-Identifier: Apache-2.0
// Json: any JSON value, kept as its text. For fields whose shape the program does not know (settings of a
// plugin, details of an event); where the shape is known, describe a struct instead.
//
//   Result<Json> details = Json::parse(R"({"a": 1})");
//   std::string_view text = details->text();
#pragma once

#include <string>
#include <string_view>

#include "bedplate/base/result.h"

namespace bedplate {

class Json {
 public:
  /// null
  Json() : text_("null") {}

  /// Checks the grammar (RFC 8259, as from_json() does) and keeps the text as it stands, without the spaces
  /// around it. Category::malformed with the offset otherwise. Duplicate keys inside are kept.
  static Result<Json> parse(std::string_view text);
  /// For text that a JSON writer of ours has just made: not checked.
  static Json from_writer(std::string text) { return Json(std::move(text)); }

  /// Well-formed JSON, always.
  const std::string& text() const { return text_; }
  bool is_null() const { return text_ == "null"; }
  bool operator==(const Json&) const = default;

 private:
  explicit Json(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace bedplate
