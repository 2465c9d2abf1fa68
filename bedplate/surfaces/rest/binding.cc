// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/binding.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "bedplate/base/text.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/describe/validate.h"
#include "bedplate/http/message/url.h"
#include "bedplate/operations/paging/page_request.h"

namespace bedplate::api {
namespace {

/// More distinct query parameters than this are not looked at; the rest is known to be too many.
constexpr std::size_t kQueryPairsMax = 200;
constexpr std::size_t kShownNameSizeMax = 100;  // of a parameter that is not known

bool has_body(Verb verb) {
  return verb == Verb::post || verb == Verb::put || verb == Verb::patch;
}

std::unexpected<Error> wrong(const Operation& operation, std::string_view what) {
  return bedplate::fail(
      Category::invalid, "operation_invalid",
      fmt::format("{} ({} {}): {}", operation.name, verb_name(route_of(operation).route.verb),
                  route_of(operation).route.path, what));
}

std::size_t index_of(const ObjectInfo& object, const FieldInfo& field) {
  return static_cast<std::size_t>(&field - object.fields);
}

/// The values of one query parameter, in the order of their arrival. Kept out of the way until all are known,
/// because a scalar given twice is a fault and a list takes them all.
struct GivenValues {
  const FieldInfo* field;
  std::vector<std::string> values;
};

}  // namespace

Result<void> Binding::prepare(const Operation& operation) {
  type_ = operation.input;
  any_query_ = route_of(operation).any_query;
  if (!operation.sort_fields.empty()) {
    page_query_ = operation.page_query;
    sort_fields_ = operation.sort_fields;
    default_sort_ = operation.default_sort;
  }
  std::vector<std::string_view> names = parameter_names(route_of(operation).route.path);
  if (type_ == nullptr) {
    if (names.empty()) return {};
    return wrong(operation,
                 fmt::format("the path names {{{}}}, but the operation takes no input.", names[0]));
  }
  if (type_->kind != bedplate::Kind::object)
    return wrong(operation, "its input must be a described struct, not a list or a single value.");
  const ObjectInfo& object = type_->object();
  for (std::string_view name : names) {
    const FieldInfo* field = object.find(name);
    if (!field)
      return wrong(
          operation,
          fmt::format("the path names {{{0}}}, but {1} has no field {0}; add it (in an input that is "
                      "derived from an entity: mark the entity's field with `key`), or rename the "
                      "parameter.",
                      name, type_->name()));
    if (!is_text_scalar(*field->type))
      return wrong(operation, fmt::format("{{{}}} is no scalar, so it cannot come from a path.", name));
    std::uint64_t bit = std::uint64_t{1} << index_of(object, *field);
    if (path_fields_ & bit) return wrong(operation, fmt::format("the path names {{{}}} twice.", name));
    path_fields_ |= bit;
    parameter_fields_.push_back(field);
  }
  const std::size_t body_fields = object.count - names.size();
  takes_body_ = has_body(route_of(operation).route.verb) && body_fields > 0;
  changes_what_was_read_ =
      route_of(operation).route.verb == Verb::put || route_of(operation).route.verb == Verb::patch;
  if (takes_body_ || has_body(route_of(operation).route.verb)) return {};
  for (const FieldInfo& field : object.all()) {
    if (path_fields_ >> index_of(object, field) & 1 || field.has(kReadOnly)) continue;
    if (!is_text_scalar(*field.type) && !is_text_list(*field.type))
      return wrong(
          operation,
          fmt::format("the field {} cannot come from a query string; use POST, PUT or PATCH.", field.name()));
    query_fields_.push_back(&field);
  }
  if (any_query_ && !query_fields_.empty())
    return wrong(operation, "any_query() is for an operation without query parameters.");
  return {};
}

Result<void> Binding::fill(std::span<const std::string_view> parameters, std::string_view query,
                           std::string_view body, void* input) const {
  Faults faults;
  fill_path(parameters, input, faults);
  if (!any_query_ && (!query.empty() || !query_fields_.empty()))
    if (Result<void> read = fill_query(query, input, faults); !read) return read;
  if (page_query_) check_page(input, faults);
  if (takes_body_) {
    JsonLimits limits;
    limits.size_bytes_max = body.size();  // bounded where it was received
    limits.fields_elsewhere = path_fields_;
    limits.ignore_read_only_fields = changes_what_was_read_;
    if (Result<void> read = read_json(body, *type_, input, faults, limits); !read) return read;
  } else if (type_ != nullptr && faults.empty()) {
    check_across_fields(*type_, input, faults);
  }
  if (faults.empty()) return {};
  return std::unexpected(std::move(faults).to_error("The request has values that are not valid."));
}

void Binding::fill_path(std::span<const std::string_view> parameters, void* input, Faults& faults) const {
  for (std::size_t i = 0; i < parameter_fields_.size() && i < parameters.size(); ++i) {
    const FieldInfo& field = *parameter_fields_[i];
    // The pointer's text is only needed for a fault, but names are short: this does not allocate for most.
    std::string pointer = "{";
    pointer.append(field.name()).push_back('}');
    read_text_field(parameters[i], field, input, pointer, faults);
  }
}

Result<void> Binding::fill_query(std::string_view query, void* input, Faults& faults) const {
  std::string scratch;
  std::vector<GivenValues> lists;
  std::uint64_t given = 0;
  http::QueryReader reader(query, scratch);
  std::size_t pairs = 0;
  while (reader.next()) {
    if (++pairs > kQueryPairsMax) {
      faults.add("?", "too_long", fmt::format("has more than {} parameters", kQueryPairsMax));
      break;
    }
    auto known =
        std::ranges::find(query_fields_, reader.name(), [](const FieldInfo* field) { return field->name(); });
    std::string pointer = "?";
    if (known == query_fields_.end()) {
      faults.add(pointer.append(utf8_prefix(reader.name(), kShownNameSizeMax)), "unknown_field",
                 "is not a parameter of this operation");
      continue;
    }
    const FieldInfo& field = **known;
    const std::uint64_t bit = std::uint64_t{1} << index_of(type_->object(), field);
    if (is_text_list(*field.type)) {
      auto list = std::ranges::find(lists, &field, &GivenValues::field);
      if (list == lists.end()) list = lists.insert(lists.end(), {&field, {}});
      list->values.emplace_back(reader.value());
    } else if (given & bit) {
      faults.add(pointer.append(field.name()), "duplicate_field", "is given more than once");
    } else {
      read_text_field(reader.value(), field, input, pointer.append(field.name()), faults);
    }
    given |= bit;
  }
  if (!reader.ok())
    return bedplate::fail(
        Category::malformed, "malformed_query",
        fmt::format("The query string has a bad escape or character at byte {}.", reader.offset()));
  for (const GivenValues& list : lists) {
    std::vector<std::string_view> values(list.values.begin(), list.values.end());
    read_text_field(values, *list.field, input, fmt::format("?{}", list.field->name()), faults);
  }
  report_missing(given, faults);
  return {};
}

// The operation will read the page too; here its faults join those of the other values. A cursor is bound to the
// filters, so it is fully judged only where all that stands between them was read.
void Binding::check_page(const void* input, Faults& faults) const {
  constexpr std::string_view kNotInScope[] = {"?page", "?limit", "?cursor", "?sort", "?total"};
  const bool knows_filters = !faults.more() && std::ranges::all_of(faults.list(), [&](const Fault& fault) {
    return std::ranges::find(kNotInScope, fault.pointer) != std::end(kNotInScope);
  });
  const PageQuery& query = page_query_(input);
  std::optional<std::string> scope;
  if (knows_filters && query.cursor) scope = filter_scope(*type_, input);
  std::vector<Fault> found;
  find_page_faults(query, scope, sort_fields_, default_sort_, found);
  for (Fault& fault : found) faults.add(std::move(fault.pointer), fault.code, std::move(fault.message));
}

void Binding::report_missing(std::uint64_t given, Faults& faults) const {
  for (const FieldInfo* field : query_fields_) {
    const std::uint64_t bit = std::uint64_t{1} << index_of(type_->object(), *field);
    if (field->has(kRequired) && !(given & bit))
      faults.add(fmt::format("?{}", field->name()), "required", "is required");
  }
}

}  // namespace bedplate::api
