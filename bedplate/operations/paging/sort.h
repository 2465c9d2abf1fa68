// SPDX-License-Identifier: Apache-2.0
// The `sort` parameter of lists ("-due_at,title"): which fields it may name, and what stands behind each in SQL.
//
//   inline constexpr Time kNever{std::chrono::sys_days(std::chrono::January / 1 / 10'000)};
//   inline constexpr Sorts<Task> kTaskSorts(
//       "-created_at",                                                    // the order of a request without `sort`
//       sort<&Task::created_at>(ordered_as<&Task::id>, indexed),          // by the primary key
//       sort<&Task::due_at>(by_column("due_or_never"), null_as(kNever), indexed_with("status")),
//       sort<&Task::title>(folded_in("title_key")));                      // without regard to case and accents
//
// The operation says `sorts_by(kTaskSorts)`, and its list is list_page(..., kTaskSorts): list.h. What a cursor keeps of
// a row is read from the members named here, so that no code of a service's own can differ from the order.
//
// A sort without an index serves lists of up to kListedRowsMax rows; a longer one is refused with a sentence. So the
// default sort needs an index, and does not compile without.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/describe/describe.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/operations/paging/cursor.h"

namespace bedplate::api {

/// Rows that a list counts, that it sorts without an index, that pages by number reach, and that it reads for one page
/// of a filter without an index: what one page may cost, however long the list is.
inline constexpr std::int64_t kListedRowsMax = 1000;

/// Which index answers an order.
enum class SortIndex : std::uint8_t {
  none,
  always,       ///< (the conditions that the service adds itself, the expression, the unique column)
  with_filter,  ///< (those conditions, the column of SortField::filter, the expression, the unique column)
};

/// A field that clients may sort by, and the SQL expression behind it. The expression is never NULL (use
/// coalesce): cursors compare with it. Services make it with sort<>().
struct SortField {
  std::string_view name;
  std::string_view expression;
  /// folded_in("title_key"): a text that is sorted without regard to case and accents. Empty: by its bytes.
  std::string_view folded_column = {};
  SortIndex index = SortIndex::none;
  std::string_view filter = {};  ///< the field of the input that has to be given
  bool unique = false;           ///< no two rows have the same value
  std::int64_t null_as =
      0;  ///< the expression where the member is empty: a number, or microseconds since 1970
  /// What the expression gives for a row. Null: the list makes its cursors itself.
  CursorValue (*value)(const void* row, std::int64_t null_as) = nullptr;
};

namespace detail {

// Never defined: the name is what the compiler says.
void a_default_sort_names_a_field_of_the_list();
void a_default_sort_needs_an_index_make_one_and_say_indexed();
void sorting_by_an_optional_field_needs_null_as();

template <class M>
struct SortedMember;
template <class C, class V>
struct SortedMember<V C::*> {
  using Class = C;
  using Value = V;
};

template <class V>
inline constexpr bool kIsSortedOptional = false;
template <class V>
inline constexpr bool kIsSortedOptional<std::optional<V>> = true;

template <class V>
CursorValue cursor_value(const V& value) {
  if constexpr (std::is_same_v<V, Time> || std::is_same_v<V, std::string>)
    return value;
  else if constexpr (std::is_base_of_v<Uuid, V>)
    return static_cast<const Uuid&>(value);
  else if constexpr (std::is_enum_v<V>)
    return to_text(value);
  else if constexpr (std::is_floating_point_v<V>)
    return static_cast<double>(value);
  else {
    static_assert(std::is_integral_v<V> && !std::is_same_v<V, bool>,
                  "lists are sorted by numbers, texts, times, ids and described enums");
    return static_cast<std::int64_t>(value);
  }
}

template <auto Member>
CursorValue cursor_value_of(const void* row, std::int64_t null_as) {
  using M = SortedMember<decltype(Member)>;
  const auto& value = static_cast<const typename M::Class*>(row)->*Member;
  if constexpr (kIsSortedOptional<typename M::Value>) {
    if (value) return cursor_value(*value);
    if constexpr (std::is_same_v<typename M::Value::value_type, Time>)
      return Time(std::chrono::microseconds(null_as));
    else
      return null_as;
  } else {
    static_cast<void>(null_as);
    return cursor_value(value);
  }
}

struct ByColumn {
  std::string_view expression;
  consteval void apply(SortField& field) const { field.expression = expression; }
};
struct FoldedIn {
  std::string_view column;
  consteval void apply(SortField& field) const { field.folded_column = column; }
};
struct NullAs {
  std::int64_t value;
  static constexpr bool kSaysNull = true;
  consteval void apply(SortField& field) const { field.null_as = value; }
};
struct Indexed {
  SortIndex index;
  std::string_view filter;
  consteval void apply(SortField& field) const {
    field.index = index;
    field.filter = filter;
  }
};
template <auto Member>
struct OrderedAs {
  consteval void apply(SortField& field) const {
    field.expression = bedplate::detail::value_name<Member>();
    field.value = &cursor_value_of<Member>;
  }
};

template <class Option>
inline constexpr bool kSaysNull = requires { Option::kSaysNull; };

}  // namespace detail

/// The column or SQL expression to sort by, where its name is not the member's.
consteval detail::ByColumn by_column(const char* expression) {
  return {expression};
}
/// The column that holds unicode::sort_key() of a text; the store writes it with the text. It is never NULL, and its
/// type is TEXT on SQLite and TEXT COLLATE "C" on PostgreSQL, so both sort alike. Texts with the same key are sorted by
/// themselves.
consteval detail::FoldedIn folded_in(const char* column) {
  return {column};
}
/// What the expression gives where the member is empty.
consteval detail::NullAs null_as(Time value) {
  return {value.time_since_epoch().count()};
}
consteval detail::NullAs null_as(std::int64_t value) {
  return {value};
}
/// Another member of the row has the same order: `sort<&Task::created_at>(ordered_as<&Task::id>)`, for IDs sort by
/// creation time.
template <auto Member>
inline constexpr detail::OrderedAs<Member> ordered_as{};
/// An index begins with what the service's own conditions name, and goes on with this.
inline constexpr detail::Indexed indexed{SortIndex::always, {}};
/// The same with the column of this filter between: the order is answered by an index where the filter is given (one
/// that asks for equality).
consteval detail::Indexed indexed_with(const char* filter) {
  return {SortIndex::with_filter, filter};
}

/// A field to sort rows of type T by.
template <class T>
struct Sort {
  SortField field;
};

template <auto Member, class... Options>
consteval auto sort(Options... options) {
  using M = detail::SortedMember<decltype(Member)>;
  SortField field;
  field.name = field.expression = bedplate::detail::value_name<Member>();
  field.value = &detail::cursor_value_of<Member>;
  if (detail::kIsSortedOptional<typename M::Value> && !(detail::kSaysNull<Options> || ...))
    detail::sorting_by_an_optional_field_needs_null_as();
  (options.apply(field), ...);
  return Sort<typename M::Class>{field};
}

inline constexpr std::size_t kSortsMax = 16;

/// What a list may be sorted by, with the types forgotten. Views into a Sorts.
struct SortSet {
  std::span<const SortField> fields;
  std::string_view default_sort;
  SortField unique;  ///< what tells rows apart that are equal
};

/// What lists of T may be sorted by, and how they are without a `sort`. `Unique` breaks ties. Make it constexpr, with
/// the lifetime of the program: the Api keeps views into it.
template <class T, auto Unique = &T::id>
class Sorts {
 public:
  template <class... S>
  consteval explicit Sorts(const char* default_sort, S... sorts) : default_sort_(default_sort) {
    static_assert(sizeof...(S) > 0 && sizeof...(S) <= kSortsMax, "a list is sorted by 1 to 16 fields");
    static_assert((std::is_same_v<S, Sort<T>> && ...), "a list is sorted by sort<>() of its own rows");
    (add(sorts.field), ...);
    check_default();
  }

