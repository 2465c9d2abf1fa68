#include "bedplate/sharding/bucket_rows.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "bedplate/sharding/ownership.h"
#include "bedplate/sql/error.h"

namespace bedplate::sharding {
namespace {

using sql::Params;
using sql::Reader;
using sql::RowText;
using sql::TableShape;
using sql::Transaction;

constexpr std::string_view kInBucket = "bucket = $1";

/// A page of a bucket's rows, behind the last row of the page before.
struct PageQuery {
  std::string text;
  Params params;

  PageQuery(const RowText& rows, Bucket bucket, const AnyRow* last, std::size_t rows_max)
      : text(rows.page(rows_max, last != nullptr, kInBucket, 2)) {
    params.add(bucket);
    if (last) static_cast<void>(rows.add_key(params, *last));
  }
};

/// Rows of one side, named by their keys as read on the other.
struct KeyList {
  const RowText& rows;
  const std::vector<AnyRow>& keys;
};

Async<std::vector<AnyRow>> read_page(Transaction& tx, const PageQuery& query) {
  std::vector<AnyRow> rows = co_await ok(tx.all<AnyRow>(query.text, query.params));
  co_return rows;
}

Async<std::vector<AnyRow>> read_by_keys(Transaction& tx, const KeyList& list) {
  std::vector<AnyRow> found;
  std::size_t at = 0;
  for (const std::size_t size : sql::chunk_sizes(list.keys.size(), list.rows.keys_max())) {
    Params params;
    for (std::size_t i = 0; i < size; ++i) co_await ok(list.rows.add_key(params, list.keys[at + i]));
    at += size;
    const std::string text = list.rows.by_keys(size);
    std::vector<AnyRow> chunk = co_await ok(tx.all<AnyRow>(text, params));
    std::ranges::move(chunk, std::back_inserter(found));
  }
  co_return found;
}

Async<void> delete_by_keys(Transaction& tx, const KeyList& list) {
  std::size_t at = 0;
  for (const std::size_t size : sql::chunk_sizes(list.keys.size(), list.rows.keys_max())) {
    Params params;
    for (std::size_t i = 0; i < size; ++i) co_await ok(list.rows.add_key(params, list.keys[at + i]));
    at += size;
    const std::string text = list.rows.delete_by_keys(size);
    co_await ok(tx.run(text, params));
  }
}

Async<void> upsert(Transaction& tx, const KeyList& list) {
  std::size_t at = 0;
  for (const std::size_t size : sql::chunk_sizes(list.keys.size(), list.rows.insert_rows_max())) {
    Params params;
    for (std::size_t i = 0; i < size; ++i) co_await ok(list.rows.add_row(params, list.keys[at + i]));
    at += size;
    const std::string text = list.rows.upsert(size);
    co_await ok(tx.run(text, params));
  }
}

/// A write to the target, which is still this mover's.
struct ArrivingWrite {
  const Move& move;
  sql::Dialect dialect;
  KeyList list;
};

Async<void> delete_at_target(Transaction& tx, const ArrivingWrite& write) {
  co_await ok(check_arriving(tx, write.dialect, write.move));
  co_await ok(delete_by_keys(tx, write.list));
}

Async<void> upsert_at_target(Transaction& tx, const ArrivingWrite& write) {
  co_await ok(check_arriving(tx, write.dialect, write.move));
  co_await ok(upsert(tx, write.list));
}

Async<void> delete_at_source(Transaction& tx, const ArrivingWrite& write) {
  co_await ok(check_closed(tx, write.move));
  co_await ok(delete_by_keys(tx, write.list));
}

std::vector<sql::ColumnType> united_types(const TableShape& a, const TableShape& b) {
  std::vector<sql::ColumnType> types;
  for (std::size_t i = 0; i < a.columns.size(); ++i)
    types.push_back(sql::unite_types(a.columns[i].type, b.columns[i].type));
  return types;
}

/// Rows that refer to others of the same pass, or take a value that another gives up in it: the next pass has them.
bool is_for_the_next_pass(const Error& error) {
  return error.code() == sql::kForeignKeyViolation || error.code() == sql::kUniqueViolation;
}

/// Deletes every row of the bucket at one side, page by page, each in a transaction that begins with its own check.
template <class Delete>
Async<void> delete_bucket(const BucketSync::Side& side, const Move& move, std::size_t page_rows,
                          Delete erase) {
  for (auto table = side.tables.rbegin(); table != side.tables.rend(); ++table) {
    const RowText rows(*table, side.database->dialect());
    for (;;) {
      const PageQuery query(rows, move.bucket, nullptr, page_rows);
      const std::vector<AnyRow> page = co_await ok(side.database->transact(&read_page, query));
      if (page.empty()) break;
      const ArrivingWrite write{move, side.database->dialect(), {rows, page}};
      co_await ok(side.database->transact(erase, write));
    }
  }
}

Result<void> check_sharded(const TableShape& table) {
  if (table.rows_hidden)
    return fail(
        Category::forbidden, "rows_hidden",
        "Row-level security hides rows of " + table.name + " from the mover: its role needs BYPASSRLS.");
  if (table.unknown_column.empty() && table.find("bucket") && !table.primary_key.empty()) return {};
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
    co_await ok(check_sharded(table));
    // Each engine lists columns as they were added; by name, both sides agree.
    std::ranges::sort(table.columns, {}, &sql::ColumnShape::name);
    tables.push_back(std::move(table));
  }
  co_return sql::in_reference_order(std::move(tables));
}

Async<PassReport> BucketSync::pass() {
  report_ = {};
  for (std::size_t table = source_.tables.size(); table-- > 0;) co_await ok(delete_extra(table));
  for (std::size_t table = 0; table < source_.tables.size(); ++table) co_await ok(write_different(table));
  co_return report_;
}

Async<void> BucketSync::delete_extra(std::size_t table) {
  const RowText here(target_.tables[table], target_.database->dialect());
  const RowText there(source_.tables[table], source_.database->dialect());
  for (std::optional<AnyRow> last;;) {
    const PageQuery query(here, move_.bucket, last ? &*last : nullptr, page_rows_);
    const std::vector<AnyRow> page = co_await ok(target_.database->transact(&read_page, query));
    if (page.empty()) co_return;
    const KeyList wanted{there, page};
    const std::vector<AnyRow> found = co_await ok(source_.database->transact(&read_by_keys, wanted));
    std::set<std::string> keys;
    for (const AnyRow& row : found) keys.insert(there.key_of(row));
    std::vector<AnyRow> extra;
    for (const AnyRow& row : page)
      if (!keys.contains(here.key_of(row))) extra.push_back(row);
    if (!extra.empty()) {
      const ArrivingWrite write{move_, target_.database->dialect(), {here, extra}};
      co_await ok(target_.database->transact(&delete_at_target, write));
      report_.different += static_cast<std::int64_t>(extra.size());
    }
    if (page.size() < page_rows_) co_return;
    last = page.back();
  }
}

Async<void> BucketSync::write_different(std::size_t table) {
  const RowText here(target_.tables[table], target_.database->dialect());
  const RowText there(source_.tables[table], source_.database->dialect());
  const std::vector<sql::ColumnType> types = united_types(source_.tables[table], target_.tables[table]);
  for (std::optional<AnyRow> last;;) {
    const PageQuery query(there, move_.bucket, last ? &*last : nullptr, page_rows_);
    const std::vector<AnyRow> page = co_await ok(source_.database->transact(&read_page, query));
    if (page.empty()) co_return;
    const KeyList wanted{here, page};
    const std::vector<AnyRow> found = co_await ok(target_.database->transact(&read_by_keys, wanted));
    std::map<std::string, std::string> present;
    for (const AnyRow& row : found) present.emplace(here.key_of(row), sql::canonical_row(row, types));
    std::vector<AnyRow> different;
    for (const AnyRow& row : page) {
      const auto at = present.find(there.key_of(row));
      if (at == present.end() || at->second != sql::canonical_row(row, types)) different.push_back(row);
    }
    if (!different.empty()) {
      const ArrivingWrite write{move_, target_.database->dialect(), {here, different}};
      Result<void> written = co_await target_.database->transact(&upsert_at_target, write);
      const auto rows = static_cast<std::int64_t>(different.size());
      if (!written && !is_for_the_next_pass(written.error())) co_await ok(std::move(written));
      (written ? report_.different : report_.refused) += rows;
    }
    if (page.size() < page_rows_) co_return;
    last = page.back();
  }
}

Async<void> delete_moved(const BucketSync::Side& source, const Move& move, std::size_t page_rows) {
  co_await ok(delete_bucket(source, move, page_rows, &delete_at_source));
}

Async<void> delete_arrived(const BucketSync::Side& target, const Move& move, std::size_t page_rows) {
  co_await ok(delete_bucket(target, move, page_rows, &delete_at_target));
}

}  // namespace bedplate::sharding
