// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/transfer/row_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "bedplate/base/hash.h"
#include "bedplate/base/text.h"
#include "bedplate/sql/transfer/canonical_json.h"

namespace bedplate::sql {
namespace {

// Under these a row's sum is the same in every process and release.
constexpr HashKey kFirstKey{.first = 0x6265'6470'6c61'7465, .second = 0x726f'7773'756d'0001};
constexpr HashKey kSecondKey{.first = 0x6265'6470'6c61'7465, .second = 0x726f'7773'756d'0002};

std::string_view cast_of(ColumnType type) {
  switch (type) {
    case ColumnType::integer:
      return "::bigint";
    case ColumnType::real:
      return "::double precision";
    case ColumnType::text:
      return "::text";
    case ColumnType::blob:
      return "::bytea";
    case ColumnType::uuid:
      return "::uuid";
    case ColumnType::time:
      return "::timestamptz";
    case ColumnType::boolean:
      return "::boolean";
    case ColumnType::json:
      return "::jsonb";
    case ColumnType::decimal:
      return "::numeric";
    case ColumnType::date:
      return "::date";
  }
  return "";
}

// Adds `value` as what a column of that type takes. False: it has no such form.
bool add_value(Params& params, const ColumnValue& value, ColumnType type) {
  switch (value.kind) {
    case ColumnKind::null:
      params.add(nullptr);
      return true;
    case ColumnKind::integer:
      if (type == ColumnType::time)
        params.add(Time(std::chrono::microseconds(value.integer)));
      else if (type == ColumnType::boolean)
        params.add(value.integer != 0);
      else if (type == ColumnType::real)
        params.add(static_cast<double>(value.integer));
      else if (type == ColumnType::integer || type == ColumnType::blob)
        params.add(value.integer);
      else
        return false;
      return type != ColumnType::boolean || value.integer == 0 || value.integer == 1;
    case ColumnKind::real:
      params.add(value.real);
      return type == ColumnType::real;
    case ColumnKind::text:
      params.add(std::string_view(value.bytes));
      return type == ColumnType::text || type == ColumnType::json || type == ColumnType::decimal ||
             type == ColumnType::date;
    case ColumnKind::blob: {
      if (type == ColumnType::uuid) {
        Uuid uuid;
        if (value.bytes.size() != uuid.bytes.size()) return false;
        std::memcpy(uuid.bytes.data(), value.bytes.data(), uuid.bytes.size());
        params.add(uuid);
        return true;
      }
      params.add(std::as_bytes(std::span(value.bytes)));
      return type == ColumnType::blob;
    }
  }
  return false;
}

// Decimals and dates are text on SQLite: PostgreSQL says them in the form that describe/scalar.h writes.
std::string selected(const ColumnShape& column) {
  if (column.type == ColumnType::decimal) return "trim_scale(" + quoted(column.name) + ")::text";
  if (column.type == ColumnType::date) return "to_char(" + quoted(column.name) + ", 'YYYY-MM-DD')";
  return quoted(column.name);
}

void append_u64(std::string& out, std::uint64_t value) {
  char bytes[sizeof value];
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xff);
    value >>= 8;
  }
  out.append(bytes, sizeof bytes);
}

void append_bytes(std::string& out, std::string_view bytes) {
  append_u64(out, bytes.size());
  out += bytes;
}

// Each value as a letter for its kind and its bytes, the same whichever engine it came from.
void append_canonical(std::string& out, const ColumnValue& value, ColumnType type) {
  switch (value.kind) {
    case ColumnKind::null:
      out += 'n';
      return;
    case ColumnKind::integer:
    case ColumnKind::real: {
      if (type != ColumnType::real && value.kind == ColumnKind::integer) {
        out += 'i';
        append_u64(out, static_cast<std::uint64_t>(value.integer));
        return;
      }
      const double real = value.kind == ColumnKind::real ? value.real : static_cast<double>(value.integer);
      out += 'r';
      append_u64(out, std::bit_cast<std::uint64_t>(real == 0 ? 0.0 : real));
      return;
    }
    case ColumnKind::text:
      out += 't';
      append_bytes(out, type == ColumnType::json ? canonical_json(value.bytes) : value.bytes);
      return;
    case ColumnKind::blob:
      out += 'b';
      append_bytes(out, value.bytes);
      return;
  }
}

}  // namespace

RowText::RowText(const TableShape& table, Dialect dialect)
    : table_(table), dialect_(dialect), name_(quoted(table.name)), all_places_(table.columns.size()) {
  std::iota(all_places_.begin(), all_places_.end(), std::size_t{0});
  for (const ColumnShape& column : table.columns) {
    columns_ += (columns_.empty() ? "" : ", ") + quoted(column.name);
    selected_ += (selected_.empty() ? "" : ", ") + selected(column);
  }
  for (const std::string& column : table.primary_key) {
    key_ += (key_.empty() ? "" : ", ") + quoted(column);
    key_places_.push_back(static_cast<std::size_t>(table.find(column) - table.columns.data()));
  }
}

std::vector<std::string_view> RowText::column_names() const {
  std::vector<std::string_view> names;
  for (const ColumnShape& column : table_.columns) names.push_back(column.name);
  return names;
}

std::string RowText::placeholders(std::span<const std::size_t> columns, std::size_t first_param) const {
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    text += fmt::format("{}${}", i ? ", " : "", first_param + i);
    if (dialect_ == Dialect::postgresql) text += cast_of(table_.columns[columns[i]].type);
  }
  return text;
}

std::string RowText::rows_of_placeholders(std::span<const std::size_t> columns, std::size_t rows) const {
  std::string text;
  for (std::size_t row = 0; row < rows; ++row)
    text += fmt::format("{}({})", row ? ", " : "", placeholders(columns, 1 + row * columns.size()));
  return text;
}

