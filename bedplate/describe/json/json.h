// SPDX-License-Identifier: Apache-2.0
// JSON in and out for every described type (RFC 8259): one pass each way over the table, no tree in between.
//
//   Result<CreateTask> input = from_json<CreateTask>(body);   // faults of the values: Error::faults()
//   std::string text = to_json(task);
//
//   read_json(body, input.type(), input.data(), faults, limits);    // the type known at run time only
//   write_json(buffer, type_of<Task>(), &task);
//
// Reading tells two kinds of trouble apart. Bytes that are not JSON (bad grammar, bad UTF-8, a lone
// surrogate, nested too deeply) end it: Category::malformed, code `malformed_json`, the byte offset in the
// detail. Well-formed JSON with wrong values is read to its end and every fault is reported at once with its
// JSON Pointer: Category::invalid, code `validation_failed`; codes in faults.h. What a faulty field holds
// afterwards is not specified.
//
// Choices, where the RFC leaves one:
//   - Integer fields take any number whose value is a whole one in range (1, 1.0, 1e2), as JSON Schema does,
//   exactly:
//     nothing goes through a double. Real fields take the nearest double; beyond its range is `too_large`.
//   - Strings must be valid UTF-8 and pair their surrogates. U+0000 in a string or a key of input is a fault
//     (`invalid_character`): not every database can keep it.
//   - A byte order mark, comments and trailing commas are malformed.
//   - A field given twice is a fault, and so are, in input, an unknown one and one with `read_only` (unless limits
//     or `edits` say otherwise).
// Writing: fields in the order of the description; an empty optional is null (left out with `omit_null`), a
// field that a merge patch does not give is left out. Invalid UTF-8 becomes U+FFFD.
//
// Thread-safe: no state is shared. Reading allocates only what the value holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bedplate/base/buffer.h"
#include "bedplate/base/result.h"
#include "bedplate/describe/describe.h"
#include "bedplate/describe/faults.h"

namespace bedplate {

/// Which side of a type is meant: some fields are set by the server only, some never shown.
enum class View : std::uint8_t {
  input,   ///< what clients send: read_only and U+0000 refused when reading, read_only left out when writing
  output,  ///< what the server answers: write_only left out
  stored,  ///< everything, for our own keeping
  diagnostic,  ///< everything, for people: secret, personal and write_only fields are written as "***"
};

struct JsonLimits {
  std::size_t size_bytes_max = 64u << 20;  ///< past it: Category::too_large, `json_too_large`
  unsigned depth_max = 64;                 ///< nested objects and lists; past it: malformed
  View view = View::input;
  bool ignore_unknown_fields = false;    ///< for reading what others wrote; our own input refuses them
  bool ignore_read_only_fields = false;  ///< for changes of what the client has read: PUT and PATCH
  /// Bit i: field i of the outermost object comes from elsewhere (path, query). Here it is unknown, and not
  /// required.
  std::uint64_t fields_elsewhere = 0;
};

/// Reads one JSON value into a live `value` of `type`. An error is about the bytes; faults are about the
/// values. Optional fields that are not given keep what `value` held.
Result<void> read_json(std::string_view text, const TypeInfo& type, void* value, Faults& faults,
                       const JsonLimits& limits = {});

/// Appends one JSON value. False when something has no JSON form (NaN, an infinity, a year beyond 9999, an
/// enum value that is not listed): null stands in its place, so that the text is valid JSON whatever happens,
/// and `faults` (when given) says where.
bool write_json(Buffer& out, const TypeInfo& type, const void* value, View view = View::output,
                Faults* faults = nullptr);

/// Only the grammar: success when `text` is one well-formed JSON value.
Result<void> check_json(std::string_view text, unsigned depth_max = 64);

template <class T>
Result<T> from_json(std::string_view text, const JsonLimits& limits = {}) {
  T value{};
  Faults faults;
  Result<void> read = read_json(text, type_of<T>(), &value, faults, limits);
  if (!read) return std::unexpected(std::move(read.error()));
  if (!faults.empty()) return std::unexpected(std::move(faults).to_error());
  return value;
}

/// As write_json().
template <class T>
bool to_json(Buffer& out, const T& value, View view = View::output) {
  return write_json(out, type_of<T>(), &value, view);
}
bool append_json(std::string& out, const TypeInfo& type, const void* value, View view = View::output);
template <class T>
bool to_json(std::string& out, const T& value, View view = View::output) {
  return append_json(out, type_of<T>(), &value, view);
}
template <class T>
std::string to_json(const T& value, View view = View::output) {
  std::string out;
  append_json(out, type_of<T>(), &value, view);
  return out;
}

}  // namespace bedplate
