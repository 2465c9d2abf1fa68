// SPDX-License-Identifier: Apache-2.0
// Reading JSON into described values: one pass, rules applied where the value is read.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/json/json_cursor.h"
#include "bedplate/describe/json/json_number.h"
#include "bedplate/describe/json/json_value.h"
#include "bedplate/describe/rules.h"

namespace bedplate {

namespace {

constexpr Rules kNoRules{};

/// Every read_* answers false when the text is not JSON; a value that is wrong is a fault and reading goes
/// on.
class Reader final : public detail::JsonCursor, private detail::RuleReport {
 public:
  Reader(std::string_view text, Faults& faults, const JsonLimits& limits)
      : JsonCursor(text, limits.depth_max), faults_(faults), limits_(limits) {}

  bool read_document(const TypeInfo& type, void* value) {
    elsewhere_ = limits_.fields_elsewhere;
    return read_value(type, kNoRules, nullptr, value) && finish();
  }

 private:
  // `rules` are those of the value; `field` is where it stands, null for items of lists and maps.
  bool read_value(const TypeInfo& type, const Rules& rules, const FieldInfo* field, void* value);
  bool read_then_check(const TypeInfo& type, const Rules& rules, const FieldInfo* field, void* value);
  bool read_boolean(void* value);
  bool read_string(const Rules& rules, void* value);
  bool read_integer(const TypeInfo& type, const Rules& rules, void* value);
  bool read_integer_slowly(const TypeInfo& type, const Rules& rules, void* value);
  bool store_whole(const TypeInfo& type, const Rules& rules, bool negative, std::uint64_t magnitude,
                   void* value);
  bool read_real(const TypeInfo& type, const Rules& rules, void* value);
  bool read_enumeration(const TypeInfo& type, void* value);
  bool read_uuid(void* value);
  bool read_time(void* value);
  bool read_json_text(void* value);
  bool read_scalar(const TypeInfo& type, const Rules& rules, void* value);
  bool check_json_characters();
  bool read_null(const TypeInfo& type, const FieldInfo* field, void* value);
  bool read_list(const TypeInfo& type, const Rules& rules, const FieldInfo* field, void* value);
  bool read_map(const TypeInfo& type, const Rules& rules, const FieldInfo* field, void* value);
  bool read_variant(const TypeInfo& type, void* value);
  bool read_tagged(const VariantOps& variant, void* value);
  bool find_tag(const VariantOps& variant, std::size_t& alternative);
  bool read_object(const ObjectInfo& object, char* value);
  const FieldInfo* find_field(const ObjectInfo& object, std::uint64_t elsewhere, std::string_view name);
  void report_missing(const ObjectInfo& object, std::uint64_t missing);
  void run_object_check(const ObjectInfo& object, const void* value);

  // ---- Faults, all of them cold.

  [[gnu::cold, gnu::noinline]] void fault(std::string_view code, std::string message) override {
    if (faults_.full()) return faults_.note_more();
    faults_.add(json_pointer(path_), code, std::move(message));
  }
  [[gnu::cold, gnu::noinline]] void member_fault(std::string_view member, std::string_view code,
                                                 std::string_view message) {
    if (faults_.full()) return faults_.note_more();
    faults_.add(json_pointer(path_, member), code, std::string(message));
  }
  /// A value of another type than expected stands here: report it and go past it.
  [[gnu::cold, gnu::noinline]] bool wrong_type(std::string expected) {
    const bool null = peek() == 'n';
    if (!skip_value()) return false;
    if (null)
      fault("null_not_allowed", "must not be null");
    else
      fault("wrong_type", std::move(expected));
    return true;
  }