std::string RowText::page(std::size_t rows_max, bool after, std::string_view condition,
                          std::size_t first_param) const {
  std::string where(condition);
  if (after)
    where += fmt::format("{}({}) > ({})", where.empty() ? "" : " AND ", key_,
                         placeholders(key_places_, first_param));
  return fmt::format("SELECT {} FROM {}{}{} ORDER BY {} LIMIT {}", selected_, name_,
                     where.empty() ? "" : " WHERE ", where, key_, rows_max);
}

std::string RowText::by_keys(std::size_t keys) const {
  return fmt::format("SELECT {} FROM {} WHERE ({}) IN (VALUES {})", selected_, name_, key_,
                     rows_of_placeholders(key_places_, keys));
}

std::string RowText::delete_by_keys(std::size_t keys) const {
  return fmt::format("DELETE FROM {} WHERE ({}) IN (VALUES {})", name_, key_,
                     rows_of_placeholders(key_places_, keys));
}

std::string RowText::insert(std::size_t rows) const {
  // A copied row keeps its number, also where the database numbers rows itself.
  const bool numbered =
      dialect_ == Dialect::postgresql && std::ranges::any_of(table_.columns, &ColumnShape::identity);
  return fmt::format("INSERT INTO {} ({}){} VALUES {}", name_, columns_,
                     numbered ? " OVERRIDING SYSTEM VALUE" : "", rows_of_placeholders(all_places_, rows));
}

std::string RowText::upsert(std::size_t rows) const {
  std::string changes;
  for (const ColumnShape& column : table_.columns) {
    if (std::ranges::find(table_.primary_key, column.name) != table_.primary_key.end()) continue;
    const std::string name = quoted(column.name);
    changes += fmt::format("{}{} = excluded.{}", changes.empty() ? "" : ", ", name, name);
  }
  return fmt::format("{} ON CONFLICT ({}) DO {}", insert(rows), key_,
                     changes.empty() ? "NOTHING" : "UPDATE SET " + changes);
}

std::size_t RowText::insert_rows_max() const {
  return std::bit_floor(std::max<std::size_t>(1, kParamsMax / table_.columns.size()));
}

std::size_t RowText::keys_max() const {
  return std::bit_floor(std::max<std::size_t>(1, kParamsMax / key_places_.size()));
}

std::unexpected<Error> RowText::unfit(const ColumnShape& column, std::string_view why) const {
  const std::string name = table_.name + "." + column.name;
  return std::unexpected(
      Error(Category::invalid, kValueUnfit, fmt::format(fmt::runtime(why), name)).with_subject(name));
}

Result<void> RowText::add(Params& params, const AnyRow& row, std::span<const std::size_t> columns) const {
  for (const std::size_t place : columns) {
    const ColumnShape& column = table_.columns[place];
    const ColumnValue& value = row.values[place];
    if (dialect_ == Dialect::postgresql && value.kind == ColumnKind::text &&
        (value.bytes.find('\0') != std::string::npos || !is_valid_utf8(value.bytes)))
      return unfit(column, "A text of {} has U+0000 in it or is not UTF-8, which PostgreSQL does not take.");
    if (!add_value(params, value, column.type))
      return unfit(column, "A value of {} has no form in the column that it is copied to.");
  }
  return {};
}

Result<void> RowText::add_row(Params& params, const AnyRow& row) const {
  return add(params, row, all_places_);
}

Result<std::string> RowText::try_value(Params& params, const AnyRow& row, std::size_t column) const {
  const std::size_t places[] = {column};
  if (Result<void> fits = add(params, row, places); !fits) return std::unexpected(std::move(fits.error()));
  return "SELECT count(*) FROM (SELECT " + placeholders(places, 1) + " AS value) AS one WHERE value IS NULL";
}

Result<void> RowText::add_key(Params& params, const AnyRow& row) const {
  return add(params, row, key_places_);
}

std::vector<ColumnValue> RowText::key_values(const AnyRow& row) const {
  std::vector<ColumnValue> key;
  for (const std::size_t place : key_places_) key.push_back(row.values[place]);
  return key;
}

bool RowText::add_key_values(Params& params, std::span<const ColumnValue> key) const {
  if (key.size() != key_places_.size()) return false;
  for (std::size_t i = 0; i < key.size(); ++i)
    if (!add_value(params, key[i], table_.columns[key_places_[i]].type)) return false;
  return true;
}

std::vector<std::size_t> chunk_sizes(std::size_t count, std::size_t max) {
  std::vector<std::size_t> sizes;
  for (std::size_t size = std::bit_floor(max); count > 0; size /= 2)
    for (; count >= size; count -= size) sizes.push_back(size);
  return sizes;
}

ColumnType unite_types(ColumnType a, ColumnType b) {
  for (const ColumnType richer : {ColumnType::json, ColumnType::real})
    if (a == richer || b == richer) return richer;
  return a;
}

std::string canonical_row(const AnyRow& row, std::span<const ColumnType> types) {
  std::string bytes;
  for (std::size_t i = 0; i < types.size(); ++i) append_canonical(bytes, row.values[i], types[i]);
  return bytes;
}

void RowSum::add(const AnyRow& row, std::span<const ColumnType> types) {
  const std::string bytes = canonical_row(row, types);
  first += siphash24(bytes, kFirstKey);
  second += siphash24(bytes, kSecondKey);
  ++rows;
}

void RowSum::subtract(const RowSum& other) {
  first -= other.first;
  second -= other.second;
  rows -= other.rows;
}

std::string RowSum::hex() const {
  return fmt::format("{:016x}{:016x}", first, second);
}

}  // namespace bedplate::sql
