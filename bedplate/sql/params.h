// SPDX-License-Identifier: Apache-2.0
// Parameters of a statement: $1, $2, ... in its text.
//
//   co_await ok(tx.run("UPDATE tasks SET title = $2 WHERE id = $1", task.id, task.title));
//
//   Params params;                                   // a list that grows while a statement is put together
//   std::string where = "owner = " + params.add(user);          // "owner = $1"
//   where += " AND status = " + params.add(Status::done);       // " AND status = $2"
//
// What a value becomes is decided by its C++ type, and the driver stores it as its engine does: an Id or Uuid
// as BLOB(16) / uuid, a Time as INTEGER microseconds / timestamptz, a described enum as its name, a bool as 0
// or 1, lists, maps and described structs as JSON text, an empty optional as NULL.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"

namespace bedplate::sql {

/// One value on its way to a driver. Text and bytes are borrowed: they outlive the statement (the arguments
/// of a `co_await` live until it has its answer). Move-only.
class Param {
 public:
  enum class Kind : std::uint8_t {
    null,
    boolean,
    integer,
    real,
    text,
    blob,
    uuid,
    time,
    unfit,  ///< a described value without a SQL form; statements refuse it
  };

  Param() = default;
  Param(std::nullptr_t) {}
  Param(std::nullopt_t) {}
  template <std::same_as<bool> T>
  Param(T value) : kind_(Kind::boolean) {
    value_.integer = value;
  }
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char> && sizeof(T) <= 8)
  Param(T value) : kind_(Kind::integer) {
    static_assert(
        std::is_signed_v<T> || sizeof(T) < 8,
        "A SQL integer is 64 bits and signed: convert an unsigned 64-bit value to std::int64_t first");
    value_.integer = static_cast<std::int64_t>(value);
  }
  template <std::floating_point T>
  Param(T value) : kind_(Kind::real) {
    value_.real = static_cast<double>(value);
  }
  Param(std::string_view text) : Param(Kind::text, text.data(), text.size()) {}
  Param(const std::string& text) : Param(std::string_view(text)) {}
  Param(const char* text) : Param(std::string_view(text)) {}
  Param(std::span<const std::byte> bytes)
      : Param(Kind::blob, reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}
  Param(const std::vector<std::byte>& bytes) : Param(std::span<const std::byte>(bytes)) {}
  Param(const Uuid& id) : kind_(Kind::uuid) { std::memcpy(value_.uuid, id.bytes.data(), sizeof value_.uuid); }
  Param(Time time) : kind_(Kind::time) { value_.integer = time.time_since_epoch().count(); }
  template <class T>
  Param(const std::optional<T>& value) {
    if (value) *this = Param(*value);
  }
  /// A Date or a Duration, as text or microseconds: see describe/scalar.h.
  template <class T>
    requires(std::same_as<T, Date> || std::same_as<T, Duration>)
  Param(T value) : Param(described(type_of<T>(), &value)) {}
  /// A described enum, list, map or struct, or a Decimal: see describe/rows.h. Its text is kept here.
  template <class T>
    requires(std::is_enum_v<T> ||
             (std::is_class_v<T> && !std::convertible_to<const T&, std::string_view> &&
              !std::convertible_to<const T&, std::span<const std::byte>> && !std::derived_from<T, Uuid> &&
              !std::same_as<T, Time> && !std::same_as<T, Date> && !std::same_as<T, Duration>))
  Param(const T& value) : Param(described(type_of<T>(), &value)) {}

  /// The same for a value whose type is known by its description only.
  static Param described(const TypeInfo& type, const void* value);

  Param(Param&&) noexcept = default;
  Param& operator=(Param&&) noexcept = default;

  Kind kind() const { return kind_; }
  std::int64_t integer() const {
    return value_.integer;
  }  ///< boolean (0 or 1), integer, time (µs since 1970)
  double real() const { return value_.real; }
  std::string_view bytes() const { return {value_.bytes.data, value_.bytes.size}; }  ///< text, blob
  const unsigned char* uuid() const { return value_.uuid; }                          ///< 16 bytes

  /// Keeps a copy of text or bytes that are borrowed.
  Param&& owned() &&;
  /// The same value, with a text or bytes of its own.
  Param copy() const;

 private:
  Param(Kind kind, const char* data, std::size_t size) : kind_(kind) { value_.bytes = {data, size}; }

  union Value {
    std::int64_t integer;
    double real;
    struct {
      const char* data;
      std::size_t size;
    } bytes;
    unsigned char uuid[16];
  };
  Kind kind_ = Kind::null;
  Value value_{.integer = 0};
  std::unique_ptr<std::string> kept_;
};

/// What every engine can keep as text: UTF-8 without U+0000.
bool is_storable_text(std::string_view text);

/// A name of a table or column as statements write it: in double quotes.
std::string quoted_name(std::string_view name);

/// A list of parameters whose length is known only at run time. It keeps copies of what it is given.
class Params {
 public:
  /// Adds one and returns how the text names it: "$1", "$2", ...
  template <class T>
  std::string add(const T& value) {
    list_.push_back(Param(value).owned());
    return "$" + std::to_string(list_.size());
  }
  std::string add(const TypeInfo& type, const void* value) {
    list_.push_back(Param::described(type, value).owned());
    return "$" + std::to_string(list_.size());
  }
  /// The same for a parameter of another list.
  std::string add_copy(const Param& value) {
    list_.push_back(value.copy());
    return "$" + std::to_string(list_.size());
  }
  std::span<const Param> list() const { return list_; }
  std::size_t size() const { return list_.size(); }
  /// Takes out what came last.
  void shrink(std::size_t size) {
    list_.erase(list_.begin() + static_cast<std::ptrdiff_t>(size), list_.end());
  }

 private:
  std::vector<Param> list_;
};

}  // namespace bedplate::sql
