// SPDX-License-Identifier: Apache-2.0
// Faults: everything that is wrong with a value, collected before anybody is told.
//
//   Faults faults;
//   faults.add("/title", "too_long", "must have at most 200 characters");
//   if (!faults.empty()) return std::unexpected(std::move(faults).to_error("The body is not valid."));
//
// Fault codes that readers and rules give, closed and stable:
//   required, unknown_field, duplicate_field, read_only, wrong_type, null_not_allowed, too_short, too_long,
//   too_small, too_large, pattern, format, blank, invalid_character, not_unique, not_one_of, no_match
//   (json_schema/json_schema.h), custom
// A message never repeats the value: it could be a secret.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/describe/table.h"

namespace bedplate {

/// At most `kept_max` faults with their JSON Pointers; the rest is only known to exist. Not thread-safe.
class Faults {
 public:
  static constexpr std::size_t kKeptMax = 100;

  explicit Faults(std::size_t kept_max = kKeptMax) : kept_max_(kept_max) {}

  void add(std::string pointer, std::string_view code, std::string message);

  bool empty() const { return list_.empty() && !more_; }
  const std::vector<Fault>& list() const { return list_; }
  /// There were more than are kept.
  bool more() const { return more_; }
  /// No room for another: a caller may stop wording them.
  bool full() const { return list_.size() >= kept_max_; }
  /// Whether any was added since the list had that size: what could not be read is not judged any further.
  bool grew_since(std::size_t size) const { return list_.size() != size || more_; }
  void note_more() { more_ = true; }
  void clear();

  /// Category::invalid, code `validation_failed`, with the faults moved into it.
  Error to_error(std::string detail = "Some values are not valid.") &&;

 private:
  std::size_t kept_max_;
  bool more_ = false;
  std::vector<Fault> list_;
};

/// Where a reader or a check stands, innermost first: one frame on the stack for each object, list or map
/// around the value. Made into a JSON Pointer only when there is a fault.
struct PathFrame {
  const PathFrame* up = nullptr;
  const FieldInfo* field = nullptr;  ///< in an object; else `key` when it is set, else `index`
  std::string_view key{};
  std::size_t index = 0;
};

/// The JSON Pointer (RFC 6901) of a path; "" for the whole value.
std::string json_pointer(const PathFrame* path);
/// One token of a JSON Pointer, escaped, behind those that are there.
void append_pointer_token(std::string& pointer, std::string_view token);
/// The pointer of a member of what `path` leads to.
std::string json_pointer(const PathFrame* path, std::string_view member);

/// What a check across fields reports to: see schema::check.
class ObjectProblems {
 public:
  ObjectProblems(Faults& faults, const PathFrame* path, const ObjectInfo& object)
      : faults_(faults), path_(path), object_(object) {}

  /// Something is wrong with the object as a whole.
  void add(std::string_view code, std::string message);
  /// Something is wrong with one field. `member` is its C++ name; the pointer carries the wire name.
  void add(std::string_view member, std::string_view code, std::string message);

 private:
  Faults& faults_;
  const PathFrame* path_;
  const ObjectInfo& object_;
};

}  // namespace bedplate
