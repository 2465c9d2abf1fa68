// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/query.h"

#include <algorithm>
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
  std::string all;
  auto add = [&](std::string_view condition) { all.append(all.empty() ? "" : " AND ").append(condition); };
  for (const Condition& condition : list_) add(condition.text);
  if (among_) add(std::string(among_->column) + " IN (" + among_->all + ")");
  if (error_) add(kNothing);
  return all.empty() ? "1 = 1" : all;
}

std::string Where::text() const {
  return list_.empty() && !among_ && !error_ ? "" : " WHERE " + conditions();
}

Result<void> Where::check() const {
  if (!error_) return {};
  return std::unexpected(Error(error_->category(), error_->code(), error_->detail()));
}

Where& Where::add_text(std::string_view condition) {
  list_.push_back({std::string(condition)});
  return *this;
}

Where& Where::among(Column column, std::string all, std::string newest_first) {
  among_ = AmongSet{column.text(), std::move(all), std::move(newest_first)};
  return *this;
}

void Where::add(Column column, Compare compare, const TypeInfo& outer, const void* at,
                std::string_view field) {
  const TypeInfo& type = outer.value_type();
  const void* value = value_inside(outer, at);
  if (!value) return;
  const std::string name(column.text());
  std::string text;
  switch (compare) {
    case Compare::one_of:
      text = list_condition(column, type, value);
      break;
    case Compare::starts_with:
      text = prefix_condition(column, type, value);
      break;
    case Compare::has:
      text = has_condition(column, type, value);
      break;
    case Compare::is_null:
      text = name + (is_true(type, value) ? " IS NULL" : " IS NOT NULL");
      break;
    default:
      text = name + std::string(sign_of(compare)) + params_.add(type, value);
  }
  if (!text.empty()) list_.push_back({std::move(text), column.text(), field});
}

// The list is filled up to a power of two with its last value, so that there are few forms of the statement.
std::string Where::list_condition(Column column, const TypeInfo& type, const void* list) {
  if (type.kind != Kind::list) return std::string(column.text()) + " = " + params_.add(type, list);
  const ListView view = type.list->view(list);
  if (view.size == 0) return std::string(kNothing);
  if (view.size > kListValuesMax) {
    error_.emplace(Category::invalid, "too_many_values",
                   "A list of values has more than " + std::to_string(kListValuesMax) + ".");
    return "";
  }
  std::string names;
  std::string name;
  for (std::size_t i = 0; i < std::bit_ceil(view.size); ++i) {
    if (i < view.size)
      name = params_.add(*type.element, static_cast<const char*>(view.data) + i * type.element->size);
    names += (i == 0 ? "" : ", ") + name;
  }
  return std::string(column.text()) + " IN (" + names + ")";
}

std::string Where::prefix_condition(Column column, const TypeInfo& type, const void* value) {
  const std::string_view prefix = text_of(type, value);
  std::string name(column.text());
  if (prefix.empty()) return name + " IS NOT NULL";
  if (dialect_ == Dialect::postgresql) name += " COLLATE \"C\"";
  std::string condition = name + " >= " + params_.add(prefix);
  if (std::optional<std::string> end = after_prefix(prefix))
    condition += " AND " + name + " < " + params_.add(*end);
  return condition;
}

std::string Where::has_condition(Column column, const TypeInfo& type, const void* value) {
  const std::string name(column.text());
  const std::string wanted = params_.add(type, value);
  if (dialect_ == Dialect::postgresql) return name + " ? " + wanted;
  return "EXISTS (SELECT 1 FROM json_each(" + name + ") WHERE json_each.value = " + wanted + ")";
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
    add(rule.column, rule.compare, *field->type, value, rule.field);
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

namespace {

bool go_one_way(std::span<const OrderKey> keys) {
  return std::ranges::all_of(keys, [&](const OrderKey& key) { return key.descending == keys[0].descending; });
}

// "(a, id) > ($1, $2)"; of one key "a > $1".
std::string compare_rows(std::span<const OrderKey> keys, std::string_view sign,
                         std::span<const std::string> values) {
  std::string left;
  std::string right;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    left.append(i == 0 ? "" : ", ").append(keys[i].expression);
    right.append(i == 0 ? "" : ", ").append(values[i]);
  }
  if (keys.size() > 1) {
    left = "(" + left + ")";
    right = "(" + right + ")";
  }
  return left.append(" ").append(sign).append(" ").append(right);
}

}  // namespace

std::string up_to(std::span<const OrderKey> keys, std::span<const std::string> values) {
  return compare_rows(keys, keys[0].descending ? ">=" : "<=", values);
}

// Else (a <= $1 AND (a < $1 OR (a = $1 AND (b > $2 OR ...)))): the first part is for an index over `a`.
std::string after(std::span<const OrderKey> keys, std::span<const std::string> values) {
  if (go_one_way(keys)) return compare_rows(keys, keys[0].descending ? "<" : ">", values);
  std::string condition;
  for (std::size_t i = keys.size(); i-- > 0;) {
    const std::string name(keys[i].expression);
    const std::string beyond = name + (keys[i].descending ? " < " : " > ") + values[i];
    condition = condition.empty()
                    ? beyond
                    : "(" + beyond + " OR (" + name + " = " + values[i] + " AND " + condition + "))";
  }
  return "(" + std::string(keys[0].expression) + (keys[0].descending ? " <= " : " >= ") + values[0] +
         " AND " + condition + ")";
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
