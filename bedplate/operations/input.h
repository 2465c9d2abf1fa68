// SPDX-License-Identifier: Apache-2.0
// Inputs that are derived from the entity they are about: what a client may set of a new one, a merge patch, a
// replacement, a reference. The entity's description says all the rules; nothing is listed a second time.
//
//   struct Item {
//     WishlistId wishlist_id;
//     ItemId id;
//     std::string title;
//     std::optional<std::string> url;
//     Time created_at{};
//     std::int64_t version = 1;
//     static consteval auto describe() {
//       using namespace bedplate::schema;
//       return object<Item>("Something wished for.", {
//           field<&Item::wishlist_id>(key, "The list that it is on."),          // who makes an item names the list
//           field<&Item::id>(key, read_only, "Names the item."),                // the server makes it
//           field<&Item::title>(length{1, 200}, "What it is."),
//           field<&Item::url>(format::web_url, "Where to find it."),
//           field<&Item::created_at>(read_only, "When it was added."),
//           field<&Item::version>(read_only, "Counts changes."),
//       });
//     }
//   };
//
//   class Items {
//     Async<Item> add(sql::Transaction&, const api::New<Item>&);     // POST /v1/wishlists/{wishlist_id}/items
//     Async<Item> find(sql::Reader&, const api::Ref<Item>&);         // GET /v1/wishlists/{wishlist_id}/items/{id}
//     Async<Item> replace(sql::Transaction&, const api::Replacement<Item>&);  // PUT
//     Async<Item> change(sql::Transaction&, const api::Changes<Item>&);       // PATCH
//     Async<void> remove(sql::Transaction&, const api::Ref<Item>&);           // DELETE
//     Async<Item> find_row(sql::Reader&, WishlistId, ItemId);
//     Async<void> update_row(sql::Transaction&, const Item&);
//   };
//
//   Async<Item> Items::change(sql::Transaction& db, const api::Changes<Item>& input) {
//     Item item = co_await ok(find_row(db, input->wishlist_id, input->id));
//     co_await ok(input.if_match.check(item.version));
//     if (!input.apply_to(item)) co_return item;                     // nothing changed
//     ++item.version;
//     co_await ok(update_row(db, item));
//     co_return item;
//   }
//
//                    keys                             other fields             fields left out
//   New<T>           those that are not `read_only`   those not `read_only`    have the default of T
//   Replacement<T>   all                              those not `read_only`    go back to the default of T
//   Changes<T>       all                              those not `read_only`    stay as they are
//   Ref<T>           all                              none
//
// What must be given is what T's description says (a field with `optional_with_default` may be left out), and always
// the keys. REST takes a key from the path where the path names it. Fields keep T's rules, doc and example; the rule
// across T's fields (`check<&fn>` behind the list) holds for New and Replacement. In Replacement and Changes,
// `read_only` fields and keys that a client sends back as it read them are ignored. In documents the inputs of Item are
// NewItem, ItemReplacement, ItemChanges and ItemRef.
//
// All are described types: they have a JSON form with every field that they take, keys too (`to_json(input,
// View::stored)`, which from_json with View::stored reads back), validate() checks them, and every surface, job or test
// can make them. In code they are made from a T, of which they keep what a client may set:
//
//   api::New<Item> input({.wishlist_id = list, .title = "A bicycle"});
//   api::Ref<Item> ref({.wishlist_id = list, .id = item});
//   api::Changes<Item> changes({.wishlist_id = list, .id = item});
//   changes.set<&Item::title>("A red bicycle").clear<&Item::url>();
//
// Replacement, Changes and Ref carry `if_match`; where T has a member `std::int64_t version`, commands and procedures
// that take one honour If-Match and If-None-Match, and check it as above. It is no part of the JSON form.
//
// Values; one is not changed by several threads at once. Each costs a table in constant data and half the compile
// time of a described struct.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "bedplate/base/result.h"
#include "bedplate/describe/describe.h"
#include "bedplate/describe/validate.h"
#include "bedplate/operations/if_match.h"