  Faults& faults_;
  const JsonLimits& limits_;
  const PathFrame* path_ = nullptr;
  std::uint64_t elsewhere_ = 0;  ///< taken by the outermost object
  std::string_view tag_;         ///< of a Tagged: a key that the next object passes over
  std::string decoded_;          ///< of strings with escapes that are looked at and forgotten
};

bool Reader::read_value(const TypeInfo& type, const Rules& rules, const FieldInfo* field, void* value) {
  skip_rare_space();
  if ((rules.flags & kHasCheck) != 0) [[unlikely]]
    return read_then_check(type, rules, field, value);
  switch (type.kind) {
    case Kind::string:
      return read_string(rules, value);
    case Kind::integer:
      return read_integer(type, rules, value);
    case Kind::boolean:
      return read_boolean(value);
    case Kind::real:
      return read_real(type, rules, value);
    case Kind::enumeration:
      return read_enumeration(type, value);
    case Kind::uuid:
      return read_uuid(value);
    case Kind::time:
      return read_time(value);
    case Kind::json:
      return read_json_text(value);
    case Kind::scalar:
      return read_scalar(type, rules, value);
    case Kind::optional:
      if (peek() == 'n') return read_null(type, field, value);
      return read_value(*type.element, rules, field, type.optional->emplace(value));
    case Kind::patch:
      if (peek() == 'n') return read_null(type, field, value);
      return read_value(*type.element, rules, field, type.patch->emplace(value));
    case Kind::list:
      return read_list(type, rules, field, value);
    case Kind::map:
      return read_map(type, rules, field, value);
    case Kind::object:
      return read_object(type.object(), static_cast<char*>(value));
    case Kind::variant:
      return read_variant(type, value);
  }
  return syntax("a value is missing");
}

/// The author's own check sees only values that are well otherwise.
bool Reader::read_then_check(const TypeInfo& type, const Rules& rules, const FieldInfo* field, void* value) {
  Rules others = rules;
  others.flags &= static_cast<std::uint16_t>(~kHasCheck);
  const std::size_t faults_before = faults_.list().size();
  if (!read_value(type, others, field, value)) return false;
  const void* const inside = value_inside(type, value);
  if (inside != nullptr && !faults_.grew_since(faults_before)) detail::check_custom(rules, inside, *this);
  return true;
}

bool Reader::read_boolean(void* value) {
  switch (peek()) {
    case 't':
      *static_cast<bool*>(value) = true;
      return literal("true");
    case 'f':
      *static_cast<bool*>(value) = false;
      return literal("false");
    default:
      return wrong_type("must be true or false");
  }
}

bool Reader::read_string(const Rules& rules, void* value) {
  if (peek() != '"') [[unlikely]]
    return wrong_type("must be a string");
  auto& text = *static_cast<std::string*>(value);
  if (!string(text)) return false;
  if (plain()) [[likely]] {
    if (rules.flags == 0) return true;
    // The common case costs a few compares: a length, of a text in ASCII that begins with a letter.
    const auto size = static_cast<std::int64_t>(text.size());
    if ((rules.flags & ~kNotBlank) == kHasLength && size >= rules.min && size <= rules.max &&
        (!(rules.flags & kNotBlank) || (size > 0 && text.front() > ' '))) [[likely]]
      return true;
  } else if (limits_.view == View::input) {
    detail::check_characters(text, *this);
  }
  detail::check_string(rules, text, *this);
  return true;
}

bool Reader::read_integer(const TypeInfo& type, const Rules& rules, void* value) {
  const char* const start = position();
  const char* p = start;
  const bool negative = p < end_ && *p == '-';
  if (negative) ++p;
  const char* const digits = p;
  std::uint64_t magnitude = 0;
  if (end_ - p >= 8 && detail::parse_eight_digits(p, magnitude)) p += 8;
  for (; p < end_ && static_cast<unsigned char>(*p - '0') < 10; ++p)
    magnitude = magnitude * 10 + static_cast<unsigned>(*p - '0');
  const auto count = p - digits;
  constexpr int kNeverOverflows = 19;
  const bool plain = count > 0 && count <= kNeverOverflows && (*digits != '0' || count == 1) &&
                     !(p < end_ && (*p == '.' || (*p | 0x20) == 'e'));
  if (!plain) [[unlikely]]
    return read_integer_slowly(type, rules, value);
  advance(static_cast<std::size_t>(p - start));
  return store_whole(type, rules, negative, magnitude, value);
}

/// What is not a plain run of digits: another type, a grammar error, a long number, a point, an exponent.
bool Reader::read_integer_slowly(const TypeInfo& type, const Rules& rules, void* value) {
  const char first = peek();
  if (first != '-' && !(first >= '0' && first <= '9')) return wrong_type("must be a whole number");
  detail::NumberToken token;
  if (!number(token)) return false;
  std::uint64_t magnitude = 0;
  switch (detail::parse_whole(token.text, magnitude)) {
    case detail::WholeNumber::fits:
      return store_whole(type, rules, first == '-', magnitude, value);
    case detail::WholeNumber::too_large:
      detail::report_out_of_range(rules, type, first == '-', *this);
      return true;
    case detail::WholeNumber::fractional:
      fault("wrong_type", "must be a whole number");
      return true;
  }
  return true;
}

bool Reader::store_whole(const TypeInfo& type, const Rules& rules, bool negative, std::uint64_t magnitude,
                         void* value) {
  // Most integers are small and have a range, or 64 bits: decide those here.
  const auto whole = static_cast<std::int64_t>(magnitude);
  const bool in_range =
      !negative && whole >= 0 &&
      ((rules.flags & kHasRange) ? whole >= rules.min && whole <= rules.max : type.width == 8);
  if (!in_range && !detail::check_integer(rules, type, negative && magnitude != 0, magnitude, *this))
    return true;
  store_integer(value, type.width, negative ? static_cast<std::int64_t>(0 - magnitude) : whole);
  return true;
}

bool Reader::read_real(const TypeInfo& type, const Rules& rules, void* value) {
  const char first = peek();
  if (first != '-' && !(first >= '0' && first <= '9')) return wrong_type("must be a number");
  detail::NumberToken token;
  if (!number(token)) return false;
  double parsed = 0;
  const bool fits = detail::parse_real(token.text, parsed);
  if (!fits || (type.width == 4 && std::fabs(parsed) > std::numeric_limits<float>::max())) {
    fault("too_large", "must be a number that the field can hold");
    return true;
  }
  if (type.width == 4)
    *static_cast<float*>(value) = static_cast<float>(parsed);
  else
    *static_cast<double*>(value) = parsed;
  detail::check_real(rules, parsed, *this);
  return true;
}

bool Reader::read_enumeration(const TypeInfo& type, void* value) {
  if (peek() != '"') return wrong_type(detail::one_of_sentence(type.enumeration()));
  std::string_view word;
  if (!string_view(word, decoded_)) return false;
  const EnumInfo& info = type.enumeration();
  const EnumValue* found = info.find(word);
  if (info.fallback != nullptr) [[unlikely]] {
    if (limits_.view != View::input)
      found = found == nullptr ? info.fallback : found;
    else if (found == info.fallback)
      found = nullptr;
  }
  if (found != nullptr) [[likely]] {
    store_integer(value, type.width, found->value);
    return true;
  }
  fault("not_one_of", detail::one_of_sentence(type.enumeration()));
  return true;
}

bool Reader::read_uuid(void* value) {
  if (peek() != '"') return wrong_type("must be a UUID");
  std::string_view text;
  if (!string_view(text, decoded_)) return false;
  if (const auto uuid = Uuid::parse(text)) [[likely]]
    *static_cast<Uuid*>(value) = *uuid;
  else
    fault("format", "must be a UUID");
  return true;
}

bool Reader::read_time(void* value) {
  if (peek() != '"') return wrong_type("must be an RFC 3339 date and time");
  std::string_view text;
  if (!string_view(text, decoded_)) return false;
  if (const auto time = parse_rfc3339(text)) [[likely]]
    *static_cast<Time*>(value) = *time;
  else
    fault("format", detail::time_sentence(text));
  return true;
}

bool Reader::read_scalar(const TypeInfo& type, const Rules& rules, void* value) {
  if (peek() != '"') return wrong_type(detail::scalar_type_sentence(type));
  std::string_view text;
  if (!string_view(text, decoded_)) return false;
  detail::read_scalar(type, rules, text, value, *this);
  return true;
}

bool Reader::read_json_text(void* value) {
  const char* const start = position();
  if (!skip_value()) return false;
  std::string text(start, position());
  if (limits_.view == View::input && text.find("\\u0000") != std::string::npos) {
    p_ = start;
    check_json_characters();
  }
  *static_cast<Json*>(value) = Json::from_writer(std::move(text));
  return true;
}

/// Goes through a value that was read once, so that its grammar and its depth are good, and looks at its strings.
bool Reader::check_json_characters() {
  const char first = peek();
  if (first == '"') {
    std::string_view text;
    if (!string_view(text, decoded_)) return false;
    detail::check_characters(text, *this);
    return true;
  }
  if (first != '{' && first != '[') return skip_value();
  const char close = first == '{' ? '}' : ']';
  advance(1);
  if (take(close)) return true;
  PathFrame frame{path_, nullptr, {}, 0};
  std::string decoded;
  do {
    if (first == '{' && !key(frame.key, decoded)) return false;
    path_ = &frame;
    if (first == '{') detail::check_characters(frame.key, *this);
    if (!check_json_characters()) return false;
    path_ = frame.up;
    ++frame.index;
  } while (take(','));
  return take(close);
}

bool Reader::read_null(const TypeInfo& type, const FieldInfo* field, void* value) {
  if (!literal("null")) return false;
  if (type.kind == Kind::optional) {
    type.optional->reset(value);
  } else if (field != nullptr && field->has(kNullable)) {
    type.patch->set_null(value);
  } else {
    fault("null_not_allowed", "must not be null");
  }
  return true;
}

bool Reader::read_list(const TypeInfo& type, const Rules& rules, const FieldInfo* field, void* value) {
  if (peek() != '[') [[unlikely]]
    return wrong_type("must be a list");
  advance(1);
  if (!enter()) return false;
  const Rules& item_rules = field == nullptr ? kNoRules : field->item_rules;
  const std::size_t kept_max = (rules.flags & kHasLength) ? static_cast<std::size_t>(rules.max)
                                                          : std::numeric_limits<std::size_t>::max();
  type.list->clear(value);
  PathFrame frame{path_, nullptr, {}, 0};
  std::vector<std::size_t> unread;
  if (!take(']')) {
    path_ = &frame;
    do {
      // Items beyond the most that are allowed are only counted: their memory is not ours to give.
      const bool kept = frame.index < kept_max;
      const std::size_t faults_before = faults_.list().size();
      if (!(kept ? read_value(*type.element, item_rules, nullptr, type.list->push(value)) : skip_value()))
        return false;
      if (faults_.grew_since(faults_before)) [[unlikely]]
        unread.push_back(frame.index);
      ++frame.index;
    } while (take(','));
    path_ = frame.up;
    if (!take(']')) return syntax("a comma or ] is missing");
  }
  leave();
  if (rules.flags != 0) {
    detail::check_count(rules, frame.index, *this);
    if (rules.flags & kUnique) detail::check_unique(*type.element, type.list->view(value), unread, *this);
  }
  return true;
}

bool Reader::read_map(const TypeInfo& type, const Rules& rules, const FieldInfo* field, void* value) {
  if (peek() != '{') return wrong_type("must be an object");
  advance(1);
  if (!enter()) return false;
  const Rules& item_rules = field == nullptr ? kNoRules : field->item_rules;
  type.map->clear(value);
  std::size_t count = 0;
  if (!take('}')) {
    PathFrame frame{path_, nullptr, {}, 0};
    std::string decoded;
    do {
      if (!key(frame.key, decoded)) return false;
      ++count;
      path_ = &frame;
      bool fresh = true;
      const bool kept = !(rules.flags & kHasLength) || count <= static_cast<std::size_t>(rules.max);
      void* const item = kept ? type.map->insert(value, frame.key, &fresh) : nullptr;
      if (!fresh) fault("duplicate_field", "must not be given twice");
      if (limits_.view == View::input) detail::check_characters(frame.key, *this);
      if (!(kept && fresh ? read_value(*type.element, item_rules, nullptr, item) : skip_value()))
        return false;
      path_ = frame.up;
    } while (take(','));
    if (!take('}')) return syntax("a comma or } is missing");
  }
  leave();
  detail::check_count(rules, count, *this);
  return true;
}

/// {"card_payment": {...}}: one key, which names the alternative.
bool Reader::read_variant(const TypeInfo& type, void* value) {
  const VariantOps& variant = *type.variant;
  if (!variant.discriminator.empty()) return read_tagged(variant, value);
  if (peek() != '{') return wrong_type("must be an object with one key");
  advance(1);
  if (!enter()) return false;
  std::size_t count = 0;
  if (!take('}')) {
    PathFrame frame{path_, nullptr, {}, 0};
    std::string decoded;
    do {
      if (!key(frame.key, decoded)) return false;
      std::size_t at = 0;
      while (at < variant.count && variant.tags[at] != frame.key) ++at;
      path_ = &frame;
      if (at == variant.count) fault("unknown_field", "is none of the known alternatives");
      const bool kept = at < variant.count && count == 0;
      ++count;
      if (!(kept ? read_value(*variant.alternatives[at], kNoRules, nullptr, variant.emplace(value, at))
                 : skip_value()))
        return false;
      path_ = frame.up;
    } while (take(','));
    if (!take('}')) return syntax("a comma or } is missing");
  }
  leave();
  if (count != 1) fault("wrong_type", "must be an object with exactly one key, which says what it is");
  return true;
}

/// {"method": "card", ...}: looks for the field that says which alternative it is, and then reads that from the start.
bool Reader::read_tagged(const VariantOps& variant, void* value) {
  if (peek() != '{') return wrong_type("must be an object");
  const char* const start = position();
  std::size_t at = variant.count;
  if (!find_tag(variant, at)) return false;
  p_ = start;
  if (at == variant.count) return skip_value();  // and was reported
  tag_ = variant.discriminator;
  return read_object(variant.alternatives[at]->object(), static_cast<char*>(variant.emplace(value, at)));
}

/// Stops behind the field: what writes a Tagged writes it first, so little is read twice.
bool Reader::find_tag(const VariantOps& variant, std::size_t& alternative) {
  advance(1);
  if (!enter()) return false;
  std::string decoded;
  if (!take('}')) {
    do {
      std::string_view name;
      if (!key(name, decoded)) return false;
      if (name != variant.discriminator) {
        if (!skip_value()) return false;
        continue;
      }
      leave();
      if (peek() != '"') {
        member_fault(variant.discriminator, "wrong_type", "must be a string");
        return true;
      }
      std::string_view tag;
      if (!string_view(tag, decoded)) return false;
      for (alternative = 0; alternative < variant.count && variant.tags[alternative] != tag;) ++alternative;
      if (alternative == variant.count)
        member_fault(variant.discriminator, "not_one_of",
                     detail::one_of_sentence({variant.tags, variant.count}));
      return true;
    } while (take(','));
    if (!take('}')) return syntax("a comma or } is missing");
  }
  leave();
  member_fault(variant.discriminator, "required", "is required");
  return true;
}

/// The field that a key means, or null after reporting why it means none.
[[gnu::noinline]] const FieldInfo* Reader::find_field(const ObjectInfo& object, std::uint64_t elsewhere,
                                                      std::string_view name) {
  const FieldInfo* field = object.find(name);
  if (field != nullptr && (elsewhere >> (field - object.fields) & 1) != 0) field = nullptr;
  if (field == nullptr) {
    if (!limits_.ignore_unknown_fields && !object.ignores(name))
      member_fault(name, "unknown_field", "is not a known field");
    return nullptr;
  }
  return field;
}

bool Reader::read_object(const ObjectInfo& object, char* value) {
  if (peek() != '{') [[unlikely]]
    return wrong_type("must be an object");
  advance(1);
  if (!enter()) return false;
  const std::uint64_t elsewhere = std::exchange(elsewhere_, 0);
  const std::string_view tag = std::exchange(tag_, {});
  bool tag_seen = false;
  const std::size_t faults_before = faults_.list().size();
  const std::uint16_t refused = limits_.view == View::input ? kReadOnly : 0;
  std::uint64_t seen = 0;
  const FieldInfo* expected = object.fields;
  const FieldInfo* const fields_end = expected + object.count;
  PathFrame frame{path_, nullptr, {}, 0};
  if (!take('}')) {
    do {
      skip_rare_space();
      // Programs send fields in the order they know: try the next one before anything else.
      const FieldInfo* field = expected;
      if (elsewhere != 0 || field == fields_end || !take_key(*field)) [[unlikely]] {
        std::string_view name;
        if (!key(name, decoded_)) return false;
        if (!tag.empty() && name == tag) [[unlikely]] {
          if (std::exchange(tag_seen, true)) member_fault(tag, "duplicate_field", "must not be given twice");
          if (!skip_value()) return false;
          continue;
        }
        field = find_field(object, elsewhere, name);
        if (field == nullptr) {
          if (!skip_value()) return false;
          continue;
        }
      }
      expected = field + 1;
      const std::uint64_t bit = std::uint64_t{1} << (field - object.fields);
      if ((seen & bit) != 0 || (field->flags & refused) != 0) [[unlikely]] {
        if ((seen & bit) != 0)
          member_fault(field->name(), "duplicate_field", "must not be given twice");
        else if (!limits_.ignore_read_only_fields)
          member_fault(field->name(), "read_only", "is set by the server and cannot be given");
        seen |= bit;
        if (!skip_value()) return false;
        continue;
      }
      seen |= bit;
      frame.field = field;
      path_ = &frame;
      if (!read_value(*field->type, field->rules, field, value + field->offset)) return false;
      path_ = frame.up;
    } while (take(','));
    if (!take('}')) return syntax("a comma or } is missing");
  }
  leave();
  if (object.given_offset != ObjectInfo::kAllGiven) object.set_given(value, seen);
  if (const std::uint64_t missing = object.required & ~seen & ~elsewhere; missing != 0) [[unlikely]]
    report_missing(object, missing);
  if (object.check != nullptr && !faults_.grew_since(faults_before)) run_object_check(object, value);
  return true;
}

void Reader::report_missing(const ObjectInfo& object, std::uint64_t missing) {
  for (std::size_t i = 0; i < object.count; ++i)
    if ((missing >> i & 1) != 0) {
      const FieldInfo& field = object.fields[i];
      // What the server sends has no write_only fields to ask for.
      if (limits_.view == View::output && field.has(kWriteOnly)) continue;
      member_fault(field.name(), "required", "is required");
    }
}

void Reader::run_object_check(const ObjectInfo& object, const void* value) {
  ObjectProblems problems(faults_, path_, object);
  object.check(value, problems);
}

}  // namespace

Result<void> read_json(std::string_view text, const TypeInfo& type, void* value, Faults& faults,
                       const JsonLimits& limits) {
  if (text.size() > limits.size_bytes_max)
    return fail(Category::too_large, "json_too_large",
                fmt::format("The JSON is larger than {} bytes.", limits.size_bytes_max));
  Reader reader(text, faults, limits);
  if (!reader.read_document(type, value)) return std::unexpected(reader.problem());
  return {};
}

}  // namespace bedplate
