// SPDX-License-Identifier: Apache-2.0
// seed(): fills a described table with rows that its description allows.
//
//   seed(app.database(), kLists, 100);                                      // every column from the description
//   std::vector<Item> items = seed(app.database(), kItems, 10'000, {
//       .owners = {ann.id(), bob.id()},                                     // in turn
//       .change = [&](Item& item, std::size_t i) { item.list_id = lists[i % lists.size()].id; }});
//
// The i-th row is the same in every run, but for new IDs: texts are the field's example (or its name) and a number, so
// they differ; enums, booleans and numbers take turns within their ranges; times are a second apart; every second
// optional is empty; lists have a few items. Versions and numbers that are read_only keep the row type's default.
//
// `change` sets what the description cannot know: references to other rows, and texts that a pattern or a check
// restricts (without an example). Afterwards each row must obey its rules.
//
// Rows are written past the operations, in bulk and in one transaction: 10,000 take some 0.1 s. Tables that follow from
// others, such as a search index, are not filled. So a QueryGuard has tables as large as in life.
//
// Blocks: not from a loop's thread. Throws std::runtime_error with a sentence: a row that breaks a rule (the field and
// the rule), or one that the table refuses (a unique value twice, a foreign key without its row).
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/base/id.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/table.h"

namespace bedplate::testing {

template <class Row>
struct SeedOptions {
  /// Values of the table's outer key (sql::owner), in turn. Needed where it has one.
  std::vector<Uuid> owners = {};
  /// Completes row number `i`, counted from 0.
  std::function<void(Row& row, std::size_t i)> change = {};
};

namespace detail {
/// Gives every field of a row the description's i-th value.
void fill_row(const TypeInfo& type, std::uint8_t version_field, void* row, std::size_t i);
/// Throws for the first fault.
void check_row(const sql::TableInfo& table, const void* row, std::size_t i);
/// Writes `n` rows. `values(tx, i)` makes the command that inserts row number i.
void write_rows(sql::Database& database, const sql::TableInfo& table, std::size_t n,
                const std::function<sql::TableCommand(sql::Transaction& tx, std::size_t i)>& insert);
[[noreturn]] void refuse_owners(const sql::TableInfo& table);
}  // namespace detail

/// Writes `n` rows and returns them.
template <class Row>
std::vector<Row> seed(sql::Database& database, const sql::Table<Row>& table, std::size_t n,
                      const SeedOptions<Row>& options = {}) {
  if (table.outer_keys().size() > 1 || table.outer_keys().empty() != options.owners.empty())
    detail::refuse_owners(table);
  std::vector<Row> rows(n);
  for (std::size_t i = 0; i < n; ++i) {
    detail::fill_row(type_of<Row>(), table.version_field(), &rows[i], i);
    if (options.change) options.change(rows[i], i);
    detail::check_row(table, &rows[i], i);
  }
  detail::write_rows(database, table, n, [&](sql::Transaction& tx, std::size_t i) {
    if (options.owners.empty()) return table.insert(tx, rows[i]);
    return table.insert(tx, options.owners[i % options.owners.size()], rows[i]);
  });
  return rows;
}

}  // namespace bedplate::testing
