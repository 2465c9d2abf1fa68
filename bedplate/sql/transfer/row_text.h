// SPDX-License-Identifier: Apache-2.0
// Statements over rows of a table that is known by its shape only, and what their values become.
//
//   RowText text(table, Dialect::postgresql);
//   std::vector<AnyRow> page = co_await ok(db.all<AnyRow>(text.page(200, true, ""), last_key));
//   co_await ok(tx.run(text.upsert(page.size()), values));
//
// Texts depend on the table and on how many rows they are for, so callers keep to a few sizes (chunk_sizes()) and
// drivers can keep them prepared.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/describe/any_row.h"
#include "bedplate/sql/params.h"
#include "bedplate/sql/transfer/table_shape.h"

namespace bedplate::sql {

/// Parameters that one statement may have, on either engine.
inline constexpr std::size_t kParamsMax = 900;

/// The code of an error about a value that the other engine has no form for.
inline constexpr std::string_view kValueUnfit = "value_unfit";

class RowText {
 public:
  /// `table` outlives it; it has a primary key.
  RowText(const TableShape& table, Dialect dialect);

  /// Every column of the table, in its order.
  const std::string& columns() const { return columns_; }
  /// The same one by one, not quoted. Views into the table.
  std::vector<std::string_view> column_names() const;
  /// Rows in key order: `condition` uses $1, $2, ..., `first_param` is the number after those; with `after`, the key
  /// to go on behind stands in the parameters from there.
  std::string page(std::size_t rows_max, bool after, std::string_view condition = {},
                   std::size_t first_param = 1) const;
  /// The rows with these keys.
  std::string by_keys(std::size_t keys) const;
  std::string delete_by_keys(std::size_t keys) const;
  std::string insert(std::size_t rows) const;
  /// insert() that puts a row in the place of the one with its key.
  std::string upsert(std::size_t rows) const;

  /// The most rows of this table that one insert can hold, a power of two.
  std::size_t insert_rows_max() const;
  /// The same for lists of keys.
  std::size_t keys_max() const;

  /// Adds a row's values, or only those of its key, as parameters. Category::invalid `value_unfit` when the engine has
  /// no form for one, with "table.column" as its subject.
  Result<void> add_row(Params& params, const AnyRow& row) const;
  Result<void> add_key(Params& params, const AnyRow& row) const;
  /// A row's key, column by column; and such a key as parameters (false: it is not one of this table).
  std::vector<ColumnValue> key_values(const AnyRow& row) const;
  /// A statement that has the engine read one value of the row as its column would.
  Result<std::string> try_value(Params& params, const AnyRow& row, std::size_t column) const;
  bool add_key_values(Params& params, std::span<const ColumnValue> key) const;

 private:
  std::string placeholders(std::span<const std::size_t> columns, std::size_t first_param) const;
  std::string rows_of_placeholders(std::span<const std::size_t> columns, std::size_t rows) const;
  Result<void> add(Params& params, const AnyRow& row, std::span<const std::size_t> columns) const;
  std::unexpected<Error> unfit(const ColumnShape& column, std::string_view why) const;

  const TableShape& table_;
  const Dialect dialect_;
  std::string name_;
  std::string columns_;
  std::string selected_;  // the same as they are read
  std::string key_;
  std::vector<std::size_t> all_places_;
  std::vector<std::size_t> key_places_;  // of the key's columns in `columns`
};

/// `count` as a sum of powers of two, largest first, none above `max`: 200 of at most 128 is 128, 64, 8.
std::vector<std::size_t> chunk_sizes(std::size_t count, std::size_t max);

/// The type under which two engines' values of a column are the same: of TEXT and jsonb, json.
ColumnType unite_types(ColumnType a, ColumnType b);

/// A row's values as bytes: equal exactly when the values are, whichever engines they came from. `types` are united
/// ones, in the order of the values.
std::string canonical_row(const AnyRow& row, std::span<const ColumnType> types);

/// A number for a set of rows that depends on every value of every row, and not on their order. Two 64-bit sums of
/// SipHash-2-4 under fixed keys: finds damage, not malice. The same on both engines, for columns of united types.
struct RowSum {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::int64_t rows = 0;

  void add(const AnyRow& row, std::span<const ColumnType> types);
  /// Takes away the rows of another sum.
  void subtract(const RowSum& other);
  bool operator==(const RowSum&) const = default;
  /// 32 hexadecimal digits.
  std::string hex() const;
};

}  // namespace bedplate::sql
