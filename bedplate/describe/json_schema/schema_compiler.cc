// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bedplate/base/text.h"
#include "bedplate/describe/faults.h"
#include "bedplate/describe/json_schema/compiled_schema.h"
#include "bedplate/describe/json_schema/json_schema.h"
#include "bedplate/describe/text/text_format.h"

namespace bedplate::detail {

namespace {

using Kind = JsonNode::Kind;

constexpr std::size_t kNodesMax = 10'000;
constexpr std::size_t kChainMax = 32;  // schemas applied to one value, one inside the other
constexpr std::int64_t kPatternMemoryBytes = 1 << 20;
constexpr std::size_t kPatternSizeMax = 1000;
constexpr std::size_t kMultipleDigitsMax = 18;
constexpr std::string_view kDialect = "https://json-schema.org/draft/2020-12/schema";

/// What would change which values are valid, and is not here.
constexpr std::string_view kUnsupported[] = {"$dynamicRef",      "$dynamicAnchor",   "$recursiveRef",
                                             "$recursiveAnchor", "$vocabulary",      "dependencies",
                                             "additionalItems",  "unevaluatedItems", "unevaluatedProperties"};

std::string joined(std::string pointer, std::string_view name) {
  append_pointer_token(pointer, name);
  return pointer;
}

class Compiler {
 public:
  Result<CompiledSchema> compile(std::string_view text) {
    Result<JsonNode> root = parse_json_tree(text, JsonSchema::kDepthMax);
    if (!root) return std::unexpected(std::move(root.error()));
    root_ = &*root;
    schema_at("", *root_);
    // Resolving a reference may meet further schemas, with references of their own.
    for (std::size_t i = 0; i < references_.size(); ++i) resolve(references_[i]);
    if (faults_.empty()) check_chains();
    if (!faults_.empty()) return std::unexpected(error());
    return std::move(compiled_);
  }

 private:
  struct Reference {
    SchemaIndex from;
    std::string at;
    std::string target;
  };

  Error error() {
    return Error(Category::invalid, "schema_invalid", "The schema cannot be used.")
        .with_faults(std::vector<Fault>(faults_.list()), faults_.more());
  }
  void fault(const std::string& pointer, std::string message) {
    faults_.add(pointer, "custom", std::move(message));
  }
  SchemaNode& node(SchemaIndex index) { return compiled_.nodes[index]; }

  SchemaIndex schema_at(const std::string& pointer, const JsonNode& source);
  void keyword(SchemaIndex index, const std::string& at, const std::string& name, const JsonNode& value);
  bool applicator(SchemaIndex index, const std::string& at, const std::string& name, const JsonNode& value);
  bool assertion(SchemaIndex index, const std::string& at, const std::string& name, const JsonNode& value);
  bool core(SchemaIndex index, const std::string& at, const std::string& name, const JsonNode& value);

  void read_types(SchemaNode& into, const std::string& at, const JsonNode& value);
  void read_count(std::uint64_t& into, const std::string& at, const JsonNode& value);
  void read_number(std::optional<Decimal>& into, const std::string& at, const JsonNode& value);
  void read_multiple(SchemaNode& into, const std::string& at, const JsonNode& value);
  void read_format(SchemaNode& into, const JsonNode& value);
  std::vector<std::string> read_names(const std::string& at, const JsonNode& value);
  std::shared_ptr<const re2::RE2> read_pattern(const std::string& at, std::string_view text);
  std::vector<SchemaIndex> read_list(const std::string& at, const JsonNode& value);
  std::vector<std::pair<std::string, SchemaIndex>> read_map(const std::string& at, const JsonNode& value);
  bool is(const std::string& at, const JsonNode& value, Kind kind, std::string_view phrase);

  void resolve(const Reference& reference);
  const JsonNode* find(std::string_view pointer) const;
  void check_chains();
  std::size_t chain_from(SchemaIndex index, std::size_t depth);