namespace bedplate::api {

namespace detail {

enum class InputKind : std::uint8_t { create, replacement, changes, reference };

/// Whether an input of this kind takes the entity's field.
constexpr bool takes_field(InputKind kind, const FieldInfo& field) {
  if (field.has(kKey)) return kind != InputKind::create || !field.has(kReadOnly);
  return kind != InputKind::reference && !field.has(kReadOnly);
}

/// The name in documents: "NewTask", "TaskChanges".
template <class T, InputKind Kind>
struct InputName {
  static constexpr void make(auto append) {
    const auto put = [&](std::string_view text) {
      for (char c : text) append(c);
    };
    if constexpr (Kind == InputKind::create) put("New");
    put(bedplate::detail::ObjectTable<T>::kInfo.name);
    if constexpr (Kind == InputKind::replacement) put("Replacement");
    if constexpr (Kind == InputKind::changes) put("Changes");
    if constexpr (Kind == InputKind::reference) put("Ref");
  }
};

template <class T, InputKind Kind>
struct InputDoc {
  static constexpr void make(auto append) {
    const auto put = [&](std::string_view text) {
      for (char c : text) append(c);
    };
    constexpr std::string_view kName = bedplate::detail::ObjectTable<T>::kInfo.name;
    if constexpr (Kind == InputKind::create) put("What a client sets of a new "), put(kName), put(".");
    if constexpr (Kind == InputKind::replacement)
      put("All that a client may set of "), put(kName),
          put(", at once. What is left out goes back to its default.");
    if constexpr (Kind == InputKind::changes)
      put("What to change of "), put(kName),
          put(" (JSON Merge Patch, RFC 7396): what is absent stays, null clears.");
    if constexpr (Kind == InputKind::reference) put("Names one "), put(kName), put(".");
  }
};

/// A field of the entity as an input of this kind has it.
template <InputKind Kind>
constexpr FieldInfo input_field(FieldInfo field) {
  const auto change = [&field](unsigned clear, unsigned set) {
    field.flags = static_cast<std::uint16_t>((field.flags & ~clear) | set);
  };
  change(kOmitNull, 0);  // null has a meaning in input
  if (field.has(kKey) && Kind != InputKind::create) change(kReadOnly | kHasDefault, kRequired);
  if (!field.has(kKey) && Kind == InputKind::changes) change(kRequired | kHasDefault, kMayBeAbsent);
  return field;
}

/// The description of `Self`, an input that holds a T at `offset`.
template <class Self, class T, InputKind Kind>
consteval auto describe_input(std::uint32_t offset) {
  constexpr const auto& kEntity = bedplate::detail::ObjectTable<T>::kDescription;
  std::remove_cvref_t<decltype(kEntity)> input{};
  for (std::uint8_t& slot : input.slots) slot = ObjectInfo::kNoField;
  input.name = bedplate::detail::StaticText<InputName<T, Kind>>::kView;
  input.doc = bedplate::detail::StaticText<InputDoc<T, Kind>>::kView.data();
  bool ignores = false;
  for (std::size_t i = 0; i < kEntity.count; ++i) {
    ignores |= (kEntity.fields[i].flags & (kReadOnly | kKey)) != 0;
    if (!takes_field(Kind, kEntity.fields[i])) continue;
    FieldInfo field = input_field<Kind>(kEntity.fields[i]);
    field.offset += offset;
    input.add(field);
  }
  constexpr bool kWhole = Kind == InputKind::create || Kind == InputKind::replacement;
  if constexpr (kWhole && kEntity.check != nullptr)
    input.check = [](const void* value, ObjectProblems& problems) {
      bedplate::detail::ObjectTable<T>::kDescription.check(&**static_cast<const Self*>(value), problems);
    };
  if (ignores && (Kind == InputKind::replacement || Kind == InputKind::changes))
    input.edits = &bedplate::detail::TypeTable<T>::kInfo;
  return input;
}

template <class T>
consteval bool has_key() {
  constexpr const auto& kEntity = bedplate::detail::ObjectTable<T>::kDescription;
  for (std::size_t i = 0; i < kEntity.count; ++i)
    if (kEntity.fields[i].has(kKey)) return true;
  return false;
}

/// Moves what an input of this kind takes from one T to another.
void move_fields(InputKind kind, const TypeInfo& entity, void* from, void* to);
/// Moves those of the fields that are given (by their place in an input of this kind) and no keys; whether the JSON
/// form of any was another before.
bool apply_fields(InputKind kind, const TypeInfo& entity, std::uint64_t given, void* from, void* to);

/// The T inside an input. `->` reaches its fields as the caller gave them; the others have T's defaults.
template <class T, InputKind Kind>
class Input {
  static_assert(bedplate::detail::DescribedObject<T>,
                "api::New<T>, Replacement<T>, Changes<T> and Ref<T> are of a described struct");
  static_assert(std::is_copy_constructible_v<T>, "an input is derived from a struct that can be copied");

 public:
  using Entity = T;

  const T* operator->() const { return &value_; }
  const T& operator*() const { return value_; }

 protected:
  T value_{};
  static constexpr T Input::* kValue = &Input::value_;

  Input() = default;
  explicit Input(T from) {
    // What is given in a patch is said field by field.
    constexpr InputKind kKept = Kind == InputKind::changes ? InputKind::reference : Kind;
    move_fields(kKept, type_of<T>(), &from, &value_);
  }
  ~Input() = default;
  Input(const Input&) = default;
  Input(Input&&) noexcept = default;
  Input& operator=(const Input&) = default;
  Input& operator=(Input&&) noexcept = default;
};

template <class Entity>
concept HasVersion = requires(Entity& entity) {
  { entity.version } -> std::same_as<std::int64_t&>;
};
/// An input whose If-Match and If-None-Match need no line from the author.
template <class In>
concept CarriesIfMatch = requires(In& input) {
  requires HasVersion<typename In::Entity>;
  { input.if_match } -> std::same_as<IfMatch&>;
};

}  // namespace detail

/// What a client sets of a new T.
template <class T>
class New : public detail::Input<T, detail::InputKind::create> {
  using Base = detail::Input<T, detail::InputKind::create>;

