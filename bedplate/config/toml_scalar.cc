// SPDX-License-Identifier: Apache-2.0
#include "bedplate/config/toml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "bedplate/base/text.h"
#include "bedplate/base/time.h"

namespace bedplate::config {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_scalar_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '+' ||
         c == '-' || c == '.' || c == ':';
}

/// "2026-11-21": digits and dashes in their places.
bool has_date_shape(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-dd";
  return text.size() >= kShape.size() &&
         std::equal(kShape.begin(), kShape.end(), text.begin(),
                    [](char shape, char c) { return shape == 'd' ? is_digit(c) : c == shape; });
}
bool has_time_shape(std::string_view text) {
  return text.size() >= 3 && is_digit(text[0]) && is_digit(text[1]) && text[2] == ':';
}

constexpr std::size_t kDateSize = 10;

const char* date_to_json(std::string_view text, std::string& json) {
  constexpr const char* kProblem = "this is not a date or time";
  std::string form(text);
  std::string whole;  // made complete, to be checked as RFC 3339
  if (has_time_shape(text)) {
    whole = "1970-01-01T" + form + "Z";
  } else if (text.size() <= kDateSize) {
    whole = form + "T00:00:00Z";
  } else {
    if (form[kDateSize] == ' ') form[kDateSize] = 'T';
    const bool has_offset = form.find_first_of("Zz+-", kDateSize) != std::string::npos;
    whole = has_offset ? form : form + "Z";
  }
  if (!parse_rfc3339(whole)) return kProblem;
  append_json_string(json, form);
  return nullptr;
}

/// Digits of the base with single underscores between them; `out` gets the digits alone.
bool take_digits(std::string_view& text, int base, std::string& out) {
  const std::size_t before = out.size();
  bool may_underscore = false;
  while (!text.empty()) {
    const int digit = hex_digit_value(text.front());
    if (text.front() == '_') {
      if (!may_underscore) return false;
      may_underscore = false;
    } else if (digit >= 0 && digit < base) {
      out.push_back(text.front());
      may_underscore = true;
    } else {
      break;
    }
    text.remove_prefix(1);
  }
  return out.size() > before && may_underscore;
}

const char* based_to_json(std::string_view text, int base, std::string& json) {
  std::string digits;
  text.remove_prefix(2);
  if (!take_digits(text, base, digits) || !text.empty()) return "this is not a number";
  std::int64_t value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value, base).ec != std::errc{}) {
    return "the number does not fit into 64 bits";
  }
  json += std::to_string(value);
  return nullptr;
}

const char* decimal_to_json(std::string_view text, std::string& json) {
  constexpr const char* kProblem = "this is not a number, a date, true or false (text stands in quotes)";
  std::string number;
  if (text.starts_with('-')) number.push_back('-');
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t first = number.size();
  if (!take_digits(text, 10, number)) return kProblem;
  if (number[first] == '0' && number.size() > first + 1) return "a number does not begin with a zero";
  const bool is_integer = text.empty();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    number.push_back('.');
    if (!take_digits(text, 10, number)) return kProblem;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    number.push_back('e');
    if (text.starts_with('-') || text.starts_with('+')) {
      number.push_back(text.front());
      text.remove_prefix(1);
    }
    if (!take_digits(text, 10, number)) return kProblem;
  }
  if (!text.empty()) return kProblem;
  if (is_integer && !parse_int(number)) return "the number does not fit into 64 bits";
  json += number;
  return nullptr;
}

}  // namespace

std::size_t toml_scalar_size(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, is_scalar_char);
  auto size = static_cast<std::size_t>(end - text.begin());
  // A date and its time may have a space between them.
  if (size == kDateSize && has_date_shape(text) && text.substr(size).starts_with(' ') &&
      has_time_shape(text.substr(size + 1))) {
    size += 1 + toml_scalar_size(text.substr(size + 1));
  }
  return size;
}

const char* toml_scalar_to_json(std::string_view text, std::string& json) {
  if (text == "true" || text == "false") {
    json += text;
    return nullptr;
  }
  const std::string_view unsigned_text = text.substr(text.starts_with('+') || text.starts_with('-') ? 1 : 0);
  if (unsigned_text == "inf" || unsigned_text == "nan") return nullptr;
  if (has_date_shape(text) || has_time_shape(text)) return date_to_json(text, json);
  if (text.starts_with("0x")) return based_to_json(text, 16, json);
  if (text.starts_with("0o")) return based_to_json(text, 8, json);
  if (text.starts_with("0b")) return based_to_json(text, 2, json);
  return decimal_to_json(text, json);
}

}  // namespace bedplate::config
