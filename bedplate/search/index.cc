// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "bedplate/base/text.h"
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

Index::Index(const Declaration& declaration, Dialect dialect) : declaration_(declaration), dialect_(dialect) {
  const std::string_view t = declaration_.name;
  const std::string names = columns("", ", ");
  std::string values;
  std::string updates;
  std::string bm25;
  int number = 3;
  for (const Field& field : declaration_.fields()) {
    values += fmt::format(", ${}", number++);
    updates += fmt::format("{0}{1} = excluded.{1}", updates.empty() ? "" : ", ", field.name);
    bm25 += fmt::format(", {}.0", kFts5Weights[number_of(field.weight)]);
  }
  remove_ = fmt::format("DELETE FROM {} WHERE {part} = $1 AND id = $2", t, fmt::arg("part", part()));
  remove_partition_ = fmt::format("DELETE FROM {} WHERE {part} = $1", t, fmt::arg("part", part()));
  if (dialect_ == Dialect::postgresql) {
    put_ = fmt::format(
        "INSERT INTO {0} ({part}, id, {1}, words) VALUES ($1, $2{2}, ${3}::tsvector) "
        "ON CONFLICT ({part}, id) DO UPDATE SET {4}, words = excluded.words",
        t, names, values, number, updates, fmt::arg("part", part()));
    score_ = "ts_rank_cd(words, {}::tsquery, 1)::float8";
    return;
  }
  put_ =
      fmt::format("INSERT INTO {0} ({part}, id, {1}) VALUES ($1, $2{2}) ON CONFLICT ({part}, id) DO NOTHING",
                  t, names, values, fmt::arg("part", part()));
  const std::string keyed = columns("$2 || ", ", ");
  const std::string keyed_of_one = columns("$3 || ", ", ");
  // The row that put_ has just made. VALUES and no SELECT: SQLite guards a statement of possibly many rows with a
  // savepoint of its own, and at each FTS5 writes out what it has gathered.
  std::string keyed_values;
  for (std::size_t i = 1; i <= declaration_.count; ++i) keyed_values += fmt::format(", ${}", i);
  index_ = fmt::format("INSERT INTO {0}_words (rowid, {1}) VALUES (last_insert_rowid(){2})", t, names,
                       keyed_values);
  // FTS5 without content takes words out when it is told the text that they came from.
  unindex_ = fmt::format(
      "INSERT INTO {0}_words ({0}_words, rowid, {1}) SELECT 'delete', number, {2} FROM {0} "
      "WHERE {part} = $1 AND id = $2",
      t, names, keyed_of_one, fmt::arg("part", part()));
  unindex_partition_ = fmt::format(
      "INSERT INTO {0}_words ({0}_words, rowid, {1}) SELECT 'delete', number, {2} FROM {0} WHERE {part} = $1",
      t, names, keyed, fmt::arg("part", part()));
  score_ = fmt::format("-bm25({0}_words{1})", t, bm25);
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
  if (dialect_ == Dialect::sqlite)
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
    words.add(key + std::string(text));
  }
  const std::int64_t added = co_await ok(tx.run(put_, row));
  if (added == 0) {  // there is one already
    co_await ok(remove(tx, document.partition, document.id));
    co_await ok(tx.run(put_, row));
  }
  co_await ok(tx.run(index_, words));
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
  co_await ok(tx.run(put_, params));
}

Async<void> Index::remove(sql::Transaction& tx, const Uuid& partition, const Uuid& id) const {
  if (dialect_ == Dialect::sqlite) {
    const std::string key = fts5_key(partition);
    co_await ok(tx.run(unindex_, partition, id, key));
  }
  co_await ok(tx.run(remove_, partition, id));
}

Async<void> Index::remove_partition(sql::Transaction& tx, const Uuid& partition) const {
  if (dialect_ == Dialect::sqlite) {
    const std::string key = fts5_key(partition);
    co_await ok(tx.run(unindex_partition_, partition, key));
  }
  co_await ok(tx.run(remove_partition_, partition));
}

