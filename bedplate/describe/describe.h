// SPDX-License-Identifier: Apache-2.0
// Describe a type once: a plain struct with one constexpr list of its fields. JSON, validation, JSON Schema,
// SQL rows, configuration and everything above follow from the list; nothing about the type is stated
// anywhere else.
//
//   enum class Status { todo, in_progress, done };
//   consteval auto describe(Status) {                       // beside the enum, in its namespace
//     using namespace bedplate::schema;
//     return values<Status::todo, Status::in_progress, Status::done>("How far it is");
//   }
//
//   struct Task {
//     Id<Task> id;
//     std::string title;
//     Status status = Status::todo;
//     std::optional<Time> due_at;                           // null or a value; input may leave it out
//     std::vector<std::string> labels;
//
//     static consteval auto describe() {
//       using namespace bedplate::schema;
//       return object<Task>("A unit of work", {
//           field<&Task::id>(read_only, "Set by the server"),
//           field<&Task::title>(length{1, 200}, "What is to be done"),
//           field<&Task::status>(optional_with_default),
//           field<&Task::due_at>("When it must be done"),
//           field<&Task::labels>(length{0, 20}, unique, each(length{1, 40}), optional_with_default),
//       });
//     }
//   };
//
//   struct CreateTask {
//     std::string title;
//     static consteval auto describe() {
//       using namespace bedplate::schema;
//       return object<CreateTask>("A new task", {field<&CreateTask::title>(same_as<&Task::title>)});
//     }
//   };
//
// The words stand in vocabulary.h; three more here: `field<&T::x, "wireName">` renames, `omit<&T::x>` in the
// list leaves a member out on purpose, `fields_of<Base>` before the list takes a base class's fields over. After the
// list: `check<&fn>` (a rule across fields),
// `edits<Task>` (clients may send back what they read of a Task: its read_only fields are ignored),
// `name<"TaskPage">` (the name of the type in schemas; of a template, Page<Task> is "TaskPage" by itself).
//
// What a field may be: bool, integers, float, double, std::string, a described enum, Uuid and Id<>, Time, Decimal,
// Date, Duration, Bytes (scalar.h), Money (money.h), Json, a described struct, std::optional, Patch, std::vector,
// std::map<std::string, ...>, std::variant and Tagged (tagged.h) of described structs. A field that is not an optional,
// not a Patch and has no default is required in input.
//
// A member of the struct that is neither listed nor omitted, a rule on a type it does not fit, two fields of
// one name: compile errors, in sentences. Members of a base class are listed as `&Derived::member` (a struct
// with a base class or a constructor is not checked for forgotten members). At most 64 fields a struct.
//
// Costs: about 30 ms of compile time a described struct, no code at run time. Tables are constant data.
#pragma once

#include <bit>
#include <memory>
#include <utility>

#include "bedplate/describe/faults.h"
#include "bedplate/describe/member_names.h"
#include "bedplate/describe/names.h"
#include "bedplate/describe/table.h"
#include "bedplate/describe/type_table.h"
#include "bedplate/describe/vocabulary.h"

namespace bedplate {

/// The table of a type. A reference to constant data: cheap, always valid.
template <class T>
const TypeInfo& type_of() {
  return detail::TypeTable<std::remove_cvref_t<T>>::kInfo;
}

namespace detail {

template <class P>
struct MemberPointer;
template <class C, class F>
struct MemberPointer<F C::*> {
  using Class = C;
  using Field = F;
};
template <auto Member>
using class_of = typename MemberPointer<std::remove_const_t<decltype(Member)>>::Class;
template <auto Member>
using field_type_of = typename MemberPointer<std::remove_const_t<decltype(Member)>>::Field;

/// Storage to take addresses in, at compile time, without an object.
template <class T>
union Probe {
  char raw[sizeof(T)];
  T object;
  constexpr Probe() : raw{} {}
  constexpr ~Probe() {}
};

constexpr std::uint32_t offset_in(const char* raw, std::size_t size, const void* target, std::size_t step) {
  for (std::size_t i = 0; i < size; i += step)
    if (target == static_cast<const void*>(raw + i)) return static_cast<std::uint32_t>(i);
  return 0;
}

template <class C, class F>
constexpr std::uint32_t member_offset(F C::* member) {
  Probe<C> probe;
  return offset_in(probe.raw, sizeof(C), std::addressof(probe.object.*member), alignof(F));
}

/// A member left out on purpose.
template <class C>
struct Omitted {
  std::string_view member;
};

/// One element of the list given to object<T>(): a field, or one left out.
template <class T>
struct ListedField {
  FieldInfo info;
  bool omitted = false;
  bool inherited = false;

