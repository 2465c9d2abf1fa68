// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/validate.h"

#include <cmath>
#include <utility>
#include <vector>

#include "bedplate/base/text.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/rules.h"
#include "bedplate/describe/unrepresentable.h"

namespace bedplate {

namespace {

constexpr Rules kNoRules{};

/// Walks a value. With rules, or only for what can be written at all.
class Walk final : private detail::RuleReport {
 public:
  Walk(Faults& faults, bool with_rules, std::string_view prefix = {})
      : faults_(faults), with_rules_(with_rules), prefix_(prefix) {}

  void value(const TypeInfo& type, const Rules& rules, const Rules& item_rules, const void* value);

 private:
  void walk(const TypeInfo& type, const Rules& rules, const Rules& item_rules, const void* value);
  void fault(std::string_view code, std::string message) override {
    if (faults_.full()) return faults_.note_more();
    faults_.add(std::string(prefix_) + json_pointer(path_), code, std::move(message));
  }
  void string(const Rules& rules, const void* value);
  void enumeration(const TypeInfo& type, const void* value);
  void scalar(const TypeInfo& type, const Rules& rules, const void* value);
  void json(const TypeInfo& type, const void* value);
  void integer(const TypeInfo& type, const Rules& rules, const void* value);
  void real(const TypeInfo& type, const Rules& rules, const void* value);
  void list(const TypeInfo& type, const Rules& rules, const Rules& item_rules, const void* value);
  void map(const TypeInfo& type, const Rules& rules, const Rules& item_rules, const void* value);
  void object(const ObjectInfo& object, const void* value);
  void variant(const TypeInfo& type, const void* value);

