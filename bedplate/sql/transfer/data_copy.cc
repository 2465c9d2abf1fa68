// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/transfer/data_copy.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "bedplate/describe/describe.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/transfer/key_text.h"
#include "bedplate/sql/transfer/row_text.h"
#include "bedplate/sql/transfer/table_shape.h"

namespace bedplate::sql {
namespace {

constexpr std::string_view kProgressTable = "bedplate_data_copy";
constexpr std::string_view kOwnTables[] = {kProgressTable, "schema_migrations"};
constexpr std::string_view kCreateProgress =
    "CREATE TABLE bedplate_data_copy (table_name TEXT NOT NULL PRIMARY KEY, rows_copied BIGINT NOT NULL, "
    "last_key TEXT NOT NULL, finished BIGINT NOT NULL, rows_skipped BIGINT NOT NULL, skipped_first BIGINT "
    "NOT NULL, "
    "skipped_second BIGINT NOT NULL)";
constexpr std::string_view kNote =
    "INSERT INTO bedplate_data_copy (table_name, rows_copied, last_key, finished, rows_skipped, "
    "skipped_first, "
    "skipped_second) VALUES ($1, $2, $3, $4, $5, $6, $7) "
    "ON CONFLICT (table_name) DO UPDATE SET rows_copied = excluded.rows_copied, last_key = "
    "excluded.last_key, "
    "finished = excluded.finished, rows_skipped = excluded.rows_skipped, skipped_first = "
    "excluded.skipped_first, "
    "skipped_second = excluded.skipped_second";
constexpr std::string_view kFindNote =
    "SELECT rows_copied, last_key, finished, rows_skipped, skipped_first, skipped_second FROM "
    "bedplate_data_copy "
    "WHERE table_name = $1";
// Under this name stands whose copy it is.
constexpr std::string_view kSourceLine = "";

struct ProgressRow {
  std::int64_t rows_copied = 0;
  std::string last_key;
  bool finished = false;
  std::int64_t rows_skipped = 0;
  std::int64_t skipped_first = 0;  // the RowSum of those
  std::int64_t skipped_second = 0;

  RowSum skipped() const {
    return {.first = static_cast<std::uint64_t>(skipped_first),
            .second = static_cast<std::uint64_t>(skipped_second),
            .rows = rows_skipped};
  }
  void skip(const AnyRow& row, std::span<const ColumnType> types) {
    RowSum sum = skipped();
    sum.add(row, types);
    rows_skipped = sum.rows;
    skipped_first = static_cast<std::int64_t>(sum.first);
    skipped_second = static_cast<std::int64_t>(sum.second);
  }

  static consteval auto describe() {
    using namespace bedplate::schema;
    using R = ProgressRow;
    return object<R>("How far a table has come",
                     {field<&R::rows_copied>(), field<&R::last_key>(), field<&R::finished>(),
                      field<&R::rows_skipped>(), field<&R::skipped_first>(), field<&R::skipped_second>()});
  }
};

/// One table on both sides: the columns that both have, in the same order.
struct Pair {
  TableShape source;
  TableShape target;
  std::vector<ColumnType> types;
};

struct PageQuery {
  std::string text;
  Params params;
};

Async<std::vector<AnyRow>> select_rows(Reader& db, const PageQuery& query) {
  std::vector<AnyRow> rows = co_await ok(db.all<AnyRow>(query.text, query.params));
  co_return rows;
}

Async<std::int64_t> select_count(Reader& db, const std::string& text) {
  const std::int64_t count = co_await ok(db.value<std::int64_t>(text));
  co_return count;
}

Async<std::optional<ProgressRow>> select_progress(Reader& db, const std::string_view& table) {
  std::optional<ProgressRow> row = co_await ok(db.maybe<ProgressRow>(kFindNote, table));
  co_return row;
}

Async<void> write_progress(Transaction& tx, const std::string_view& table, const ProgressRow& row) {
  const std::int64_t finished = row.finished ? 1 : 0;
  co_await ok(tx.run(kNote, table, row.rows_copied, row.last_key, finished, row.rows_skipped,
                     row.skipped_first, row.skipped_second));
}

/// Rows to insert, and what to note with them, in one transaction.
struct Batch {
  const RowText& text;
  std::span<const AnyRow> rows;
  std::string_view table;
  ProgressRow progress;
};

Async<void> write_batch(Transaction& tx, const Batch& batch) {
  std::size_t at = 0;
  for (const std::size_t size : chunk_sizes(batch.rows.size(), batch.text.insert_rows_max())) {
    Params params;
    for (std::size_t i = 0; i < size; ++i) co_await ok(batch.text.add_row(params, batch.rows[at + i]));
    at += size;
    const std::string text = batch.text.insert(size);
    co_await ok(tx.run(text, params));
  }
  co_await ok(write_progress(tx, batch.table, batch.progress));
}

bool is_one_of(std::string_view table, const auto& names) {
  return std::ranges::find(names, table) != std::end(names);
}

const TableShape* find_table(const std::vector<TableShape>& tables, std::string_view name) {
  const auto at = std::ranges::find(tables, name, &TableShape::name);
  return at == tables.end() ? nullptr : &*at;
}

void keep_common(TableShape& table, const TableShape& other) {
  std::erase_if(table.columns, [&](const ColumnShape& column) { return other.find(column.name) == nullptr; });
  std::ranges::sort(table.columns, {}, &ColumnShape::name);
}

/// A table while its rows are copied.
struct Writing {
  Writing(const Pair& tables, Dialect source, Dialect target)
      : pair(tables), from(tables.source, source), to(tables.target, target) {}

