// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/table.h"

#include <cstring>

namespace bedplate {

namespace {

template <class Signed, class Unsigned>
std::int64_t load_as(const void* from, bool is_signed) {
  Unsigned value;
  std::memcpy(&value, from, sizeof value);
  return is_signed ? static_cast<std::int64_t>(static_cast<Signed>(value)) : static_cast<std::int64_t>(value);
}

}  // namespace

bool ObjectInfo::ignores(std::string_view wire_name) const {
  if (edits == nullptr) return false;
  const FieldInfo* const field = edits->object().find(wire_name);
  return field != nullptr && (field->flags & (kReadOnly | kKey)) != 0;
}

std::uint64_t ObjectInfo::given_in(const void* object) const {
  std::uint64_t given;
  std::memcpy(&given, static_cast<const char*>(object) + given_offset, sizeof given);
  return given;
}

void ObjectInfo::set_given(void* object, std::uint64_t given) const {
  std::memcpy(static_cast<char*>(object) + given_offset, &given, sizeof given);
}

const void* value_inside(const TypeInfo& type, const void* value) {
  if (type.kind == Kind::optional) return type.optional->get(value);
  if (type.kind == Kind::patch)
    return type.patch->state(value) == PatchState::value ? type.patch->get(value) : nullptr;
  return value;
}

std::int64_t load_integer(const void* from, std::uint8_t width, bool is_signed) {
  switch (width) {
    case 1:
      return load_as<std::int8_t, std::uint8_t>(from, is_signed);
    case 2:
      return load_as<std::int16_t, std::uint16_t>(from, is_signed);
    case 4:
      return load_as<std::int32_t, std::uint32_t>(from, is_signed);
    default:
      return load_as<std::int64_t, std::uint64_t>(from, is_signed);
  }
}

void store_integer(void* to, std::uint8_t width, std::int64_t value) {
  switch (width) {
    case 1: {
      const auto low = static_cast<std::uint8_t>(value);
      std::memcpy(to, &low, sizeof low);
      return;
    }
    case 2: {
      const auto low = static_cast<std::uint16_t>(value);
      std::memcpy(to, &low, sizeof low);
      return;
    }
    case 4: {
      const auto low = static_cast<std::uint32_t>(value);
      std::memcpy(to, &low, sizeof low);
      return;
    }
    default:
      std::memcpy(to, &value, sizeof value);
  }
}

}  // namespace bedplate
