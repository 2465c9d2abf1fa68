// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/rows.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <utility>

#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/any_row.h"
#include "bedplate/describe/describe.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/json/json_value.h"
#include "bedplate/describe/scalar.h"

namespace bedplate {

namespace {

std::unexpected<Error> row_mismatch(std::string detail) {
  return fail(Category::internal, "row_mismatch", std::move(detail));
}

std::string_view kind_word(ColumnKind kind) {
  constexpr std::string_view kWords[] = {"NULL", "an integer", "a real", "text", "a blob"};
  return kWords[static_cast<std::size_t>(kind)];
}

/// A column's integer in an integer field. SQL integers are 64 bits and signed.
bool store_checked(std::int64_t integer, const TypeInfo& type, void* value) {
  if (type.width < 8 || !type.is_signed) {
    const unsigned bits = type.width * 8u;
    const std::int64_t high = type.is_signed ? (std::int64_t{1} << (bits - 1)) - 1
                              : bits == 64   ? std::numeric_limits<std::int64_t>::max()
                                             : (std::int64_t{1} << bits) - 1;
    const std::int64_t low = type.is_signed ? -high - 1 : 0;
    if (integer < low || integer > high) return false;
  }
  store_integer(value, type.width, integer);
  return true;
}

bool read_json_cell(std::string_view text, const TypeInfo& type, void* value) {
  Faults faults;
  JsonLimits limits;
  limits.view = View::stored;
  return read_json(text, type, value, faults, limits).has_value() && faults.empty();
}

bool read_scalar_cell(const ColumnSource& columns, int column, ColumnKind kind, const ScalarOps& scalar,
                      void* value) {
  if (scalar.sql == SqlForm::blob) {
    if (kind != ColumnKind::blob) return false;
    const std::string_view bytes = columns.blob(column);
    const auto* const first = reinterpret_cast<const std::byte*>(bytes.data());
    static_cast<Bytes*>(value)->assign(first, first + bytes.size());
    return true;
  }
  std::string digits;
  if (scalar.sql == SqlForm::decimal && columns.decimal(column, digits))
    return scalar.read(digits, value) == nullptr;
  if (kind == ColumnKind::text) return scalar.read(columns.text(column), value) == nullptr;
  return kind == ColumnKind::integer && scalar.from_integer != nullptr &&
         scalar.from_integer(columns.int64(column), value);
}

/// A column that is not NULL into a value that is not an optional. False when it holds another kind of thing.
bool read_cell(const ColumnSource& columns, int column, ColumnKind kind, const TypeInfo& type, void* value) {
  switch (type.kind) {
    case Kind::string:
      if (kind != ColumnKind::text) return false;
      static_cast<std::string*>(value)->assign(columns.text(column));
      return true;
    case Kind::integer:
      return kind == ColumnKind::integer && store_checked(columns.int64(column), type, value);
    case Kind::time:
      if (kind != ColumnKind::integer) return false;
      *static_cast<Time*>(value) = Time(std::chrono::microseconds(columns.int64(column)));
      return true;
    case Kind::uuid: {
      if (kind != ColumnKind::blob) return false;
      const std::string_view bytes = columns.blob(column);
      auto& uuid = *static_cast<Uuid*>(value);
      if (bytes.size() != uuid.bytes.size()) return false;
      std::memcpy(uuid.bytes.data(), bytes.data(), uuid.bytes.size());
      return true;
    }
    case Kind::enumeration: {
      if (kind != ColumnKind::text) return false;
      const EnumValue* found = type.enumeration().find(columns.text(column));
      if (found == nullptr) found = type.enumeration().fallback;
      if (found != nullptr) store_integer(value, type.width, found->value);
      return found != nullptr;
    }
    case Kind::boolean: {
      const std::int64_t integer = kind == ColumnKind::integer ? columns.int64(column) : -1;
      *static_cast<bool*>(value) = integer == 1;
      return integer == 0 || integer == 1;
    }
    case Kind::real: {
      if (kind != ColumnKind::real && kind != ColumnKind::integer) return false;
      const double real =
          kind == ColumnKind::real ? columns.real(column) : static_cast<double>(columns.int64(column));
      if (type.width == 4)
        *static_cast<float*>(value) = static_cast<float>(real);
      else
        *static_cast<double*>(value) = real;
      return true;
    }
    case Kind::scalar:
      return read_scalar_cell(columns, column, kind, *type.scalar, value);
    case Kind::json:
    case Kind::list:
    case Kind::map:
    case Kind::object:
    case Kind::variant:
      return kind == ColumnKind::text && read_json_cell(columns.text(column), type, value);
    case Kind::optional:
    case Kind::patch:
      return false;
  }
  return false;
}

/// A column into a field, NULL into one that can be empty.
bool read_column(const ColumnSource& columns, int column, const TypeInfo& type, void* value) {
  const ColumnKind kind = columns.kind(column);
  if (type.kind == Kind::optional) {
    if (kind != ColumnKind::null)
      return read_cell(columns, column, kind, *type.element, type.optional->emplace(value));
    type.optional->reset(value);
    return true;
  }
  if (type.kind == Kind::patch) {
    if (kind != ColumnKind::null)
      return read_cell(columns, column, kind, *type.element, type.patch->emplace(value));
    type.patch->set_null(value);
    return true;
  }
  return read_cell(columns, column, kind, type, value);
}

void append_name(std::string& list, std::string_view name) {
  if (!list.empty()) list += ", ";
  list += name;
}

ColumnValue any_value(const ColumnSource& columns, int column) {
  ColumnValue value;
  value.kind = columns.kind(column);
  switch (value.kind) {
    case ColumnKind::null:
      break;
    case ColumnKind::integer:
      value.integer = columns.int64(column);
      break;
    case ColumnKind::real:
      value.real = columns.real(column);
      break;
    case ColumnKind::text:
      value.bytes = columns.text(column);
      break;
    case ColumnKind::blob:
      value.bytes = columns.blob(column);
      break;
  }
  return value;
}

void read_any_row(const ColumnSource& columns, AnyRow& row) {
  const int count = columns.count();
  row.values.clear();
  row.values.reserve(static_cast<std::size_t>(count));
  for (int column = 0; column < count; ++column) row.values.push_back(any_value(columns, column));
}

}  // namespace

template <>
constinit const TypeInfo detail::TypeTable<AnyRow>::kInfo = {.kind = Kind::list,
                                                             .size = sizeof(AnyRow),
                                                             .align = alignof(AnyRow),
                                                             .ops = &detail::Operations<AnyRow>::kOps,
                                                             .word = "row"};

/// Finds a column for each field and a field for each column.
class RowMap::Maker {
 public:
  explicit Maker(const ColumnSource& columns)
      : columns_(columns), used_(static_cast<std::size_t>(columns.count())) {}

