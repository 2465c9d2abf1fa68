// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/describe/any_row.h"
#include "bedplate/search/fts5_tokenizer.h"
#include "bedplate/search/terms.h"
#include "bedplate/sql/tenants.h"

namespace bedplate::search {
namespace {

using sql::Dialect;

constexpr int kFts5Weights[] = {10, 4, 2, 1};
constexpr std::int64_t kSampleSize = 200;  // texts that say how frequent a word is
constexpr char kTsVectorWeights[] = {'A', 'B', 'C', 'D'};

std::size_t number_of(Weight weight) {
  return static_cast<std::size_t>(weight);
}

// $1 and $2: the id and the partition behind which it goes on.
std::string select_source(const Declaration& declaration, const std::string& texts) {
  const Source& from = declaration.source;
  if (from.partition.empty())
    return fmt::format("SELECT {0}, {1} FROM {2} WHERE {0} > $1 ORDER BY {0} LIMIT 200", from.id, texts,
                       from.table);
  return fmt::format("SELECT {1}, {2}, {0} FROM {3} WHERE ({0}, {1}) > ($2, $1) ORDER BY {0}, {1} LIMIT 200",
                     from.partition, from.id, texts, from.table);
}

Uuid uuid_in(const ColumnValue& value) {
  Uuid id;
  if (value.bytes.size() == id.bytes.size())
    std::memcpy(id.bytes.data(), value.bytes.data(), id.bytes.size());
  return id;
}

}  // namespace

HitPage::HitPage(std::int64_t most, std::int64_t skip)
    : limit(std::clamp<std::int64_t>(most, 1, kLimitMax)),
      offset(std::clamp<std::int64_t>(skip, 0, kOffsetMax)) {}

// "title, body": each name with `before` in front.
std::string Index::columns(std::string_view before, std::string_view separator) const {
  std::string text;
  for (const Field& field : declaration_.fields()) {
    if (!text.empty()) text += separator;
    text.append(before).append(field.name);
  }
  return text;
}

Index::Index(const Declaration& declaration)
    : declaration_(declaration),
      sqlite_(sqlite_texts()),
      postgresql_(postgresql_texts()),
      remove_(fmt::format("DELETE FROM {} WHERE {} = $1 AND id = $2", declaration.name, part())),
      remove_partition_(fmt::format("DELETE FROM {} WHERE {} = $1", declaration.name, part())),
      select_source_(select_source(declaration, columns("", ", "))) {}

Index::Texts Index::postgresql_texts() const {
  std::string values;
  std::string updates;
  int number = 3;
  for (const Field& field : declaration_.fields()) {
    values += fmt::format(", ${}", number++);
    updates += fmt::format("{0}{1} = excluded.{1}", updates.empty() ? "" : ", ", field.name);
  }
  Texts texts;
  texts.put = fmt::format(
      "INSERT INTO {0} ({part}, id, {1}, words) VALUES ($1, $2{2}, ${3}::tsvector) "
      "ON CONFLICT ({part}, id) DO UPDATE SET {4}, words = excluded.words",
      declaration_.name, columns("", ", "), values, number, updates, fmt::arg("part", part()));
  texts.score = "ts_rank_cd(words, {}::tsquery, 1)::float8";
  return texts;
}

Index::Texts Index::sqlite_texts() const {
  const std::string_view t = declaration_.name;
  const std::string names = columns("", ", ");
  std::string values;
  std::string bm25;
  int number = 3;
  for (const Field& field : declaration_.fields()) {
    values += fmt::format(", ${}", number++);
    bm25 += fmt::format(", {}.0", kFts5Weights[number_of(field.weight)]);
  }
  Texts texts;
  texts.put =
      fmt::format("INSERT INTO {0} ({part}, id, {1}) VALUES ($1, $2{2}) ON CONFLICT ({part}, id) DO NOTHING",
                  t, names, values, fmt::arg("part", part()));
  // The row that put has just made. VALUES and no SELECT: SQLite guards a statement of possibly many rows with a
  // savepoint of its own, and at each FTS5 writes out what it has gathered.
  std::string keyed_values;
  for (std::size_t i = 1; i <= declaration_.count; ++i) keyed_values += fmt::format(", ${}", i);
  texts.index = fmt::format("INSERT INTO {0}_words (rowid, {1}) VALUES (last_insert_rowid(){2})", t, names,
                            keyed_values);
  // FTS5 without content takes words out when it is told the text that they came from.
  std::string keyed = columns("$3 || ", ", ");
  keyed.replace(0, 2, "$3 || char(29)");  // kPartitionTerm
  texts.unindex = fmt::format(
      "INSERT INTO {0}_words ({0}_words, rowid, {1}) SELECT 'delete', number, {2} FROM {0} "
      "WHERE {part} = $1 AND id = $2",
      t, names, keyed, fmt::arg("part", part()));
  texts.some_of_partition = fmt::format(
      "SELECT id FROM {0}_words CROSS JOIN {0} ON number = {0}_words.rowid WHERE {0}_words MATCH $1 AND "
      "{part} = $2 LIMIT 200",
      t, fmt::arg("part", part()));
  texts.score = fmt::format("-bm25({0}_words{1})", t, bm25);
  return texts;
}

// The texts as they are indexed.
Result<std::vector<std::string>> Index::read(const Document& document) const {
  if (document.texts.size() != declaration_.count)
    return fail(Category::internal, "search_document", "The server met an unexpected fault.");
  std::size_t size = 0;
  for (std::string_view text : document.texts) {
    size += text.size();
    if (!is_valid_utf8(text)) return fail(Category::invalid, "search_text", "A text is not UTF-8.");
  }
  if (size > kDocumentSizeMax)
    return fail(Category::too_large, "document_too_large", "The text is too long to be searched.");
  std::vector<std::string_view> fitting = document.texts;
  fit(declaration_.language, fitting);
  std::vector<std::string> texts(fitting.begin(), fitting.end());
  // PostgreSQL has no NUL in a text; no word has either.
  for (std::string& text : texts) std::ranges::replace(text, '\0', ' ');
  return texts;
}

Async<void> Index::put(sql::Transaction& tx, const Document& document) const {
  std::vector<std::string> texts = co_await ok(read(document));
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  if (tx.dialect() == Dialect::sqlite)
    co_await ok(put_sqlite(tx, document, views));
  else
    co_await ok(put_postgresql(tx, document, views));
}

Async<void> Index::put_sqlite(sql::Transaction& tx, const Document& document,
                              std::span<const std::string_view> texts) const {
  const std::string key = fts5_key(document.partition);
  sql::Params row;
  sql::Params words;
  row.add(document.partition);
  row.add(document.id);
  for (std::string_view text : texts) {
    row.add(text);
    words.add((words.size() == 0 ? key + kPartitionTerm : key) + std::string(text));
  }
  const std::int64_t added = co_await ok(tx.run(sqlite_.put, row));
  if (added == 0) {  // there is one already
    co_await ok(remove(tx, document.partition, document.id));
    co_await ok(tx.run(sqlite_.put, row));
  }
  co_await ok(tx.run(sqlite_.index, words));
}

Async<void> Index::put_postgresql(sql::Transaction& tx, const Document& document,
                                  std::span<const std::string_view> texts) const {
  TsVectorWriter words(declaration_.language, document.partition);
  sql::Params params;
  params.add(document.partition);
  params.add(document.id);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    params.add(texts[i]);
    words.add(texts[i], kTsVectorWeights[number_of(declaration_.list[i].weight)]);
  }
  params.add(words.take());
  co_await ok(tx.run(postgresql_.put, params));
}

