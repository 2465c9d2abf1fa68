// SPDX-License-Identifier: Apache-2.0
// A prepared SQLite statement with what is worked out once for it: where each parameter goes, and how its
// columns fill a row. Private header of the driver.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/describe/rows.h"
#include "bedplate/sql/params.h"
#include "bedplate/sql/sqlite/handle.h"

namespace bedplate::sql {

class SqliteStatement {
 public:
  /// Takes a compiled statement and maps its `$n` by name: SQLite numbers parameters by first use, we by n.
  static Result<std::unique_ptr<SqliteStatement>> make(SqliteStatementHandle handle, std::string_view sql);

  sqlite3_stmt* handle() const { return handle_.get(); }
  std::string_view sql() const { return sql_; }
  /// The tenants' table that it writes to (tenant_guard.h); empty: none.
  std::string_view target() const { return target_; }
  void set_target(std::string target) { target_ = std::move(target); }
  bool read_only() const { return read_only_; }
  std::size_t parameter_count() const { return parameters_.size(); }

  /// Binds all; params.size() == parameter_count(). SQLITE_OK, or the code.
  int bind(std::span<const Param> params);

  /// How a row becomes a `type`: worked out at first use, and again when the schema changed under the
  /// statement.
  Result<const RowMap*> row_map(const TypeInfo& type);

 private:
  struct Mapped {
    const TypeInfo* type;
    RowMap map;
  };
  SqliteStatement(SqliteStatementHandle handle, std::string_view sql);

  SqliteStatementHandle handle_;
  std::string sql_;
  std::string target_;
  bool read_only_;
  std::vector<std::uint16_t> parameters_;  ///< [SQLite's index - 1] = n - 1
  std::vector<Mapped> maps_;               ///< one, nearly always
  int reprepared_ = 0;                     ///< SQLite's count when maps_ was made
};

/// The row that a statement stands on, as describe/rows.h reads it.
class SqliteColumns final : public ColumnSource {
 public:
  explicit SqliteColumns(sqlite3_stmt* statement) : statement_(statement) {}

  int count() const override { return sqlite3_column_count(statement_); }
  std::string_view name(int column) const override { return sqlite3_column_name(statement_, column); }
  ColumnKind kind(int column) const override {
    switch (sqlite3_column_type(statement_, column)) {
      case SQLITE_INTEGER:
        return ColumnKind::integer;
      case SQLITE_FLOAT:
        return ColumnKind::real;
      case SQLITE_TEXT:
        return ColumnKind::text;
      case SQLITE_BLOB:
        return ColumnKind::blob;
      default:
        return ColumnKind::null;
    }
  }
  std::int64_t int64(int column) const override { return sqlite3_column_int64(statement_, column); }
  double real(int column) const override { return sqlite3_column_double(statement_, column); }
  std::string_view text(int column) const override {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::string_view blob(int column) const override {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_;
};

}  // namespace bedplate::sql