  Faults& faults_;
  const bool with_rules_;
  std::string_view prefix_;
  const PathFrame* path_ = nullptr;
};

/// The author's own check sees only values that are well otherwise.
void Walk::value(const TypeInfo& type, const Rules& rules, const Rules& item_rules, const void* value) {
  const std::size_t faults_before = faults_.list().size();
  const void* const inside = value_inside(type, value);
  if (inside == nullptr) return;
  walk(type.value_type(), rules, item_rules, inside);
  if (with_rules_ && !faults_.grew_since(faults_before)) detail::check_custom(rules, inside, *this);
}

void Walk::walk(const TypeInfo& type, const Rules& rules, const Rules& item_rules, const void* value) {
  switch (type.kind) {
    case Kind::string:
      return string(rules, value);
    case Kind::integer:
      return integer(type, rules, value);
    case Kind::real:
      return real(type, rules, value);
    case Kind::enumeration:
      return enumeration(type, value);
    case Kind::scalar:
      return scalar(type, rules, value);
    case Kind::time: {
      char text[kRfc3339SizeMax];
      if (write_rfc3339(*static_cast<const Time*>(value), text) == 0)
        fault("format", "must be a time in the years 1 to 9999");
      return;
    }
    case Kind::json:
      return json(type, value);
    case Kind::boolean:
    case Kind::uuid:
      return;
    case Kind::optional:
    case Kind::patch:
      return;  // value() went inside; there is no second one
    case Kind::list:
      return list(type, rules, item_rules, value);
    case Kind::map:
      return map(type, rules, item_rules, value);
    case Kind::object:
      return object(type.object(), value);
    case Kind::variant:
      return variant(type, value);
  }
}

void Walk::string(const Rules& rules, const void* value) {
  if (!with_rules_) return;
  const auto& text = *static_cast<const std::string*>(value);
  if (!is_valid_utf8(text)) return fault("format", "must be valid UTF-8");
  detail::check_characters(text, *this);
  detail::check_string(rules, text, *this);
}

void Walk::enumeration(const TypeInfo& type, const void* value) {
  const EnumInfo& info = type.enumeration();
  const std::int64_t integer = load_integer(value, type.width, type.is_signed);
  const bool is_fallback = info.fallback != nullptr && info.fallback->value == integer;
  if (info.name_of(integer).empty() || (with_rules_ && is_fallback))
    fault("not_one_of", detail::one_of_sentence(info));
}

void Walk::scalar(const TypeInfo& type, const Rules& rules, const void* value) {
  std::string text;
  if (!type.scalar->write(value, text)) return fault("format", detail::scalar_type_sentence(type));
  if (with_rules_) detail::check_scalar(type, rules, value, *this);
}

/// Its characters only: what they say is nobody's rule.
void Walk::json(const TypeInfo& type, const void* value) {
  if (!with_rules_) return;
  Faults inside;
  Json ignored;
  if (!read_json(static_cast<const Json*>(value)->text(), type, &ignored, inside)) return;
  const std::string place = std::string(prefix_) + json_pointer(path_);
  for (const Fault& found : inside.list()) faults_.add(place + found.pointer, found.code, found.message);
}

void Walk::integer(const TypeInfo& type, const Rules& rules, const void* value) {
  if (!with_rules_ || rules.flags == 0) return;
  const std::int64_t integer = load_integer(value, type.width, type.is_signed);
  const bool negative = type.is_signed && integer < 0;
  const auto magnitude = static_cast<std::uint64_t>(integer);
  detail::check_integer(rules, type, negative, negative ? 0 - magnitude : magnitude, *this);
}

void Walk::real(const TypeInfo& type, const Rules& rules, const void* value) {
  const double real = type.width == 4 ? static_cast<double>(*static_cast<const float*>(value))
                                      : *static_cast<const double*>(value);
  if (!std::isfinite(real)) return fault("wrong_type", "must be a finite number");
  if (!with_rules_) return;
  detail::check_real(rules, real, *this);
}

void Walk::list(const TypeInfo& type, const Rules& rules, const Rules& item_rules, const void* value) {
  const ListView items = type.list->view(value);
  PathFrame frame{path_, nullptr, {}, 0};
  std::vector<std::size_t> wrong;
  path_ = &frame;
  for (; frame.index < items.size; ++frame.index) {
    const std::size_t faults_before = faults_.list().size();
    this->value(*type.element, item_rules, kNoRules,
                static_cast<const char*>(items.data) + frame.index * type.element->size);
    if (faults_.grew_since(faults_before)) wrong.push_back(frame.index);
  }
  path_ = frame.up;
  if (!with_rules_) return;
  detail::check_count(rules, items.size, *this);
  if (rules.flags & kUnique) detail::check_unique(*type.element, items, wrong, *this);
}

void Walk::map(const TypeInfo& type, const Rules& rules, const Rules& item_rules, const void* value) {
  struct Context {
    Walk& walk;
    const TypeInfo& element;
    const Rules& rules;
  } context{*this, *type.element, item_rules};
  type.map->each(value, &context, [](void* at, std::string_view key, const void* item) {
    const Context& c = *static_cast<Context*>(at);
    const PathFrame frame{c.walk.path_, nullptr, key, 0};
    c.walk.path_ = &frame;
    if (c.walk.with_rules_) detail::check_characters(key, c.walk);
    c.walk.value(c.element, c.rules, kNoRules, item);
    c.walk.path_ = frame.up;
  });
  if (!with_rules_) return;
  detail::check_count(rules, type.map->size(value), *this);
}

void Walk::object(const ObjectInfo& object, const void* value) {
  const std::size_t before = faults_.list().size();
  PathFrame frame{path_, nullptr, {}, 0};
  path_ = &frame;
  for (const FieldInfo& field : object.all()) {
    if (!object.is_given(field, value)) continue;
    frame.field = &field;
    this->value(*field.type, field.rules, field.item_rules, field.in(value));
  }
  path_ = frame.up;
  if (!with_rules_ || object.check == nullptr || faults_.grew_since(before)) return;
  ObjectProblems problems(faults_, path_, object);
  object.check(value, problems);
}

void Walk::variant(const TypeInfo& type, const void* value) {
  const VariantOps& variant = *type.variant;
  const std::size_t at = variant.index(value);
  if (at >= variant.count) return fault("wrong_type", "holds nothing");
  if (!variant.discriminator.empty()) return object(variant.alternatives[at]->object(), variant.get(value));
  const PathFrame frame{path_, nullptr, variant.tags[at], 0};
  path_ = &frame;
  this->value(*variant.alternatives[at], kNoRules, kNoRules, variant.get(value));
  path_ = frame.up;
}

}  // namespace

void validate(const TypeInfo& type, const void* value, Faults& faults) {
  Walk(faults, true).value(type, kNoRules, kNoRules, value);
}

void validate_field(const FieldInfo& field, const void* object, std::string_view pointer, Faults& faults) {
  Walk(faults, true, pointer).value(*field.type, field.rules, field.item_rules, field.in(object));
}

void check_across_fields(const TypeInfo& type, const void* object, Faults& faults) {
  if (type.kind != Kind::object || type.object().check == nullptr) return;
  ObjectProblems problems(faults, nullptr, type.object());
  type.object().check(object, problems);
}

void detail::report_unrepresentable(const TypeInfo& type, const void* value, Faults& faults) {
  Walk(faults, false).value(type, kNoRules, kNoRules, value);
}

}  // namespace bedplate