  constexpr ListedField(const FieldInfo& field) : info(field) {}
  template <class C>
  constexpr ListedField(const Omitted<C>& other) : omitted(true), inherited(!std::is_same_v<C, T>) {
    static_assert(std::is_base_of_v<C, T>, "describe: omit<> names a member of another struct");
    info.member = other.member;
  }
  template <class B>
  constexpr ListedField(const ListedField<B>& base)
      : info(base.info), omitted(base.omitted), inherited(true) {
    static_assert(
        std::is_base_of_v<B, T>,
        "describe: this field belongs to another struct; list only members of the described struct and of "
        "its bases");
    Probe<T> probe;
    const B* part = &probe.object;
    info.offset += offset_in(probe.raw, sizeof(T), part, alignof(B));
  }

  /// Whether this describes (or leaves out) the same member as a field that a base class brought.
  constexpr bool replaces(const ListedField& of_base) const {
    if (info.member != of_base.info.member) return false;
    return omitted ? inherited : info.offset == of_base.info.offset;
  }
};

/// What object<T>() makes: the table, as one constant.
template <std::size_t N>
struct ObjectDescription {
  static constexpr std::size_t kSlots = std::bit_ceil(2 * N + 1);

  FieldInfo fields[N == 0 ? 1 : N]{};
  std::uint8_t slots[kSlots]{};
  std::string_view omitted[N == 0 ? 1 : N]{};
  std::size_t count = 0;
  std::size_t omitted_count = 0;
  bool has_inherited = false;
  std::uint64_t required = 0;
  const char* doc = "";
  std::string_view name{};
  void (*check)(const void*, ObjectProblems&) = nullptr;
  const TypeInfo* edits = nullptr;
  std::uint32_t given_offset = ObjectInfo::kAllGiven;
  std::span<const Attribute> attributes{};

