// SPDX-License-Identifier: Apache-2.0
// A JSON value for tests, read by a parser of its own: it shares no code with the server, so that a mistake in one does
// not hide in the other.
//
//   Json task = Json::parse(response.body);
//   EXPECT_EQ(task["title"].text(), "Buy milk");
//   EXPECT_EQ(task["labels"].size(), 2);
//   EXPECT_TRUE(task["due_at"].is_null());
//
// Reading what is not there is not an error: it gives a value of kind `missing`, whose text is empty and whose number
// is 0. A test says what it expects, and fails there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bedplate::testing {

class Json {
 public:
  enum class Kind { missing, null, boolean, number, text, list, object };

  Json() = default;
  /// Of kind `missing` when `text` is not JSON (RFC 8259).
  static Json parse(std::string_view text);

  Kind kind() const { return kind_; }
  bool is_missing() const { return kind_ == Kind::missing; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_text() const { return kind_ == Kind::text; }
  bool is_list() const { return kind_ == Kind::list; }
  bool is_object() const { return kind_ == Kind::object; }

  bool boolean() const { return kind_ == Kind::boolean && number_ != 0; }
  double number() const { return kind_ == Kind::number ? number_ : 0; }
  /// A string, without escapes; empty for every other kind.
  const std::string& text() const { return text_; }

  /// Of a list or an object.
  std::size_t size() const { return items_.size(); }
  const Json& operator[](std::size_t index) const;
  const Json& operator[](std::string_view member) const;
  bool has(std::string_view member) const { return !(*this)[member].is_missing(); }
  /// Names of the members, in the order of the text; empty for a list.
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<Json>& items() const { return items_; }

 private:
  class Reader;

  Kind kind_ = Kind::missing;
  double number_ = 0;
  std::string text_;
  std::vector<std::string> names_;
  std::vector<Json> items_;
};

}  // namespace bedplate::testing
