// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/schema.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/describe/any_value.h"
#include "bedplate/describe/text/text_format.h"

namespace bedplate {

namespace {

constexpr Rules kNoRules{};

/// Members of a JSON object, one after another.
void member(Buffer& out, std::string_view name) {
  if (!out.empty() && out.back() != '{' && out.back() != '[') out.put(',');
  append_json_string(out, name);
  out.put(':');
}
void member(Buffer& out, std::string_view name, std::string_view text) {
  member(out, name);
  append_json_string(out, text);
}
void member_integer(Buffer& out, std::string_view name, std::int64_t value) {
  member(out, name);
  char* const to = out.need(kIntSizeMax);
  out.advance_to(write_int(to, value));
}
void member_real(Buffer& out, std::string_view name, double value) {
  member(out, name);
  char* const to = out.need(kDoubleSizeMax);
  out.advance_to(write_double(to, value));
}
void member_true(Buffer& out, std::string_view name) {
  member(out, name);
  out.append("true");
}
void member_type(Buffer& out, std::string_view word, bool nullable) {
  if (!nullable) return member(out, "type", word);
  member(out, "type");
  out.put('[');
  append_json_string(out, word);
  out.append(",\"null\"]");
}

bool is_shown(const FieldInfo& field, View view) {
  return !field.has(view == View::input ? kReadOnly : kWriteOnly);
}

/// Whether a value of this view always has the field.
bool is_always_there(const FieldInfo& field, View view) {
  if (view == View::input) return field.has(kRequired);
  return field.type->kind != Kind::patch && (field.flags & (kOmitNull | kMayBeAbsent)) == 0;
}

bool is_named(const TypeInfo& type) {
  return type.kind == Kind::object || type.kind == Kind::enumeration;
}

bool is_text_kind(Kind kind) {
  return kind == Kind::string || kind == Kind::enumeration || kind == Kind::uuid || kind == Kind::time ||
         kind == Kind::scalar;
}

/// Whether input and output of a type differ, in a struct or in anything inside it.
bool views_differ(const TypeInfo& type, std::vector<const TypeInfo*>& visited) {
  if (type.kind == Kind::variant) {
    for (std::size_t i = 0; i < type.variant->count; ++i)
      if (views_differ(*type.variant->alternatives[i], visited)) return true;
    return false;
  }
  if (type.element != nullptr) return views_differ(*type.element, visited);
  if (type.kind != Kind::object || std::find(visited.begin(), visited.end(), &type) != visited.end())
    return false;
  visited.push_back(&type);
  for (const FieldInfo& field : type.object().all()) {
    const bool same = is_shown(field, View::input) == is_shown(field, View::output) &&
                      is_always_there(field, View::input) == is_always_there(field, View::output);
    if (!same || views_differ(*field.type, visited)) return true;
  }
  return false;
}

bool views_differ(const TypeInfo& type) {
  std::vector<const TypeInfo*> visited;
  return views_differ(type, visited);
}

void write_integer_members(Buffer& out, const TypeInfo& type, const Rules& rules) {
  member(out, "format", type.width == 8 ? "int64" : "int32");
  if (rules.flags & kHasRange) {
    member_integer(out, "minimum", rules.min);
    member_integer(out, "maximum", rules.max);
    return;
  }
  const unsigned bits = type.width * 8u;
  const std::uint64_t high =
      std::numeric_limits<std::uint64_t>::max() >> (64 - bits + (type.is_signed ? 1 : 0));
  member_integer(out, "minimum", type.is_signed ? -static_cast<std::int64_t>(high) - 1 : 0);
  member(out, "maximum");
  char* const to = out.need(kIntSizeMax);
  out.advance_to(write_uint(to, high));
}

// Regular expressions of ECMA-262, and of RE2, for what no pattern of a description says.
constexpr std::string_view kNoNulPattern = R"(^[^\x00]*$)";
constexpr std::string_view kNotBlankPattern = R"(\S)";
constexpr std::string_view kNotBlankNorNulPattern = R"(^[^\x00]*[^\s\x00][^\x00]*$)";
constexpr std::string_view kWebUrlPattern = R"(^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+([/?#].*)?$)";

/// Empty: nothing to say. A format's grammar excludes U+0000 and white space, so it needs neither.
std::string_view own_pattern(const Rules& rules, View view) {
  if (rules.flags & kHasFormat)
    return rules.format == TextFormat::web_url ? kWebUrlPattern : std::string_view();
  if (view != View::input) return rules.flags & kNotBlank ? kNotBlankPattern : std::string_view();
  return rules.flags & kNotBlank ? kNotBlankNorNulPattern : kNoNulPattern;
}

void write_string_members(Buffer& out, const Rules& rules, View view) {
  if (rules.flags & kHasLength) {
    member_integer(out, "minLength", rules.min);
    member_integer(out, "maxLength", rules.max);
  }
  const std::string_view own = own_pattern(rules, view);
  if (rules.flags & kHasPattern)
    member(out, "pattern", rules.pattern);
  else if (!own.empty())
    member(out, "pattern", own);
  if ((rules.flags & kHasPattern) && (rules.flags & kNotBlank)) {
    member(out, "allOf");
    out.append("[{");
    member(out, "pattern", kNotBlankPattern);
    out.append("}]");
  }
  if (rules.flags & kHasFormat) member(out, "format", text_format_name(rules.format));
}

void write_scalar_members(Buffer& out, const ScalarOps& scalar, const Rules& rules) {
  if (!scalar.format.empty()) member(out, "format", scalar.format);
  if (!scalar.pattern.empty()) member(out, "pattern", scalar.pattern);
  if (!scalar.encoding.empty()) member(out, "contentEncoding", scalar.encoding);
  if (scalar.sql == SqlForm::blob && (rules.flags & kHasLength)) {
    const auto base64_size = [](std::int64_t bytes) { return (bytes + 2) / 3 * 4; };
    member_integer(out, "minLength", base64_size(rules.min));
    member_integer(out, "maxLength", base64_size(rules.max));
  }
}

/// The doc of an enum, and a line for each value that has one (CommonMark).
std::string enum_doc(const EnumInfo& info) {
  std::string doc = info.doc == nullptr ? "" : info.doc;
  bool first = true;
  for (const EnumValue& value : info.values) {
    const bool is_fallback = &value == info.fallback;
    if (value.doc == nullptr && !is_fallback) continue;
    if (!doc.empty()) doc += first ? "\n\n" : "\n";
    first = false;
    doc += "- `" + std::string(value.name) + "`:";
    if (value.doc != nullptr) doc += " " + std::string(value.doc);
    if (is_fallback) doc += " (Stands for values that this version does not know; not accepted in input.)";
  }
  return doc;
}

void write_enum(Buffer& out, const EnumInfo& info) {
  member(out, "type", "string");
  if (const std::string doc = enum_doc(info); !doc.empty()) member(out, "description", doc);
  member(out, "enum");
  out.put('[');
  for (std::size_t i = 0; i < info.values.size(); ++i) {
    if (i > 0) out.put(',');
    append_json_string(out, info.values[i].name);
  }
  out.put(']');
}

/// The value that the field has when input leaves it out.
void write_default(Buffer& out, const FieldInfo& field, const TypeInfo& owner) {
  const AnyValue fresh(owner);
  const void* const value = field.in(fresh.data());
  if (field.type->kind == Kind::optional && field.type->optional->get(value) == nullptr) return;
  if (field.type->kind == Kind::patch) return;
  member(out, "default");
  write_json(out, *field.type, value, View::stored);
}

void write_example(Buffer& out, const FieldInfo& field) {
  member(out, "examples");
  out.put('[');
  if (is_text_kind(field.type->value_type().kind))
    append_json_string(out, field.example);
  else
    out.append(check_json(field.example) ? std::string_view(field.example) : std::string_view("null"));
  out.put(']');
}

}  // namespace

SchemaWriter::Part SchemaWriter::part_of(const VariantOps& variant, std::size_t alternative) {
  if (variant.discriminator.empty()) return {};
  return {0, variant.discriminator, variant.tags[alternative]};
}

SchemaWriter::Definition* SchemaWriter::find(const TypeInfo& type, View view, const Part& part) {
  const auto found =
      std::find_if(definitions_.begin(), definitions_.end(), [&](const Definition& definition) {
        return definition.type == &type && (definition.view == view || type.kind == Kind::enumeration) &&
               definition.part == part;
      });
  return found == definitions_.end() ? nullptr : &*found;
}

void SchemaWriter::collect(const TypeInfo& type, View view, std::uint64_t fields_elsewhere) {
  collect_part(type, view, {.fields_elsewhere = fields_elsewhere});
}

void SchemaWriter::collect_part(const TypeInfo& type, View view, const Part& part) {
  if (is_named(type)) {
    if (find(type, view, part) != nullptr) return;
    definitions_.push_back({&type, view, part, {}});
    if (type.kind == Kind::object) collect_fields(type, view);
  } else if (type.kind == Kind::variant) {
    const VariantOps& variant = *type.variant;
    for (std::size_t i = 0; i < variant.count; ++i)
      collect_part(*variant.alternatives[i], view, part_of(variant, i));
  } else if (type.element != nullptr) {
    collect(*type.element, view);
  }
}

void SchemaWriter::collect_fields(const TypeInfo& type, View view) {
  for (const FieldInfo& field : type.object().all())
    if (is_shown(field, view)) collect(*field.type, view);
  if (view == View::input && type.object().edits != nullptr)
    for (const FieldInfo& field : type.object().edits->object().all())
      if ((field.flags & (kReadOnly | kKey)) != 0) collect(*field.type, View::output);
}

void SchemaWriter::choose_name(Definition& definition) {
  const View other_view = definition.view == View::input ? View::output : View::input;
  const Definition* const other = definition.type->kind == Kind::object && definition.part == Part{}
                                      ? find(*definition.type, other_view, {})
                                      : nullptr;
  const bool differs = other != nullptr && views_differ(*definition.type);
  if (other != nullptr && !differs && !other->name.empty()) {
    definition.name = other->name;
    return;
  }
  std::string name(definition.type->name());
  if (differs && definition.view == View::input) name += "Input";
  if (differs && definition.view == View::output && other->name == name) name += "Output";
  const auto is_taken = [&](const std::string& candidate) {
    return std::any_of(definitions_.begin(), definitions_.end(), [&](const Definition& d) {
      return d.name == candidate && (d.type != definition.type || differs || !(d.part == definition.part));
    });
  };
  std::string candidate = name;
  for (int number = 2; is_taken(candidate); ++number) candidate = name + std::to_string(number);
  definition.name = std::move(candidate);
}

std::string_view SchemaWriter::name_of(const TypeInfo& type, View view, std::uint64_t fields_elsewhere) {
  return name_of_part(type, view, {.fields_elsewhere = fields_elsewhere});
}

std::string_view SchemaWriter::name_of_part(const TypeInfo& type, View view, const Part& part) {
  collect_part(type, view, part);
  Definition& definition = *find(type, view, part);
  if (definition.name.empty()) choose_name(definition);
  return definition.name;
}

void SchemaWriter::write_reference(Buffer& out, const TypeInfo& type, View view, const Part& part,
                                   bool nullable) {
  if (nullable) {
    member(out, "anyOf");
    out.append("[{");
  }
  member(out, "$ref", ref_prefix_ + std::string(name_of_part(type, view, part)));
  if (nullable) out.append("},{\"type\":\"null\"}]");
}

/// oneOf, and OpenAPI's discriminator, which only lists references.
void SchemaWriter::write_tagged(Buffer& out, const TypeInfo& type, bool nullable, View view) {
  const VariantOps& variant = *type.variant;
  member(out, "oneOf");
  out.put('[');
  for (std::size_t i = 0; i < variant.count; ++i) {
    if (i > 0) out.put(',');
    out.put('{');
    write_reference(out, *variant.alternatives[i], view, part_of(variant, i), false);
    out.put('}');
  }
  if (nullable) out.append(",{\"type\":\"null\"}");
  out.put(']');
  member(out, "discriminator");
  out.put('{');
  member(out, "propertyName", variant.discriminator);
  member(out, "mapping");
  out.put('{');
  for (std::size_t i = 0; i < variant.count; ++i)
    member(out, variant.tags[i],
           ref_prefix_ + std::string(name_of_part(*variant.alternatives[i], view, part_of(variant, i))));
  out.append("}}");
}

void SchemaWriter::write_variant(Buffer& out, const TypeInfo& type, bool nullable, View view) {
  const VariantOps& variant = *type.variant;
  if (!variant.discriminator.empty()) return write_tagged(out, type, nullable, view);
  member(out, "oneOf");
  out.put('[');
  for (std::size_t i = 0; i < variant.count; ++i) {
    if (i > 0) out.put(',');
    out.put('{');
    member(out, "type", "object");
    member(out, "properties");
    out.put('{');
    member(out, variant.tags[i]);
    write(out, *variant.alternatives[i], view);
    out.put('}');
    member(out, "required");
    out.put('[');
    append_json_string(out, variant.tags[i]);
    out.append("],\"additionalProperties\":false}");
  }
  if (nullable) out.append(",{\"type\":\"null\"}");
  out.put(']');
}

void SchemaWriter::write_members(Buffer& out, const TypeInfo& type, const Rules& rules,
                                 const Rules& item_rules, bool nullable, View view) {
  switch (type.kind) {
    case Kind::boolean:
      return member_type(out, "boolean", nullable);
    case Kind::integer:
      member_type(out, "integer", nullable);
      return write_integer_members(out, type, rules);
    case Kind::real:
      member_type(out, "number", nullable);
      member(out, "format", type.width == 4 ? "float" : "double");
      if (rules.flags & kHasLimits) {
        member_real(out, "minimum", rules.low);
        member_real(out, "maximum", rules.high);
      }
      return;
    case Kind::string:
      member_type(out, "string", nullable);
      return write_string_members(out, rules, view);
    case Kind::uuid:
      member_type(out, "string", nullable);
      return member(out, "format", "uuid");
    case Kind::time:
      member_type(out, "string", nullable);
      return member(out, "format", "date-time");
    case Kind::scalar:
      member_type(out, "string", nullable);
      return write_scalar_members(out, *type.scalar, rules);
    case Kind::json:
      return;  // anything
    case Kind::enumeration:
    case Kind::object:
      return write_reference(out, type, view, {}, nullable);
    case Kind::optional:
      return write_members(out, *type.element, rules, item_rules, true, view);
    case Kind::patch:
      return write_members(out, *type.element, rules, item_rules, nullable, view);
    case Kind::list:
    case Kind::map: {
      const bool list = type.kind == Kind::list;
      member_type(out, list ? "array" : "object", nullable);
      member(out, list ? "items" : "additionalProperties");
      out.put('{');
      write_members(out, *type.element, item_rules, kNoRules, false, view);
      out.put('}');
      if (rules.flags & kHasLength) {
        member_integer(out, list ? "minItems" : "minProperties", rules.min);
        member_integer(out, list ? "maxItems" : "maxProperties", rules.max);
      }
      if (rules.flags & kUnique) member_true(out, "uniqueItems");
      return;
    }
    case Kind::variant:
      return write_variant(out, type, nullable, view);
  }
}

void SchemaWriter::write(Buffer& out, const TypeInfo& type, View view, std::uint64_t fields_elsewhere) {
  out.put('{');
  if (fields_elsewhere != 0)
    write_reference(out, type, view, {.fields_elsewhere = fields_elsewhere}, false);
  else
    write_members(out, type, kNoRules, kNoRules, false, view);
  out.put('}');
}

void SchemaWriter::write_field(Buffer& out, const FieldInfo& field, const TypeInfo& owner, View view) {
  out.put('{');
  // An optional that is left out when it is empty is never null in an answer.
  const bool never_null = view == View::output && field.has(kOmitNull);
  const TypeInfo& type = never_null ? field.type->value_type() : *field.type;
  write_members(out, type, field.rules, field.item_rules, field.has(kNullable), view);
  if (field.doc != nullptr && *field.doc != '\0') member(out, "description", field.doc);
  if (field.has(kHasDefault) && view == View::input) write_default(out, field, owner);
  if (field.example != nullptr) write_example(out, field);
  if (field.has(kReadOnly)) member_true(out, "readOnly");
  if (field.has(kWriteOnly)) member_true(out, "writeOnly");
  if (field.has(kDeprecated)) member_true(out, "deprecated");
  if (field.has(kPersonal)) member_true(out, "x-personal");
  out.put('}');
}

void SchemaWriter::write_ignored_fields(Buffer& out, const TypeInfo& type, std::uint64_t fields_elsewhere) {
  const ObjectInfo& object = type.object();
  if (object.edits == nullptr) return;
  for (const FieldInfo& field : object.edits->object().all()) {
    const FieldInfo* const own = object.find(field.name());
    const bool stands_here = own != nullptr && (fields_elsewhere >> (own - object.fields) & 1) == 0;
    if ((field.flags & (kReadOnly | kKey)) == 0 || stands_here) continue;
    member(out, field.name());
    write_field(out, field, *object.edits, View::output);
  }
}

void SchemaWriter::write_object(Buffer& out, const TypeInfo& type, View view, const Part& part) {
  const std::uint64_t fields_elsewhere = part.fields_elsewhere;
  const ObjectInfo& object = type.object();
  member(out, "type", "object");
  if (object.doc != nullptr && *object.doc != '\0') member(out, "description", object.doc);
  std::vector<const FieldInfo*> fields;
  for (const FieldInfo& field : object.all())
    if (is_shown(field, view) && (fields_elsewhere >> (&field - object.fields) & 1) == 0)
      fields.push_back(&field);
  member(out, "properties");
  out.put('{');
  if (!part.discriminator.empty()) {
    member(out, part.discriminator);
    out.put('{');
    member(out, "type", "string");
    member(out, "const", part.tag);
    out.put('}');
  }
  for (const FieldInfo* field : fields) {
    member(out, field->name());
    write_field(out, *field, type, view);
  }
  if (view == View::input) write_ignored_fields(out, type, fields_elsewhere);
  out.put('}');
  std::erase_if(fields, [view](const FieldInfo* field) { return !is_always_there(*field, view); });
  if (!fields.empty() || !part.discriminator.empty()) {
    member(out, "required");
    out.put('[');
    if (!part.discriminator.empty()) append_json_string(out, part.discriminator);
    for (const FieldInfo* field : fields) {
      if (out.back() != '[') out.put(',');
      append_json_string(out, field->name());
    }
    out.put(']');
  }
  // Readers of answers must tolerate fields that a later version adds; input refuses them.
  if (view == View::input) {
    member(out, "additionalProperties");
    out.append("false");
  }
}

void SchemaWriter::write_definitions(Buffer& out) {
  std::vector<std::string> written;
  for (std::size_t i = 0; i < definitions_.size(); ++i) {  // writing one may add more behind it
    const TypeInfo& type = *definitions_[i].type;
    const View view = definitions_[i].view;
    const Part part = definitions_[i].part;
    std::string name(name_of_part(type, view, part));
    if (std::find(written.begin(), written.end(), name) != written.end()) continue;  // both views are one
    member(out, name);
    out.put('{');
    if (type.kind == Kind::enumeration)
      write_enum(out, type.enumeration());
    else
      write_object(out, type, view, part);
    out.put('}');
    written.push_back(std::move(name));
  }
}

std::string json_schema(const TypeInfo& type, View view) {
  SchemaWriter writer;
  writer.collect(type, view);
  Buffer out;
  out.append("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",");
  Buffer root;
  writer.write(root, type, view);
  out.append(root.view().substr(1, root.size() - 2));
  Buffer definitions;
  writer.write_definitions(definitions);
  if (!definitions.empty()) {
    if (out.back() != ',') out.put(',');
    out.append("\"$defs\":{");
    out.append(definitions.view());
    out.put('}');
  }
  if (out.back() == ',') out.truncate(out.size() - 1);
  out.put('}');
  return out.to_string();
}

}  // namespace bedplate
