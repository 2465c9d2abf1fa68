// SPDX-License-Identifier: Apache-2.0
// The words of a description (namespace bedplate::schema), each a rule that says what it may stand on.
//
//   field<&Task::title>(length{1, 200}, pattern("^[^\n]*$"), example("Buy milk"), "What is to be done")
//
// Included by describe.h. In a struct that has a member of the same name as a word (`length`, `format`),
// write the word as `schema::length`: the member hides it.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/patch.h"
#include "bedplate/describe/table.h"

namespace bedplate::detail {

// Never defined. Naming one while a constant is computed is how a description reports what no type can say;
// the compiler prints the name.
void describe_error__the_low_end_is_above_the_high_end();
void describe_error__a_length_is_never_negative();
void describe_error__the_range_is_wider_than_the_type();
void describe_error__two_fields_have_the_same_name();
void describe_error__two_values_have_the_same_name();
void describe_error__a_name_is_empty();
void describe_error__unknown_names_a_value_that_is_not_listed();
void describe_error__same_as_names_a_field_that_its_struct_does_not_describe();

template <class F>
struct ValueOf {
  using Type = F;
};
template <class F>
struct ValueOf<std::optional<F>> : ValueOf<F> {};
template <class F>
struct ValueOf<Patch<F>> : ValueOf<F> {};

/// What is inside an optional or a Patch.
template <class F>
using value_of = typename ValueOf<F>::Type;

template <class F>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class F>
inline constexpr bool is_patch = false;
template <class T>
inline constexpr bool is_patch<Patch<T>> = true;
template <class F>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class F>
inline constexpr bool is_map = false;
template <class T, class Less>
inline constexpr bool is_map<std::map<std::string, T, Less>> = true;

template <class V>
concept IntegerValue = std::integral<V> && !std::same_as<V, bool>;
template <class V>
concept ScalarValue = std::integral<V> || std::is_enum_v<V> || std::same_as<V, std::string> ||
                      std::derived_from<V, Uuid> || std::same_as<V, Time>;

template <class V>
struct ItemOf {
  using Type = void;
};
template <class T>
struct ItemOf<std::vector<T>> {
  using Type = T;
};
template <class T, class Less>
struct ItemOf<std::map<std::string, T, Less>> {
  using Type = T;
};

/// A rule on a value: applies to Rules.
template <class R>
concept ValueRule = requires(const R& rule, Rules& rules) {
  R::template fits<int>;
  rule.template apply<int>(rules);
};
template <class A>
struct AttributeType {
  static constexpr char kKey = 0;  // its address is the type's identity
};
template <auto Value>
struct AttributeValue {
  static constexpr auto kValue = Value;
};

/// A rule on the field as a whole: applies to FieldInfo.
template <class R>
concept FieldRule = requires(const R& rule, FieldInfo& field) {
  R::template fits<int>;
  rule.template apply<int>(field);
};

}  // namespace bedplate::detail

