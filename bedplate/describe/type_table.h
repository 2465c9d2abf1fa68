// SPDX-License-Identifier: Apache-2.0
// How each C++ type becomes a TypeInfo. Included by describe.h; nothing here is for callers.
#pragma once

#include <concepts>
#include <cstddef>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "bedplate/describe/json/json_value.h"
#include "bedplate/describe/names.h"
#include "bedplate/describe/scalar.h"
#include "bedplate/describe/table.h"
#include "bedplate/describe/tagged.h"
#include "bedplate/describe/vocabulary.h"

namespace bedplate::detail {

// Static data members of class templates, not inline variable templates: GCC 12 does not emit the latter when
// only consteval code names them.
template <class T>
struct TypeTable {
  static const TypeInfo kInfo;
};

template <class T>
struct Operations {
  static void construct(void* raw) { ::new (raw) T(); }
  static void destroy(void* value) { static_cast<T*>(value)->~T(); }
  static void move(void* raw, void* value) { ::new (raw) T(std::move(*static_cast<T*>(value))); }
  static constexpr ValueOps kOps{&construct, &destroy, &move};
};

template <class T>
struct OptionalOperations {
  static const void* get(const void* value) {
    const T& optional = *static_cast<const T*>(value);
    return optional ? &*optional : nullptr;
  }
  static void* emplace(void* value) { return &static_cast<T*>(value)->emplace(); }
  static void reset(void* value) { static_cast<T*>(value)->reset(); }
  static constexpr OptionalOps kOps{&get, &emplace, &reset};
};

template <class T>
struct PatchOperations {
  static PatchState state(const void* value) { return static_cast<const T*>(value)->state(); }
  static const void* get(const void* value) { return &**static_cast<const T*>(value); }
  static void* emplace(void* value) { return &static_cast<T*>(value)->emplace(); }
  static void set_null(void* value) { static_cast<T*>(value)->set_null(); }
  static void set_absent(void* value) { static_cast<T*>(value)->set_absent(); }
  static constexpr PatchOps kOps{&state, &get, &emplace, &set_null, &set_absent};
};

template <class T>
struct ListOperations {
  static ListView view(const void* value) {
    const T& list = *static_cast<const T*>(value);
    return {list.data(), list.size()};
  }
  static void* push(void* value) {
    T& list = *static_cast<T*>(value);
    if (list.capacity() == 0) list.reserve(4);  // most lists are short: one allocation instead of three
    return &list.emplace_back();
  }
  static void clear(void* value) { static_cast<T*>(value)->clear(); }
  static constexpr ListOps kOps{&view, &push, &clear};
};

template <class T>
struct MapOperations {
  static void each(const void* value, void* context, MapOps::Visit visit) {
    for (const auto& [key, item] : *static_cast<const T*>(value)) visit(context, key, &item);
  }
  static void* insert(void* value, std::string_view key, bool* fresh) {
    const auto [at, inserted] = static_cast<T*>(value)->try_emplace(std::string(key));
    *fresh = inserted;
    return &at->second;
  }
  static void clear(void* value) { static_cast<T*>(value)->clear(); }
  static std::size_t size(const void* value) { return static_cast<const T*>(value)->size(); }
  static constexpr MapOps kOps{&each, &insert, &clear, &size};
};

template <class T>
struct VariantTypes;
template <class... A>
struct VariantTypes<std::variant<A...>> {
  using Variant = std::variant<A...>;
  static constexpr std::string_view kDiscriminator{};
};
template <FixedText Text, class... A>
struct VariantTypes<Tagged<Text, A...>> {
  using Variant = std::variant<A...>;
  static constexpr std::string_view kDiscriminator = Tagged<Text, A...>::kDiscriminator.view();
};

template <class T>
inline constexpr bool is_variant = false;
template <FixedText Text, class... A>
inline constexpr bool is_variant<Tagged<Text, A...>> = true;
template <class... A>
inline constexpr bool is_variant<std::variant<A...>> = true;

/// `Whole` is the type itself: `T`, or a Tagged that derives from it.
template <class Whole, class T = typename VariantTypes<Whole>::Variant>
struct VariantOperations;
template <class Whole, class... A>
struct VariantOperations<Whole, std::variant<A...>> {
  using T = std::variant<A...>;
  static std::size_t index(const void* value) { return static_cast<const Whole*>(value)->index(); }
  static const void* get(const void* value) {
    return std::visit([](const auto& x) -> const void* { return &x; },
                      static_cast<const T&>(*static_cast<const Whole*>(value)));
  }
  template <std::size_t I>
  static void* emplace_one(void* value) {
    return &static_cast<Whole*>(value)->template emplace<I>();
  }
  template <std::size_t... I>
  static void* emplace_at(void* value, std::size_t at, std::index_sequence<I...>) {
    static constexpr void* (*kEmplace[])(void*) = {&emplace_one<I>...};
    return kEmplace[at](value);
  }
  static void* emplace(void* value, std::size_t at) {
    return emplace_at(value, at, std::index_sequence_for<A...>{});
  }
  static constexpr const TypeInfo* kAlternatives[] = {&TypeTable<A>::kInfo...};
  static constexpr std::string_view kTags[] = {StaticText<SnakeNameMaker<A>>::kView...};
  static constexpr VariantOps kOps{
      &index, &get, &emplace, kAlternatives, kTags, sizeof...(A), VariantTypes<Whole>::kDiscriminator};
};

template <class T>
concept DescribedObject = requires { T::describe(); };
template <class T>
concept DescribedEnum = requires { describe(T{}); };

template <class T>
const ObjectInfo& object_info();  // describe.h

/// What `describe(Enum)` gave, kept.
template <class T>
struct EnumTable {
  static constexpr auto kDescription = describe(T{});
  static constexpr std::span<const EnumValue> kValues{kDescription.values};
  static constexpr EnumInfo kInfo{
      kValues, kDescription.doc,
      kDescription.fallback < kValues.size() ? kValues.data() + kDescription.fallback : nullptr};
};

template <class T>
concept CharacterType = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
                        std::same_as<T, char16_t> || std::same_as<T, char32_t>;

template <class T>
consteval TypeInfo make_wrapper_info() {
  TypeInfo info{};
  if constexpr (is_optional<T>) {
    using V = typename T::value_type;
    static_assert(!is_optional<V> && !is_patch<V>,
                  "describe: an optional of an optional or of a Patch has no meaning");
    info.kind = Kind::optional;
    info.element = &TypeTable<V>::kInfo;
    info.optional = &OptionalOperations<T>::kOps;
  } else if constexpr (is_patch<T>) {
    using V = typename T::value_type;
    static_assert(!is_optional<V> && !is_patch<V>,
                  "describe: write Patch<T> with the rule `nullable`, not Patch<std::optional<T>>");
    info.kind = Kind::patch;
    info.element = &TypeTable<V>::kInfo;
    info.patch = &PatchOperations<T>::kOps;
  } else if constexpr (is_list<T>) {
    static_assert(!std::same_as<T, std::vector<bool>>,
                  "describe: std::vector<bool> has no elements to point to; use a list of an enum");
    static_assert(!is_patch<typename T::value_type>,
                  "describe: a Patch is a field of its own, never an item of a list");
    info.kind = Kind::list;
    info.element = &TypeTable<typename T::value_type>::kInfo;
    if constexpr (!std::same_as<T, std::vector<bool>>) info.list = &ListOperations<T>::kOps;
  } else {
    static_assert(!is_patch<typename T::mapped_type>,
                  "describe: a Patch is a field of its own, never a value of a map");
    info.kind = Kind::map;
    info.element = &TypeTable<typename T::mapped_type>::kInfo;
    info.map = &MapOperations<T>::kOps;
  }
  return info;
}

template <class T>
consteval TypeInfo make_number_info() {
  TypeInfo info{};
  static_assert(!CharacterType<T>, "describe: a character is not a number; use std::string or std::uint8_t");
  static_assert(sizeof(T) <= 8, "describe: numbers are at most 64 bits wide");
  info.kind = std::integral<T> ? Kind::integer : Kind::real;
  info.width = sizeof(T);
  info.is_signed = std::is_signed_v<T>;
  info.word = std::integral<T> ? "integer" : "number";
  return info;
}

template <class T>
consteval TypeInfo make_enum_info() {
  TypeInfo info{};
  static_assert(DescribedEnum<T>,
                "describe: this enum has no list of its values; write beside it, in its namespace:  "
                "consteval auto describe(E) { return bedplate::schema::values<E::a, E::b>(\"doc\"); }");
  if constexpr (DescribedEnum<T>) {
    info.kind = Kind::enumeration;
    info.width = sizeof(T);
    info.is_signed = std::is_signed_v<std::underlying_type_t<T>>;
    info.word = kTypeName<T>;
    info.enum_info = &EnumTable<T>::kInfo;
  }
  return info;
}

/// Looks at nothing of T: GCC makes this table while T::describe() of a type that contains itself is still
/// being read. What T must be is checked in object_info().
template <class T>
consteval TypeInfo make_object_info() {
  TypeInfo info{};
  info.kind = Kind::object;
  info.object_info = &object_info<T>;
  return info;
}

template <class T>
consteval TypeInfo make_type_info() {
  TypeInfo info{};
  if constexpr (std::same_as<T, bool>) {
    info.kind = Kind::boolean;
    info.word = "boolean";
  } else if constexpr (std::is_arithmetic_v<T>) {
    info = make_number_info<T>();
  } else if constexpr (std::same_as<T, std::string>) {
    info.kind = Kind::string;
    info.word = "string";
  } else if constexpr (std::is_enum_v<T>) {
    info = make_enum_info<T>();
  } else if constexpr (std::derived_from<T, Uuid>) {
    info.kind = Kind::uuid;
    info.word = "uuid";
  } else if constexpr (std::same_as<T, Time>) {
    info.kind = Kind::time;
    info.word = "time";
  } else if constexpr (std::same_as<T, Json>) {
    info.kind = Kind::json;
    info.word = "json";
  } else if constexpr (IsScalarForm<T>) {
    info.kind = Kind::scalar;
    info.scalar = &ScalarForm<T>::kOps;
  } else if constexpr (is_optional<T> || is_patch<T> || is_list<T> || is_map<T>) {
    info = make_wrapper_info<T>();
  } else if constexpr (is_variant<T>) {
    info.kind = Kind::variant;
    info.variant = &VariantOperations<T>::kOps;
  } else {
    info = make_object_info<T>();
  }
  info.size = sizeof(T);
  info.align = alignof(T);
  info.ops = &Operations<T>::kOps;
  return info;
}

template <class T>
constinit const TypeInfo TypeTable<T>::kInfo = make_type_info<T>();

}  // namespace bedplate::detail
