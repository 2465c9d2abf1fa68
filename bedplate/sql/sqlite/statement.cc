// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/statement.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"

namespace bedplate::sql {
namespace {

constexpr std::size_t kParametersMax = 999;

Error bad_statement(std::string_view sql, std::string why) {
  log_error("a statement cannot be used", {{"error", why}, {"sql", sql}});
  return Error(Category::internal, kSqlError, "The server met an unexpected fault.")
      .with_subject(std::move(why));
}

int bind_one(sqlite3_stmt* statement, int index, const Param& param) {
  switch (param.kind()) {
    case Param::Kind::null:
      return sqlite3_bind_null(statement, index);
    case Param::Kind::boolean:
    case Param::Kind::integer:
    case Param::Kind::time:
      return sqlite3_bind_int64(statement, index, param.integer());
    case Param::Kind::real:
      return sqlite3_bind_double(statement, index, param.real());
    case Param::Kind::text: {
      // An empty view may have no address, which SQLite would take for NULL.
      const char* data = param.bytes().data() ? param.bytes().data() : "";
      return sqlite3_bind_text64(statement, index, data, param.bytes().size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    case Param::Kind::blob: {
      const char* data = param.bytes().data() ? param.bytes().data() : "";
      return sqlite3_bind_blob64(statement, index, data, param.bytes().size(), SQLITE_STATIC);
    }
    case Param::Kind::uuid:
      return sqlite3_bind_blob(statement, index, param.uuid(), 16, SQLITE_STATIC);
    case Param::Kind::unfit:
      break;
  }
  return SQLITE_MISUSE;
}

}  // namespace

SqliteStatement::SqliteStatement(SqliteStatementHandle handle, std::string_view sql)
    : handle_(std::move(handle)), sql_(sql), read_only_(sqlite3_stmt_readonly(handle_.get()) != 0) {}

Result<std::unique_ptr<SqliteStatement>> SqliteStatement::make(SqliteStatementHandle handle,
                                                               std::string_view sql) {
  std::unique_ptr<SqliteStatement> made(new SqliteStatement(std::move(handle), sql));
  const int count = sqlite3_bind_parameter_count(made->handle());
  std::vector<bool> used(static_cast<std::size_t>(count), false);
  for (int index = 1; index <= count; ++index) {
    const char* name = sqlite3_bind_parameter_name(made->handle(), index);
    std::string_view text = name ? name : "?";
    unsigned number = 0;
    const char* end = text.data() + text.size();
    const bool is_number = text.starts_with('$') && std::from_chars(text.data() + 1, end, number).ptr == end;
    if (!is_number || number == 0 || number > kParametersMax)
      return std::unexpected(
          bad_statement(sql, "parameters are written $1, $2, ...; this is not one: " + std::string(text)));
    if (number > used.size())
      return std::unexpected(
          bad_statement(sql, "it has " + std::string(text) + " but not every parameter before it"));
    used[number - 1] = true;
    made->parameters_.push_back(static_cast<std::uint16_t>(number - 1));
  }
  return made;
}

int SqliteStatement::bind(std::span<const Param> params) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const int code = bind_one(handle_.get(), static_cast<int>(i) + 1, params[parameters_[i]]);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

Result<const RowMap*> SqliteStatement::row_map(const TypeInfo& type) {
  const int reprepared = sqlite3_stmt_status(handle_.get(), SQLITE_STMTSTATUS_REPREPARE, 0);
  if (reprepared != reprepared_) {
    maps_.clear();
    reprepared_ = reprepared;
  }
  for (const Mapped& mapped : maps_)
    if (mapped.type == &type) return &mapped.map;
  SqliteColumns columns(handle_.get());
  Result<RowMap> map = RowMap::make(type, columns);
  if (!map) return std::unexpected(bad_statement(sql_, map.error().detail()));
  maps_.reserve(4);
  maps_.push_back({&type, std::move(*map)});
  return &maps_.back().map;
}

}  // namespace bedplate::sql
