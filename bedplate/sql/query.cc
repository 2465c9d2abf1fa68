// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/query.h"

#include <bit>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/base/text.h"

namespace bedplate::sql {
namespace {

constexpr std::string_view kNothing = "1 = 0";

std::string_view sign_of(Compare compare) {
  switch (compare) {
    case Compare::equal:
      return " = ";
    case Compare::not_equal:
      return " <> ";
    case Compare::less:
      return " < ";
    case Compare::at_most:
      return " <= ";
    case Compare::greater:
      return " > ";
    case Compare::at_least:
      return " >= ";
    default:
      return "";
  }
}

std::string_view text_of(const TypeInfo& type, const void* value) {
  if (type.kind != Kind::string) return {};
  return *static_cast<const std::string*>(value);
}

bool is_true(const TypeInfo& type, const void* value) {
  return type.kind != Kind::boolean || *static_cast<const bool*>(value);
}

}  // namespace

std::string Where::conditions() const {
  if (error_) return text_ + (text_.empty() ? "" : " AND ") + std::string(kNothing);
  return text_.empty() ? "1 = 1" : text_;
}

std::string Where::text() const {
  return text_.empty() && !error_ ? "" : " WHERE " + conditions();
}

Result<void> Where::check() const {
  if (!error_) return {};
  return std::unexpected(Error(error_->category(), error_->code(), error_->detail()));
}

Where& Where::add_text(std::string_view condition) {
  if (!text_.empty()) text_ += " AND ";
  text_ += condition;
  return *this;
}

std::string Where::add_param(const TypeInfo& type, const void* value) {
  return params_.add(type, value);
}

void Where::add(Column column, Compare compare, const TypeInfo& outer, const void* at) {
  const TypeInfo& type = outer.value_type();
  const void* value = value_inside(outer, at);
  if (!value) return;
  const std::string name(column.text());
  switch (compare) {
    case Compare::one_of:
      return add_list(column, type, value);
    case Compare::starts_with:
      return add_prefix(column, type, value);
    case Compare::is_null:
      add_text(name + (is_true(type, value) ? " IS NULL" : " IS NOT NULL"));
      return;
    default:
      add_text(name + std::string(sign_of(compare)) + add_param(type, value));
  }
}

// The list is filled up to a power of two with its last value, so that there are few forms of the statement.
void Where::add_list(Column column, const TypeInfo& type, const void* list) {
  if (type.kind != Kind::list) {
    add_text(std::string(column.text()) + " = " + add_param(type, list));
    return;
  }
  const ListView view = type.list->view(list);
  if (view.size == 0) {
    add_text(kNothing);
    return;
  }
  if (view.size > kListValuesMax) {
    error_.emplace(Category::invalid, "too_many_values",
                   "A list of values has more than " + std::to_string(kListValuesMax) + ".");
    return;
  }
  std::string names;
  std::string name;
  for (std::size_t i = 0; i < std::bit_ceil(view.size); ++i) {
    if (i < view.size)
      name = add_param(*type.element, static_cast<const char*>(view.data) + i * type.element->size);
    names += (i == 0 ? "" : ", ") + name;
  }
  add_text(std::string(column.text()) + " IN (" + names + ")");
}

void Where::add_prefix(Column column, const TypeInfo& type, const void* value) {
  const std::string_view prefix = text_of(type, value);
  std::string name(column.text());
  if (prefix.empty()) return void(add_text(name + " IS NOT NULL"));
  if (dialect_ == Dialect::postgresql) name += " COLLATE \"C\"";
  std::string condition = name + " >= " + params_.add(prefix);
  if (std::optional<std::string> end = after_prefix(prefix))
    condition += " AND " + name + " < " + params_.add(*end);
  add_text(condition);
}

void Where::add(std::span<const FilterRule> rules, const TypeInfo& type, const void* input) {
  for (const FilterRule& rule : rules) {
    const FieldInfo* field = type.object().find(rule.field);
    if (!field) {
      log_error("a filter names a field that its input does not have",
                {{"field", rule.field}, {"type", type.name()}});
      error_.emplace(Category::internal, "filter_rule", "The server met an unexpected fault.");
      continue;
    }
    const void* value = field->in(input);
    if (field->type->kind == Kind::list && field->type->list->view(value).size == 0) continue;
    add(rule.column, rule.compare, *field->type, value);
  }
}

std::string order_by(std::span<const OrderKey> keys) {
  std::string text;
  for (const OrderKey& key : keys) {
    if (!text.empty()) text += ", ";
    text.append(key.expression).append(key.descending ? " DESC" : "");
  }
  return text;
}

// (a > $1 OR (a = $1 AND (b < $2 OR (b = $2 AND id > $3)))): each value stands twice only.
std::string after(std::span<const OrderKey> keys, std::span<const std::string> values) {
  std::string condition;
  for (std::size_t i = keys.size(); i-- > 0;) {
    const std::string name(keys[i].expression);
    const std::string beyond = name + (keys[i].descending ? " < " : " > ") + values[i];
    condition = condition.empty()
                    ? beyond
                    : "(" + beyond + " OR (" + name + " = " + values[i] + " AND " + condition + "))";
  }
  return condition;
}

std::optional<std::string> after_prefix(std::string_view prefix) {
  std::string text(prefix);
  while (!text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    const unsigned size = utf8_sequence_size(text.data() + begin, text.data() + text.size());
    char32_t code = static_cast<unsigned char>(text[begin]);
    if (size > 1) {
      code &= size == 2 ? 0x1F : size == 3 ? 0x0F : 0x07;
      for (unsigned i = 1; i < size; ++i)
        code = (code << 6) | (static_cast<unsigned char>(text[begin + i]) & 0x3F);
    }
    text.resize(begin);
    if (size == 0 || code >= 0x10FFFF) continue;  // nothing comes after it: the character before it moves on
    ++code;
    if (code == 0xD800) code = 0xE000;  // surrogates are no characters
    char bytes[4];
    text.append(bytes, write_utf8(bytes, code));
    return text;
  }
  return std::nullopt;
}

std::string audit_values(Params& params, const AuditStamp& stamp) {
  const std::string at = params.add(stamp.at);
  const std::string by = params.add(stamp.by);
  return at + ", " + by + ", " + at + ", " + by + ", 1";
}

std::string audit_update(Params& params, const AuditStamp& stamp) {
  const std::string at = params.add(stamp.at);
  return "updated_at = " + at + ", updated_by = " + params.add(stamp.by) + ", version = version + 1";
}

std::string soft_delete(Params& params, const AuditStamp& stamp) {
  const std::string at = params.add(stamp.at);
  return "deleted_at = " + at + ", deleted_by = " + params.add(stamp.by) + ", version = version + 1";
}

std::string soft_restore(Params& params, const AuditStamp& stamp) {
  return "deleted_at = NULL, deleted_by = NULL, " + audit_update(params, stamp);
}

}  // namespace bedplate::sql
