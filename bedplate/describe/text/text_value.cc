// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/text/text_value.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/base/id.h"
#include "bedplate/base/text.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/json/json_cursor.h"
#include "bedplate/describe/json/json_number.h"
#include "bedplate/describe/json/json_value.h"
#include "bedplate/describe/rules.h"
#include "bedplate/describe/text/text_format.h"

namespace bedplate {

namespace {

class TextReport final : public detail::RuleReport {
 public:
  TextReport(Faults& faults, std::string_view pointer) : faults_(faults), pointer_(pointer) {}

  void fault(std::string_view code, std::string message) override {
    good_ = false;
    if (faults_.full()) return faults_.note_more();
    faults_.add(std::string(pointer_), code, std::move(message));
  }
  bool good() const { return good_; }
  /// The text came from a query string, where an unescaped plus is a space (see Fault::pointer).
  bool is_query() const { return pointer_.starts_with('?'); }

 private:
  Faults& faults_;
  std::string_view pointer_;
  bool good_ = true;
};

/// One text that may be a value; every read_* reports what is wrong.
class TextReader {
 public:
  TextReader(std::string_view text, const Rules& rules, TextReport& report)
      : text_(text), rules_(rules), report_(report) {}

  void read(const TypeInfo& type, void* value) {
    read_value(type, value);
    if (report_.good()) detail::check_custom(rules_, value_inside(type, value), report_);
  }

 private:
  void read_value(const TypeInfo& type, void* value);
  void read_boolean(void* value);
  void read_integer(const TypeInfo& type, void* value);
  void read_real(const TypeInfo& type, void* value);
  void read_string(void* value);
  void read_enumeration(const TypeInfo& type, void* value);
  void read_uuid(void* value);
  void read_time(void* value);
  void read_json_text(const TypeInfo& type, void* value);
  /// Whether the text would have the format if its spaces were pluses, which nobody escaped.
  bool lost_a_plus(TextFormat format) const;
  void report_plus() {
    report_.fault("format", "has a space where a plus belongs: a + is a space here, write %2B");
  }
  /// Whether the text is a number by the grammar of JSON.
  bool is_number(detail::NumberToken& token) const;