  constexpr void add(const FieldInfo& field) {
    if (field.name().empty()) describe_error__a_name_is_empty();
    for (std::size_t i = 0; i < count; ++i)
      if (fields[i].name() == field.name()) describe_error__two_fields_have_the_same_name();
    std::uint32_t slot = field_name_hash(field.name());
    while (slots[slot % kSlots] != ObjectInfo::kNoField) ++slot;
    slots[slot % kSlots] = static_cast<std::uint8_t>(count);
    if (field.has(kRequired)) required |= std::uint64_t{1} << count;
    fields[count++] = field;
  }
  constexpr bool mentions(std::string_view member) const {
    for (std::size_t i = 0; i < count; ++i)
      if (fields[i].member == member) return true;
    for (std::size_t i = 0; i < omitted_count; ++i)
      if (omitted[i] == member) return true;
    return false;
  }
  constexpr bool has_field_at(const FieldInfo& field) const {
    for (std::size_t i = 0; i < count; ++i)
      if (fields[i].member == field.member && fields[i].offset == field.offset) return true;
    return false;
  }
  /// The place of the field of that member, or `count`. (An index: GCC 12 under UBSan cannot compare the address of a
  /// constant with null in a constant expression.)
  constexpr std::size_t index_of_member(std::string_view member) const {
    std::size_t i = 0;
    while (i < count && fields[i].member != member) ++i;
    return i;
  }
};

template <class T>
struct ObjectTable {
  static constexpr auto kDescription = T::describe();
  static constexpr ObjectInfo kInfo{kDescription.fields,
                                    kDescription.slots,
                                    static_cast<std::uint16_t>(kDescription.count),
                                    static_cast<std::uint16_t>(kDescription.kSlots - 1),
                                    kDescription.required,
                                    kDescription.doc,
                                    kDescription.name.empty() ? kTypeName<T> : kDescription.name,
                                    kDescription.check,
                                    kDescription.edits,
                                    kDescription.given_offset,
                                    kDescription.attributes};
};

// ---- No member is forgotten: count what braces would initialise, and name the missing one.

template <class T>
struct Anything {
  template <class U>
    requires(!std::same_as<std::remove_cvref_t<U>, T>)
  constexpr operator U() const noexcept {
    __builtin_unreachable();
  }
};

template <class T, std::size_t... I>
consteval bool braces_take(std::index_sequence<I...>) {
  return requires { T{(void(I), Anything<T>{})...}; };
}

template <class T, std::size_t N = 0>
consteval std::size_t member_count() {
  if constexpr (!braces_take<T>(std::make_index_sequence<N + 1>{}))
    return N;
  else
    return member_count<T, N + 1>();
}

template <class T, FixedText Member>
struct ForgottenMember {
  static_assert(
      sizeof(T) == 0,
      "describe: a member of this struct is not in its list (its name stands in this instantiation); add "
      "field<&T::member>(), or leave it out on purpose with omit<&T::member>");
  static constexpr bool kFound = false;
};

/// Reached only when the counts differ: find the member that is missing.
template <class T, std::size_t Count, std::size_t I = 0>
consteval bool name_forgotten_member() {
  if constexpr (I < Count && Count <= kNamedMembersMax) {
    constexpr std::string_view member = member_name<T, I, Count>();
    if constexpr (ObjectTable<T>::kDescription.mentions(member)) {
      return name_forgotten_member<T, Count, I + 1>();
    } else {
      constexpr auto text = fixed_text<member.size()>(member);
      return ForgottenMember<T, text>::kFound;
    }
  } else {
    static_assert(sizeof(T) == 0, "describe: a member of this struct is not in its list");
    return false;
  }
}

template <class T>
consteval bool all_members_are_listed() {
  constexpr auto& description = ObjectTable<T>::kDescription;
  constexpr std::size_t listed = description.count + description.omitted_count;
  constexpr bool exact = braces_take<T>(std::make_index_sequence<listed>{}) &&
                         !braces_take<T>(std::make_index_sequence<listed + 1>{});
  if constexpr (exact || description.has_inherited || !std::is_aggregate_v<T>) {
    return true;
  } else if constexpr (!braces_take<T>(std::make_index_sequence<listed>{})) {
    static_assert(sizeof(T) == 0, "describe: a member is listed twice");
    return false;
  } else {
    return name_forgotten_member<T, member_count<T>()>();
  }
}

template <class T>
const ObjectInfo& object_info() {
  static_assert(
      DescribedObject<T>,
      "describe: this type has no description; write in the struct:  static consteval auto describe() { "
      "return bedplate::schema::object<T>(\"doc\", {bedplate::schema::field<&T::member>()}); }  "
      "(sets, arrays, pointers and std::string_view cannot be described: use std::vector or std::string)");
  if constexpr (DescribedObject<T>) {
    static_assert(std::is_default_constructible_v<T>,
                  "describe: a described type is default-constructible, so that a reader can fill it");
    static_assert(all_members_are_listed<T>());
    return ObjectTable<T>::kInfo;
  } else {
    __builtin_unreachable();
  }
}

/// (By the enum's type too: clang 19 gives a template of values alone external linkage, though their type may be one of
/// several with the same name in anonymous namespaces.)
template <class First, auto... Values>
struct EnumValues {
  static constexpr EnumValue kValues[] = {{value_name<Values>(), static_cast<std::int64_t>(Values)}...};
};

// ---- Arguments of field<>()

template <class Rule, class FieldType>
struct RuleOnField {
  static_assert(
      Rule::template fits<value_of<FieldType>>,
      "describe: this rule does not apply to a field of this type (both stand in this instantiation)");
};
template <class FieldType>
struct RuleOnField<schema::NullableRule, FieldType> {
  static_assert(is_patch<FieldType>,
                "describe: `nullable` applies to a Patch; a field that may be null is a std::optional");
};
template <class FieldType>
struct RuleOnField<schema::OmitNullRule, FieldType> {
  static_assert(is_optional<FieldType>, "describe: `omit_null` applies to a std::optional");
};

template <class F, class Argument>
constexpr void apply_argument(FieldInfo& field, const Argument& argument) {
  if constexpr (std::is_convertible_v<const Argument&, const char*>) {
    field.doc = argument;
  } else if constexpr (ValueRule<Argument>) {
    (void)sizeof(RuleOnField<Argument, F>);
    argument.template apply<value_of<F>>(field.rules);
  } else if constexpr (FieldRule<Argument>) {
    (void)sizeof(RuleOnField<Argument, F>);
    argument.template apply<value_of<F>>(field);
  } else {
    static_assert(sizeof(Argument) == 0,
                  "describe: this argument of field<>() is neither a rule nor a line of doc");
  }
}

template <class T, class Argument, std::size_t N>
constexpr void apply_extra(ObjectDescription<N>& object, const Argument& argument) {
  static_assert(
      requires { argument.template apply_to_object<T>(object); },
      "describe: after its list object() takes check<&fn>, edits<Entity>, name<\"Name\"> and "
      "attribute<Value> only");
  argument.template apply_to_object<T>(object);
}

template <class T, class Base>
struct BaseArgument {
  static_assert(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>,
                "describe: fields_of<> names a base class of the described struct");
  static_assert(DescribedObject<Base>, "describe: fields_of<> names a struct that has a description");
};

template <auto Member>
struct MemberArgument {
  static_assert(std::is_member_object_pointer_v<decltype(Member)>,
                "describe: field<> takes a data member, as in field<&Task::title>()");
};

}  // namespace detail

namespace schema {

/// Borrows the rules, the line of doc and the example of another struct's field. Not whether it is required,
/// and not who may set it: those belong to the struct that lists it. Rules and doc that follow replace what
/// was borrowed.
template <auto Member>
struct SameAsRule {
  using Other = detail::value_of<detail::field_type_of<Member>>;
  template <class V>
  static constexpr bool fits = std::same_as<V, Other>;
  template <class V>
  constexpr void apply(FieldInfo& field) const {
    using C = detail::class_of<Member>;
    constexpr const auto& kOther = detail::ObjectTable<C>::kDescription;
    const std::size_t at = kOther.index_of_member(detail::MemberKey<Member>::kName);
    if (at == kOther.count) {
      detail::describe_error__same_as_names_a_field_that_its_struct_does_not_describe();
      return;
    }
    const FieldInfo& other = kOther.fields[at];
    field.rules = other.rules;
    field.item_rules = other.item_rules;
    field.doc = other.doc;
    field.example = other.example;
    field.flags |= other.flags & (kSecret | kPersonal);
    field.attributes = other.attributes;
  }
};
template <auto Member>
inline constexpr SameAsRule<Member> same_as{};

/// One field: its member, then rules and one line of doc in any order. The wire name is the member's unless
/// given.
template <auto Member, detail::FixedText WireName = "", class... Arguments>
consteval auto field(const Arguments&... arguments) {
  (void)sizeof(detail::MemberArgument<Member>);
  using C = detail::class_of<Member>;
  using F = detail::field_type_of<Member>;
  FieldInfo info{};
  using Key =
      std::conditional_t<WireName.view().empty(), detail::MemberKey<Member>, detail::TextKey<WireName>>;
  info.key = Key::kChars.data();
  info.key_size = static_cast<std::uint16_t>(Key::kSize);
  info.member = detail::MemberKey<Member>::kName;
  info.type = &detail::TypeTable<F>::kInfo;
  info.offset = detail::member_offset<C>(Member);
  info.flags = detail::is_optional<F> || detail::is_patch<F> ? 0 : kRequired;
  (detail::apply_argument<F>(info, arguments), ...);
  if constexpr (detail::Attributes<Arguments...>::kCount > 0)
    info.attributes = detail::Attributes<Arguments...>::kSpan;
  return detail::ListedField<C>(info);
}

/// In the list of object(): this member is left out on purpose.
template <auto Member>
inline constexpr detail::Omitted<detail::class_of<Member>> omit{detail::value_name<Member>()};

template <detail::FixedText Text>
struct NameRule {
  static constexpr detail::FixedText kText = Text;
  template <class T>
  constexpr void apply_to_object(auto& object) const {
    object.name = kText.view();
  }
};
/// The name of the type in schemas and messages, where the C++ name does not do.
template <detail::FixedText Text>
inline constexpr NameRule<Text> name{};

/// This input changes an Entity. Clients read one, change some of it and send all of it back: fields that Entity
/// has as `read_only`, and this struct does not have, are ignored in JSON. Any other unknown field is refused.
template <class Entity>
struct EditsRule {
  template <class T>
  constexpr void apply_to_object(auto& object) const {
    static_assert(!std::same_as<T, Entity>,
                  "describe: edits<> names the struct that answers show, not this one");
    static_assert(has_read_only_field(), "describe: edits<> names a struct with `read_only` fields");
    object.edits = &detail::TypeTable<Entity>::kInfo;
  }

