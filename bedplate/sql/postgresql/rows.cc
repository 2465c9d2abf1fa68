// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/rows.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/columns.h"
#include "bedplate/sql/postgresql/error.h"

namespace bedplate::sql {
namespace {

// "UPDATE 3", "INSERT 0 1"; "SELECT 20" changed nothing.
std::int64_t affected(const PGresult* result) {
  PGresult* tagged = const_cast<PGresult*>(result);  // libpq's signatures; it does not change it
  if (std::string_view(PQcmdStatus(tagged)).starts_with("SELECT")) return 0;
  const std::string_view text = PQcmdTuples(tagged);
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

}  // namespace

void take_postgresql_rows(Statement& statement, PostgresqlStatement& prepared, const PGresult* result,
                          const PostgresqlOptions& options) {
  statement.rows_affected = affected(result);
  const RowTarget& target = statement.target;
  if (!target.type || PQresultStatus(result) != PGRES_TUPLES_OK) return;
  const auto rows = static_cast<std::size_t>(PQntuples(result));
  if (target.rows_max == 0 && rows > options.rows_max) {
    statement.error.emplace(Category::too_large, kTooManyRows,
                            "There are more rows than can be returned at once.");
    return;
  }
  const std::size_t count = target.rows_max == 0 ? rows : std::min(rows, target.rows_max);
  if (count == 0) return;
  PostgresqlColumns columns(result);
  Result<const RowMap*> map = prepared.row_map(*target.type, columns, options.transaction_pooler);
  if (!map) {
    statement.error.emplace(std::move(map.error()));
    return;
  }
  for (std::size_t row = 0; row < count; ++row) {
    columns.set_row(static_cast<int>(row));
    if (Result<void> filled = (*map)->read(columns, target.next(target.context)); !filled) {
      log_error("a row does not fit its type", {{"error", filled.error().detail()}, {"sql", statement.sql}});
      statement.error.emplace(postgresql_fault_of_ours());
      return;
    }
    ++statement.rows_read;
  }
}

}  // namespace bedplate::sql