// " FROM ... WHERE ...", for a query that is not empty. On SQLite the rows of a query that only excludes come without
// a rank.
std::string Index::from_matching(sql::Params& params, const Uuid& partition, const Query& query) const {
  const std::string_view t = declaration_.name;
  if (dialect_ == Dialect::postgresql) {
    const std::string key = params.add(partition);
    // The words say the partition too: its index would be read beside theirs for nothing. (What "IS TRUE" asks for is
    // not looked up in an index.) Where words are only excluded, it alone has what is left.
    const std::string in_partition =
        fmt::format(fmt::runtime(query.excludes_only() ? "{} = {}" : "({} = {}) IS TRUE"), part(), key);
    return fmt::format(" FROM {} WHERE {} AND words @@ {}::tsquery", t, in_partition,
                       params.add(tsquery(query, partition)));
  }
  const std::string expression = fts5_expression(query, partition);
  if (query.excludes_only()) {
    const std::string key = params.add(partition);
    return fmt::format(
        " FROM {0} WHERE {part} = {1} AND number NOT IN (SELECT rowid FROM {0}_words WHERE {0}_words "
        "MATCH {2})",
        t, key, params.add(expression), fmt::arg("part", part()));
  }
  // The partition once more, beside the expression: two locks on the door. CROSS: the words come first, whatever
  // the planner thinks of the rest.
  const std::string match = params.add(expression);
  return fmt::format(
      " FROM {0}_words CROSS JOIN {0} ON number = {0}_words.rowid WHERE {0}_words MATCH {1} AND {part} = {2}",
      t, match, params.add(partition), fmt::arg("part", part()));
}

std::string Index::matching(sql::Params& params, const Uuid& partition, const Query& query) const {
  if (query.empty()) return fmt::format("SELECT id FROM {} WHERE 1 = 0", declaration_.name);
  return "SELECT id" + from_matching(params, partition, query);
}

Async<void> Index::match(sql::Reader& db, sql::Where& where, sql::Column id, const Uuid& partition,
                         const Query& query) const {
  std::string all = matching(where.params(), partition, query);
  if (query.empty()) {
    where.among(id, all, all);
    co_return;
  }
  if (dialect_ == Dialect::postgresql) {
    const bool frequent = co_await ok(is_frequent(db, partition, query));
    const std::string newest =
        (frequent ? newest_matching(where.params(), partition, query) : all) + " ORDER BY id DESC";
    where.among(id, std::move(all), newest);
    co_return;
  }
  // Numbers are given as documents are written.
  const std::string order = query.excludes_only()
                                ? " ORDER BY id DESC"
                                : fmt::format(" ORDER BY {}_words.rowid DESC", declaration_.name);
  where.among(id, all, all + order);
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
  if (dialect_ == Dialect::postgresql)
    score = fmt::format(fmt::runtime(score_), params.add(tsquery(query, partition)));
  else if (!query.excludes_only())
    score = score_;
  std::string text = "SELECT id, " + score + " AS score" + from_matching(params, partition, query);
  text += " ORDER BY score DESC, id LIMIT " + params.add(page.limit);
  text += " OFFSET " + params.add(page.offset);
  std::vector<Hit> hits = co_await ok(db.all<Hit>(text, params));
  co_return hits;
}

Async<std::int64_t> Index::count(sql::Reader& db, const Uuid& partition, const Query& query) const {
  if (query.empty()) co_return 0;
  sql::Params params;
  std::string text = "SELECT count(*)" + from_matching(params, partition, query);
  std::int64_t count = co_await ok(db.value<std::int64_t>(text, params));
  co_return count;
}

std::string Index::schema() const {
  const std::string_view t = declaration_.name;
  const std::string texts = columns("  ", " TEXT NOT NULL,\n");
  if (dialect_ == Dialect::postgresql)
    return fmt::format(
               "CREATE TABLE {0} (\n  {part} uuid NOT NULL,\n  id uuid NOT NULL,\n{1} TEXT NOT NULL,\n"
               "  words tsvector NOT NULL,\n  PRIMARY KEY ({part}, id)\n);\n"
               // Without a list of pending entries: a search never has to read through one.
               "CREATE INDEX {0}_words ON {0} USING gin (words) WITH (fastupdate = off);\n",
               t, texts, fmt::arg("part", part())) +
           (declaration_.partition_by == PartitionBy::tenant ? sql::tenant_policy(t) : "");
  return fmt::format(
      "CREATE TABLE {0} (\n  number INTEGER PRIMARY KEY,\n  {part} BLOB NOT NULL,\n  id BLOB NOT NULL,\n"
      "{1} TEXT NOT NULL,\n  UNIQUE ({part}, id)\n);\n"
      "CREATE VIRTUAL TABLE {0}_words USING fts5({2}, content='', tokenize='bedplate {3} partitioned');\n",
      t, texts, columns("", ", "), analysis::name_of(declaration_.language), fmt::arg("part", part()));
}

std::string Index::schema_down() const {
  const std::string_view t = declaration_.name;
  if (dialect_ == Dialect::postgresql) return fmt::format("DROP TABLE {};\n", t);
  return fmt::format("DROP TABLE {0}_words;\nDROP TABLE {0};\n", t);
}

}  // namespace bedplate::search