  const JsonNode* root_ = nullptr;
  CompiledSchema compiled_;
  std::map<std::string, SchemaIndex> places_;
  std::map<std::string, SchemaIndex> anchors_;
  std::vector<Reference> references_;
  std::vector<std::size_t> chains_;
  Faults faults_;
};

bool Compiler::is(const std::string& at, const JsonNode& value, Kind kind, std::string_view phrase) {
  if (value.kind != kind) fault(at, fmt::format("must be {}", phrase));
  return value.kind == kind;
}

SchemaIndex Compiler::schema_at(const std::string& pointer, const JsonNode& source) {
  if (const auto known = places_.find(pointer); known != places_.end()) return known->second;
  const auto index = static_cast<SchemaIndex>(compiled_.nodes.size());
  compiled_.nodes.emplace_back();
  places_.emplace(pointer, index);
  if (index >= kNodesMax) {
    if (index == kNodesMax) fault(pointer, fmt::format("is one schema more than {}", kNodesMax));
    return index;
  }
  if (source.kind == Kind::boolean)
    node(index).nothing = !source.boolean;
  else if (is(pointer, source, Kind::object, "a schema: an object, true or false"))
    for (const auto& [name, value] : source.members) keyword(index, joined(pointer, name), name, value);
  return index;
}

void Compiler::keyword(SchemaIndex index, const std::string& at, const std::string& name,
                       const JsonNode& value) {
  if (std::ranges::find(kUnsupported, name) != std::end(kUnsupported))
    return fault(at, fmt::format("{} is not supported", name));
  // What is none of these is an annotation.
  if (!core(index, at, name, value) && !applicator(index, at, name, value)) assertion(index, at, name, value);
}

bool Compiler::core(SchemaIndex index, const std::string& at, const std::string& name,
                    const JsonNode& value) {
  if (name == "$schema") {
    const std::string_view dialect = value.string;
    if (index != 0 || (dialect != kDialect && dialect != fmt::format("{}#", kDialect)))
      fault(at, fmt::format("only {} is supported, for the whole schema", kDialect));
  } else if (name == "$id") {
    if (index != 0) fault(at, "$id is supported for the whole schema only");
  } else if (name == "$ref") {
    if (is(at, value, Kind::string, "a text")) references_.push_back({index, at, value.string});
  } else if (name == "$anchor") {
    if (is(at, value, Kind::string, "a text") && !anchors_.emplace(value.string, index).second)
      fault(at, "names a place that another one is named too");
  } else if (name == "$defs") {
    read_map(at, value);
  } else {
    return false;
  }
  return true;
}

// Schemas are made before the node is looked up: making one moves the nodes.
bool Compiler::applicator(SchemaIndex index, const std::string& at, const std::string& name,
                          const JsonNode& value) {
  struct One {
    std::string_view name;
    SchemaIndex SchemaNode::* member;
  };
  static constexpr One kOnes[] = {{"additionalProperties", &SchemaNode::additional},
                                  {"propertyNames", &SchemaNode::property_names},
                                  {"items", &SchemaNode::items},
                                  {"contains", &SchemaNode::contains},
                                  {"not", &SchemaNode::negated},
                                  {"if", &SchemaNode::condition},
                                  {"then", &SchemaNode::then},
                                  {"else", &SchemaNode::otherwise}};
  struct Several {
    std::string_view name;
    std::vector<SchemaIndex> SchemaNode::* member;
  };
  static constexpr Several kSeveral[] = {{"allOf", &SchemaNode::all_of},
                                         {"anyOf", &SchemaNode::any_of},
                                         {"oneOf", &SchemaNode::one_of_schemas},
                                         {"prefixItems", &SchemaNode::prefix}};
  if (const auto* one = std::ranges::find(kOnes, name, &One::name); one != std::end(kOnes)) {
    const SchemaIndex made = schema_at(at, value);
    node(index).*(one->member) = made;
  } else if (const auto* many = std::ranges::find(kSeveral, name, &Several::name);
             many != std::end(kSeveral)) {
    std::vector<SchemaIndex> made = read_list(at, value);
    node(index).*(many->member) = std::move(made);
  } else if (name == "properties") {
    auto made = read_map(at, value);
    node(index).properties = std::move(made);
  } else if (name == "dependentSchemas") {
    auto made = read_map(at, value);
    node(index).dependent_schemas = std::move(made);
  } else if (name == "patternProperties") {
    for (auto& [pattern, schema] : read_map(at, value))
      node(index).pattern_properties.emplace_back(read_pattern(joined(at, pattern), pattern), schema);
  } else {
    return false;
  }
  return true;
}

bool Compiler::assertion(SchemaIndex index, const std::string& at, const std::string& name,
                         const JsonNode& value) {
  SchemaNode& into = node(index);
  if (name == "type") {
    read_types(into, at, value);
  } else if (name == "enum" || name == "const") {
    if (name == "enum" && !is(at, value, Kind::array, "a list")) return true;
    std::vector<std::string>& texts = into.one_of.emplace_back();
    if (name == "const")
      texts.push_back(canonical(value));
    else
      for (const JsonNode& item : value.items) texts.push_back(canonical(item));
    std::ranges::sort(texts);
  } else if (name == "required") {
    into.required = read_names(at, value);
  } else if (name == "dependentRequired") {
    if (is(at, value, Kind::object, "an object"))
      for (const auto& [member, names] : value.members)
        into.dependent_required.emplace_back(member, read_names(joined(at, member), names));
  } else if (name == "minLength" || name == "maxLength") {
    read_count(name == "minLength" ? into.length.min : into.length.max, at, value);
  } else if (name == "minItems" || name == "maxItems") {
    read_count(name == "minItems" ? into.items_count.min : into.items_count.max, at, value);
  } else if (name == "minProperties" || name == "maxProperties") {
    read_count(name == "minProperties" ? into.members_count.min : into.members_count.max, at, value);
  } else if (name == "minContains" || name == "maxContains") {
    read_count(name == "minContains" ? into.contained.min : into.contained.max, at, value);
  } else if (name == "minimum") {
    read_number(into.minimum, at, value);
  } else if (name == "maximum") {
    read_number(into.maximum, at, value);
  } else if (name == "exclusiveMinimum") {
    read_number(into.above, at, value);
  } else if (name == "exclusiveMaximum") {
    read_number(into.below, at, value);
  } else if (name == "multipleOf") {
    read_multiple(into, at, value);
  } else if (name == "pattern") {
    if (is(at, value, Kind::string, "a text")) into.pattern = read_pattern(at, value.string);
  } else if (name == "format") {
    read_format(into, value);
  } else if (name == "uniqueItems") {
    if (is(at, value, Kind::boolean, "true or false")) into.unique = value.boolean;
  } else {
    return false;
  }
  return true;
}

void Compiler::read_types(SchemaNode& into, const std::string& at, const JsonNode& value) {
  static constexpr std::pair<std::string_view, std::uint8_t> kTypes[] = {
      {"null", 1},    {"boolean", 2},           {"number", 4}, {"string", 8}, {"array", 16},
      {"object", 32}, {"integer", kWholeNumber}};
  const auto add = [&](const JsonNode& name) {
    const auto* found =
        std::ranges::find(kTypes, name.string, &std::pair<std::string_view, std::uint8_t>::first);
    if (name.kind != Kind::string || found == std::end(kTypes))
      return fault(at, "must name types: null, boolean, integer, number, string, array, object");
    into.types |= found->second;
    into.types_sentence += (into.types_sentence.empty() ? "must be of type " : " or ") + name.string;
  };
  if (value.kind != Kind::array) return add(value);
  if (value.items.empty()) fault(at, "must name at least one type");
  for (const JsonNode& item : value.items) add(item);
}

void Compiler::read_count(std::uint64_t& into, const std::string& at, const JsonNode& value) {
  const std::optional<std::uint64_t> count = value.kind == Kind::number ? value.number.count() : std::nullopt;
  if (!count) return fault(at, "must be a whole number from 0 on");
  into = *count;
}

void Compiler::read_number(std::optional<Decimal>& into, const std::string& at, const JsonNode& value) {
  if (is(at, value, Kind::number, "a number")) into = value.number;
}

void Compiler::read_multiple(SchemaNode& into, const std::string& at, const JsonNode& value) {
  if (value.kind != Kind::number || !value.number.is_positive() || value.number.digits() > kMultipleDigitsMax)
    return fault(at, fmt::format("must be a number above 0 with at most {} digits", kMultipleDigitsMax));
  into.multiple_of = value.number;
}

void Compiler::read_format(SchemaNode& into, const JsonNode& value) {
  for (auto format = TextFormat::email; format <= TextFormat::ipv6;
       format = static_cast<TextFormat>(static_cast<int>(format) + 1))
    if (value.kind == Kind::string && text_format_name(format) == value.string) into.format = format;
}

std::vector<std::string> Compiler::read_names(const std::string& at, const JsonNode& value) {
  std::vector<std::string> names;
  if (!is(at, value, Kind::array, "a list of names")) return names;
  for (const JsonNode& item : value.items)
    if (is(at, item, Kind::string, "a list of names")) names.push_back(item.string);
  return names;
}

std::shared_ptr<const re2::RE2> Compiler::read_pattern(const std::string& at, std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemoryBytes);
  auto pattern = std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (text.size() > kPatternSizeMax || !pattern->ok()) {
    fault(at, fmt::format("must be a regular expression as RE2 reads them, of at most {} bytes",
                          kPatternSizeMax));
    return nullptr;
  }
  return pattern;
}

std::vector<SchemaIndex> Compiler::read_list(const std::string& at, const JsonNode& value) {
  std::vector<SchemaIndex> made;
  if (value.kind != Kind::array || value.items.empty()) {
    fault(at, "must be a list of schemas, at least one");
    return made;
  }
  for (std::size_t i = 0; i < value.items.size(); ++i)
    made.push_back(schema_at(joined(at, std::to_string(i)), value.items[i]));
  return made;
}

std::vector<std::pair<std::string, SchemaIndex>> Compiler::read_map(const std::string& at,
                                                                    const JsonNode& value) {
  std::vector<std::pair<std::string, SchemaIndex>> made;
  if (!is(at, value, Kind::object, "an object of schemas")) return made;
  for (const auto& [name, schema] : value.members)
    made.emplace_back(name, schema_at(joined(at, name), schema));
  return made;
}

// --- References ---------------------------------------------------------------------------------------------

/// "%25" is "%" in the fragment of a URI; nothing when an escape is not complete.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const std::optional<std::string> byte = from_hex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    decoded += *byte;
    i += 2;
  }
  return decoded;
}

