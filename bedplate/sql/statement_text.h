// SPDX-License-Identifier: Apache-2.0
// The text of a statement and its name.
//
//   constexpr sql::Named kNewest("notes.newest", "SELECT id, title FROM notes ORDER BY id DESC LIMIT 10");
//   auto notes = co_await ok(db.all<Note>(kNewest));
//
//   constexpr sql::Composed kOldest("notes.oldest", kNotes.select_all(), " ORDER BY id LIMIT 10");
//
//   db.all<Note>(sql::named("notes.list", text), params);      // a text that is put together at run time
//
// The name stands in the slow log beside the text, and labels bedplate_database_statement_* in /metrics. It is a
// constant of the program, never made of a value from outside, so the number of names is bounded by the program. The
// statements of a Table (table.h) have names already. A text without a name works the same; metrics count it with the
// other unnamed ones.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace bedplate::sql {

namespace detail {
// Never defined: the name is what the compiler says.
void a_statement_name_is_words_of_lower_case_letters_digits_and_underscores_joined_by_dots();
void a_composed_statement_is_longer_than_its_capacity();

constexpr bool is_statement_name(std::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  bool word = false;
  for (const char c : name) {
    if (c == '.' && !word) return false;
    word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (!word && c != '.') return false;
  }
  return word;
}
}  // namespace detail

/// "notes.newest": of a constant that the compiler has checked. At most 63 characters.
class StatementName {
 public:
  consteval StatementName(const char* name) : name_(name) {
    if (!detail::is_statement_name(name_))
      detail::a_statement_name_is_words_of_lower_case_letters_digits_and_underscores_joined_by_dots();
  }
  constexpr std::string_view view() const { return name_; }

 private:
  std::string_view name_;
};

/// What a session is given: any text, or a Named. Both parts are borrowed and outlive the wait for the answer; the name
/// lives as long as the program.
struct Text {
  constexpr Text(std::string_view text) : sql(text) {}
  constexpr Text(const char* text) : sql(text) {}
  Text(const std::string& text) : sql(text) {}
  constexpr Text(std::string_view text, std::string_view named) : sql(text), name(named) {}

  std::string_view sql;
  std::string_view name{};  ///< empty: it has none
};

/// A constant statement with its name.
struct Named : Text {
  consteval Named(StatementName named, std::string_view text) : Text(text, named.view()) {}
};

/// Gives a text that was put together at run time its name: `sql::named("notes.list", text)`.
constexpr Text named(StatementName name, std::string_view text) {
  return {text, name.view()};
}

/// A constant statement that is put together from constant parts, such as a Table's, at compile time. Static storage
/// only.
template <std::size_t Capacity = 1024>
class Composed {
 public:
  template <class... Parts>
  consteval Composed(StatementName name, const Parts&... parts) : name_(name.view()) {
    (append(std::string_view(parts)), ...);
  }
  Composed(const Composed&) = delete;
  Composed& operator=(const Composed&) = delete;

  constexpr std::string_view sql() const { return {chars_, size_}; }
  constexpr operator Text() const { return {sql(), name_}; }

 private:
  constexpr void append(std::string_view part) {
    if (size_ + part.size() > Capacity) detail::a_composed_statement_is_longer_than_its_capacity();
    for (const char c : part) chars_[size_++] = c;
  }

  std::string_view name_;
  std::size_t size_ = 0;
  char chars_[Capacity]{};
};

}  // namespace bedplate::sql
