// SPDX-License-Identifier: Apache-2.0
// SQL rows and described types. A driver shows its row as a ColumnSource; a RowMap, made once a statement,
// fills structs from it; to_sql_value() says what a C++ value is as a parameter.
//
//   Result<RowMap> map = RowMap::make(type_of<Task>(), statement_columns);     // names compared once
//   while (step()) map->read(columns, &task);
//
// Columns match fields by wire name; every column needs a field and every field a column (a field that input
// may leave out, too: a row that silently lacks one is a bug in the SQL). A type that is not a struct is read
// from a single column. A field that is a described struct is filled in one of two ways:
//   SELECT ..., settings FROM users                  column `settings`: JSON text
//   SELECT n.id, n.text, u.id AS owner_id, u.name AS owner_name FROM notes n JOIN users u ...
//                                                    no column `owner`: its fields are the columns `owner_...`
// An optional struct of a LEFT JOIN is empty when all of its columns are NULL. What columns hold:
//   bool: integer 0 or 1          integers: integer            float, double: real or integer
//   string: text                  enum: its name as text       Uuid, Id: 16 bytes
//   Decimal, Date, Duration, Bytes: see scalar.h               an enum with schema::unknown: any text
//   Time: integer, microseconds since 1970 UTC                 lists, maps, structs, variants, Json: JSON
//   text optional, Patch: NULL or the value inside
// A driver whose engine has types of its own (uuid, timestamptz, boolean) converts to these forms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/describe/table.h"

namespace bedplate {

enum class ColumnKind : std::uint8_t { null, integer, real, text, blob };

/// The current row of a statement. Text and bytes live until the next row.
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  virtual int count() const = 0;
  virtual std::string_view name(int column) const = 0;
  /// What this row holds there. The following are asked only for the kind they give.
  virtual ColumnKind kind(int column) const = 0;
  virtual std::int64_t int64(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
  virtual std::string_view blob(int column) const = 0;
  /// Of a column of an exact numeric type, whatever its kind: all its digits, as Decimal::parse() takes them. False of
  /// other columns, and of what is no number.
  virtual bool decimal(int /*column*/, std::string& /*digits*/) const { return false; }

  bool is_null(int column) const { return kind(column) == ColumnKind::null; }
};

/// How the columns of one statement fill values of one type. Immutable once made: share it between threads.
class RowMap {
 public:
  /// Category::internal, code `row_mismatch`, with a sentence that names the type, and the columns without a
  /// field and the fields without a column. Asks the source for its names only.
  static Result<RowMap> make(const TypeInfo& type, const ColumnSource& columns);

  /// Fills a live `value` of the type. Category::internal, code `row_mismatch`, when a column holds what its
  /// field cannot (NULL for a plain field, text for an integer, an unknown enum name): data that another
  /// version wrote. Allocates nothing but the strings and lists of the value.
  Result<void> read(const ColumnSource& columns, void* value) const;

  const TypeInfo& type() const { return *type_; }

 private:
  struct Cell {
    const TypeInfo* type;  ///< of the field, with its optional
    std::uint32_t offset;
    int column;
  };
  struct OptionalPart;
  /// The columns that fill one struct, with the structs in it.
  struct Part {
    std::vector<Cell> cells;
    std::vector<OptionalPart> optionals;
  };
  /// A std::optional of a struct that several columns fill.
  struct OptionalPart {
    const TypeInfo* type;
    std::uint32_t offset;
    Part inside;
  };
  class Maker;
  explicit RowMap(const TypeInfo& type) : type_(&type) {}
  const Cell* read_part(const ColumnSource& columns, const Part& part, void* value) const;
  static bool all_null(const ColumnSource& columns, const Part& part);
  std::unexpected<Error> mismatch(const ColumnSource& columns, const Cell& cell) const;

  const TypeInfo* type_;
  Part part_;
};

/// A value on its way to a statement. Text is borrowed from the value, or from the `storage` given beside it.
struct SqlValue {
  enum class Kind : std::uint8_t { null, boolean, integer, real, text, blob, uuid, time };
  Kind kind = Kind::null;
  std::int64_t integer = 0;  ///< boolean (0 or 1), integer, time (microseconds since 1970 UTC)
  double real = 0;
  std::string_view text{};             ///< text, blob
  const std::uint8_t* uuid = nullptr;  ///< 16 bytes
};

/// What `value` is as a SQL parameter. `storage` keeps JSON text and outlives the answer. Unsigned 64-bit
/// values above 2^63 - 1 have no SQL form: an error, Category::invalid, code `validation_failed`.
Result<SqlValue> to_sql_value(const TypeInfo& type, const void* value, std::string& storage);

}  // namespace bedplate