  constexpr SortSet set() const { return {{fields_.data(), count_}, default_sort_, sort<Unique>().field}; }

 private:
  consteval void add(SortField field) {
    field.unique = field.expression == sort<Unique>().field.expression;
    fields_[count_++] = field;
  }
  consteval void check_default() const {
    std::string_view name = default_sort_;
    if (name.starts_with('-')) name.remove_prefix(1);
    const SortField* end = fields_.data() + count_;
    const SortField* found =
        std::find_if(fields_.data(), end, [&](const SortField& field) { return field.name == name; });
    if (found == end) return detail::a_default_sort_names_a_field_of_the_list();
    if (found->index != SortIndex::always) detail::a_default_sort_needs_an_index_make_one_and_say_indexed();
  }

  std::string_view default_sort_;
  std::array<SortField, kSortsMax> fields_{};
  std::size_t count_ = 0;
};

struct SortKey {
  SortField field;
  bool descending = false;
};

/// At most this many fields in one sort.
inline constexpr std::size_t kSortFieldsMax = 4;

/// Reads `text`. Category::invalid with faults at `?sort` ("not_one_of", "not_unique", "too_long") when it names
/// what is not in `fields`, something twice, or too much. Views point into `fields`.
Result<std::vector<SortKey>> parse_sort(std::string_view text, std::span<const SortField> fields);

/// The same for a caller that collects faults: what could be read, and the faults behind those in `faults`.
std::vector<SortKey> parse_sort(std::string_view text, std::span<const SortField> fields,
                                std::vector<Fault>& faults);

}  // namespace bedplate::api