 public:
  New() = default;
  /// Of `from` what a client may set.
  explicit New(T from) : Base(std::move(from)) {}

  /// A T with what the client set; the rest has T's defaults. `task.id = new_id<TaskId>()` and the like follow.
  T make() const { return this->value_; }

  static consteval auto describe() {
    return detail::describe_input<New, T, detail::InputKind::create>(
        bedplate::detail::member_offset<New, T>(Base::kValue));
  }
};

/// All that a client may set of an existing T, at once.
template <class T>
class Replacement : public detail::Input<T, detail::InputKind::replacement> {
  using Base = detail::Input<T, detail::InputKind::replacement>;

 public:
  IfMatch if_match;

  Replacement() = default;
  /// Of `from` the keys and what a client may set.
  explicit Replacement(T from) : Base(std::move(from)) {}

  /// Sets every field of `target` that a client may set. False when all of them were so before.
  bool apply_to(T& target) const {
    T copy = this->value_;
    return detail::apply_fields(detail::InputKind::replacement, type_of<T>(), UINT64_MAX, &copy, &target);
  }

  static consteval auto describe() {
    return detail::describe_input<Replacement, T, detail::InputKind::replacement>(
        bedplate::detail::member_offset<Replacement, T>(Base::kValue));
  }
};

/// A merge patch (RFC 7396) of an existing T: absent fields stay, null clears a std::optional and is a fault elsewhere.
/// A field that is a list, a map, a struct or Json is one value: it is replaced as a whole. (The RFC merges objects
/// within objects; fields of their own are the way to change parts of them.)
template <class T>
class Changes : public detail::Input<T, detail::InputKind::changes> {
  using Base = detail::Input<T, detail::InputKind::changes>;

 public:
  IfMatch if_match;

  /// Changes nothing.
  Changes() = default;
  /// Changes nothing of the T with the keys of `which`.
  explicit Changes(T which) : Base(std::move(which)) {}

  /// Gives a field a value.
  template <auto Member>
  Changes& set(bedplate::detail::field_type_of<Member> value) & {
    this->value_.*Member = std::move(value);
    given_ |= bit_of<Member>();
    return *this;
  }
  /// Clears a std::optional field.
  template <auto Member>
  Changes& clear() & {
    static_assert(bedplate::detail::is_optional<bedplate::detail::field_type_of<Member>>,
                  "Changes::clear<> names a std::optional field");
    return set<Member>({});
  }
  /// Whether the caller gave the field: then `->` has its value, or an empty optional for null.
  template <auto Member>
  bool gives() const {
    return (given_ & bit_of<Member>()) != 0;
  }

  /// Makes the changes. False when they change nothing. A T with a rule across its fields: checked_apply_to().
  bool apply_to(T& target) const {
    static_assert(
        bedplate::detail::ObjectTable<T>::kDescription.check == nullptr,
        "this struct has a rule across its fields, which only the changed value can be checked against: "
        "use checked_apply_to(), which answers a Result<bool>");
    return apply(target);
  }
  /// The same, and the result is checked against the rules of T. After a failure `target` is as it was.
  Result<bool> checked_apply_to(T& target) const {
    T changed = target;
    if (!apply(changed)) return false;
    if (Result<void> good = validate(changed); !good) return std::unexpected(std::move(good.error()));
    target = std::move(changed);
    return true;
  }

  static consteval auto describe() {
    auto input = detail::describe_input<Changes, T, detail::InputKind::changes>(
        bedplate::detail::member_offset<Changes, T>(Base::kValue));
    input.given_offset = bedplate::detail::member_offset<Changes>(&Changes::given_);
    return input;
  }

 private:
  template <auto Member>
  static consteval std::uint64_t bit_of() {
    constexpr const auto& kInput = bedplate::detail::ObjectTable<Changes>::kDescription;
    constexpr std::size_t kAt = kInput.index_of_member(bedplate::detail::MemberKey<Member>::kName);
    static_assert(
        kAt < kInput.count && !kInput.fields[kAt].has(kKey),
        "Changes: this member is not one that a client may change (it is read_only, a key, or left out)");
    return std::uint64_t{1} << kAt;
  }

  bool apply(T& target) const {
    T copy = this->value_;
    return detail::apply_fields(detail::InputKind::changes, type_of<T>(), given_, &copy, &target);
  }

  std::uint64_t given_ = 0;  // bit i: field i of the description
};

/// The keys of an existing T: `input->id`.
template <class T>
class Ref : public detail::Input<T, detail::InputKind::reference> {
  using Base = detail::Input<T, detail::InputKind::reference>;

 public:
  IfMatch if_match;

  Ref() = default;
  /// Of `which` the keys.
  explicit Ref(T which) : Base(std::move(which)) {}

  static consteval auto describe() {
    static_assert(detail::has_key<T>(),
                  "api::Ref<T>: no field of T has the rule `key`; say which fields identify one, such as "
                  "field<&T::id>(key, read_only)");
    return detail::describe_input<Ref, T, detail::InputKind::reference>(
        bedplate::detail::member_offset<Ref, T>(Base::kValue));
  }
};

}  // namespace bedplate::api
