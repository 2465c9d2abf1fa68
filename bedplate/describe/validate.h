// SPDX-License-Identifier: Apache-2.0
// The rules of a description over a C++ value, for values that no reader of ours has checked: built in code,
// filled field by field. read_json() and read_text() apply the rules of what they read as they go.
//
//   if (Result<void> good = validate(task); !good) return std::unexpected(std::move(good.error()));
#pragma once

#include <string>

#include "bedplate/describe/describe.h"
#include "bedplate/describe/faults.h"

namespace bedplate {

/// Every rule of every field, nested ones too, then the checks across fields.
void validate(const TypeInfo& type, const void* value, Faults& faults);

/// The rules of one field of `object`. `pointer` is where its faults are reported.
void validate_field(const FieldInfo& field, const void* object, std::string_view pointer, Faults& faults);

/// Only the check across fields of `object`, if its type has one. For readers that fill the fields
/// themselves.
void check_across_fields(const TypeInfo& type, const void* object, Faults& faults);

template <class T>
Result<void> validate(const T& value) {
  Faults faults;
  validate(type_of<T>(), &value, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults).to_error());
  return {};
}

}  // namespace bedplate
