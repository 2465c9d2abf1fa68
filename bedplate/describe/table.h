// SPDX-License-Identifier: Apache-2.0
// The table in the middle: what a description compiles to. Plain data, no templates; every format (json,
// validate, schema, rows, text values, and those of other folders) is ordinary code that walks it.
//
//   const TypeInfo& type = type_of<Task>();                        // describe.h
//   for (const FieldInfo& field : type.object().all()) print(field.name());
//
// Tables are constant data with static lifetime: readable from any thread, at any time, also before main().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "bedplate/describe/patch.h"

namespace bedplate {

struct TypeInfo;
struct FieldInfo;
class ObjectProblems;  // faults.h

/// What a value is. Decides which of TypeInfo's operations is set.
enum class Kind : std::uint8_t {
  boolean,
  integer,      ///< `width` bytes, `is_signed`
  real,         ///< float or double by `width`
  string,       ///< std::string, UTF-8
  enumeration,  ///< `width` bytes, `is_signed`; TypeInfo::enumeration()
  uuid,         ///< Uuid or an Id<>
  time,         ///< Time
  json,         ///< Json: any JSON, kept as text
  scalar,    ///< another value with one text form: Decimal, Date, Duration, Bytes, Currency; TypeInfo::scalar
  optional,  ///< std::optional of `element`
  patch,     ///< Patch of `element`
  list,      ///< std::vector of `element`
  map,       ///< std::map<std::string, element>
  object,    ///< a described struct; TypeInfo::object()
  variant,   ///< std::variant or Tagged of described structs: a JSON key or field names the alternative
};

/// How a type without a name of its own is handled when its static type is forgotten.
struct ValueOps {
  void (*construct)(void* raw);          ///< default-constructs in raw storage
  void (*destroy)(void* value);          ///< ends its life
  void (*move)(void* raw, void* value);  ///< move-constructs `raw` from `value`, which stays alive
};

/// What a value of Kind::scalar is in SQL.
enum class SqlForm : std::uint8_t {
  text,
  decimal,  ///< NUMERIC on PostgreSQL, text on SQLite
  date,     ///< date on PostgreSQL, text on SQLite
  integer,  ///< by to_integer() and from_integer()
  blob,     ///< a Bytes
};

/// A type whose values have one text form: a JSON string, one text of a path, query or setting, a column. How such a
/// type is added: detail::ScalarForm in scalar.h.
struct ScalarOps {
  /// Null, or a sentence that says what the text must be. Never repeats the text.
  const char* (*read)(std::string_view text, void* value);
  /// Appends what read() takes, in characters that JSON does not escape. False when the value has no text form.
  bool (*write)(const void* value, std::string& out);
  std::string_view word;      ///< of the type, in messages
  std::string_view format;    ///< of JSON Schema; empty: none
  std::string_view pattern;   ///< ECMA-262 and RE2; empty: none
  std::string_view encoding;  ///< contentEncoding of JSON Schema; empty: none
  SqlForm sql = SqlForm::text;
  std::int64_t (*to_integer)(const void* value) = nullptr;
  bool (*from_integer)(std::int64_t integer, void* value) = nullptr;
};

struct OptionalOps {
  const void* (*get)(const void*);  ///< null when empty
  void* (*emplace)(void*);
  void (*reset)(void*);
};

struct PatchOps {
  PatchState (*state)(const void*);
  const void* (*get)(const void*);
  void* (*emplace)(void*);
  void (*set_null)(void*);
  void (*set_absent)(void*);
};

/// Elements of a list: `size` values of the element type's size, one after another.
struct ListView {
  const void* data;
  std::size_t size;
};

struct ListOps {
  ListView (*view)(const void*);
  void* (*push)(void*);  ///< appends a default-constructed element and returns it
  void (*clear)(void*);
};

struct MapOps {
  using Visit = void (*)(void* context, std::string_view key, const void* value);
  void (*each)(const void*, void* context, Visit);
  void* (*insert)(void*, std::string_view key, bool* fresh);  ///< the value at `key`, new when `*fresh`
  void (*clear)(void*);
  std::size_t (*size)(const void*);
};

struct VariantOps {
  std::size_t (*index)(const void*);
  const void* (*get)(const void*);
  void* (*emplace)(void*, std::size_t index);
  const TypeInfo* const* alternatives;
  const std::string_view* tags;  ///< the snake_case names of the alternatives' types
  std::size_t count;
  /// Of a Tagged: the field of the JSON object that says which alternative it is. Empty: an object with one key.
  std::string_view discriminator{};
};

struct EnumValue {
  std::string_view name;  ///< on every surface
  std::int64_t value;
  const char* doc = nullptr;  ///< a line, or null
};

struct EnumInfo {
  std::span<const EnumValue> values;
  const char* doc;
  const EnumValue* fallback = nullptr;  ///< see schema::unknown; one of `values`, or null

