// SPDX-License-Identifier: Apache-2.0
// Identifiers: UUIDs (RFC 9562), version 7 when made here, and a distinct type for each thing they name.
//
//   struct Task;  using TaskId = Id<Task>;
//   TaskId id = new_id<TaskId>();          // sorts by the time it was made
//   auto parsed = Uuid::parse("018f...");  // std::optional
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace bedplate {

/// 128 bits in network order.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Uuid&) const = default;
  bool is_nil() const { return *this == Uuid{}; }

  /// Reads the 36-character form (either case); nothing else (no braces, no URN).
  static std::optional<Uuid> parse(std::string_view text);
  /// Writes the 36-character lower-case form to `out`, which has room for 36 characters.
  void write(char* out) const;
  std::string to_string() const;
};

/// A new version 7 UUID (RFC 9562 section 5.7): milliseconds, then a counter that keeps ids of one thread in
/// order within a millisecond, then random bits from the operating system's generator. Safe from any thread.
Uuid new_uuid();

/// A UUID that names one kind of thing; ids of different things do not mix.
template <class Tag>
struct Id : Uuid {
  Id() = default;
  explicit Id(const Uuid& uuid) : Uuid(uuid) {}
  auto operator<=>(const Id&) const = default;
};

template <class IdType>
IdType new_id() {
  return IdType(new_uuid());
}

}  // namespace bedplate

template <>
struct std::hash<bedplate::Uuid> {
  std::size_t operator()(const bedplate::Uuid& uuid) const noexcept;
};
template <class Tag>
struct std::hash<bedplate::Id<Tag>> : std::hash<bedplate::Uuid> {};
