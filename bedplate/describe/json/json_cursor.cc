// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/json/json_cursor.h"

#include <fmt/format.h>

#include "bedplate/describe/json/json.h"

namespace bedplate::detail {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

Error JsonCursor::problem() const {
  return Error(Category::malformed, "malformed_json",
               fmt::format("The JSON is malformed at byte {}: {}.", problem_at_ - begin_, problem_));
}

bool JsonCursor::too_deep() {
  return syntax_at(p_ - 1, "objects and lists are nested too deeply");
}

bool JsonCursor::plain_run_special() {
  while (true) {
    p_ = find_json_special(p_, end_);
    if (p_ == end_) return syntax("a string has no end");
    if (*p_ == '"' || *p_ == '\\') return true;
    if (static_cast<signed char>(*p_) >= 0) return syntax("a control character in a string is not escaped");
    do {
      const unsigned size = utf8_sequence_size(p_, end_);
      if (size == 0) return syntax("a string is not valid UTF-8");
      p_ += size;
    } while (p_ < end_ && static_cast<signed char>(*p_) < 0);
    plain_ = false;
  }
}

bool JsonCursor::string_with_escapes(const char* start, std::string& out) {
  out.assign(start, static_cast<std::size_t>(p_ - start));
  while (*p_ != '"') {
    if (!escape(out)) return false;
    const char* const run = p_;
    if (!plain_run()) return false;
    out.append(run, static_cast<std::size_t>(p_ - run));
  }
  ++p_;
  return true;
}

bool JsonCursor::hex4(const char* escape, unsigned& unit) {
  unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = p_ < end_ ? hex_digit_value(*p_) : -1;
    if (digit < 0) return syntax_at(escape, "\\u needs four hexadecimal digits");
    unit = unit * 16 + static_cast<unsigned>(digit);
    ++p_;
  }
  return true;
}

/// At the backslash.
bool JsonCursor::escape(std::string& out) {
  const char* const start = p_++;
  if (p_ == end_) return syntax("a string has no end");
  constexpr std::string_view kLetters = "nrtbf\"\\/";
  constexpr std::string_view kMeanings = "\n\r\t\b\f\"\\/";
  const char letter = *p_++;
  if (letter != 'u') {
    const std::size_t at = kLetters.find(letter);
    if (at == std::string_view::npos) return syntax_at(start, "there is no such escape");
    out += kMeanings[at];
    return true;
  }
  unsigned unit = 0;
  if (!hex4(start, unit)) return false;
  if (unit >= 0xD800 && unit < 0xE000) {
    unsigned low = 0;
    const bool paired = unit < 0xDC00 && end_ - p_ >= 2 && p_[0] == '\\' && p_[1] == 'u';
    if (!paired) return syntax_at(start, "a surrogate stands alone");
    const char* const second = p_;
    p_ += 2;
    if (!hex4(second, low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return syntax_at(start, "a surrogate stands alone");
    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  }
  if (unit >= 0x80 || unit == 0) plain_ = false;
  char bytes[4];
  out.append(bytes, static_cast<std::size_t>(write_utf8(bytes, unit) - bytes));
  return true;
}

/// Programs on Windows like to write one.
const char* JsonCursor::missing_value() const {
  const std::string_view rest(p_, static_cast<std::size_t>(end_ - p_));
  if (p_ == begin_ && rest.starts_with("\xEF\xBB\xBF")) return "it begins with a byte order mark";
  if (p_ == begin_ && (rest.starts_with("\xFF\xFE") || rest.starts_with("\xFE\xFF")))
    return "it begins with a byte order mark of UTF-16, and JSON is UTF-8";
  return "a value is missing";
}

bool JsonCursor::number(NumberToken& out) {
  const char* const start = p_;
  const auto here = [this](auto accepts) { return p_ < end_ && accepts(*p_); };
  const auto is = [](char wanted) { return [wanted](char c) { return c == wanted; }; };
  if (here(is('-'))) ++p_;
  if (!here(is_digit)) return syntax(p_ == start ? missing_value() : "a number needs a digit here");
  if (*p_ == '0') {
    ++p_;
    if (here(is_digit)) return syntax("a number must not start with 0");
  }
  while (here(is_digit)) ++p_;
  out.whole = true;
  if (here(is('.'))) {
    out.whole = false;
    ++p_;
    if (!here(is_digit)) return syntax("a number needs a digit after its point");
    while (here(is_digit)) ++p_;
  }
  if (here([](char c) { return c == 'e' || c == 'E'; })) {
    out.whole = false;
    ++p_;
    if (here([](char c) { return c == '+' || c == '-'; })) ++p_;
    if (!here(is_digit)) return syntax("a number needs a digit in its exponent");
    while (here(is_digit)) ++p_;
  }
  out.text = {start, static_cast<std::size_t>(p_ - start)};
  return true;
}

bool JsonCursor::skip_members(bool object) {
  const char close = object ? '}' : ']';
  ++p_;
  if (!enter()) return false;
  if (!take(close)) {
    std::string_view ignored;
    std::string decoded;
    do {
      if (object && !key(ignored, decoded)) return false;
      if (!skip_value()) return false;
    } while (take(','));
    if (!take(close)) return syntax(object ? "a comma or } is missing" : "a comma or ] is missing");
  }
  leave();
  return true;
}

bool JsonCursor::skip_value() {
  switch (peek()) {
    case '{':
      return skip_members(true);
    case '[':
      return skip_members(false);
    case '"': {
      std::string_view ignored;
      std::string decoded;
      return string_view(ignored, decoded);
    }
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default: {
      NumberToken ignored;
      return number(ignored);
    }
  }
}

}  // namespace bedplate::detail

namespace bedplate {

Result<void> check_json(std::string_view text, unsigned depth_max) {
  detail::JsonCursor cursor(text, depth_max);
  if (cursor.skip_value() && cursor.finish()) return {};
  return std::unexpected(cursor.problem());
}

Result<Json> Json::parse(std::string_view text) {
  detail::JsonCursor cursor(text, JsonLimits{}.depth_max);
  cursor.skip_space();
  const char* const start = cursor.position();
  if (!cursor.skip_value()) return std::unexpected(cursor.problem());
  const char* const end = cursor.position();
  if (!cursor.finish()) return std::unexpected(cursor.problem());
  return Json(std::string(start, end));
}

}  // namespace bedplate