  std::string_view text_;
  const Rules& rules_;
  TextReport& report_;
};

void TextReader::read_value(const TypeInfo& type, void* value) {
  switch (type.kind) {
    case Kind::boolean:
      return read_boolean(value);
    case Kind::integer:
      return read_integer(type, value);
    case Kind::real:
      return read_real(type, value);
    case Kind::string:
      return read_string(value);
    case Kind::enumeration:
      return read_enumeration(type, value);
    case Kind::uuid:
      return read_uuid(value);
    case Kind::time:
      return read_time(value);
    case Kind::json:
      return read_json_text(type, value);
    case Kind::scalar:
      return detail::read_scalar(type, rules_, text_, value, report_);
    case Kind::optional:
      return read_value(*type.element, type.optional->emplace(value));
    case Kind::patch:
      return read_value(*type.element, type.patch->emplace(value));
    case Kind::list:
    case Kind::map:
    case Kind::object:
    case Kind::variant:
      return report_.fault("wrong_type", "has no form as one text");
  }
}

void TextReader::read_boolean(void* value) {
  if (text_ != "true" && text_ != "false") return report_.fault("wrong_type", "must be true or false");
  *static_cast<bool*>(value) = text_ == "true";
}

bool TextReader::lost_a_plus(TextFormat format) const {
  if (!report_.is_query() || text_.find(' ') == std::string_view::npos) return false;
  std::string meant(text_);
  std::ranges::replace(meant, ' ', '+');
  return !matches_text_format(format, text_) && matches_text_format(format, meant);
}

bool TextReader::is_number(detail::NumberToken& token) const {
  detail::JsonCursor cursor(text_, 1);
  return cursor.number(token) && cursor.at_end();
}

void TextReader::read_integer(const TypeInfo& type, void* value) {
  detail::NumberToken token;
  if (!is_number(token) || !token.whole) return report_.fault("wrong_type", "must be a whole number");
  const bool minus = text_.starts_with('-');
  std::uint64_t magnitude = 0;
  if (detail::parse_whole(text_, magnitude) != detail::WholeNumber::fits)
    return detail::report_out_of_range(rules_, type, minus, report_);
  if (!detail::check_integer(rules_, type, minus && magnitude != 0, magnitude, report_)) return;
  store_integer(value, type.width, static_cast<std::int64_t>(minus ? 0 - magnitude : magnitude));
}

void TextReader::read_real(const TypeInfo& type, void* value) {
  detail::NumberToken token;
  if (!is_number(token)) return report_.fault("wrong_type", "must be a number");
  double real = 0;
  const bool fits = detail::parse_real(text_, real);
  if (!fits || (type.width == 4 && std::fabs(real) > std::numeric_limits<float>::max()))
    return report_.fault("too_large", "must be a number that the field can hold");
  if (type.width == 4)
    *static_cast<float*>(value) = static_cast<float>(real);
  else
    *static_cast<double*>(value) = real;
  detail::check_real(rules_, real, report_);
}

void TextReader::read_string(void* value) {
  if (!is_valid_utf8(text_)) return report_.fault("format", "must be valid UTF-8");
  auto& string = *static_cast<std::string*>(value);
  string.assign(text_);
  detail::check_characters(string, report_);
  if ((rules_.flags & kHasFormat) && lost_a_plus(rules_.format)) return report_plus();
  detail::check_string(rules_, string, report_);
}

void TextReader::read_enumeration(const TypeInfo& type, void* value) {
  const EnumValue* const found = type.enumeration().find(text_);
  if (found == nullptr || found == type.enumeration().fallback)
    return report_.fault("not_one_of", detail::one_of_sentence(type.enumeration()));
  store_integer(value, type.width, found->value);
}

void TextReader::read_uuid(void* value) {
  const auto uuid = Uuid::parse(text_);
  if (!uuid) return report_.fault("format", "must be a UUID");
  *static_cast<Uuid*>(value) = *uuid;
}

void TextReader::read_time(void* value) {
  const auto time = parse_rfc3339(text_);
  if (!time && lost_a_plus(TextFormat::date_time)) return report_plus();
  if (!time) return report_.fault("format", detail::time_sentence(text_));
  *static_cast<Time*>(value) = *time;
}

void TextReader::read_json_text(const TypeInfo& type, void* value) {
  Faults inside;
  if (!read_json(text_, type, value, inside)) return report_.fault("format", "must be JSON");
  for (const Fault& found : inside.list()) report_.fault(found.code, found.message);
}

bool is_scalar_kind(Kind kind) {
  switch (kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
    case Kind::string:
    case Kind::enumeration:
    case Kind::uuid:
    case Kind::time:
    case Kind::json:
    case Kind::scalar:
      return true;
    case Kind::optional:
    case Kind::patch:
    case Kind::list:
    case Kind::map:
    case Kind::object:
    case Kind::variant:
      return false;
  }
  return false;
}

bool read_text_list(std::span<const std::string_view> texts, const FieldInfo& field, const TypeInfo& list,
                    void* value, std::string_view pointer, Faults& faults) {
  TextReport report(faults, pointer);
  list.list->clear(value);
  const std::size_t kept = (field.rules.flags & kHasLength)
                               ? std::min(texts.size(), static_cast<std::size_t>(field.rules.max))
                               : texts.size();
  std::vector<std::size_t> unread;
  for (std::size_t i = 0; i < kept; ++i) {
    const std::size_t faults_before = faults.list().size();
    TextReader(texts[i], field.item_rules, report).read(*list.element, list.list->push(value));
    if (faults.grew_since(faults_before)) unread.push_back(i);
  }
  detail::check_count(field.rules, texts.size(), report);
  if (field.rules.flags & kUnique)
    detail::check_unique(*list.element, list.list->view(value), unread, report);
  if (report.good()) detail::check_custom(field.rules, value, report);
  return report.good();
}

}  // namespace

bool is_text_scalar(const TypeInfo& type) {
  return is_scalar_kind(type.value_type().kind);
}

bool is_text_list(const TypeInfo& type) {
  const TypeInfo& list = type.value_type();
  return list.kind == Kind::list && is_scalar_kind(list.element->kind);
}

bool read_text(std::string_view text, const TypeInfo& type, const Rules& rules, void* value,
               std::string_view pointer, Faults& faults) {
  TextReport report(faults, pointer);
  TextReader(text, rules, report).read(type, value);
  return report.good();
}

bool read_text_field(std::span<const std::string_view> texts, const FieldInfo& field, void* object,
                     std::string_view pointer, Faults& faults) {
  void* value = field.in(object);
  const TypeInfo& type = *field.type;
  if (is_text_list(type)) {
    if (type.kind == Kind::optional) value = type.optional->emplace(value);
    if (type.kind == Kind::patch) value = type.patch->emplace(value);
    return read_text_list(texts, field, type.value_type(), value, pointer, faults);
  }
  if (texts.size() == 1) return read_text(texts.front(), type, field.rules, value, pointer, faults);
  TextReport report(faults, pointer);
  if (texts.empty())
    report.fault("required", "is required");
  else
    report.fault("duplicate_field", "must not be given twice");
  return false;
}

bool read_text_field(std::string_view text, const FieldInfo& field, void* object, std::string_view pointer,
                     Faults& faults) {
  return read_text_field({&text, 1}, field, object, pointer, faults);
}

bool write_text(std::string& out, const TypeInfo& type, const void* value) {
  switch (type.kind) {
    case Kind::optional: {
      const void* const inside = type.optional->get(value);
      return inside != nullptr && write_text(out, *type.element, inside);
    }
    case Kind::patch:
      return type.patch->state(value) == PatchState::value &&
             write_text(out, *type.element, type.patch->get(value));
    case Kind::string:
      out += *static_cast<const std::string*>(value);
      return true;
    case Kind::list:
    case Kind::map:
    case Kind::object:
    case Kind::variant:
      return false;
    default: {
      // The other scalars read as in JSON, without the quotes.
      Buffer json;
      if (!write_json(json, type, value)) return false;
      std::string_view text = json.view();
      if (type.kind != Kind::json && text.starts_with('"')) text = text.substr(1, text.size() - 2);
      out += text;
      return true;
    }
  }
}

}  // namespace bedplate