  std::string_view table() const { return pair.target.name; }

  const Pair& pair;
  const RowText from;
  const RowText to;
};

// The row is at fault, and not the machine or the statement.
bool is_about_the_row(const Error& error) {
  constexpr std::string_view kCodes[] = {kValueUnfit,       kTextInvalid,     kCheckViolation,
                                         kNotNullViolation, kUniqueViolation, kForeignKeyViolation,
                                         kValueTooLarge};
  return is_one_of(error.code(), kCodes);
}

class DataCopy {
 public:
  DataCopy(Maintenance& source, Database& target, Loop& loop, const DataCopyOptions& options)
      : source_(source), reader_(source.session()), target_(target), loop_(loop), options_(options) {}

  Result<DataCopyReport> run() {
    if (Result<void> step = plan(); !step) return std::unexpected(std::move(step.error()));
    if (Result<void> step = prepare_target(); !step) return std::unexpected(std::move(step.error()));
    for (const Pair& pair : pairs_)
      if (Result<void> step = copy_table(pair); !step) return std::unexpected(std::move(step.error()));
    for (const Pair& pair : pairs_) {
      if (Result<void> step = set_sequences(pair); !step) return std::unexpected(std::move(step.error()));
      if (Result<void> step = compare(pair); !step) return std::unexpected(std::move(step.error()));
    }
    if (options_.rebuild)
      if (Result<void> step = options_.rebuild(); !step) return std::unexpected(std::move(step.error()));
    if (Result<void> step = script("DROP TABLE bedplate_data_copy"); !step)
      return std::unexpected(std::move(step.error()));
    return std::move(report_);
  }

 private:
  Result<void> plan();
  Result<void> pair_up(const TableShape& source, const TableShape& target);
  Result<void> prepare_target();
  Result<void> check_empty();
  Result<void> copy_table(const Pair& pair);
  Result<void> write(const Batch& batch);
  Result<void> write_rows(const Writing& writing, std::span<const AnyRow> rows, bool last,
                          ProgressRow& progress);
  Result<void> leave_out(const Writing& writing, const AnyRow& row, ProgressRow& progress,
                         const Error& error);
  UnfitRow unfit_row(const Writing& writing, const AnyRow& row, const Error& error);
  Result<void> copy_in(const Batch& batch);
  Result<void> set_sequences(const Pair& pair);
  Result<void> compare(const Pair& pair);
  template <class ReadPage>
  Result<RowSum> sum_of(const Pair& pair, const TableShape& shape, Dialect dialect, std::int64_t total,
                        ReadPage read_page);
  Result<void> script(std::string_view text);
  Result<std::int64_t> count_at_source(const TableShape& table);
  template <class T>
  Result<T> on_target(Async<T> coroutine) {
    return run_to_end(loop_, std::move(coroutine));
  }
  Result<std::vector<AnyRow>> source_page(const PageQuery& query) {
    return select_rows(reader_, query).run_without_waiting();
  }
  bool is_skipped(std::string_view table) const {
    return is_one_of(table, kOwnTables) || is_one_of(table, options_.derived);
  }
  void tell(std::string_view table, std::int64_t rows, std::int64_t total, bool comparing) {
    if (options_.progress) options_.progress({table, rows, total, comparing});
  }

