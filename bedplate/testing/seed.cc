// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/seed.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "bedplate/base/text.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/describe/validate.h"
#include "bedplate/sql/maintenance.h"

namespace bedplate::testing {
namespace {

/// 2026-01-01T00:00:00Z
constexpr Time kFirst{std::chrono::seconds(1'767'225'600)};

template <class T>
void put(void* value, T with) {
  *static_cast<T*>(value) = std::move(with);
}

void fill_value(const TypeInfo& type, const Rules& rules, const FieldInfo& field, void* value, std::size_t i);

std::string formatted(TextFormat format, const std::string& number) {
  switch (format) {
    case TextFormat::email:
      return "user" + number + "@example.com";
    case TextFormat::uri:
    case TextFormat::web_url:
      return "https://example.com/" + number;
    case TextFormat::hostname:
      return "host" + number + ".example.com";
    case TextFormat::uuid:
      return new_uuid().to_string();
    default:
      return {};
  }
}

/// The example or the name, a space, and the number; within the length that is allowed.
std::string numbered(const Rules& rules, const FieldInfo& field, std::size_t i) {
  const std::string number = std::to_string(i);
  if (std::string text = formatted(rules.format, number); !text.empty()) return text;
  std::string text(field.example && field.type->kind == Kind::string ? field.example : field.name());
  const std::size_t size_max = rules.flags & kHasLength ? static_cast<std::size_t>(rules.max) : 200;
  if (number.size() + 1 >= size_max) return number.substr(0, size_max);
  text = std::string(utf8_prefix(text, size_max - number.size() - 1)) + " " + number;
  const auto size_min = static_cast<std::size_t>(rules.flags & kHasLength ? rules.min : 0);
  if (text.size() < size_min) text.append(size_min - text.size(), 'x');
  return text;
}

void fill_integer(const TypeInfo& type, const Rules& rules, void* value, std::size_t i) {
  std::int64_t low = 0;
  std::int64_t high = type.width == 1 ? 100 : 10'000;
  if (rules.flags & kHasRange) {
    low = rules.min;
    high = rules.max - rules.min > 1'000'000 ? rules.min + 1'000'000 : rules.max;
  }
  store_integer(value, type.width, low + static_cast<std::int64_t>(i) % (high - low + 1));
}

void fill_real(const TypeInfo& type, const Rules& rules, void* value, std::size_t i) {
  const double low = rules.flags & kHasLimits ? rules.low : 0;
  const double high = rules.flags & kHasLimits ? std::min(rules.high, rules.low + 1e6) : 1'000;
  const double number = low + (high - low) * static_cast<double>(i % 1'000) / 1'000;
  if (type.width == sizeof(float))
    put(value, static_cast<float>(number));
  else
    put(value, number);
}

void fill_list(const TypeInfo& type, const Rules& rules, const FieldInfo& field, void* value, std::size_t i) {
  std::size_t size = 2;
  if (rules.flags & kHasLength)
    size = static_cast<std::size_t>(std::clamp<std::int64_t>(2, rules.min, rules.max));
  type.list->clear(value);
  for (std::size_t at = 0; at < size; ++at)
    fill_value(*type.element, field.item_rules, field, type.list->push(value), i % 100 + at);
}

void fill_object(const TypeInfo& type, std::uint8_t version_field, void* value, std::size_t i) {
  const std::span<const FieldInfo> fields = type.object().all();
  for (std::size_t at = 0; at < fields.size(); ++at) {
    const FieldInfo& field = fields[at];
    const Kind kind = field.type->value_type().kind;
    const bool counts = field.has(kReadOnly) && (kind == Kind::integer || kind == Kind::real);
    if (at != version_field && !counts) fill_value(*field.type, field.rules, field, field.in(value), i);
  }
}

void fill_value(const TypeInfo& type, const Rules& rules, const FieldInfo& field, void* value,
                std::size_t i) {
  switch (type.kind) {
    case Kind::boolean:
      return put(value, i % 2 == 1);
    case Kind::integer:
      return fill_integer(type, rules, value, i);
    case Kind::real:
      return fill_real(type, rules, value, i);
    case Kind::string:
      return put(value, numbered(rules, field, i));
    case Kind::enumeration: {
      const std::span<const EnumValue> values = type.enumeration().values;
      return store_integer(value, type.width, values[i % values.size()].value);
    }
    case Kind::uuid:
      return put(value, new_uuid());
    case Kind::time:
      return put(value, Time(kFirst + std::chrono::seconds(i)));
    case Kind::optional:
      if (i % 2 == 1) return type.optional->reset(value);
      return fill_value(*type.element, rules, field, type.optional->emplace(value), i);
    case Kind::list:
      return fill_list(type, rules, field, value, i);
    case Kind::object:
      return fill_object(type, sql::TableInfo::kNoField, value, i);
    case Kind::scalar:
      if (field.example) type.scalar->read(field.example, value);
      return;
    case Kind::json:
    case Kind::patch:
    case Kind::map:
    case Kind::variant:
      return;  // the row type's default
  }
}

/// Texts that a number spoils go back to the example.
void mend_texts(const TypeInfo& type, void* row) {
  for (const FieldInfo& field : type.object().all()) {
    if (field.type->value_type().kind != Kind::string || !field.example) continue;
    const void* text = value_inside(*field.type, field.in(row));
    Faults faults;
    validate_field(field, row, field.name(), faults);
    if (text && !faults.empty()) *static_cast<std::string*>(const_cast<void*>(text)) = field.example;
  }
}

[[noreturn]] void give_up(const sql::TableInfo& table, const std::string& what) {
  throw std::runtime_error("seed of " + std::string(table.name()) + ": " + what);
}

/// Of "INSERT INTO notes (owner, id) VALUES ...".
std::vector<std::string_view> columns_of(std::string_view insert) {
  std::vector<std::string_view> columns;
  std::string_view list = insert.substr(insert.find('(') + 1);
  list = list.substr(0, list.find(')'));
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(", "), list.size());
    columns.push_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 2, list.size()));
  }
  return columns;
}

}  // namespace

