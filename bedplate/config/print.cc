// SPDX-License-Identifier: Apache-2.0
// What people read: the effective configuration and the reference, both as TOML.
#include <limits>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/config/config.h"
#include "bedplate/config/toml_writer.h"
#include "bedplate/describe/text/text_format.h"

namespace bedplate::config {

namespace {

constexpr std::string_view kMask = "\"***\"";
constexpr std::size_t kCommentColumn = 40;

std::string number(std::int64_t value) {
  return std::to_string(value);
}
std::string number(double value) {
  char text[kDoubleSizeMax];
  return {text, write_double(text, value)};
}

/// "1 to 200", "at least 1", "at most 200", or nothing.
template <class Number>
std::string span_of(Number low, Number high, Number lowest, Number highest) {
  if (low <= lowest && high >= highest) return {};
  if (high >= highest) return "at least " + number(low);
  if (low <= lowest) return "at most " + number(high);
  return number(low) + " to " + number(high);
}

/// Phrases joined by commas.
class Phrases {
 public:
  void add(std::string_view phrase) {
    if (phrase.empty()) return;
    if (!text_.empty()) text_ += ", ";
    text_ += phrase;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void add_rules(Phrases& phrases, const Rules& rules, const TypeInfo& type) {
  if ((rules.flags & kHasRange) != 0) {
    using Limits = std::numeric_limits<std::int64_t>;
    phrases.add(span_of(rules.min, rules.max, Limits::min(), Limits::max()));
  }
  if ((rules.flags & kHasLimits) != 0) {
    using Limits = std::numeric_limits<double>;
    phrases.add(span_of(rules.low, rules.high, Limits::lowest(), Limits::max()));
  }
  if ((rules.flags & kHasLength) != 0) {
    const std::string span =
        span_of(rules.min, rules.max, std::int64_t{0}, std::numeric_limits<std::int64_t>::max());
    if (!span.empty()) phrases.add(span + (type.kind == Kind::string ? " characters" : " items"));
  }
  if ((rules.flags & kHasFormat) != 0) phrases.add(text_format_phrase(rules.format));
  if ((rules.flags & kHasPattern) != 0) phrases.add("matches " + std::string(rules.pattern));
  if ((rules.flags & kUnique) != 0) phrases.add("no item twice");
}

std::string type_phrase(const TypeInfo& type) {
  switch (type.kind) {
    case Kind::optional:
      return type_phrase(*type.element);
    case Kind::list:
      return "list of " + type_phrase(*type.element);
    case Kind::map:
      return "table of " + type_phrase(*type.element);
    case Kind::object:
      return "table";
    case Kind::enumeration: {
      Phrases names;
      for (const EnumValue& value : type.enumeration().values) names.add(value.name);
      return "one of " + names.text();
    }
    default:
      return std::string(type.name());
  }
}

std::string facts_of(const Setting& setting) {
  const FieldInfo& field = *setting.field;
  Phrases phrases;
  phrases.add(type_phrase(*field.type));
  add_rules(phrases, field.rules, field.type->value_type());
  Phrases of_items;
  const TypeInfo* item = field.type->value_type().element;
  if (item != nullptr) add_rules(of_items, field.item_rules, item->value_type());
  if (!of_items.text().empty()) phrases.add("each " + of_items.text());
  if (setting.is_secret()) phrases.add("secret");
  if (field.has(kDeprecated)) phrases.add("deprecated");
  return phrases.text();
}

/// What stands in the reference for a setting without a default: its example, or the emptiest value of its
/// type.
std::string stand_in(const FieldInfo& field) {
  const TypeInfo& type = field.type->value_type();
  const bool is_text = type.kind == Kind::string || type.kind == Kind::enumeration ||
                       type.kind == Kind::uuid || type.kind == Kind::time || type.kind == Kind::scalar;
  if (is_text) {
    std::string text;
    append_toml_string(text, field.example != nullptr ? field.example : "");
    return text;
  }
  if (field.example != nullptr) return field.example;
  if (type.kind == Kind::boolean) return "false";
  if (type.kind == Kind::list) return "[]";
  if (type.kind == Kind::map || type.kind == Kind::object) return "{}";
  return "0";
}

std::string_view name_of(const Setting& setting) {
  return setting.field->name();
}

/// Whether the setting stands in this section itself, not in one inside it.
bool stands_in(const Setting& setting, std::string_view section) {
  const std::size_t name_size = name_of(setting).size() + (section.empty() ? 0 : 1);
  return setting.key.size() == section.size() + name_size && setting.key.starts_with(section);
}

void append_header(std::string& out, std::string_view section) {
  if (!out.empty()) out.push_back('\n');
  if (!section.empty()) out += "[" + std::string(section) + "]\n";
}

void append_comment(std::string& out, std::string_view text) {
  out += "# ";
  for (const char c : text) out += c == '\n' ? "\n# " : std::string(1, c);
  out.push_back('\n');
}

}  // namespace

std::string Registry::print_effective() const {
  std::string out;
  for (const Section& section : sections_) {
    bool has_header = false;
    for (const Setting& setting : settings_) {
      if (!stands_in(setting, section.name)) continue;
      if (!std::exchange(has_header, true)) append_header(out, section.name);
      std::string value;
      bool has_value = append_toml(value, *setting.field->type,
                                   setting.field->in(static_cast<const void*>(setting.object)));
      if (setting.is_secret() && has_value && value != "\"\"") value = kMask;
      std::string line = has_value ? std::string(name_of(setting)) + " = " + value
                                   : "# " + std::string(name_of(setting)) + " is not set";
      line.append(line.size() < kCommentColumn ? kCommentColumn - line.size() : 1, ' ');
      // A place may hold the name of a file; a line end in it must not begin a line of ours.
      std::string place;
      append_toml_string(place, setting.place);
      out += line + "# " + place.substr(1, place.size() - 2) + "\n";
    }
  }
  return out;
}

std::string Registry::print_reference() const {
  std::string out;
  for (const Section& section : sections_) {
    bool has_header = false;
    for (const Setting& setting : settings_) {
      if (!stands_in(setting, section.name)) continue;
      if (!std::exchange(has_header, true)) {
        append_header(out, section.name);
        const char* doc = section.type->object().doc;
        if (doc != nullptr && *doc != '\0') append_comment(out, doc);
      }
      const FieldInfo& field = *setting.field;
      out.push_back('\n');
      if (field.doc != nullptr && *field.doc != '\0') append_comment(out, field.doc);
      append_comment(out, facts_of(setting) + "; " + setting.variable);
      if (setting.default_text.empty()) append_comment(out, "not set by default");
      const std::string name(name_of(setting));
      out +=
          "#" + name + " = " + (setting.default_text.empty() ? stand_in(field) : setting.default_text) + "\n";
      if (!setting.is_secret()) continue;
      append_comment(out, "or a file that holds it; " + setting.variable + "_FILE");
      out += "#" + name + "_file = \"\"\n";
    }
  }
  return out;
}

}  // namespace bedplate::config