  /// The fields of a struct at this offset, whose columns begin with `prefix`.
  void fill(const ObjectInfo& object, const std::string& prefix, std::uint32_t offset, Part& part) {
    std::uint64_t filled = 0;  // by a column of their own, which comes before those of a struct beside them
    for (const FieldInfo& field : object.all()) {
      const int column = find(prefix + std::string(field.name()));
      if (column < 0) continue;
      filled |= std::uint64_t{1} << (&field - object.fields);
      used_[static_cast<std::size_t>(column)] = true;
      part.cells.push_back({field.type, offset + field.offset, column});
    }
    for (const FieldInfo& field : object.all()) {
      if ((filled >> (&field - object.fields) & 1) != 0) continue;
      const std::string name = prefix + std::string(field.name());
      if (field.type->value_type().kind == Kind::object && has_prefix(name + "_")) {
        fill_nested(field, name + "_", offset + field.offset, part);
      } else {
        append_name(without_column_, name);
      }
    }
  }
  std::string faults() {
    std::string without_field;
    for (std::size_t i = 0; i < used_.size(); ++i)
      if (!used_[i]) append_name(without_field, columns_.name(static_cast<int>(i)));
    std::string faults;
    if (!without_field.empty()) faults += fmt::format(" no field for column {};", without_field);
    if (!without_column_.empty()) faults += fmt::format(" no column for field {};", without_column_);
    return faults;
  }

