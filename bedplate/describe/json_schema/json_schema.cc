// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/json_schema/json_schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "bedplate/base/text.h"
#include "bedplate/describe/faults.h"
#include "bedplate/describe/json_schema/compiled_schema.h"
#include "bedplate/describe/text/text_format.h"

namespace bedplate {

namespace detail {
namespace {

using Kind = JsonNode::Kind;

std::string amount(std::uint64_t count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

/// One check of one value. `quiet`: only whether it fits is asked, so the first fault ends it.
class Checker {
 public:
  explicit Checker(const CompiledSchema& schema) : schema_(schema) {}

  Result<void> check(const JsonNode& value) {
    check(0, value, false);
    if (too_complex_)
      return fail(Category::invalid, "too_complex",
                  fmt::format("Schema validation exceeded {} steps.", JsonSchema::kChecksMax));
    if (!faults_.empty()) return std::unexpected(std::move(faults_).to_error());
    return {};
  }

 private:
  bool check(SchemaIndex index, const JsonNode& value, bool quiet);
  bool fits(SchemaIndex index, const JsonNode& value) { return check(index, value, true); }

  bool check_type(const SchemaNode& schema, const JsonNode& value, bool quiet);
  bool check_values(const SchemaNode& schema, const JsonNode& value, bool quiet);
  bool check_text(const SchemaNode& schema, const std::string& text, bool quiet);
  bool check_number(const SchemaNode& schema, const Decimal& number, bool quiet);
  bool check_array(const SchemaNode& schema, const JsonNode& value, bool quiet);
  bool check_contains(const SchemaNode& schema, const JsonNode& value, bool quiet);
  bool check_unique(const JsonNode& value, bool quiet);
  bool check_object(const SchemaNode& schema, const JsonNode& value, bool quiet);
  bool check_names(const SchemaNode& schema, const JsonNode& value, bool quiet);
  bool check_members(const SchemaNode& schema, const JsonNode& value, bool quiet);
  bool check_alternatives(const SchemaNode& schema, const JsonNode& value, bool quiet);
  bool check_count(const CountRange& range, std::uint64_t count, std::string_view one,
                   std::string_view several, bool quiet);
  bool check_inside(std::string_view name, SchemaIndex index, const JsonNode& value, bool quiet);

  /// False when the work goes beyond what a check may cost.
  bool spend(std::size_t steps) {
    steps_ += steps;
    if (steps_ > JsonSchema::kChecksMax) too_complex_ = true;
    return !too_complex_;
  }
  bool wrong(bool quiet, std::string_view code, std::string message) {
    if (!quiet) faults_.add(path_, code, std::move(message));
    return false;
  }
  bool wrong_at(std::string_view name, bool quiet, std::string_view code, std::string message) {
    const std::size_t size = path_.size();
    if (!quiet) append_pointer_token(path_, name);
    wrong(quiet, code, std::move(message));
    path_.resize(size);
    return false;
  }
  const CompiledSchema& schema_;
  Faults faults_;
  std::string path_;
  std::size_t steps_ = 0;
  bool too_complex_ = false;
};

bool Checker::check(SchemaIndex index, const JsonNode& value, bool quiet) {
  if (index == kNoSchema) return true;
  if (!spend(1)) return false;
  const SchemaNode& schema = schema_.nodes[index];
  if (schema.nothing) return wrong(quiet, "no_match", "is not allowed");
  bool well = check_type(schema, value, quiet);
  const auto also = [&](auto rule) {
    if (well || !quiet) well = rule() && well;
  };
  also([&] { return check_values(schema, value, quiet); });
  // Rules of another type than the value's say nothing of it.
  if (value.kind == Kind::string) also([&] { return check_text(schema, value.string, quiet); });
  if (value.kind == Kind::number) also([&] { return check_number(schema, value.number, quiet); });
  if (value.kind == Kind::array) also([&] { return check_array(schema, value, quiet); });
  if (value.kind == Kind::object) also([&] { return check_object(schema, value, quiet); });
  also([&] { return check(schema.ref, value, quiet); });
  for (const SchemaIndex next : schema.all_of) also([&] { return check(next, value, quiet); });
  also([&] { return check_alternatives(schema, value, quiet); });
  return well && !too_complex_;
}

bool Checker::check_type(const SchemaNode& schema, const JsonNode& value, bool quiet) {
  if (schema.types == 0 || (schema.types & (1U << static_cast<unsigned>(value.kind))) != 0) return true;
  if ((schema.types & kWholeNumber) != 0 && value.kind == Kind::number && value.number.is_whole())
    return true;
  return wrong(quiet, "wrong_type", schema.types_sentence);
}

bool Checker::check_values(const SchemaNode& schema, const JsonNode& value, bool quiet) {
  if (schema.one_of.empty()) return true;
  const std::string text = canonical(value);
  if (!spend(text.size() / 16)) return false;
  for (const auto& texts : schema.one_of)
    if (!std::ranges::binary_search(texts, text))
      return wrong(quiet, "not_one_of", "must be one of the values that the schema lists");
  return true;
}

bool Checker::check_count(const CountRange& range, std::uint64_t count, std::string_view one,
                          std::string_view several, bool quiet) {
  if (count < range.min)
    return wrong(quiet, "too_short", "must have at least " + amount(range.min, one, several));
  if (count > range.max)
    return wrong(quiet, "too_long", "must have at most " + amount(range.max, one, several));
  return true;
}

/// A character has one to four bytes: most texts need not be counted.
bool fits_by_size(const CountRange& range, std::uint64_t size_bytes) {
  return size_bytes <= range.max && (size_bytes + 3) / 4 >= range.min;
}

bool Checker::check_text(const SchemaNode& schema, const std::string& text, bool quiet) {
  if (!spend(text.size() / 64)) return false;
  bool well = fits_by_size(schema.length, text.size()) ||
              check_count(schema.length, count_code_points(text), "character", "characters", quiet);
  if (schema.pattern && !re2::RE2::PartialMatch(text, *schema.pattern))
    well = wrong(quiet, "pattern", "must match " + schema.pattern->pattern());
  if (schema.format != TextFormat::none && !matches_text_format(schema.format, text))
    well = wrong(quiet, "format", fmt::format("must be {}", text_format_phrase(schema.format)));
  return well;
}

bool Checker::check_number(const SchemaNode& schema, const Decimal& number, bool quiet) {
  bool well = true;
  if (schema.minimum && number < *schema.minimum)
    well = wrong(quiet, "too_small", "must be at least " + schema.minimum->to_string());
  if (schema.above && number <= *schema.above)
    well = wrong(quiet, "too_small", "must be more than " + schema.above->to_string());
  if (schema.maximum && number > *schema.maximum)
    well = wrong(quiet, "too_large", "must be at most " + schema.maximum->to_string());
  if (schema.below && number >= *schema.below)
    well = wrong(quiet, "too_large", "must be less than " + schema.below->to_string());
  if (schema.multiple_of && spend(number.digits() / 16) && !number.is_multiple_of(*schema.multiple_of))
    well = wrong(quiet, "no_match", "must be a multiple of " + schema.multiple_of->to_string());
  return well;
}

bool Checker::check_inside(std::string_view name, SchemaIndex index, const JsonNode& value, bool quiet) {
  const std::size_t size = path_.size();
  if (!quiet) append_pointer_token(path_, name);
  const bool well = check(index, value, quiet);
  path_.resize(size);
  return well;
}

bool Checker::check_array(const SchemaNode& schema, const JsonNode& value, bool quiet) {
  bool well = check_count(schema.items_count, value.items.size(), "item", "items", quiet);
  for (std::size_t i = 0; i < value.items.size() && (well || !quiet) && !too_complex_; ++i) {
    const SchemaIndex index = i < schema.prefix.size() ? schema.prefix[i] : schema.items;
    if (index != kNoSchema) well = check_inside(std::to_string(i), index, value.items[i], quiet) && well;
  }
  if (schema.contains != kNoSchema && (well || !quiet)) well = check_contains(schema, value, quiet) && well;
  if (schema.unique && (well || !quiet)) well = check_unique(value, quiet) && well;
  return well;
}

bool Checker::check_contains(const SchemaNode& schema, const JsonNode& value, bool quiet) {
  const auto found = static_cast<std::uint64_t>(
      std::ranges::count_if(value.items, [&](const JsonNode& item) { return fits(schema.contains, item); }));
  if (found >= schema.contained.min && found <= schema.contained.max) return true;
  return wrong(quiet, "no_match", "does not hold as many items of a certain kind as it must");
}

bool Checker::check_unique(const JsonNode& value, bool quiet) {
  std::vector<std::pair<std::string, std::size_t>> texts;
  for (const JsonNode& item : value.items) {
    texts.emplace_back(canonical(item), texts.size());
    if (!spend(1 + texts.back().first.size() / 16)) return false;
  }
  std::ranges::sort(texts);
  const auto twice = std::ranges::adjacent_find(texts, {}, &std::pair<std::string, std::size_t>::first);
  if (twice == texts.end()) return true;
  return wrong(
      quiet, "not_unique",
      fmt::format("must not have the same item twice (items {} and {})", twice->second, (twice + 1)->second));
}

bool Checker::check_object(const SchemaNode& schema, const JsonNode& value, bool quiet) {
  bool well = check_count(schema.members_count, value.members.size(), "member", "members", quiet);
  well = check_names(schema, value, quiet) && well;
  if (well || !quiet) well = check_members(schema, value, quiet) && well;
  for (const auto& [name, index] : schema.dependent_schemas)
    if ((well || !quiet) && value.find(name) != nullptr) well = check(index, value, quiet) && well;
  return well;
}

bool Checker::check_names(const SchemaNode& schema, const JsonNode& value, bool quiet) {
  bool well = spend(schema.required.size() / 8);
  for (const std::string& name : schema.required)
    if (value.find(name) == nullptr) well = wrong_at(name, quiet, "required", "is required");
  for (const auto& [name, needed] : schema.dependent_required) {
    if (value.find(name) == nullptr || !spend(1 + needed.size() / 8)) continue;
    for (const std::string& other : needed)
      if (value.find(other) == nullptr)
        well = wrong_at(other, quiet, "required", "is required where " + name + " is given");
  }
  return well;
}

bool Checker::check_members(const SchemaNode& schema, const JsonNode& value, bool quiet) {
  bool well = true;
  for (const auto& [name, member] : value.members) {
    if (!spend(1 + schema.pattern_properties.size() * (1 + name.size() / 64))) return false;
    if (schema.property_names != kNoSchema) {
      JsonNode text;
      text.kind = Kind::string;
      text.string = name;
      well = check_inside(name, schema.property_names, text, quiet) && well;
    }
    bool known = false;
    const auto found =
        std::ranges::lower_bound(schema.properties, name, {}, &std::pair<std::string, SchemaIndex>::first);
    if (found != schema.properties.end() && found->first == name) {
      known = true;
      well = check_inside(name, found->second, member, quiet) && well;
    }
    for (const auto& [pattern, index] : schema.pattern_properties) {
      if (!re2::RE2::PartialMatch(name, *pattern)) continue;
      known = true;
      well = check_inside(name, index, member, quiet) && well;
    }
    if (!known && schema.additional != kNoSchema) {
      const bool refused = schema_.nodes[schema.additional].nothing;
      well = (refused ? wrong_at(name, quiet, "unknown_field", "is not a known field")
                      : check_inside(name, schema.additional, member, quiet)) &&
             well;
    }
    if (quiet && !well) return false;
  }
  return well;
}

bool Checker::check_alternatives(const SchemaNode& schema, const JsonNode& value, bool quiet) {
  bool well = true;
  const auto fits_it = [&](SchemaIndex index) { return fits(index, value); };
  if (!schema.any_of.empty() && std::ranges::none_of(schema.any_of, fits_it))
    well = wrong(quiet, "no_match", "must be of one of several forms, and is of none");
  if (!schema.one_of_schemas.empty()) {
    const auto count = std::ranges::count_if(schema.one_of_schemas, fits_it);
    if (count != 1)
      well = wrong(
          quiet, "no_match",
          fmt::format("must be of exactly one of several forms, and is of {}", count == 0 ? "none" : "more"));
  }
  if (schema.negated != kNoSchema && fits_it(schema.negated))
    well = wrong(quiet, "no_match", "is of a form that is not allowed");
  if (schema.condition != kNoSchema)
    well = check(fits_it(schema.condition) ? schema.then : schema.otherwise, value, quiet) && well;
  return well;
}

}  // namespace

Result<void> check_schema(const CompiledSchema& schema, std::string_view json) {
  Result<JsonNode> value = parse_json_tree(json, JsonSchema::kDepthMax);
  if (!value) return std::unexpected(std::move(value.error()));
  return Checker(schema).check(*value);
}

}  // namespace detail

Result<JsonSchema> JsonSchema::compile(std::string_view text) {
  Result<detail::CompiledSchema> compiled = detail::compile_schema(text);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  return JsonSchema(std::make_shared<const detail::CompiledSchema>(std::move(*compiled)));
}

Result<void> JsonSchema::check(std::string_view json) const {
  return detail::check_schema(*compiled_, json);
}

}  // namespace bedplate
