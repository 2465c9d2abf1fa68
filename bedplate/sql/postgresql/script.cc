// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/script.h"

#include <algorithm>

namespace bedplate::sql {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::size_t after(std::string_view script, std::string_view what, std::size_t from) {
  const std::size_t at = script.find(what, from);
  return at == std::string_view::npos ? script.size() : at + what.size();
}

std::size_t after_comment(std::string_view script, std::size_t at) {
  int depth = 0;
  while (at < script.size()) {
    if (script.substr(at, 2) == "/*") {
      ++depth;
      at += 2;
    } else if (script.substr(at, 2) == "*/") {
      at += 2;
      if (--depth == 0) return at;
    } else {
      ++at;
    }
  }
  return at;
}

// A quote inside is doubled, which reads as one text after another; with E'' it may be escaped.
std::size_t after_quoted(std::string_view script, std::size_t at) {
  const char quote = script[at];
  const bool escapes =
      quote == '\'' && at > 0 && (script[at - 1] | 0x20) == 'e' && (at == 1 || !is_word(script[at - 2]));
  for (++at; at < script.size(); ++at) {
    if (escapes && script[at] == '\\')
      ++at;
    else if (script[at] == quote)
      return at + 1;
  }
  return script.size();
}

// $$...$$ or $tag$...$tag$; a $1 is none.
std::size_t after_dollars(std::string_view script, std::size_t at) {
  std::size_t end = at + 1;
  while (end < script.size() && is_word(script[end])) ++end;
  const bool parameter = at + 1 < script.size() && script[at + 1] >= '0' && script[at + 1] <= '9';
  const bool in_word = at > 0 && is_word(script[at - 1]);
  if (end >= script.size() || script[end] != '$' || parameter || in_word) return at + 1;
  return after(script, script.substr(at, end + 1 - at), end + 1);
}

}  // namespace

std::vector<std::size_t> statement_starts(std::string_view script) {
  std::vector<std::size_t> starts;
  bool inside = false;
  std::size_t at = 0;
  while (at < script.size()) {
    const char c = script[at];
    if (script.substr(at, 2) == "--") {
      at = after(script, "\n", at);
      continue;
    }
    if (script.substr(at, 2) == "/*") {
      at = after_comment(script, at);
      continue;
    }
    if (c == ';') {
      inside = false;
      ++at;
      continue;
    }
    if (!inside && c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\f') {
      inside = true;
      starts.push_back(at);
    }
    if (c == '\'' || c == '"')
      at = after_quoted(script, at);
    else if (c == '$')
      at = after_dollars(script, at);
    else
      ++at;
  }
  return starts;
}

}  // namespace bedplate::sql