namespace detail {

void fill_row(const TypeInfo& type, std::uint8_t version_field, void* row, std::size_t i) {
  fill_object(type, version_field, row, i);
  mend_texts(type, row);
}

void check_row(const sql::TableInfo& table, const void* row, std::size_t i) {
  Faults faults;
  validate(table.row(), row, faults);
  if (faults.empty()) return;
  const Fault& fault = faults.list().front();
  give_up(table, "row " + std::to_string(i) + ", " + fault.pointer + " " + fault.message +
                     ": give the field an example, or set it in `change`");
}

void refuse_owners(const sql::TableInfo& table) {
  give_up(table, table.outer_keys().empty()
                     ? "its key has no column `owner`: leave `owners` out"
                     : "its key begins with one column that is no field: say `owners`");
}

void write_rows(sql::Database& database, const sql::TableInfo& table, std::size_t n,
                const std::function<sql::TableCommand(sql::Transaction& tx, std::size_t i)>& insert) {
  const auto check = [&table](auto result) {
    if (!result) give_up(table, result.error().detail() + " " + result.error().subject());
    if constexpr (!std::is_void_v<typename decltype(result)::value_type>) return std::move(*result);
  };
  std::unique_ptr<sql::Maintenance> maintenance = check(database.maintenance());
  check(maintenance->begin());
  const std::vector<std::string_view> columns = columns_of(table.insert().sql);
  {
    // The command holds a row's values in the order of the columns; it is not run.
    sql::Transaction tx(maintenance->session());
    std::unique_ptr<sql::BulkInsert> bulk = check(maintenance->bulk_insert(table.name(), columns));
    for (std::size_t i = 0; i < n; ++i) check(bulk->add(insert(tx, i).params));
    check(bulk->finish());
  }
  check(maintenance->commit());
}

}  // namespace detail

}  // namespace bedplate::testing
