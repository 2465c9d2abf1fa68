// SPDX-License-Identifier: Apache-2.0
// Binding: fills an operation's input from a request, by rule (api.h says the rule to authors).
//
//   Binding binding;
//   ok = binding.prepare(operation);                       // at start: the route fits the input, or a sentence
//   Result<void> bound = binding.fill(match, query, body, input);
//
// A `{name}` of the path fills the field `name`. GET and DELETE take the other fields from the query string: a
// scalar at most once, a list by repeating its name. POST, PUT and PATCH take them from the JSON body, and no
// query parameters at all. Everything that is wrong is reported at once: `{name}` for the path, `?name` for the
// query, JSON Pointers for the body. What no field asks for is a fault.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/describe/faults.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/operations/operation.h"
#include "bedplate/surfaces/rest/router.h"

namespace bedplate::api {

class Binding {
 public:
  /// Category::invalid, with a sentence for the author, when the path names a field that the input does not have or
  /// that cannot come from a path, or when a field of a GET has no text form.
  Result<void> prepare(const Operation& operation);

  bool takes_body() const { return takes_body_; }
  /// Bit i: field i comes from the path.
  std::uint64_t path_fields() const { return path_fields_; }
  /// Fields that come from the query string.
  const std::vector<const FieldInfo*>& query_fields() const { return query_fields_; }
  /// Fields that come from the path, in its order.
  const std::vector<const FieldInfo*>& parameter_fields() const { return parameter_fields_; }

  /// Fills `input` (null when the operation takes none), a default-constructed value.
  Result<void> fill(std::span<const std::string_view> parameters, std::string_view query,
                    std::string_view body, void* input) const;

 private:
  void fill_path(std::span<const std::string_view> parameters, void* input, Faults& faults) const;
  Result<void> fill_query(std::string_view query, void* input, Faults& faults) const;
  void report_missing(std::uint64_t given, Faults& faults) const;
  void check_page(const void* input, Faults& faults) const;

  const TypeInfo* type_ = nullptr;
  bool takes_body_ = false;
  bool changes_what_was_read_ = false;  // PUT and PATCH
  bool any_query_ = false;
  std::uint64_t path_fields_ = 0;
  std::vector<const FieldInfo*> parameter_fields_;
  std::vector<const FieldInfo*> query_fields_;
  // Of an operation that answers pages.
  const PageQuery& (*page_query_)(const void* input) = nullptr;
  std::span<const SortField> sort_fields_;
  std::string_view default_sort_;
};

}  // namespace bedplate::api