namespace bedplate::schema {

/// Code points of a string, items of a list, entries of a map: at least `min`, at most `max`.
struct length {
  std::int64_t min;
  std::int64_t max;
  template <class V>
  static constexpr bool fits = std::same_as<V, std::string> || detail::is_list<V> || detail::is_map<V>;
  template <class V>
  constexpr void apply(Rules& rules) const {
    if (min > max) detail::describe_error__the_low_end_is_above_the_high_end();
    if (min < 0) detail::describe_error__a_length_is_never_negative();
    rules.min = min;
    rules.max = max;
    rules.flags |= kHasLength;
  }
};

/// An integer from `min` to `max`, both allowed and both values of the field's type.
struct range {
  std::int64_t min;
  std::int64_t max;
  template <class V>
  static constexpr bool fits = detail::IntegerValue<V>;
  template <class V>
  constexpr void apply(Rules& rules) const {
    if (min > max) detail::describe_error__the_low_end_is_above_the_high_end();
    if constexpr (detail::IntegerValue<V>)
      if (!std::in_range<V>(min) || !std::in_range<V>(max))
        detail::describe_error__the_range_is_wider_than_the_type();
    rules.min = min;
    rules.max = max;
    rules.flags |= kHasRange;
  }
};

/// A float or double from `low` to `high`, both allowed.
struct limits {
  double low;
  double high;
  template <class V>
  static constexpr bool fits = std::floating_point<V>;
  template <class V>
  constexpr void apply(Rules& rules) const {
    if (!(low <= high)) detail::describe_error__the_low_end_is_above_the_high_end();
    rules.low = low;
    rules.high = high;
    rules.flags |= kHasLimits;
  }
};

/// A regular expression (RE2 syntax; linear time whatever the input). It may match anywhere in the text, as
/// in JSON Schema: anchor it with ^ and $. A source that does not compile stops the program when the rule
/// first runs.
struct pattern {
  const char* source;
  constexpr explicit pattern(const char* text) : source(text) {}
  template <class V>
  static constexpr bool fits = std::same_as<V, std::string>;
  template <class V>
  constexpr void apply(Rules& rules) const {
    rules.pattern = source;
    rules.flags |= kHasPattern;
  }
};

struct FormatRule {
  TextFormat text_format;
  template <class V>
  static constexpr bool fits = std::same_as<V, std::string>;
  template <class V>
  constexpr void apply(Rules& rules) const {
    rules.format = text_format;
    rules.flags |= kHasFormat;
  }
};
/// What a text must be; see text_format.h for what each accepts. For an id or an instant prefer the types Id
/// and Time.
namespace format {
inline constexpr FormatRule email{TextFormat::email};
inline constexpr FormatRule uri{TextFormat::uri};
inline constexpr FormatRule uuid{TextFormat::uuid};
inline constexpr FormatRule date_time{TextFormat::date_time};
inline constexpr FormatRule date{TextFormat::date};
inline constexpr FormatRule hostname{TextFormat::hostname};
inline constexpr FormatRule ipv4{TextFormat::ipv4};
inline constexpr FormatRule ipv6{TextFormat::ipv6};
inline constexpr FormatRule web_url{TextFormat::web_url};  ///< what a page may link to, unlike `uri`
}  // namespace format

/// At least one character that is not white space, as `\S` of ECMA-262 has it: for titles and names.
struct NotBlankRule {
  template <class V>
  static constexpr bool fits = std::same_as<V, std::string>;
  template <class V>
  constexpr void apply(Rules& rules) const {
    rules.flags |= kNotBlank;
  }
};
inline constexpr NotBlankRule not_blank{};

/// No item of a list twice. Items are scalars.
struct UniqueRule {
  template <class V>
  static constexpr bool fits = detail::is_list<V> && detail::ScalarValue<typename detail::ItemOf<V>::Type>;
  template <class V>
  constexpr void apply(Rules& rules) const {
    rules.flags |= kUnique;
  }
};
inline constexpr UniqueRule unique{};

/// A rule of your own: `const char* fn(const V&)` answers null, or a sentence that says what is wrong. On a
/// field it sees the value (not the optional around it); as the last argument of object() it is `void
/// fn(const T&, ObjectProblems&)` and sees the whole struct, after its fields were found well.
template <auto Function>
struct CheckRule {
  template <class V>
  static constexpr bool fits = std::is_invocable_r_v<const char*, decltype(Function), const V&>;
  template <class V>
  constexpr void apply(Rules& rules) const {
    if constexpr (fits<V>)
      rules.check = [](const void* value) -> const char* { return Function(*static_cast<const V*>(value)); };
    rules.flags |= kHasCheck;
  }
  template <class T>
  constexpr void apply_to_object(auto& object) const {
    static_assert(std::is_invocable_v<decltype(Function), const T&, ObjectProblems&>,
                  "describe: a check of a whole struct is  void fn(const T&, ObjectProblems&)");
    object.check = [](const void* value, ObjectProblems& problems) {
      Function(*static_cast<const T*>(value), problems);
    };
  }
};
template <auto Function>
inline constexpr CheckRule<Function> check{};

/// Rules for each item of a list or each value of a map.
template <class... R>
struct EachRule {
  std::tuple<R...> rules;
  template <class V>
  static constexpr bool fits = !std::is_void_v<typename detail::ItemOf<V>::Type>;
  template <class V>
  constexpr void apply(FieldInfo& field) const {
    using Item = detail::value_of<typename detail::ItemOf<V>::Type>;
    std::apply([&](const R&... rule) { (apply_one<R, Item>(rule, field.item_rules), ...); }, rules);
  }