  /// The name of a value, or nothing when the enum does not list it.
  std::string_view name_of(std::int64_t value) const {
    if (static_cast<std::uint64_t>(value) < values.size() &&
        values[static_cast<std::size_t>(value)].value == value)
      return values[static_cast<std::size_t>(value)].name;
    for (const EnumValue& v : values)
      if (v.value == value) return v.name;
    return {};
  }
  /// The value of a name, or null.
  const EnumValue* find(std::string_view name) const {
    for (const EnumValue& v : values)
      if (v.name == name) return &v;
    return nullptr;
  }
};

/// Checks of a text's form, beyond a pattern. Named as JSON Schema names them (2020-12 validation,
/// section 7.3), but web_url, which is a `uri` there.
enum class TextFormat : std::uint8_t {
  none,
  email,
  uri,
  uuid,
  date_time,
  date,
  hostname,
  ipv4,
  ipv6,
  web_url
};

enum RuleFlags : std::uint16_t {
  kHasLength = 1,   ///< min..max code points, items or entries
  kHasRange = 2,    ///< min..max of an integer
  kHasLimits = 4,   ///< low..high of a real
  kHasPattern = 8,  ///< RE2, found anywhere in the text unless anchored
  kHasFormat = 16,
  kHasCheck = 32,   ///< a function of the author's
  kUnique = 64,     ///< no item of the list twice
  kNotBlank = 128,  ///< a character that is not white space
};

/// Rules on one value.
struct Rules {
  std::uint16_t flags = 0;
  TextFormat format = TextFormat::none;
  std::int64_t min = 0;
  std::int64_t max = 0;
  double low = 0;
  double high = 0;
  const char* pattern = nullptr;
  const char* (*check)(const void* value) = nullptr;  ///< null, or a sentence that says what is wrong
};

enum FieldFlags : std::uint16_t {
  kRequired = 1,       ///< input must give it
  kReadOnly = 2,       ///< set by the server: see schema::read_only
  kWriteOnly = 4,      ///< taken as input; never in an answer
  kSecret = 8,         ///< masked wherever people read it (configuration, diagnostics); never in a fault
  kNullable = 16,      ///< a Patch that may be null
  kDeprecated = 32,    ///< still works, documented as going away
  kHasDefault = 64,    ///< input may leave it out; then it keeps what the struct's initialiser says
  kOmitNull = 128,     ///< an empty optional is left out of output instead of written as null
  kKey = 256,          ///< part of what identifies the object: see schema::key
  kPersonal = 1024,    ///< about a person: masked like kSecret in diagnostics; see schema::personal
  kMayBeAbsent = 512,  ///< of a merge patch: ObjectInfo::is_given() says whether it is there
};

/// Something that a part of the program outside describe/ says of a field or a struct: see schema::attribute.
struct Attribute {
  const void* type;   ///< identifies the C++ type of the value
  const void* value;  ///< constant data
};

/// One field of a described struct. The first cache line is what a codec reads on its way.
struct FieldInfo {
  const char* key =
      nullptr;  ///< `,"name":` and then 16 zero bytes, so that it is compared and copied 16 at a time
  const TypeInfo* type = nullptr;
  std::uint32_t offset = 0;
  std::uint16_t key_size = 0;  ///< of `,"name":`
  std::uint16_t flags = 0;     ///< FieldFlags
  Rules rules;                 ///< of the value, or of the value inside an optional or a Patch
  Rules item_rules;            ///< of each item of a list or each value of a map
  const char* doc = nullptr;
  const char* example = nullptr;  ///< text for text kinds, JSON for the others
  std::string_view member;        ///< the C++ name, also when the wire name differs
  std::span<const Attribute> attributes;

  constexpr std::string_view name() const { return {key + 2, static_cast<std::size_t>(key_size) - 4}; }
  constexpr bool has(FieldFlags flag) const { return (flags & flag) != 0; }