 private:
  int find(std::string_view name) const {
    for (int column = 0; column < columns_.count(); ++column)
      if (!used_[static_cast<std::size_t>(column)] && columns_.name(column) == name) return column;
    return -1;
  }
  bool has_prefix(std::string_view prefix) const {
    for (int column = 0; column < columns_.count(); ++column)
      if (!used_[static_cast<std::size_t>(column)] && columns_.name(column).starts_with(prefix)) return true;
    return false;
  }
  void fill_nested(const FieldInfo& field, const std::string& prefix, std::uint32_t offset, Part& part) {
    if (prefix.size() > kPrefixMax)
      return append_name(without_column_, prefix);  // a struct that holds itself
    const ObjectInfo& object = field.type->value_type().object();
    if (field.type->kind == Kind::object) return fill(object, prefix, offset, part);
    Part inside;
    fill(object, prefix, 0, inside);
    part.optionals.push_back({field.type, offset, std::move(inside)});
  }

  static constexpr std::size_t kPrefixMax = 128;
  const ColumnSource& columns_;
  std::vector<bool> used_;
  std::string without_column_;
};

Result<RowMap> RowMap::make(const TypeInfo& type, const ColumnSource& columns) {
  RowMap map(type);
  if (&type == &type_of<AnyRow>()) return map;
  const int count = columns.count();
  if (type.kind != Kind::object) {
    if (count != 1)
      return row_mismatch(fmt::format("A single value is read from one column; the row has {}.", count));
    map.part_.cells.push_back({&type, 0, 0});
    return map;
  }
  Maker maker(columns);
  maker.fill(type.object(), "", 0, map.part_);
  std::string faults = maker.faults();
  if (faults.empty()) return map;
  faults.back() = '.';
  return row_mismatch(fmt::format("The row does not fit {}:{}", type.name(), faults));
}

Result<void> RowMap::read(const ColumnSource& columns, void* value) const {
  if (type_ == &type_of<AnyRow>()) {
    read_any_row(columns, *static_cast<AnyRow*>(value));
    return {};
  }
  const Cell* const wrong = read_part(columns, part_, value);
  if (wrong) [[unlikely]]
    return mismatch(columns, *wrong);
  return {};
}

// The cell that does not fit, or null.
const RowMap::Cell* RowMap::read_part(const ColumnSource& columns, const Part& part, void* value) const {
  char* const bytes = static_cast<char*>(value);
  for (const Cell& cell : part.cells)
    if (!read_column(columns, cell.column, *cell.type, bytes + cell.offset)) [[unlikely]]
      return &cell;
  for (const OptionalPart& optional : part.optionals) {
    void* const at = bytes + optional.offset;
    const bool patch = optional.type->kind == Kind::patch;
    if (all_null(columns, optional.inside)) {
      patch ? optional.type->patch->set_null(at) : optional.type->optional->reset(at);
      continue;
    }
    void* const inside = patch ? optional.type->patch->emplace(at) : optional.type->optional->emplace(at);
    if (const Cell* const wrong = read_part(columns, optional.inside, inside)) return wrong;
  }
  return nullptr;
}

bool RowMap::all_null(const ColumnSource& columns, const Part& part) {
  for (const Cell& cell : part.cells)
    if (!columns.is_null(cell.column)) return false;
  for (const OptionalPart& optional : part.optionals)
    if (!all_null(columns, optional.inside)) return false;
  return true;
}

std::unexpected<Error> RowMap::mismatch(const ColumnSource& columns, const Cell& cell) const {
  return row_mismatch(fmt::format(
      "Column {} of {} holds {}, which its field cannot.", columns.name(cell.column),
      type_->kind == Kind::object ? type_->name() : "the row", kind_word(columns.kind(cell.column))));
}

namespace {

Result<SqlValue> scalar_to_sql(const ScalarOps& scalar, const void* value, std::string& storage) {
  SqlValue sql;
  if (scalar.sql == SqlForm::blob) {
    const Bytes& bytes = *static_cast<const Bytes*>(value);
    sql.kind = SqlValue::Kind::blob;
    sql.text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    return sql;
  }
  if (scalar.sql == SqlForm::integer) {
    sql.kind = SqlValue::Kind::integer;
    sql.integer = scalar.to_integer(value);
    return sql;
  }
  storage.clear();
  if (!scalar.write(value, storage))
    return fail(Category::invalid, "validation_failed",
                fmt::format("A {} has no form as text.", scalar.word));
  sql.kind = SqlValue::Kind::text;
  sql.text = storage;
  return sql;
}

}  // namespace

Result<SqlValue> to_sql_value(const TypeInfo& type, const void* value, std::string& storage) {
  SqlValue sql;
  switch (type.kind) {
    case Kind::optional: {
      const void* const inside = type.optional->get(value);
      return inside == nullptr ? Result<SqlValue>(sql) : to_sql_value(*type.element, inside, storage);
    }
    case Kind::patch:
      if (type.patch->state(value) != PatchState::value) return sql;
      return to_sql_value(*type.element, type.patch->get(value), storage);
    case Kind::boolean:
      sql.kind = SqlValue::Kind::boolean;
      sql.integer = *static_cast<const bool*>(value) ? 1 : 0;
      return sql;
    case Kind::integer:
      sql.kind = SqlValue::Kind::integer;
      sql.integer = load_integer(value, type.width, type.is_signed);
      if (!type.is_signed && sql.integer < 0)
        return fail(Category::invalid, "validation_failed", "An integer is too large to be stored.");
      return sql;
    case Kind::real:
      sql.kind = SqlValue::Kind::real;
      sql.real = type.width == 4 ? static_cast<double>(*static_cast<const float*>(value))
                                 : *static_cast<const double*>(value);
      return sql;
    case Kind::string:
      sql.kind = SqlValue::Kind::text;
      sql.text = *static_cast<const std::string*>(value);
      return sql;
    case Kind::enumeration:
      sql.kind = SqlValue::Kind::text;
      sql.text = type.enumeration().name_of(load_integer(value, type.width, type.is_signed));
      if (sql.text.empty())
        return fail(Category::invalid, "validation_failed",
                    fmt::format("A value of {} has no name.", type.name()));
      if (type.enumeration().fallback != nullptr && type.enumeration().fallback->name == sql.text)
        return fail(Category::conflict, "unknown_value",
                    fmt::format("A value of {} was written by a newer version; it cannot be written back.",
                                type.name()));
      return sql;
    case Kind::scalar:
      return scalar_to_sql(*type.scalar, value, storage);
    case Kind::uuid:
      sql.kind = SqlValue::Kind::uuid;
      sql.uuid = static_cast<const Uuid*>(value)->bytes.data();
      return sql;
    case Kind::time:
      sql.kind = SqlValue::Kind::time;
      sql.integer = static_cast<const Time*>(value)->time_since_epoch().count();
      return sql;
    case Kind::json:
    case Kind::list:
    case Kind::map:
    case Kind::object:
    case Kind::variant:
      break;
  }
  storage.clear();
  if (!append_json(storage, type, value, View::stored))
    return fail(Category::invalid, "validation_failed", "A value has no form as JSON and cannot be stored.");
  sql.kind = SqlValue::Kind::text;
  sql.text = storage;
  return sql;
}

}  // namespace bedplate
