// SPDX-License-Identifier: Apache-2.0
// Names that the compiler knows, as text at compile time: members, enum values, types. Used by describe.h.
//
// Both GCC and clang spell a template argument in __PRETTY_FUNCTION__; this cuts the name out of it. A
// trailing underscore (`owner_`, `default_`) is dropped.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace bedplate::detail {

/// Text as a template argument: field<&T::x, "name">.
template <std::size_t N>
struct FixedText {
  char chars[N]{};
  constexpr FixedText() = default;
  constexpr FixedText(const char (&text)[N]) {
    for (std::size_t i = 0; i < N; ++i) chars[i] = text[i];
  }
  constexpr std::string_view view() const { return {chars, N - 1}; }
};

template <std::size_t Size>
constexpr FixedText<Size + 1> fixed_text(std::string_view text) {
  FixedText<Size + 1> copy;
  for (std::size_t i = 0; i < Size; ++i) copy.chars[i] = text[i];
  return copy;
}

template <auto Value>
consteval std::string_view value_text() {
  return __PRETTY_FUNCTION__;
}
template <class T>
consteval std::string_view type_text() {
  return __PRETTY_FUNCTION__;
}

/// "... [with auto Value = &ns::T::name; ...]" (GCC) or "... [Value = &ns::T::name]" (clang).
constexpr std::string_view argument_in(std::string_view text, std::string_view marker) {
  const std::size_t begin = text.find(marker) + marker.size();
  // std::string_view is spelled out after a semicolon by GCC; clang ends with the bracket.
  std::size_t end = text.find(';', begin);
  if (end == std::string_view::npos) end = text.rfind(']');
  return text.substr(begin, end - begin);
}

/// The name of a member pointer or an enumerator.
template <auto Value>
consteval std::string_view value_name() {
  std::string_view text = argument_in(value_text<Value>(), "Value = ");
  text = text.substr(text.rfind(':') + 1);
  if (!text.empty() && text.back() == ')') text.remove_suffix(1);
  if (text.size() > 1 && text.back() == '_') text.remove_suffix(1);
  return text;
}

/// The unqualified name of a type, without its template arguments.
template <class T>
consteval std::string_view bare_type_name() {
  std::string_view text = argument_in(type_text<T>(), "T = ");
  text = text.substr(0, text.find('<'));
  return text.substr(text.rfind(':') + 1);
}

constexpr char upper_case(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
constexpr char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Characters with static lifetime, made at compile time by a `void make(append)` that appends them.
template <class Maker>
struct StaticText {
  static constexpr std::size_t kSize = [] {
    std::size_t size = 0;
    Maker::make([&size](char) { ++size; });
    return size;
  }();
  static constexpr std::array<char, kSize + 1> kChars = [] {
    std::array<char, kSize + 1> chars{};
    std::size_t at = 0;
    Maker::make([&](char c) { chars[at++] = c; });
    return chars;
  }();
  static constexpr std::string_view kView{kChars.data(), kSize};
};

/// "Task"; of Page<Task>: "TaskPage".
template <class T>
struct TypeNameMaker {
  static constexpr void make(auto append) {
    for (char c : bare_type_name<T>()) append(c);
  }
};
template <template <class...> class Template, class... Arguments>
struct TypeNameMaker<Template<Arguments...>> {
  static constexpr void make(auto append) {
    (name_argument<Arguments>(append), ...);
    for (char c : bare_type_name<Template<Arguments...>>()) append(c);
  }

 private:
  template <class Argument>
  static constexpr void name_argument(auto append) {
    bool first = true;
    TypeNameMaker<Argument>::make([&](char c) {
      if (c == ' ') return;
      append(first ? upper_case(c) : c);
      first = false;
    });
  }
};
template <class T>
inline constexpr std::string_view kTypeName = StaticText<TypeNameMaker<T>>::kView;

/// `,"name":` and 16 zero bytes behind it: see FieldInfo::key. (Every field of every type has one, so what it costs to
/// compile counts: the characters are copied by a function that keys of one length share.)
template <std::size_t Size>
constexpr std::array<char, Size + 1> key_chars(std::string_view name) {
  std::array<char, Size + 1> chars{};
  chars[0] = ',';
  chars[1] = '"';
  for (std::size_t i = 0; i < name.size(); ++i) chars[2 + i] = name[i];
  chars[2 + name.size()] = '"';
  chars[3 + name.size()] = ':';
  return chars;
}
template <auto Member>
struct MemberKey {
  static constexpr std::string_view kName = value_name<Member>();
  static constexpr std::size_t kSize = kName.size() + 4;
  static constexpr std::array<char, kSize + 17> kChars = key_chars<kSize + 16>(kName);
};
template <FixedText Text>
struct TextKey {
  static constexpr std::size_t kSize = Text.view().size() + 4;
  static constexpr std::array<char, kSize + 17> kChars = key_chars<kSize + 16>(Text.view());
};

/// "CardPayment" as "card_payment".
template <class T>
struct SnakeNameMaker {
  static constexpr void make(auto append) {
    char before = '_';
    for (char c : kTypeName<T>) {
      const bool starts_word = c >= 'A' && c <= 'Z' && before != '_' && !(before >= 'A' && before <= 'Z');
      if (starts_word) append('_');
      append(lower_case(c));
      before = c;
    }
  }
};

}  // namespace bedplate::detail