void Compiler::resolve(const Reference& asked) {
  const Reference reference = asked;  // the list grows below
  const std::optional<std::string> target =
      reference.target.starts_with('#') ? percent_decoded(reference.target.substr(1)) : std::nullopt;
  if (!target) return fault(reference.at, "must refer to a place in this schema: \"#/...\" or \"#anchor\"");
  SchemaIndex found = kNoSchema;
  if (target->empty() || target->starts_with('/')) {
    if (const JsonNode* place = find(*target); place != nullptr) found = schema_at(*target, *place);
  } else if (const auto anchor = anchors_.find(*target); anchor != anchors_.end()) {
    found = anchor->second;
  }
  if (found == kNoSchema) return fault(reference.at, "refers to a place that is not in this schema");
  node(reference.from).ref = found;
}

/// RFC 6901.
const JsonNode* Compiler::find(std::string_view pointer) const {
  const JsonNode* at = root_;
  while (at != nullptr && !pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    std::string name;
    for (std::size_t i = 0; i < token.size(); ++i) {
      const bool escape = token[i] == '~' && i + 1 < token.size();
      if (escape) ++i;
      name += !escape ? token[i] : token[i] == '1' ? '/' : '~';
    }
    if (at->kind == Kind::array) {
      const std::optional<std::uint64_t> item = parse_uint(name);
      at = item && *item < at->items.size() ? &at->items[*item] : nullptr;
    } else {
      at = at->find(name);
    }
  }
  return at;
}

