// SPDX-License-Identifier: Apache-2.0
// A field from one piece of text and back: query and path parameters, environment variables, flags.
//
//   read_text_field("in_progress", status_field, &input, "?status", faults);   // parses, applies the rules
//   Result<Time> when = from_text<Time>("2026-11-21T10:00:00Z");
//
// Forms: booleans are true and false; numbers as in JSON (an integer has no point and no exponent); enums,
// ids and times as in JSON without quotes; strings as they stand (valid UTF-8 without U+0000); a Json field takes
// JSON.
// Optional and Patch take the form of what is inside; there is no text for null. Faults have the codes of
// faults.h.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bedplate/describe/describe.h"
#include "bedplate/describe/faults.h"

namespace bedplate {

/// True when a value of `type` (or of what is inside its optional or Patch) can be read from one text.
bool is_text_scalar(const TypeInfo& type);
/// True for a list of such values, in an optional or not.
bool is_text_list(const TypeInfo& type);

/// Reads a scalar and applies `rules`. False when there was a fault, reported at `pointer`.
bool read_text(std::string_view text, const TypeInfo& type, const Rules& rules, void* value,
               std::string_view pointer, Faults& faults);

/// Reads a field of `object` from its texts: exactly one for a scalar (more: `duplicate_field`), any number
/// for a list, which is replaced. False when there was a fault.
bool read_text_field(std::span<const std::string_view> texts, const FieldInfo& field, void* object,
                     std::string_view pointer, Faults& faults);
bool read_text_field(std::string_view text, const FieldInfo& field, void* object, std::string_view pointer,
                     Faults& faults);

/// Appends the text of a scalar. False when it has none: null, absent, not a scalar, not representable.
bool write_text(std::string& out, const TypeInfo& type, const void* value);

template <class T>
Result<T> from_text(std::string_view text) {
  T value{};
  Faults faults;
  if (!read_text(text, type_of<T>(), Rules{}, &value, "", faults))
    return std::unexpected(std::move(faults).to_error());
  return value;
}
template <class T>
std::string to_text(const T& value) {
  std::string out;
  write_text(out, type_of<T>(), &value);
  return out;
}

}  // namespace bedplate
