// SPDX-License-Identifier: Apache-2.0
#include "extras/sharding/bucket_rows.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "bedplate/sql/error.h"
#include "bedplate/sql/transfer/key_text.h"
#include "extras/sharding/ownership.h"

namespace bedplate::sharding {
namespace {

using sql::Params;
using sql::Reader;
using sql::RowText;
using sql::TableShape;
using sql::Transaction;
using Key = std::vector<ColumnValue>;

constexpr std::string_view kInBucket = "bucket = $1";
constexpr std::size_t kChangesPage = 512;

/// A page of a bucket's rows, behind the last row of the page before.
struct PageQuery {
  std::string text;
  Params params;

  PageQuery(const RowText& rows, Bucket bucket, const AnyRow* last, std::size_t rows_max)
      : text(rows.page(rows_max, last != nullptr, kInBucket, 2)) {
    params.add(bucket);
    if (last) rows.add_key_values(params, rows.key_values(*last));
  }
};

/// Rows of one side, by their keys.
struct KeyList {
  const RowText& rows;
  std::span<const Key> keys;
};

Async<std::vector<AnyRow>> read_page(Reader& db, const PageQuery& query) {
  std::vector<AnyRow> rows = co_await ok(db.all<AnyRow>(query.text, query.params));
  co_return rows;
}

Async<std::vector<AnyRow>> read_by_keys(Reader& db, const KeyList& list) {
  std::vector<AnyRow> found;
  std::size_t at = 0;
  for (const std::size_t size : sql::chunk_sizes(list.keys.size(), list.rows.keys_max())) {
    Params params;
    for (std::size_t i = 0; i < size; ++i)
      if (!list.rows.add_key_values(params, list.keys[at + i]))
        co_return fail(Category::invalid, "key_unfit",
                       "A row that has changed has a key without a portable form.");
    at += size;
    const std::string text = list.rows.by_keys(size);
    std::vector<AnyRow> chunk = co_await ok(db.all<AnyRow>(text, params));
    std::ranges::move(chunk, std::back_inserter(found));
  }
  co_return found;
}

Async<void> delete_rows(Transaction& tx, const BucketWrite& write) {
  std::size_t at = 0;
  for (const std::size_t size : sql::chunk_sizes(write.rows.size(), write.text.keys_max())) {
    Params params;
    for (std::size_t i = 0; i < size; ++i) co_await ok(write.text.add_key(params, write.rows[at + i]));
    at += size;
    const std::string text = write.text.delete_by_keys(size);
    co_await ok(tx.run(text, params));
  }
}

Async<void> delete_at_target(Transaction& tx, const BucketWrite& write) {
  co_await ok(check_arriving(tx, write.dialect, write.move));
  co_await ok(delete_rows(tx, write));
}

Async<void> delete_at_source(Transaction& tx, const BucketWrite& write) {
  co_await ok(check_closed(tx, write.move));
  co_await ok(delete_rows(tx, write));
}

Async<void> delete_released(Transaction& tx, const BucketWrite& write) {
  co_await ok(check_target_released(tx, write.move));
  co_await ok(delete_rows(tx, write));
}

Async<void> upsert_at_target(Transaction& tx, const BucketWrite& write) {
  co_await ok(check_arriving(tx, write.dialect, write.move));
  std::size_t at = 0;
  for (const std::size_t size : sql::chunk_sizes(write.rows.size(), write.text.insert_rows_max())) {
    Params params;
    for (std::size_t i = 0; i < size; ++i) co_await ok(write.text.add_row(params, write.rows[at + i]));
    at += size;
    const std::string text = write.text.upsert(size);
    co_await ok(tx.run(text, params));
  }
}

Async<void> forget_taken(Transaction& tx, const sql::Dialect& dialect, const Move& move,
                         const std::vector<Change>& changes) {
  co_await ok(check_logging(tx, dialect, move));
  co_await ok(forget_changes(tx, changes));
}

Async<void> forget_closed(Transaction& tx, const Move& move, const std::vector<Change>& changes) {
  co_await ok(check_closed(tx, move));
  co_await ok(forget_changes(tx, changes));
}

std::vector<sql::ColumnType> united_types(const TableShape& a, const TableShape& b) {
  std::vector<sql::ColumnType> types;
  for (std::size_t i = 0; i < a.columns.size(); ++i)
    types.push_back(sql::unite_types(a.columns[i].type, b.columns[i].type));
  return types;
}

std::string key_text(const RowText& text, const AnyRow& row) {
  return sql::write_key(text.key_values(row));
}

/// Rows that refer to others of the same pass, or take a value that another gives up in it: the next pass has them.
bool is_for_the_next_pass(const Error& error) {
  return error.code() == sql::kForeignKeyViolation || error.code() == sql::kUniqueViolation;
}

/// Deletes every row of the bucket at one side, page by page, each in a transaction that begins with its own check.
template <class Delete>
Async<void> delete_bucket(const BucketSide& side, const BucketCopy& copy, Delete erase) {
  for (auto table = side.tables.rbegin(); table != side.tables.rend(); ++table) {
    const RowText text(*table, side.database->dialect());
    for (;;) {
      const PageQuery query(text, copy.move.bucket, nullptr, copy.page_rows);
      const std::vector<AnyRow> page = co_await ok(side.database->read(&read_page, query));
      if (page.empty()) break;
      const BucketWrite write(copy.move, side.database->dialect(), text, page);
      co_await ok(side.database->transact(erase, write));
      co_await ok(copy.pulse.beat());
    }
  }
}

bool is_key_type(sql::ColumnType type) {
  return type != sql::ColumnType::real && type != sql::ColumnType::json;
}

Result<void> check_sharded(const TableShape& table, sql::Dialect dialect) {
  // On SQLite the driver hides tenants' rows from whoever names no tenant (sql/tenants.h).
  if (!table.rows_hidden_from.empty() || (dialect == sql::Dialect::sqlite && table.find("tenant")))
    return fail(
        Category::forbidden, "rows_hidden",
        "Rows of " + table.name +
            " are hidden from the mover: on PostgreSQL its role needs BYPASSRLS, on SQLite tables of tenants "
            "cannot be moved.");
  const bool keyed = std::ranges::all_of(table.primary_key, [&](const std::string& name) {
    const sql::ColumnShape* column = table.find(name);
    return column && is_key_type(column->type);
  });
  if (table.unknown_column.empty() && table.find("bucket") && !table.primary_key.empty() && keyed) return {};
  return fail(Category::invalid, "not_sharded",
              "The table " + table.name +
                  " needs a column `bucket`, a primary key, and portable types to be moved between shards.");
}

}  // namespace

Async<std::vector<TableShape>> read_sharded_tables(Reader& db, sql::Dialect dialect,
                                                   const std::vector<std::string>& names) {
  std::vector<TableShape> tables;
  for (const std::string& name : names) {
    TableShape table = co_await ok(sql::read_table(db, dialect, name));
    co_await ok(check_sharded(table, dialect));
    // Each engine lists columns as they were added; by name, both sides agree.
    std::ranges::sort(table.columns, {}, &sql::ColumnShape::name);
    tables.push_back(std::move(table));
  }
  co_return sql::in_reference_order(std::move(tables));
}

BucketSync::BucketSync(const BucketCopy& copy) : copy_(copy), pending_(copy.source.tables.size()) {}

// ---- all of the bucket

Async<PassReport> BucketSync::compare_all() {
  report_ = {};
  forgotten_ = 0;
  for (std::set<std::string>& keys : pending_) keys.clear();
  for (std::size_t table = pending_.size(); table-- > 0;)
    co_await ok(compare_pages(table, copy_.target, copy_.source));
  for (std::size_t table = 0; table < pending_.size(); ++table)
    co_await ok(compare_pages(table, copy_.source, copy_.target));
  co_return report_;
}

// On the target's pages rows show that only it has, on the source's those that the target lacks or has otherwise.
Async<void> BucketSync::compare_pages(std::size_t table, const BucketSide& of, const BucketSide& with) {
  const RowText text(of.tables[table], of.database->dialect());
  const bool of_target = &of == &copy_.target;
  for (std::optional<AnyRow> last;;) {
    const PageQuery query(text, copy_.move.bucket, last ? &*last : nullptr, copy_.page_rows);
    const std::vector<AnyRow> page = co_await ok(of.database->read(&read_page, query));
    if (page.empty()) co_return;
    std::vector<Key> keys;
    for (const AnyRow& row : page) keys.push_back(text.key_values(row));
    const std::vector<AnyRow> found = co_await ok(rows_at(with, table, keys));
    const Differences seen = of_target ? differences(table, found, page) : differences(table, page, found);
    if (of_target)
      co_await ok(erase(table, seen.extra));
    else
      co_await ok(write(table, seen.different));
    co_await ok(copy_.pulse.beat());
    if (page.size() < copy_.page_rows) co_return;
    last = page.back();
  }
}

// ---- what has changed

Async<std::int64_t> BucketSync::take_changes() {
  const sql::Dialect dialect = copy_.source.database->dialect();
  std::int64_t taken = 0;
  for (changes_left_ = true; changes_left_ && pending() < kPendingMax;) {
    const std::vector<Change> changes =
        co_await ok(copy_.source.database->read(&read_changes, copy_.move.bucket, kChangesPage));
    for (const Change& change : changes) {
      const auto table = std::ranges::find(copy_.source.tables, change.row_table, &TableShape::name);
      if (table == copy_.source.tables.end()) continue;  // sharded no longer
      pending_[static_cast<std::size_t>(table - copy_.source.tables.begin())].insert(change.row_key);
    }
    // From here on a change of these rows makes new entries, and they are read after this.
    if (!changes.empty())
      co_await ok(copy_.source.database->transact(&forget_taken, dialect, copy_.move, changes));
    taken += static_cast<std::int64_t>(changes.size());
    co_await ok(copy_.pulse.beat());
    changes_left_ = changes.size() == kChangesPage;
  }
  co_return taken;
}

Async<PassReport> BucketSync::compare_pending() {
  report_ = {};
  for (std::size_t table = pending_.size(); table-- > 0;) co_await ok(look_at_pending(table, true));
  for (std::size_t table = 0; table < pending_.size(); ++table) co_await ok(look_at_pending(table, false));
  co_return report_;
}

// Twice, for rows are deleted before those that they refer to, and written after.
Async<void> BucketSync::look_at_pending(std::size_t table, bool deleting) {
  const RowText there(copy_.source.tables[table], copy_.source.database->dialect());
  const RowText here(copy_.target.tables[table], copy_.target.database->dialect());
  const std::vector<std::string> texts(pending_[table].begin(), pending_[table].end());
  for (std::size_t at = 0; at < texts.size(); at += copy_.page_rows) {
    const auto some = std::span(texts).subspan(at, std::min(copy_.page_rows, texts.size() - at));
    std::vector<Key> keys;
    for (const std::string& text : some) keys.push_back(sql::read_key(text).value_or(Key()));
    const std::vector<AnyRow> source = co_await ok(rows_at(copy_.source, table, keys));
    const std::vector<AnyRow> target = co_await ok(rows_at(copy_.target, table, keys));
    const Differences seen = differences(table, source, target);
    if (deleting) {
      co_await ok(erase(table, seen.extra));
    } else {
      for (const std::string& text : some) pending_[table].erase(text);
      keep_pending(table, here, seen.extra);
      co_await ok(write(table, seen.different));
    }
    co_await ok(copy_.pulse.beat());
  }
}

std::size_t BucketSync::pending() const {
  std::size_t count = 0;
  for (const std::set<std::string>& keys : pending_) count += keys.size();
  return count;
}

void BucketSync::keep_pending(std::size_t table, const RowText& text, const std::vector<AnyRow>& rows) {
  // With room for the page that take_changes() adds past the limit: what compare_pending() takes out goes back in.
  std::size_t kept = pending();
  for (const AnyRow& row : rows) {
    if (kept < kPendingMax + kChangesPage)
      kept += pending_[table].insert(key_text(text, row)).second ? 1 : 0;
    else
      ++forgotten_;
  }
}

// ---- rows

Async<std::vector<AnyRow>> BucketSync::rows_at(const BucketSide& side, std::size_t table,
                                               std::span<const Key> keys) const {
  const RowText text(side.tables[table], side.database->dialect());
  const KeyList list{text, keys};
  std::vector<AnyRow> rows = co_await ok(side.database->read(&read_by_keys, list));
  const auto& columns = side.tables[table].columns;
  const auto bucket = static_cast<std::size_t>(side.tables[table].find("bucket") - columns.data());
  const auto elsewhere = [&](const AnyRow& row) { return row.values[bucket].integer != copy_.move.bucket; };
  // At the source it is another bucket's by now. At the target an upsert would take it from its bucket.
  if (&side == &copy_.target && std::ranges::any_of(rows, elsewhere))
    co_return fail(Category::conflict, "key_taken",
                   "The target has a row of " + side.tables[table].name +
                       " with a key of this bucket in another one: keys must differ between buckets.");
  std::erase_if(rows, elsewhere);
  co_return rows;
}

BucketSync::Differences BucketSync::differences(std::size_t table, const std::vector<AnyRow>& source,
                                                const std::vector<AnyRow>& target) const {
  const RowText there(copy_.source.tables[table], copy_.source.database->dialect());
  const RowText here(copy_.target.tables[table], copy_.target.database->dialect());
  const std::vector<sql::ColumnType> types =
      united_types(copy_.source.tables[table], copy_.target.tables[table]);
  std::map<std::string, const AnyRow*> arrived;
  for (const AnyRow& row : target) arrived.emplace(key_text(here, row), &row);
  Differences found;
  for (const AnyRow& row : source) {
    const auto same = arrived.find(key_text(there, row));
    if (same == arrived.end()) {
      found.different.push_back(row);
      continue;
    }
    if (sql::canonical_row(*same->second, types) != sql::canonical_row(row, types))
      found.different.push_back(row);
    arrived.erase(same);
  }
  for (const auto& [key, row] : arrived) found.extra.push_back(*row);
  return found;
}

Async<void> BucketSync::erase(std::size_t table, const std::vector<AnyRow>& rows) {
  const RowText here(copy_.target.tables[table], copy_.target.database->dialect());
  keep_pending(table, here, rows);
  co_await ok(
      apply(BucketWrite(copy_.move, copy_.target.database->dialect(), here, rows), &delete_at_target));
}

Async<void> BucketSync::write(std::size_t table, const std::vector<AnyRow>& rows) {
  const RowText here(copy_.target.tables[table], copy_.target.database->dialect());
  const RowText there(copy_.source.tables[table], copy_.source.database->dialect());
  keep_pending(table, there, rows);
  co_await ok(
      apply(BucketWrite(copy_.move, copy_.target.database->dialect(), here, rows), &upsert_at_target));
}

Async<void> BucketSync::apply(BucketWrite write, BucketWrite::Body body) {
  if (write.rows.empty()) co_return;
  Result<void> done = co_await copy_.target.database->transact(body, write);
  const auto rows = static_cast<std::int64_t>(write.rows.size());
  if (done) {
    report_.different += rows;
  } else if (!is_for_the_next_pass(done.error())) {
    co_await ok(std::move(done));
  } else if (rows == 1) {
    ++report_.refused;
  } else {
    // One may give up what another takes: each for itself, so that some get through, and next time the others.
    for (const AnyRow& row : write.rows) {
      const std::vector<AnyRow> alone = {row};
      co_await ok(apply(BucketWrite(write.move, write.dialect, write.text, alone), body));
    }
  }
}

Async<void> BucketSync::delete_arrived() {
  co_await ok(delete_bucket(copy_.target, copy_, &delete_at_target));
}

Async<void> delete_moved(const BucketCopy& copy) {
  co_await ok(delete_bucket(copy.source, copy, &delete_at_source));
  for (;;) {
    const std::vector<Change> changes =
        co_await ok(copy.source.database->read(&read_changes, copy.move.bucket, kChangesPage));
    if (changes.empty()) co_return;
    co_await ok(copy.source.database->transact(&forget_closed, copy.move, changes));
  }
}

Async<void> forget_all_changes(const BucketCopy& copy) {
  const sql::Dialect dialect = copy.source.database->dialect();
  for (;;) {
    const std::vector<Change> changes =
        co_await ok(copy.source.database->read(&read_changes, copy.move.bucket, kChangesPage));
    if (changes.empty()) co_return;
    co_await ok(copy.source.database->transact(&forget_taken, dialect, copy.move, changes));
    co_await ok(copy.pulse.beat());
  }
}

Async<void> delete_leftover(const BucketCopy& copy) {
  co_await ok(delete_bucket(copy.target, copy, &delete_released));
}

}  // namespace bedplate::sharding
