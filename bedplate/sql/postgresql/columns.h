// SPDX-License-Identifier: Apache-2.0
// A row of an answer of the server, which comes in binary form. Private header of the driver.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/describe/rows.h"
#include "bedplate/sql/postgresql/handle.h"

namespace bedplate::sql {

/// A numeric in its binary form: digits to the base 10'000.
struct PostgresqlNumeric {
  double real = 0;
  std::optional<std::int64_t> integer;  ///< when it was declared or computed without decimals, and fits
};
/// Nothing: it is cut short.
std::optional<PostgresqlNumeric> read_postgresql_numeric(std::string_view bytes);

/// All digits of a numeric, as Decimal::parse() takes them; nothing when it is NaN, infinite, cut short, or far beyond
/// what a Decimal holds.
std::optional<std::string> postgresql_numeric_digits(std::string_view bytes);

/// As describe/rows.h reads it. Times become microseconds since 1970, json and jsonb their text, uuids 16
/// bytes, a numeric an integer when it has no decimals and a double otherwise (money belongs in an integer,
/// or is selected `::text`). An integer of a boolean is 0 or 1.
class PostgresqlColumns final : public ColumnSource {
 public:
  explicit PostgresqlColumns(const PGresult* result) : result_(result), count_(PQnfields(result)) {}

  /// Every column is of a type that this class reads; else an error that names the column.
  Result<void> check() const;
  void set_row(int row) { row_ = row; }

  int count() const override { return count_; }
  std::string_view name(int column) const override { return PQfname(result_, column); }
  ColumnKind kind(int column) const override;
  std::int64_t int64(int column) const override;
  double real(int column) const override;
  std::string_view text(int column) const override;
  std::string_view blob(int column) const override { return bytes(column); }
  bool decimal(int column, std::string& digits) const override;

 private:
  std::string_view bytes(int column) const {
    return {PQgetvalue(result_, row_, column), static_cast<std::size_t>(PQgetlength(result_, row_, column))};
  }

  const PGresult* result_;
  const int count_;
  int row_ = 0;
};

}  // namespace bedplate::sql