 private:
  static consteval bool has_read_only_field() {
    constexpr const auto& kEntity = detail::ObjectTable<Entity>::kDescription;
    for (std::size_t i = 0; i < kEntity.count; ++i)
      if (kEntity.fields[i].has(kReadOnly)) return true;
    return false;
  }
};
template <class Entity>
inline constexpr EditsRule<Entity> edits{};

template <class Base>
struct FieldsOf {};
/// In object(), before the list: takes over the fields of a base class, as they are described there. The list may
/// describe one of them anew, in its place: `field<&ListTasks::sort>(same_as<&PageQuery::sort>, "Text of its own")`.
template <class Base>
inline constexpr FieldsOf<Base> fields_of{};

/// The description of a struct.
template <class T, std::size_t N, class... Extras>
consteval auto object(const char* doc, const detail::ListedField<T> (&fields)[N], const Extras&... extras) {
  static_assert(N <= 64, "describe: more than 64 fields in one struct; nest some of them");
  detail::ObjectDescription<N> description{};
  description.doc = doc;
  for (std::uint8_t& slot : description.slots) slot = ObjectInfo::kNoField;
  for (const detail::ListedField<T>& listed : fields) {
    description.has_inherited |= listed.inherited;
    if (listed.omitted)
      description.omitted[description.omitted_count++] = listed.info.member;
    else
      description.add(listed.info);
  }
  (detail::apply_extra<T>(description, extras), ...);
  if constexpr (detail::Attributes<Extras...>::kCount > 0)
    description.attributes = detail::Attributes<Extras...>::kSpan;
  return description;
}
/// The same, with the fields of a base class before its own.
template <class T, class Base, std::size_t N, class... Extras>
consteval auto object(const char* doc, FieldsOf<Base>, const detail::ListedField<T> (&own)[N],
                      const Extras&... extras) {
  (void)sizeof(detail::BaseArgument<T, Base>);
  constexpr const auto& kBase = detail::ObjectTable<Base>::kDescription;
  constexpr std::size_t kCount = kBase.count + N;
  static_assert(kCount <= 64, "describe: more than 64 fields in one struct; nest some of them");
  detail::ObjectDescription<kCount> description{};
  description.doc = doc;
  description.has_inherited = true;
  for (std::uint8_t& slot : description.slots) slot = ObjectInfo::kNoField;
  for (std::size_t i = 0; i < kBase.count; ++i) {
    detail::ListedField<T> field = detail::ListedField<Base>(kBase.fields[i]);
    bool left_out = false;
    for (const detail::ListedField<T>& listed : own)
      if (listed.replaces(field)) {
        field.info = listed.info;
        left_out = listed.omitted;
      }
    if (!left_out) description.add(field.info);
  }
  for (const detail::ListedField<T>& listed : own) {
    if (listed.omitted)
      description.omitted[description.omitted_count++] = listed.info.member;
    else if (!description.has_field_at(listed.info))
      description.add(listed.info);
  }
  (detail::apply_extra<T>(description, extras), ...);
  if constexpr (detail::Attributes<Extras...>::kCount > 0)
    description.attributes = detail::Attributes<Extras...>::kSpan;
  return description;
}
/// The same for a struct that adds no fields to those of its base class.
template <class T, class Base>
consteval auto object(const char* doc, FieldsOf<Base>) {
  (void)sizeof(detail::BaseArgument<T, Base>);
  constexpr const auto& kBase = detail::ObjectTable<Base>::kDescription;
  detail::ObjectDescription<kBase.count> description{};
  description.doc = doc;
  description.has_inherited = true;
  for (std::uint8_t& slot : description.slots) slot = ObjectInfo::kNoField;
  for (std::size_t i = 0; i < kBase.count; ++i) {
    detail::ListedField<T> field = detail::ListedField<Base>(kBase.fields[i]);
    description.add(field.info);
  }
  return description;
}
/// A struct without fields.
template <class T>
consteval auto object(const char* doc) {
  detail::ObjectDescription<0> description{};
  description.doc = doc;
  for (std::uint8_t& slot : description.slots) slot = ObjectInfo::kNoField;
  return description;
}

/// What values() makes.
struct EnumDescription {
  std::span<const EnumValue> values;
  const char* doc;
  static constexpr std::size_t fallback = SIZE_MAX;
};

/// What values() makes of values with documentation.
template <std::size_t N>
struct DocumentedEnum {
  EnumValue values[N]{};
  const char* doc = "";
  std::size_t fallback = SIZE_MAX;  ///< its place
};

/// A value with a line of doc, in values().
template <auto Value>
consteval EnumValue value(const char* doc = nullptr) {
  static_assert(std::is_enum_v<decltype(Value)>, "describe: value<> takes a value of an enum");
  return {detail::value_name<Value>(), static_cast<std::int64_t>(Value), doc};
}

template <auto Value>
struct UnknownRule {
  static constexpr std::int64_t kValue = static_cast<std::int64_t>(Value);
};
/// Behind the list of values(): what a row or kept JSON holds that this version does not know reads as this value, so
/// that a rolling upgrade, in which a newer version writes a new value, does not fail. It is shown like the others, but
/// it is not accepted in input and not written to the database, since that would lose what is there.
template <auto Value>
inline constexpr UnknownRule<Value> unknown{};

/// The same with a line of doc for each value:
///
///   values("How far it is", {value<Status::todo>("Not begun"), value<Status::done>("Behind us")})
template <std::size_t N>
consteval DocumentedEnum<N> values(const char* doc, const EnumValue (&all)[N]) {
  DocumentedEnum<N> description;
  description.doc = doc;
  for (std::size_t i = 0; i < N; ++i) description.values[i] = all[i];
  return description;
}
template <std::size_t N, auto Unknown>
consteval DocumentedEnum<N> values(const char* doc, const EnumValue (&all)[N], UnknownRule<Unknown>) {
  DocumentedEnum<N> description = values(doc, all);
  for (std::size_t i = 0; i < N; ++i)
    if (all[i].value == UnknownRule<Unknown>::kValue) description.fallback = i;
  if (description.fallback == SIZE_MAX) detail::describe_error__unknown_names_a_value_that_is_not_listed();
  return description;
}

/// The description of an enum: every value by its name.
template <auto... Values>
consteval EnumDescription values(const char* doc = "") {
  static_assert(sizeof...(Values) > 0, "describe: an enum needs at least one value");
  static_assert((std::is_enum_v<decltype(Values)> && ...), "describe: values<> takes the values of an enum");
  return {detail::EnumValues<std::common_type_t<decltype(Values)...>, Values...>::kValues, doc};
}

}  // namespace schema
}  // namespace bedplate
