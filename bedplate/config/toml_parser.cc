// SPDX-License-Identifier: Apache-2.0
#include "bedplate/config/toml_parser.h"

#include <algorithm>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/config/toml_scalar.h"

namespace bedplate::config {

namespace {

using Kind = TomlNode::Kind;
using MadeBy = TomlNode::MadeBy;

bool is_bare_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// Recursive descent. Every step returns false once something is wrong; the first problem is kept with its
/// place.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {
    root_.kind = Kind::table;
    root_.made_by = MadeBy::header;
    root_.line = 1;
  }

  Result<TomlNode> run() {
    if (text_.size() > kTomlSizeMax) {
      (void)wrong("the document is larger than 1 MiB");
    } else if (const std::size_t bad = find_invalid_utf8(text_); bad != std::string_view::npos) {
      line_ += static_cast<unsigned>(
          std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(bad), '\n'));
      line_start_ = text_.substr(0, bad).rfind('\n') + 1;
      at_ = bad;
      const bool is_utf16 = text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF");
      (void)wrong(is_utf16 ? "the text is UTF-16, and TOML is UTF-8" : "the text is not valid UTF-8");
    } else {
      document();
    }
    if (!problem_.empty()) return fail(Category::malformed, "config_malformed", std::move(problem_));
    return std::move(root_);
  }

 private:
  using Key = std::vector<std::string>;

  // ---- Characters

  bool wrong(std::string_view what) {
    if (problem_.empty()) {
      problem_ =
          std::to_string(line_) + ":" + std::to_string(at_ - line_start_ + 1) + ": " + std::string(what);
    }
    return false;
  }
  bool at_end() const { return at_ == text_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool starts_with(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool skip(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  /// One line end, LF or CR LF.
  bool skip_line_end() {
    const std::size_t size = starts_with("\r\n") ? 2 : peek() == '\n' && !at_end() ? 1 : 0;
    if (size == 0) return false;
    at_ += size;
    ++line_;
    line_start_ = at_;
    return true;
  }
  static bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; }

  bool skip_comment() {
    if (!skip('#')) return true;
    for (; !at_end() && peek() != '\n' && !starts_with("\r\n"); ++at_) {
      if (is_control(peek())) return wrong("a comment holds a control character");
    }
    return true;
  }
  /// Blanks, comments and line ends: what may stand between the items of an array.
  bool skip_between() {
    do {
      skip_blanks();
      if (!skip_comment()) return false;
    } while (skip_line_end());
    return true;
  }
  bool finish_line() {
    skip_blanks();
    if (!skip_comment()) return false;
    if (at_end() || skip_line_end()) return true;
    return wrong("the line should end here");
  }

  // ---- The document

  void document() {
    TomlNode* current = &root_;
    while (skip_between() && !at_end()) {
      const bool good = peek() == '[' ? header(current) : key_and_value(*current, 0) && finish_line();
      if (!good) return;
    }
  }

  bool header(TomlNode*& current) {
    const bool is_array = starts_with("[[");
    const unsigned line = line_;
    at_ += is_array ? 2 : 1;
    Key key;
    skip_blanks();
    if (!read_key(key)) return false;
    if (!starts_with(is_array ? "]]" : "]")) return wrong(is_array ? "expected ]]" : "expected ]");
    TomlNode* parent = parent_of_header(key, line);
    current = parent == nullptr ? nullptr
              : is_array        ? add_to_array(*parent, key.back(), line)
                                : define_table(*parent, key.back(), line);
    if (current == nullptr) return false;
    at_ += is_array ? 2 : 1;
    return finish_line();
  }

  /// The table that holds the last part; those on the way are made, or are the newest of an array of tables.
  TomlNode* parent_of_header(const Key& key, unsigned line) {
    TomlNode* table = &root_;
    for (std::size_t i = 0; i + 1 < key.size(); ++i) {
      TomlNode* next = table->find(key[i]);
      if (next == nullptr) next = add(*table, key[i], Kind::table, MadeBy::path, line);
      if (next == nullptr) return nullptr;
      if (next->kind == Kind::array && next->made_by == MadeBy::array_header) next = &next->members.back();
      if (next->kind != Kind::table || next->made_by == MadeBy::value) {
        (void)wrong("\"" + key[i] + "\" is a value, not a table");
        return nullptr;
      }
      table = next;
    }
    return table;
  }

  TomlNode* define_table(TomlNode& parent, const std::string& name, unsigned line) {
    TomlNode* found = parent.find(name);
    if (found == nullptr) return add(parent, name, Kind::table, MadeBy::header, line);
    if (found->kind == Kind::table && found->made_by == MadeBy::path) {
      found->made_by = MadeBy::header;
      found->line = line;
      return found;
    }
    (void)wrong("\"" + name + "\" is defined already, on line " + std::to_string(found->line));
    return nullptr;
  }

  TomlNode* add_to_array(TomlNode& parent, const std::string& name, unsigned line) {
    TomlNode* array = parent.find(name);
    if (array == nullptr) array = add(parent, name, Kind::array, MadeBy::array_header, line);
    if (array == nullptr) return nullptr;
    if (array->kind != Kind::array || array->made_by != MadeBy::array_header) {
      (void)wrong("\"" + name + "\" is defined already, on line " + std::to_string(array->line));
      return nullptr;
    }
    return add(*array, "", Kind::table, MadeBy::header, line);
  }

  /// Null, and a problem, when the document has too many nodes.
  TomlNode* add(TomlNode& parent, std::string_view key, Kind kind, MadeBy made_by, unsigned line) {
    if (++nodes_ > kTomlNodesMax) {
      (void)wrong("the document has too many values");
      return nullptr;
    }
    TomlNode& node = parent.members.emplace_back();
    node.kind = kind;
    node.made_by = made_by;
    node.line = line;
    node.key = key;
    return &node;
  }

  // ---- Keys

  /// One or more parts with dots between, and the blanks after them.
  bool read_key(Key& key) {
    while (true) {
      if (key.size() == kTomlDepthMax) return wrong("the key has too many parts");
      std::string& part = key.emplace_back();
      if (peek() == '"' || peek() == '\'') {
        if (starts_with("\"\"\"") || starts_with("'''")) return wrong("a key is not a string of many lines");
        if (!(peek() == '"' ? basic_string(part) : literal_string(part))) return false;
      } else {
        const std::size_t start = at_;
        while (is_bare_key_char(peek())) ++at_;
        if (at_ == start) return wrong("expected a key");
        part = text_.substr(start, at_ - start);
      }
      skip_blanks();
      if (!skip('.')) return true;
      skip_blanks();
    }
  }

  bool key_and_value(TomlNode& table, unsigned depth) {
    const unsigned line = line_;
    Key key;
    if (!read_key(key)) return false;
    depth += static_cast<unsigned>(key.size()) - 1;
    TomlNode* parent = &table;
    for (std::size_t i = 0; i + 1 < key.size(); ++i) {
      TomlNode* next = parent->find(key[i]);
      if (next == nullptr) next = add(*parent, key[i], Kind::table, MadeBy::dotted_key, line);
      if (next == nullptr) return false;
      if (next->made_by != MadeBy::dotted_key) {
        return wrong("\"" + key[i] + "\" is defined already, on line " + std::to_string(next->line));
      }
      parent = next;
    }
    if (const TomlNode* found = parent->find(key.back())) {
      return wrong("\"" + key.back() + "\" is defined already, on line " + std::to_string(found->line));
    }
    if (!skip('=')) return wrong("expected = after the key");
    skip_blanks();
    TomlNode* node = add(*parent, key.back(), Kind::scalar, MadeBy::value, line);
    return node != nullptr && value(*node, depth);
  }

  // ---- Values

  bool value(TomlNode& node, unsigned depth) {
    if (depth >= kTomlDepthMax) return wrong("arrays and tables are nested too deeply");
    switch (peek()) {
      case '[':
        return array(node, depth + 1);
      case '{':
        return inline_table(node, depth + 1);
      case '"':
      case '\'':
        return string_value(node);
      default:
        return scalar(node);
    }
  }

  bool array(TomlNode& node, unsigned depth) {
    node.kind = Kind::array;
    ++at_;
    while (true) {
      if (!skip_between()) return false;
      if (skip(']')) return true;
      TomlNode* item = add(node, "", Kind::scalar, MadeBy::value, line_);
      if (item == nullptr || !value(*item, depth) || !skip_between()) return false;
      if (skip(']')) return true;
      if (!skip(',')) return wrong("expected , or ] in the array");
    }
  }

  bool inline_table(TomlNode& node, unsigned depth) {
    node.kind = Kind::table;
    ++at_;
    skip_blanks();
    if (skip('}')) return true;
    while (true) {
      skip_blanks();
      if (!key_and_value(node, depth)) return false;
      skip_blanks();
      if (skip('}')) break;
      if (!skip(',')) return wrong("expected , or } in the table, on the same line");
    }
    return true;
  }

  bool string_value(TomlNode& node) {
    std::string text;
    const bool good = starts_with("\"\"\"") ? long_string(text, '"')
                      : starts_with("'''")  ? long_string(text, '\'')
                      : peek() == '"'       ? basic_string(text)
                                            : literal_string(text);
    if (good) append_json_string(node.json, text);
    return good;
  }

  bool basic_string(std::string& out) {
    ++at_;
    while (!skip('"')) {
      if (at_end() || is_control(peek())) return wrong("the string does not end on its line");
      if (peek() != '\\') {
        out.push_back(text_[at_++]);
      } else if (!escape(out)) {
        return false;
      }
    }
    return true;
  }

  bool literal_string(std::string& out) {
    ++at_;
    while (!skip('\'')) {
      if (at_end() || is_control(peek())) return wrong("the string does not end on its line");
      out.push_back(text_[at_++]);
    }
    return true;
  }

  /// """...""" with escapes, or '''...''' without. A line end right after the opening does not count.
  bool long_string(std::string& out, char quote) {
    const std::string close(3, quote);
    at_ += close.size();
    skip_line_end();
    while (!starts_with(close)) {
      if (at_end()) return wrong("the string does not end");
      if (skip_line_end()) {
        out.push_back('\n');
      } else if (is_control(peek())) {
        return wrong("the string holds a control character");
      } else if (quote == '"' && peek() == '\\') {
        if (!escape_or_joined_lines(out)) return false;
      } else {
        out.push_back(text_[at_++]);
      }
    }
    at_ += close.size();
    // Up to two more quotes belong to the text: the closing ones are the last three.
    for (int more = 0; more < 2 && skip(quote); ++more) out.push_back(quote);
    return true;
  }

  /// A backslash at the end of a line takes with it everything up to the next character that is not white
  /// space.
  bool escape_or_joined_lines(std::string& out) {
    const std::size_t line_end = text_.find_first_not_of(" \t", at_ + 1);
    const bool joins = line_end != std::string_view::npos &&
                       (text_[line_end] == '\n' || text_.substr(line_end).starts_with("\r\n"));
    if (!joins) return escape(out);
    ++at_;
    do skip_blanks();
    while (skip_line_end());
    return true;
  }

  bool escape(std::string& out) {
    ++at_;
    constexpr std::string_view kLetters = "btnfr\"\\";
    constexpr std::string_view kMeanings = "\b\t\n\f\r\"\\";
    const char letter = peek();
    if (const std::size_t known = kLetters.find(letter); !at_end() && known != std::string_view::npos) {
      ++at_;
      out.push_back(kMeanings[known]);
      return true;
    }
    const std::size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    if (digits == 0) return wrong("there is no such escape");
    char32_t code_point = 0;
    for (std::size_t i = 1; i <= digits; ++i) {
      const int digit = hex_digit_value(peek(i));
      if (digit < 0) return wrong("the escape wants " + std::to_string(digits) + " hexadecimal digits");
      code_point = code_point << 4U | static_cast<char32_t>(digit);
    }
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF))
      return wrong("there is no such character");
    at_ += digits + 1;
    char utf8[4];
    out.append(utf8, write_utf8(utf8, code_point));
    return true;
  }

  bool scalar(TomlNode& node) {
    const std::string_view rest = text_.substr(at_);
    const std::size_t size = toml_scalar_size(rest);
    if (size == 0) return wrong("expected a value");
    const char* const problem = toml_scalar_to_json(rest.substr(0, size), node.json);
    if (problem != nullptr) return wrong(problem);
    at_ += size;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
  std::size_t line_start_ = 0;
  std::size_t nodes_ = 0;
  TomlNode root_;
  std::string problem_;
};

}  // namespace

TomlNode* TomlNode::find(std::string_view name) {
  const auto found = std::ranges::find(members, name, &TomlNode::key);
  return found != members.end() ? &*found : nullptr;
}

Result<TomlNode> parse_toml(std::string_view text) {
  return Parser(text).run();
}

}  // namespace bedplate::config