  Maintenance& source_;
  Reader reader_;
  Database& target_;
  Loop& loop_;
  const DataCopyOptions& options_;
  std::unique_ptr<Maintenance> bulk_;  ///< of a PostgreSQL target
  std::vector<TableShape> target_tables_;
  std::vector<Pair> pairs_;
  DataCopyReport report_;
};

Result<void> DataCopy::plan() {
  auto source = read_tables(reader_, source_.dialect()).run_without_waiting();
  if (!source) return std::unexpected(std::move(source.error()));
  const Dialect dialect = target_.dialect();
  auto target = on_target(target_.read(&read_tables, dialect));
  if (!target) return std::unexpected(std::move(target.error()));
  target_tables_ = std::move(*target);
  for (const TableShape& table : target_tables_) {
    if (is_skipped(table.name)) continue;
    const TableShape* from = find_table(*source, table.name);
    if (!from) {
      report_.left_out.push_back(table.name + " (only at the target)");
      continue;
    }
    if (Result<void> paired = pair_up(*from, table); !paired) return paired;
  }
  for (const TableShape& table : *source)
    if (!is_skipped(table.name) && !find_table(target_tables_, table.name))
      report_.left_out.push_back(table.name);
  if (pairs_.empty())
    return fail(Category::invalid, "table_missing", "The two databases have no table in common.");
  return {};
}

Result<void> DataCopy::pair_up(const TableShape& source, const TableShape& target) {
  const std::string& name = target.name;
  for (const TableShape* side : {&source, &target})
    if (!side->unknown_column.empty())
      return fail(
          Category::invalid, "column_type",
          "The column " + name + "." + side->unknown_column +
              " is of a type that cannot be copied. If its table follows from others, as a search index "
              "does, the program says so where it is wired, and how it is made anew: app.derived(...) for a "
              "search index, host.rebuilt_after_copy(\"" +
              name + "\", ...).");
  for (const TableShape* side : {&source, &target})
    if (!side->rows_hidden_from.empty())
      return fail(Category::forbidden, "rows_hidden",
                  "Row-level security hides rows of " + name + " from the role " + side->rows_hidden_from +
                      " at the " + (side == &source ? "source" : "target") +
                      ". As a superuser there: ALTER ROLE " + quoted(side->rows_hidden_from) +
                      " BYPASSRLS; and NOBYPASSRLS when the copy is done.");
  if (source.primary_key.empty() || source.primary_key != target.primary_key)
    return fail(Category::invalid, "no_key",
                "The table " + name + " has no primary key, or not the same one on both sides.");
  for (const ColumnShape& column : target.columns)
    if (column.required && !source.find(column.name))
      return fail(Category::invalid, "column_missing",
                  "The column " + name + "." + column.name + " must have a value, and the source has none.");
  for (const ColumnShape& column : source.columns)
    if (!target.find(column.name)) report_.left_out.push_back(name + "." + column.name);
  Pair pair{.source = source, .target = target, .types = {}};
  keep_common(pair.source, target);
  keep_common(pair.target, source);
  for (std::size_t i = 0; i < pair.source.columns.size(); ++i)
    pair.types.push_back(unite_types(pair.source.columns[i].type, pair.target.columns[i].type));
  pairs_.push_back(std::move(pair));
  return {};
}

Result<void> DataCopy::script(std::string_view text) {
  auto maintenance = target_.maintenance();
  if (!maintenance) return std::unexpected(std::move(maintenance.error()));
  if (Result<void> begun = (*maintenance)->begin(); !begun) return begun;
  if (Result<void> ran = (*maintenance)->run_script(text); !ran) return ran;
  return (*maintenance)->commit();
}

Result<void> DataCopy::prepare_target() {
  report_.resumed = find_table(target_tables_, kProgressTable) != nullptr;
  if (!report_.resumed) {
    if (Result<void> empty = check_empty(); !empty) return empty;
    if (Result<void> made = script(kCreateProgress); !made) return made;
  }
  auto line = on_target(target_.read(&select_progress, kSourceLine));
  if (!line) return std::unexpected(std::move(line.error()));
  if (*line && (*line)->last_key != options_.source_name)
    return fail(Category::conflict, "copy_of_another",
                "The target holds a part of a copy of " + (*line)->last_key +
                    ". Go on with that source, or begin with an empty database.");
  if (*line) return {};
  const ProgressRow whose{.rows_copied = 0, .last_key = options_.source_name, .finished = false};
  return on_target(target_.transact(&write_progress, kSourceLine, whose));
}

Result<void> DataCopy::check_empty() {
  for (const TableShape& table : target_tables_) {
    if (is_skipped(table.name)) continue;
    const std::string text =
        "SELECT count(*) FROM (SELECT 1 FROM " + quoted(table.name) + " LIMIT 1) AS first";
    auto rows = on_target(target_.read(&select_count, text));
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (*rows > 0)
      return fail(
          Category::conflict, "target_not_empty",
          "The target has rows in " + table.name + " already. Data is copied into an empty database only.");
  }
  return {};
}

Result<std::int64_t> DataCopy::count_at_source(const TableShape& table) {
  const std::string text = "SELECT count(*) FROM " + quoted(table.name);
  return select_count(reader_, text).run_without_waiting();
}

// Where it stopped, for the operator.
Error stopped(const Error& error, std::string_view table, std::int64_t rows) {
  Error told(error.category(), error.code(),
             "Copying " + std::string(table) + " stopped after " + std::to_string(rows) +
                 " rows: " + error.detail());
  return std::move(told).with_subject(error.subject());
}

// The rows and the note of them: all or nothing.
Result<void> DataCopy::write(const Batch& batch) {
  return target_.dialect() == Dialect::postgresql ? copy_in(batch)
                                                  : on_target(target_.transact(&write_batch, batch));
}

// COPY: less time than inserts of many rows, half the round trips, and no statements that are as long as the table
// has columns.
Result<void> DataCopy::copy_in(const Batch& batch) {
  if (!bulk_) {
    auto opened = target_.maintenance();
    if (!opened) return std::unexpected(std::move(opened.error()));
    bulk_ = std::move(*opened);
  }
  if (Result<void> begun = bulk_->begin(); !begun) return begun;
  const auto fill = [&]() -> Result<void> {
    const std::vector<std::string_view> columns = batch.text.column_names();
    auto rows = bulk_->bulk_insert(batch.table, columns);
    if (!rows) return std::unexpected(std::move(rows.error()));
    for (const AnyRow& row : batch.rows) {
      Params values;
      if (Result<void> fits = batch.text.add_row(values, row); !fits) return fits;
      if (Result<void> added = (*rows)->add(values.list()); !added) return added;
    }
    if (Result<std::int64_t> ended = (*rows)->finish(); !ended)
      return std::unexpected(std::move(ended.error()));
    Transaction transaction(bulk_->session());
    return write_progress(transaction, batch.table, batch.progress).run_without_waiting();
  };
  Result<void> filled = fill();
  if (filled) return bulk_->commit();
  bulk_->rollback();
  return filled;
}

Result<void> DataCopy::copy_table(const Pair& pair) {
  const std::string& name = pair.target.name;
  const std::string_view table = name;
  auto known = on_target(target_.read(&select_progress, table));
  if (!known) return std::unexpected(std::move(known.error()));
  ProgressRow progress = known->value_or(ProgressRow());
  if (progress.finished) return {};
  Result<std::int64_t> total = count_at_source(pair.source);
  if (!total) return std::unexpected(std::move(total.error()));

  const Writing writing(pair, source_.dialect(), target_.dialect());
  while (!progress.finished) {
    PageQuery query{writing.from.page(options_.batch_rows, !progress.last_key.empty()), {}};
    if (!progress.last_key.empty()) {
      const auto key = read_key(progress.last_key);
      if (!key || !writing.from.add_key_values(query.params, *key))
        return fail(Category::conflict, "copy_damaged", "The notes in bedplate_data_copy cannot be read.");
    }
    Result<std::vector<AnyRow>> page = source_page(query);
    if (!page) return std::unexpected(std::move(page.error()));
    const bool last = page->size() < options_.batch_rows;
    if (Result<void> written = write_rows(writing, *page, last, progress); !written) return written;
    tell(table, progress.rows_copied, *total, false);
  }
  return {};
}

// `progress` is what was noted before and becomes what is noted now. `last`: no row of the table comes after these.
Result<void> DataCopy::write_rows(const Writing& writing, std::span<const AnyRow> rows, bool last,
                                  ProgressRow& progress) {
  ProgressRow after = progress;
  after.rows_copied += static_cast<std::int64_t>(rows.size());
  after.finished = last;
  if (!rows.empty()) after.last_key = write_key(writing.from.key_values(rows.back()));
  const Batch batch{writing.to, rows, writing.table(), after};
  Result<void> written = write(batch);
  if (written) {
    progress = std::move(after);
    return {};
  }
  if (rows.empty() || !is_about_the_row(written.error()))
    return std::unexpected(stopped(written.error(), writing.table(), progress.rows_copied));
  if (rows.size() == 1) {
    after.rows_copied = progress.rows_copied;
    progress = std::move(after);
    return leave_out(writing, rows.front(), progress, written.error());
  }
  const std::size_t half = rows.size() / 2;
  if (Result<void> first = write_rows(writing, rows.first(half), false, progress); !first) return first;
  return write_rows(writing, rows.subspan(half), last, progress);
}

Result<void> DataCopy::leave_out(const Writing& writing, const AnyRow& row, ProgressRow& progress,
                                 const Error& error) {
  const UnfitRow unfit = unfit_row(writing, row, error);
  if (!options_.skip)
    return fail(Category::invalid, kRowUnfit,
                "The row " + unfit.key + " of " + unfit.table + " cannot be copied" +
                    (unfit.column.empty() ? "" : ", because of its column " + unfit.column) + ": " +
                    unfit.reason);
  if (Result<void> told = options_.skip(unfit); !told) return told;
  progress.skip(row, writing.pair.types);
  const std::string_view table = writing.table();
  return on_target(target_.transact(&write_progress, table, progress));
}

// Which column it is says the error, or the target when it reads the values one by one.
UnfitRow DataCopy::unfit_row(const Writing& writing, const AnyRow& row, const Error& error) {
  UnfitRow unfit{.table = std::string(writing.table()),
                 .key = json_of_key(writing.pair.source, writing.from.key_values(row)),
                 .column = {},
                 .reason = error.detail()};
  const std::string_view subject = error.subject();
  const std::string prefix = unfit.table + ".";
  const std::vector<ColumnShape>& columns = writing.pair.target.columns;
  for (std::size_t i = 0; i < columns.size() && unfit.column.empty(); ++i) {
    if (subject == prefix + columns[i].name) unfit.column = columns[i].name;
  }
  for (std::size_t i = 0; i < columns.size() && unfit.column.empty() && subject.empty(); ++i) {
    PageQuery query;
    Result<std::string> text = writing.to.try_value(query.params, row, i);
    if (!text) continue;
    query.text = std::move(*text);
    const auto read = [](Reader& db, const PageQuery& asked) -> Async<void> {
      co_await ok(db.value<std::int64_t>(asked.text, asked.params));
    };
    const Result<void> readable = on_target(target_.read(read, query));
    if (!readable && is_about_the_row(readable.error())) unfit.column = columns[i].name;
  }
  if (unfit.column.empty() && !subject.empty()) unfit.reason += " (" + std::string(subject) + ")";
  return unfit;
}

// PostgreSQL numbers new rows itself: behind those that were copied.
Result<void> DataCopy::set_sequences(const Pair& pair) {
  if (target_.dialect() != Dialect::postgresql) return {};
  for (const ColumnShape& column : pair.target.columns) {
    if (!column.identity) continue;
    const std::string table = quoted(pair.target.name), name = quoted(column.name);
    const std::string text = "SELECT coalesce(setval(pg_get_serial_sequence('" + table + "', '" +
                             column.name + "'), (SELECT max(" + name + ") FROM " + table + ")), 0)";
    // A transaction: it writes.
    const auto set = [](Transaction& tx, const std::string& set_text) { return select_count(tx, set_text); };
    auto done = on_target(target_.transact(set, text));
    if (!done) return std::unexpected(std::move(done.error()));
  }
  return {};
}

template <class ReadPage>
Result<RowSum> DataCopy::sum_of(const Pair& pair, const TableShape& shape, Dialect dialect,
                                std::int64_t total, ReadPage read_page) {
  const RowText text(shape, dialect);
  RowSum sum;
  for (std::optional<AnyRow> last;;) {
    PageQuery query{text.page(options_.batch_rows, last.has_value()), {}};
    if (last) static_cast<void>(text.add_key(query.params, *last));
    Result<std::vector<AnyRow>> page = read_page(query);
    if (!page) return std::unexpected(std::move(page.error()));
    for (const AnyRow& row : *page) sum.add(row, pair.types);
    tell(shape.name, sum.rows, total, true);
    if (page->size() < options_.batch_rows) return sum;
    last = std::move(page->back());
  }
}

Result<void> DataCopy::compare(const Pair& pair) {
  auto total = count_at_source(pair.source);
  if (!total) return std::unexpected(std::move(total.error()));
  auto there = sum_of(pair, pair.source, source_.dialect(), *total,
                      [&](const PageQuery& query) { return source_page(query); });
  if (!there) return std::unexpected(std::move(there.error()));
  // In a transaction: from the primary, whatever replicas there are.
  const auto read = [](Transaction& tx, const PageQuery& query) { return select_rows(tx, query); };
  auto here = sum_of(pair, pair.target, target_.dialect(), *total,
                     [&](const PageQuery& query) { return on_target(target_.transact(read, query)); });
  if (!here) return std::unexpected(std::move(here.error()));
  const std::string_view table = pair.target.name;
  auto progress = on_target(target_.read(&select_progress, table));
  if (!progress) return std::unexpected(std::move(progress.error()));
  const RowSum skipped = progress->value_or(ProgressRow()).skipped();
  there->subtract(skipped);
  if (*there != *here)
    return fail(Category::conflict, "copy_differs",
                "The copy of " + pair.target.name +
                    " differs from its source: " + std::to_string(there->rows) + " rows (" + there->hex() +
                    ") there, " + std::to_string(here->rows) + " (" + here->hex() +
                    ") here. One of them was written meanwhile: begin again with an empty database.");
  report_.tables.push_back({.table = pair.target.name, .rows = here->rows, .checksum = here->hex()});
  report_.rows += here->rows;
  report_.rows_skipped += skipped.rows;
  return {};
}

}  // namespace

Result<DataCopyReport> copy_data(Maintenance& source, Database& target, Loop& loop,
                                 const DataCopyOptions& options) {
  return DataCopy(source, target, loop, options).run();
}

Result<void> check_copy_finished(Database& database) {
  Result<std::unique_ptr<Maintenance>> connection = database.maintenance();
  if (!connection) return std::unexpected(std::move(connection.error()));
  const bool server = database.dialect() == Dialect::postgresql;
  Reader reader((*connection)->session());
  const std::string text =
      server ? "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = "
               "'bedplate_data_copy'"
             : "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'bedplate_data_copy'";
  Result<std::int64_t> found = select_count(reader, text).run_without_waiting();
  if (!found) return std::unexpected(std::move(found.error()));
  if (*found == 0) return {};
  return fail(Category::conflict, "copy_unfinished",
              "The database holds only a part of what was being copied or restored into it. Give the same "
              "command again to go on, or begin with an empty database.");
}

}  // namespace bedplate::sql