Async<void> Index::remove(sql::Transaction& tx, const Uuid& partition, const Uuid& id) const {
  if (tx.dialect() == Dialect::sqlite) {
    const std::string key = fts5_key(partition);
    co_await ok(tx.run(sqlite_.unindex, partition, id, key));
  }
  co_await ok(tx.run(remove_, partition, id));
}

// On SQLite its texts are found by its words: an index that begins with the partition would cost each put() a page of
// the log more.
Async<void> Index::remove_partition(sql::Transaction& tx, const Uuid& partition) const {
  if (tx.dialect() == Dialect::postgresql) {
    co_await ok(tx.run(remove_partition_, partition));
    co_return;
  }
  const std::string all = fts5_partition(partition);
  for (;;) {
    const std::vector<Uuid> ids = co_await ok(tx.all<Uuid>(sqlite_.some_of_partition, all, partition));
    if (ids.empty()) co_return;
    for (const Uuid& id : ids) co_await ok(remove(tx, partition, id));
  }
}

// " FROM ... WHERE ...", for a query that is not empty.
std::string Index::from_matching(Dialect dialect, sql::Params& params, const Uuid& partition,
                                 const Query& query) const {
  const std::string_view t = declaration_.name;
  if (dialect == Dialect::postgresql) {
    const std::string key = params.add(partition);
    // The words say the partition too: its index would be read beside theirs for nothing. (What "IS TRUE" asks for is
    // not looked up in an index.) Where words are only excluded, it alone has what is left.
    const std::string in_partition =
        fmt::format(fmt::runtime(query.excludes_only() ? "{} = {}" : "({} = {}) IS TRUE"), part(), key);
    return fmt::format(" FROM {} WHERE {} AND words @@ {}::tsquery", t, in_partition,
                       params.add(tsquery(query, partition)));
  }
  // The partition once more, beside the expression: two locks on the door. CROSS: the words come first, whatever
  // the planner thinks of the rest.
  const std::string match = params.add(fts5_expression(query, partition));
  return fmt::format(
      " FROM {0}_words CROSS JOIN {0} ON number = {0}_words.rowid WHERE {0}_words MATCH {1} AND {part} = {2}",
      t, match, params.add(partition), fmt::arg("part", part()));
}

