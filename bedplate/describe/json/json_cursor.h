// SPDX-License-Identifier: Apache-2.0
// A cursor over JSON text: tokens, strings, the grammar. The hot parts are inline; what is rare stands in
// json_cursor.cc. Not for callers.
//
// Every function that answers false has recorded a grammar error (problem()); the caller only unwinds.
// Nothing is read past the end of the text, which needs no terminator.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/base/text.h"
#include "bedplate/describe/bytes16.h"
#include "bedplate/describe/table.h"

namespace bedplate::detail {

/// A number's text, taken apart by its grammar.
struct NumberToken {
  std::string_view text;
  bool whole = true;  ///< no point and no exponent
};

class JsonCursor {
 public:
  /// More nesting than this would need more stack than a coroutine's caller can be asked for.
  static constexpr unsigned kDepthLimit = 512;

  JsonCursor(std::string_view text, unsigned depth_max)
      : p_(text.data()),
        end_(text.data() + text.size()),
        begin_(text.data()),
        depth_left_(depth_max < kDepthLimit ? depth_max : kDepthLimit) {}

  /// After a function answered false: Category::malformed with the offset.
  Error problem() const;

  bool at_end() const { return p_ == end_; }
  const char* position() const { return p_; }

  void skip_space() {
    while (p_ < end_ && static_cast<unsigned char>(*p_) <= ' ' &&
           (*p_ == ' ' || *p_ == '\n' || *p_ == '\t' || *p_ == '\r'))
      ++p_;
  }
  /// Space is rare between the tokens that programs send: one compare when there is none.
  void skip_rare_space() {
    if (p_ < end_ && static_cast<unsigned char>(*p_) <= ' ') [[unlikely]]
      skip_space();
  }
  /// The next character that is not space; 0 at the end (0 starts no token).
  char peek() {
    skip_rare_space();
    return p_ < end_ ? *p_ : '\0';
  }
  /// Takes `c` if it comes next.
  bool take(char c) {
    if (p_ < end_ && *p_ == c) [[likely]] {
      ++p_;
      return true;
    }
    skip_space();
    if (p_ < end_ && *p_ == c) {
      ++p_;
      return true;
    }
    return false;
  }
  void advance(std::size_t size) { p_ += size; }

  [[gnu::cold, gnu::noinline]] bool syntax(const char* what) { return syntax_at(p_, what); }
  [[gnu::cold, gnu::noinline]] bool syntax_at(const char* where, const char* what) {
    problem_ = what;
    problem_at_ = where;
    return false;
  }

  /// Goes one level down, after the opening bracket; leave() comes after the closing one.
  bool enter() {
    if (depth_left_ == 0) [[unlikely]]
      return too_deep();
    --depth_left_;
    return true;
  }
  void leave() { ++depth_left_; }

  bool literal(std::string_view word) {
    if (static_cast<std::size_t>(end_ - p_) < word.size() || std::memcmp(p_, word.data(), word.size()) != 0)
      return syntax("is not a value");
    p_ += word.size();
    return true;
  }

  /// A string, at its opening quote, into `out`. Sets plain().
  bool string(std::string& out) {
    const char* const start = ++p_;
    plain_ = true;
    if (!plain_run()) return false;
    if (*p_ == '"') [[likely]] {
      out.assign(start, static_cast<std::size_t>(p_ - start));
      ++p_;
      return true;
    }
    return string_with_escapes(start, out);
  }
  /// A string seen in place; only one with escapes is decoded, into `decoded`.
  bool string_view(std::string_view& out, std::string& decoded) {
    const char* const start = ++p_;
    if (!plain_run()) return false;
    if (*p_ == '"') [[likely]] {
      out = {start, static_cast<std::size_t>(p_ - start)};
      ++p_;
      return true;
    }
    if (!string_with_escapes(start, decoded)) return false;
    out = decoded;
    return true;
  }
  /// Whether the last string() had ASCII only, without U+0000.
  bool plain() const { return plain_; }

  /// A key and its colon.
  bool key(std::string_view& out, std::string& decoded) {
    if (peek() != '"') return syntax("a key in quotes is missing");
    if (!string_view(out, decoded)) return false;
    return take(':') || syntax("a colon is missing after a key");
  }

  /// Takes `"name":` when exactly that stands here, in one compare for names of up to 13 characters.
  bool take_key(const FieldInfo& field) {
    const std::size_t size = field.key_size - 1u;  // without the comma
    const char* const key = field.key + 1;
    const std::size_t left = static_cast<std::size_t>(end_ - p_);
    if (left < 16) [[unlikely]] {
      if (left < size || std::memcmp(p_, key, size) != 0) return false;
    } else {
      if (!Bytes16::load(p_).starts_like(Bytes16::load(key), size)) return false;
      if (size > 16 && (left < size || std::memcmp(p_ + 16, key + 16, size - 16) != 0)) return false;
    }
    p_ += size;
    return true;
  }

  /// A number by its grammar: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
  bool number(NumberToken& out);
  /// Any value, checked by the grammar.
  bool skip_value();
  /// Only space may follow.
  bool finish() {
    skip_space();
    return p_ == end_ || syntax("something follows the value");
  }

 protected:
  /// From p_ to the first byte that is not plain: a quote, a backslash. Anything else that ends it is an
  /// error, so that afterwards *p_ is one of the two. UTF-8 is checked on the way.
  bool plain_run() {
    while (end_ - p_ >= 16) {
      const unsigned mask = Bytes16::load(p_).special_mask();
      if (mask != 0) {
        p_ += __builtin_ctz(mask);
        if (*p_ == '"') [[likely]]
          return true;
        return plain_run_special();
      }
      p_ += 16;
    }
    return plain_run_special();
  }

  const char* p_;
  const char* const end_;

 private:
  bool plain_run_special();
  bool string_with_escapes(const char* start, std::string& out);
  bool escape(std::string& out);
  bool hex4(const char* escape, unsigned& unit);
  bool too_deep();
  const char* missing_value() const;
  bool skip_members(bool object);

  const char* const begin_;
  unsigned depth_left_;
  bool plain_ = true;
  const char* problem_ = nullptr;
  const char* problem_at_ = nullptr;
};

}  // namespace bedplate::detail
