// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/statement_shape.h"

#include <algorithm>
#include <optional>

#include "bedplate/base/text.h"

namespace bedplate::sql {
namespace {

struct Token {
  enum class Kind : unsigned char { word, quoted_name, sign, end };
  Kind kind = Kind::end;
  std::size_t at = 0;
  std::string_view text;  // a quoted name without its quotes; a sign is one character

  bool is(std::string_view word) const { return kind == Kind::word && equal_ignoring_case(text, word); }
  bool is_sign(char c) const { return kind == Kind::sign && text[0] == c; }
  bool is_name() const { return kind == Kind::word || kind == Kind::quoted_name; }
};

bool is_word_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

// SQLite's words, names and signs; comments, space and texts are passed over.
class Tokens {
 public:
  explicit Tokens(std::string_view sql) : sql_(sql) {}

  Token next() {
    skip();
    if (at_ >= sql_.size()) return {Token::Kind::end, sql_.size(), {}};
    const std::size_t begin = at_;
    const char c = sql_[at_];
    if (c == '"' || c == '`' || c == '[') return quoted(c == '[' ? ']' : c);
    if (!is_word_char(c)) return {Token::Kind::sign, begin, sql_.substr(at_++, 1)};
    while (at_ < sql_.size() && is_word_char(sql_[at_])) ++at_;
    return {Token::Kind::word, begin, sql_.substr(begin, at_ - begin)};
  }

 private:
  void skip() {
    for (;;) {
      while (at_ < sql_.size() && std::string_view(" \t\r\n\f").find(sql_[at_]) != std::string_view::npos)
        ++at_;
      if (sql_.substr(at_).starts_with("--"))
        skip_past("\n");
      else if (sql_.substr(at_).starts_with("/*"))
        skip_past("*/");
      else if (at_ < sql_.size() && sql_[at_] == '\'')
        ++at_, skip_past("'");  // two quotes in a text are two texts here
      else
        return;
    }
  }
  void skip_past(std::string_view end) {
    const std::size_t found = sql_.find(end, at_);
    at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
  }
  Token quoted(char close) {
    const std::size_t begin = at_;
    const std::size_t end = std::min(sql_.find(close, begin + 1), sql_.size());
    at_ = std::min(end + 1, sql_.size());
    return {Token::Kind::quoted_name, begin, sql_.substr(begin + 1, end - begin - 1)};
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

bool is_schema(const Token& token) {
  return token.is_name() &&
         (equal_ignoring_case(token.text, "main") || equal_ignoring_case(token.text, "temp"));
}

// Words between the verb of a write and its target.
bool is_filler(const Token& token) {
  for (const char* word : {"or", "rollback", "abort", "fail", "ignore", "replace", "into", "from"})
    if (token.is(word)) return true;
  return false;
}

}  // namespace

StatementShape shape_of(std::string_view sql) {
  StatementShape shape;
  Tokens tokens(sql);
  int depth = 0;
  bool verb = false;  // seen the one of the statement itself, outside of parentheses
  Token before;
  for (Token token = tokens.next(); token.kind != Token::Kind::end; token = tokens.next()) {
    if (token.is_sign('(')) ++depth;
    if (token.is_sign(')')) --depth;
    if (token.is_sign('.') && is_schema(before)) shape.names_schema = true;
    if (verb && shape.target.empty() && token.is_name() && !is_filler(token)) {
      shape.target = token.text;
      shape.target_at = token.at;
    }
    const bool replace_into = before.is("replace") && token.is("into");
    if (!verb && depth == 0 &&
        (token.is("insert") || token.is("update") || token.is("delete") || replace_into))
      verb = true;
    // The verb, or OR REPLACE; the function replace(...) is no such thing.
    if (replace_into || (before.is("or") && token.is("replace"))) shape.replaces = true;
    before = token;
  }
  return shape;
}

}  // namespace bedplate::sql