// --- Schemas that apply to one value --------------------------------------------------------------------------

/// How many schemas apply to a value at most, one inside the other, from this one on; beyond kChainMax for a circle.
std::size_t Compiler::chain_from(SchemaIndex index, std::size_t depth) {
  constexpr std::size_t kEntered = kChainMax + 1;
  if (index == kNoSchema) return 0;
  if (depth > kChainMax) return kEntered;
  if (chains_[index] != 0) return chains_[index];
  chains_[index] = kEntered;
  const SchemaNode& at = node(index);
  std::size_t longest = 0;
  const auto follow = [&](SchemaIndex next) {
    if (longest < kChainMax) longest = std::max(longest, chain_from(next, depth + 1));
  };
  for (const SchemaIndex next : {at.ref, at.negated, at.condition, at.then, at.otherwise}) follow(next);
  for (const auto* list : {&at.all_of, &at.any_of, &at.one_of_schemas})
    for (const SchemaIndex next : *list) follow(next);
  for (const auto& [name, next] : at.dependent_schemas) follow(next);
  chains_[index] = std::min(longest + 1, kEntered);
  return chains_[index];
}

void Compiler::check_chains() {
  chains_.assign(compiled_.nodes.size(), 0);
  for (const auto& [pointer, index] : places_)
    if (chain_from(index, 0) > kChainMax)
      return fault(
          pointer,
          fmt::format("leads back to itself, or through more schemas than {}, without going into the value",
                      kChainMax));
}

}  // namespace

Result<CompiledSchema> compile_schema(std::string_view text) {
  if (text.size() > JsonSchema::kSchemaBytesMax)
    return fail(Category::too_large, "schema_too_large", "The schema is too large.");
  return Compiler().compile(text);
}

}  // namespace bedplate::detail