std::string Index::matching(Dialect dialect, sql::Params& params, const Uuid& partition,
                            const Query& query) const {
  if (query.empty()) return fmt::format("SELECT id FROM {} WHERE 1 = 0", declaration_.name);
  return "SELECT id" + from_matching(dialect, params, partition, query);
}

Async<void> Index::match(sql::Reader& db, sql::Where& where, sql::Column id, const Uuid& partition,
                         const Query& query) const {
  std::string all = matching(db.dialect(), where.params(), partition, query);
  if (query.empty()) {
    where.among(id, all, all);
    co_return;
  }
  if (db.dialect() == Dialect::postgresql) {
    const bool frequent = co_await ok(is_frequent(db, partition, query));
    const std::string newest =
        (frequent ? newest_matching(where.params(), partition, query) : all) + " ORDER BY id DESC";
    where.among(id, std::move(all), newest);
    co_return;
  }
  // Numbers are given as documents are written.
  where.among(id, all, all + fmt::format(" ORDER BY {}_words.rowid DESC", declaration_.name));
}

// PostgreSQL's index has no order: of a word that half of all texts have, it reads every one. Then the texts themselves
// are read, the newest first, until there are enough. (What "IS TRUE" asks for is not looked up in an index.)
std::string Index::newest_matching(sql::Params& params, const Uuid& partition, const Query& query) const {
  const std::string key = params.add(partition);
  return fmt::format("SELECT id FROM {} WHERE {} = {} AND (words @@ {}::tsquery) IS TRUE", declaration_.name,
                     part(), key, params.add(tsquery(query, partition)));
}

Async<bool> Index::is_frequent(sql::Reader& db, const Uuid& partition, const Query& query) const {
  sql::Params params;
  const std::string key = params.add(partition);
  const std::string text = fmt::format(
      "SELECT count(*) FROM (SELECT words FROM {} WHERE {} = {} ORDER BY id DESC LIMIT {}) AS newest WHERE "
      "words @@ "
      "{}::tsquery",
      declaration_.name, part(), key, kSampleSize, params.add(tsquery(query, partition)));
  const std::int64_t matches = co_await ok(db.value<std::int64_t>(text, params));
  co_return matches >= kSampleSize / 2;
}

Async<std::vector<Hit>> Index::find(sql::Reader& db, const Uuid& partition, const Query& query,
                                    HitPage page) const {
  if (query.empty()) co_return std::vector<Hit>();
  sql::Params params;
  std::string score = "0.0";
  if (db.dialect() == Dialect::postgresql)
    score = fmt::format(fmt::runtime(postgresql_.score), params.add(tsquery(query, partition)));
  else if (!query.excludes_only())
    score = sqlite_.score;
  std::string text =
      "SELECT id, " + score + " AS score" + from_matching(db.dialect(), params, partition, query);
  text += " ORDER BY score DESC, id LIMIT " + params.add(page.limit);
  text += " OFFSET " + params.add(page.offset);
  std::vector<Hit> hits = co_await ok(db.all<Hit>(text, params));
  co_return hits;
}