  const void* in(const void* object) const { return static_cast<const char*>(object) + offset; }
  void* in(void* object) const { return static_cast<char*>(object) + offset; }
};

/// Spreads field names over the slots of ObjectInfo. Names are few and known, so weak is fine.
constexpr std::uint32_t field_name_hash(std::string_view name) {
  const auto at = [name](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(name[i]));
  };
  return static_cast<std::uint32_t>(name.size()) * 31u + at(0) * 7u + at(name.size() - 1) * 13u +
         at(name.size() / 2) * 3u;
}

/// The fields of a described struct.
struct ObjectInfo {
  static constexpr std::uint8_t kNoField = 255;
  static constexpr std::uint32_t kAllGiven = UINT32_MAX;

  const FieldInfo* fields = nullptr;
  const std::uint8_t* slots = nullptr;  ///< open addressing by field_name_hash; kNoField ends a search
  std::uint16_t count = 0;
  std::uint16_t slot_mask = 0;
  std::uint64_t required = 0;  ///< bit i: field i has kRequired
  const char* doc = nullptr;
  std::string_view name;
  void (*check)(const void* object, ObjectProblems&) = nullptr;  ///< rules across fields
  const TypeInfo* edits = nullptr;                               ///< see schema::edits
  /// Of a merge patch: where the object holds a std::uint64_t whose bit i says that field i was given.
  std::uint32_t given_offset = kAllGiven;
  std::span<const Attribute> attributes;

  std::span<const FieldInfo> all() const { return {fields, count}; }

  /// The field of a wire name, or null.
  const FieldInfo* find(std::string_view wire_name) const {
    if (wire_name.empty()) return nullptr;
    for (std::uint32_t hash = field_name_hash(wire_name);; ++hash) {
      const std::uint8_t slot = slots[hash & slot_mask];
      if (slot == kNoField) return nullptr;
      if (fields[slot].name() == wire_name) return &fields[slot];
    }
  }
  /// Whether the field is part of this object: always, but in a merge patch that leaves it out.
  bool is_given(const FieldInfo& field, const void* object) const {
    return !field.has(kMayBeAbsent) || (given_in(object) >> (&field - fields) & 1) != 0;
  }
  /// Of a merge patch: bit i says that field i was given.
  std::uint64_t given_in(const void* object) const;
  void set_given(void* object, std::uint64_t given) const;

  /// Whether input may hold a field of this name, to be ignored: one that `edits` has as read_only or as a key.
  bool ignores(std::string_view wire_name) const;
};

/// A type that the tables can describe.
struct TypeInfo {
  Kind kind = Kind::boolean;
  std::uint8_t width = 0;  ///< bytes of an integer, real or enumeration
  bool is_signed = false;
  std::uint32_t size = 0;
  std::uint32_t align = 0;
  const TypeInfo* element = nullptr;  ///< of optional, patch, list, map
  union {
    const void* none = nullptr;
    const OptionalOps* optional;
    const PatchOps* patch;
    const ListOps* list;
    const MapOps* map;
    const EnumInfo* enum_info;
    const ObjectInfo& (*object_info)();  ///< a function, so that a type may contain itself
    const VariantOps* variant;
    const ScalarOps* scalar;
  };
  const ValueOps* ops = nullptr;
  std::string_view word;  ///< see name()

  /// Of a described struct or enum: "Task", "TaskPage"; of a scalar a word such as "integer"; else empty.
  std::string_view name() const {
    return kind == Kind::object ? object().name : kind == Kind::scalar ? scalar->word : word;
  }
  const ObjectInfo& object() const { return object_info(); }
  const EnumInfo& enumeration() const { return *enum_info; }

  /// The type inside an optional or a Patch; itself when it is neither.
  const TypeInfo& value_type() const {
    return kind == Kind::optional || kind == Kind::patch ? *element : *this;
  }
};

/// The value inside an optional or a Patch, null when there is none; `value` itself when it is neither.
const void* value_inside(const TypeInfo& type, const void* value);

/// Reads an integer or enumeration of `width` bytes. Unsigned 64-bit values above 2^63 wrap: cast to
/// uint64_t.
std::int64_t load_integer(const void* from, std::uint8_t width, bool is_signed);
/// Writes the low `width` bytes of `value`.
void store_integer(void* to, std::uint8_t width, std::int64_t value);

}  // namespace bedplate
