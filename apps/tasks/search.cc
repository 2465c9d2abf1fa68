#include "apps/tasks/search.h"

#include <vector>

#include "bedplate/base/text.h"

namespace bedplate::tasks {
namespace {

struct Term {
  std::string text;  // without quotes
  bool prefix = false;
  bool excluded = false;
};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The index finds no word in punctuation alone, and an expression without a word is an error of its own.
bool has_word(std::string_view text) {
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'))
      return true;
  }
  return false;
}

// Reads one term at `at` and moves past it.
Term next_term(std::string_view text, std::size_t& at) {
  Term term;
  if (text[at] == '-') {
    term.excluded = true;
    ++at;
  }
  if (at < text.size() && text[at] == '"') {
    std::size_t end = text.find('"', at + 1);
    if (end == std::string_view::npos) end = text.size();
    term.text = text.substr(at + 1, end - at - 1);
    at = end < text.size() ? end + 1 : end;
  } else {
    std::size_t begin = at;
    while (at < text.size() && !is_space(text[at]) && text[at] != '"') ++at;
    term.text = text.substr(begin, at - begin);
  }
  if (at < text.size() && text[at] == '*') ++at, term.prefix = true;
  while (!term.text.empty() && term.text.back() == '*') term.text.pop_back(), term.prefix = true;
  return term;
}

std::vector<Term> read_terms(std::string_view text) {
  std::vector<Term> terms;
  for (std::size_t at = 0; at < text.size();) {
    if (is_space(text[at])) {
      ++at;
      continue;
    }
    Term term = next_term(text, at);
    if (has_word(term.text)) terms.push_back(std::move(term));
  }
  return terms;
}

std::string quoted(const Term& term) {
  return "{title description} : \"" + term.text + (term.prefix ? "\" *" : "\"");
}

}  // namespace

std::string search_expression(auth::UserId owner, std::string_view text) {
  std::vector<Term> terms = read_terms(text);
  if (terms.empty()) return {};
  std::string expression =
      "(owner : \"" + to_hex({reinterpret_cast<const char*>(owner.bytes.data()), owner.bytes.size()}) + "\"";
  for (const Term& term : terms)
    if (!term.excluded) expression += " AND (" + quoted(term) + ")";
  expression += ")";
  for (const Term& term : terms)
    if (term.excluded) expression += " NOT (" + quoted(term) + ")";
  return expression;
}

}  // namespace bedplate::tasks