Async<std::int64_t> Index::count(sql::Reader& db, const Uuid& partition, const Query& query) const {
  if (query.empty()) co_return 0;
  sql::Params params;
  std::string text = "SELECT count(*)" + from_matching(db.dialect(), params, partition, query);
  std::int64_t count = co_await ok(db.value<std::int64_t>(text, params));
  co_return count;
}

// ---- making it anew

/// A document of the source.
struct Index::Row {
  Uuid partition;
  Uuid id;
};

Async<std::optional<Index::Row>> Index::rebuild_some(sql::Transaction& tx, const Row& after) const {
  const bool parted = !declaration_.source.partition.empty();
  sql::Params behind;
  behind.add(after.id);
  if (parted) behind.add(after.partition);
  const std::vector<AnyRow> rows = co_await ok(tx.all<AnyRow>(select_source_, behind));
  std::optional<Row> last;
  for (const AnyRow& row : rows) {
    last = Row{parted ? uuid_in(row.values.back()) : kNoPartition, uuid_in(row.values.front())};
    std::vector<std::string_view> texts;
    for (std::size_t i = 1; i <= declaration_.count; ++i) texts.push_back(row.values[i].bytes);
    const Document document(last->partition, last->id, std::move(texts));
    co_await ok(put(tx, document));
  }
  co_return last;
}

Async<void> Index::rebuild(sql::Database& database) const {
  if (declaration_.source.table.empty())
    co_await fail(Category::internal, "search_source",
                  fmt::format("The search index {} does not say which table it is of.", declaration_.name));
  Row after;
  for (;;) {
    const std::optional<Row> last = co_await ok(database.transact(&Index::rebuild_some, *this, after));
    if (!last) co_return;
    after = *last;
  }
}

sql::DerivedTables derived(const Declaration& declaration) {
  auto index = std::make_shared<const Index>(declaration);
  const std::string name(declaration.name);
  std::vector<sql::DerivedTables::File> files;
  for (const auto& [dialect, engine] :
       {std::pair(Dialect::sqlite, "sqlite"), {Dialect::postgresql, "postgresql"}}) {
    files.push_back({fmt::format("0001_{}.{}.up.sql", name, engine), index->schema(dialect)});
    files.push_back({fmt::format("0001_{}.{}.down.sql", name, engine), index->schema_down(dialect)});
  }
  return sql::DerivedTables(name, {name}, std::move(files),
                            [index](sql::Database& database) { return index->rebuild(database); });
}

std::string Index::schema(Dialect dialect) const {
  const std::string_view t = declaration_.name;
  const std::string texts = columns("  ", " TEXT NOT NULL,\n");
  if (dialect == Dialect::postgresql)
    return fmt::format(
               "CREATE TABLE {0} (\n  {part} uuid NOT NULL,\n  id uuid NOT NULL,\n{1} TEXT NOT NULL,\n"
               "  words tsvector NOT NULL,\n  PRIMARY KEY ({part}, id)\n);\n"
               // Without a list of pending entries: a search never has to read through one.
               "CREATE INDEX {0}_words ON {0} USING gin (words) WITH (fastupdate = off);\n",
               t, texts, fmt::arg("part", part())) +
           (declaration_.partition_by == PartitionBy::tenant ? sql::tenant_policy(t) : "");
  // By id first, so by time: what is added together shares pages.
  return fmt::format(
      "CREATE TABLE {0} (\n  number INTEGER PRIMARY KEY,\n  {part} BLOB NOT NULL,\n  id BLOB NOT NULL,\n"
      "{1} TEXT NOT NULL,\n  UNIQUE (id, {part})\n);\n"
      "CREATE VIRTUAL TABLE {0}_words USING fts5({2}, content='', tokenize='bedplate {3} partitioned');\n",
      t, texts, columns("", ", "), analysis::name_of(declaration_.language), fmt::arg("part", part()));
}

std::string Index::schema_down(Dialect dialect) const {
  const std::string_view t = declaration_.name;
  if (dialect == Dialect::postgresql) return fmt::format("DROP TABLE {};\n", t);
  return fmt::format("DROP TABLE {0}_words;\nDROP TABLE {0};\n", t);
}

}  // namespace bedplate::search