 private:
  template <class Rule, class Item>
  static constexpr void apply_one(const Rule& rule, Rules& to) {
    static_assert(detail::ValueRule<Rule>,
                  "describe: each() takes rules on values, such as length or pattern");
    static_assert(Rule::template fits<Item>, "describe: this rule inside each() does not apply to the items");
    rule.template apply<Item>(to);
  }
};
template <class... R>
constexpr EachRule<R...> each(const R&... rules) {
  return {std::tuple<R...>(rules...)};
}

/// A rule that sets one flag of the field.
template <FieldFlags Flag>
struct FlagRule {
  template <class V>
  static constexpr bool fits = true;
  template <class V>
  constexpr void apply(FieldInfo& field) const {
    field.flags |= Flag;
    if constexpr (Flag == kReadOnly || Flag == kHasDefault)
      field.flags = static_cast<std::uint16_t>(field.flags & ~kRequired);
  }
};
/// Set by the server: input that gives it is refused (`read_only`), but in PUT and PATCH, where it is ignored
/// because clients send back what they read.
inline constexpr FlagRule<kReadOnly> read_only{};
/// Part of what identifies the object. With `read_only` the server makes it; without, whoever makes a new object names
/// it: a parent's key, or a name that the client chooses. It never changes afterwards: inputs that are derived from the
/// struct (operations/input.h) take it to say which object is meant, and REST takes it from the path.
inline constexpr FlagRule<kKey> key{};
/// Taken as input, never written in an answer.
inline constexpr FlagRule<kWriteOnly> write_only{};
/// A password, token or key: masked in configuration listings and diagnostics, never in a fault.
inline constexpr FlagRule<kSecret> secret{};
/// About a person (a name, an address, what they wrote): masked in diagnostics, and so kept out of logs and traces;
/// documents say `x-personal`.
inline constexpr FlagRule<kPersonal> personal{};
/// Input may leave it out; then it keeps what the struct's member initialiser says.
inline constexpr FlagRule<kHasDefault> optional_with_default{};
/// Still works, documented as going away.
inline constexpr FlagRule<kDeprecated> deprecated{};

/// A Patch that may be null (which usually clears the field it patches).
struct NullableRule {
  template <class V>
  static constexpr bool fits = true;
  template <class V>
  constexpr void apply(FieldInfo& field) const {
    field.flags |= kNullable;
  }
};
inline constexpr NullableRule nullable{};

/// An empty optional is left out of output; without it, it is written as null.
struct OmitNullRule {
  template <class V>
  static constexpr bool fits = true;
  template <class V>
  constexpr void apply(FieldInfo& field) const {
    field.flags |= kOmitNull;
  }
};
inline constexpr OmitNullRule omit_null{};

/// An example for the documentation: the text itself for text kinds (strings, enums, ids, times), JSON for
/// others.
struct example {
  const char* text;
  constexpr explicit example(const char* value) : text(value) {}
  template <class V>
  static constexpr bool fits = true;
  template <class V>
  constexpr void apply(FieldInfo& field) const {
    field.example = text;
  }
};

/// A constant of a type of your own on a field, or behind the list on a struct, for what describe/ knows nothing of: a
/// surface that wants a field number, a mask, a relation. It is found by its type, once for each type:
///
///   struct FieldNumber { int number; };                                   // a literal type with public members
///   field<&Task::title>(length{1, 200}, attribute<FieldNumber{2}>, "...")
///   const FieldNumber* number = find_attribute<FieldNumber>(field);       // null when there is none
template <auto Value>
struct AttributeRule {
  template <class V>
  static constexpr bool fits = true;
  template <class V>
  constexpr void apply(FieldInfo&) const {}  // field<>() collects them
  template <class T>
  constexpr void apply_to_object(auto&) const {}
};
template <auto Value>
inline constexpr AttributeRule<Value> attribute{};

}  // namespace bedplate::schema

namespace bedplate::detail {

template <class Argument>
struct AttributesIn {
  static constexpr std::size_t kCount = 0;
  static constexpr void put(Attribute*&) {}
};
template <auto Value>
struct AttributesIn<schema::AttributeRule<Value>> {
  static constexpr std::size_t kCount = 1;
  static constexpr void put(Attribute*& to) {
    *to++ = {&AttributeType<std::remove_const_t<decltype(Value)>>::kKey, &AttributeValue<Value>::kValue};
  }
};
template <class... Arguments>
struct Attributes {
  static constexpr std::size_t kCount = (std::size_t{0} + ... + AttributesIn<Arguments>::kCount);
  static constexpr std::array<Attribute, kCount == 0 ? 1 : kCount> kAll = [] {
    std::array<Attribute, kCount == 0 ? 1 : kCount> all{};
    Attribute* to = all.data();
    (AttributesIn<Arguments>::put(to), ...);
    return all;
  }();
  static constexpr std::span<const Attribute> kSpan{kAll.data(), kCount};
};

}  // namespace bedplate::detail

namespace bedplate {

/// The attribute of that type on a FieldInfo or an ObjectInfo, or null.
template <class A>
const A* find_attribute(const auto& described) {
  for (const Attribute& attribute : described.attributes)
    if (attribute.type == &detail::AttributeType<A>::kKey) return static_cast<const A*>(attribute.value);
  return nullptr;
}

}  // namespace bedplate
