// SPDX-License-Identifier: Apache-2.0
#include "extras/documents/collection.h"

#include <fmt/format.h>

#include <algorithm>

#include "bedplate/base/log.h"
#include "bedplate/base/text.h"
#include "bedplate/sql/tenants.h"

namespace bedplate::documents {
namespace {

using sql::Compare;
using sql::Dialect;

constexpr sql::Column kTenant("tenant");
constexpr sql::Column kPart("part");

constexpr std::string_view kSqliteTypes[] = {"TEXT", "INTEGER", "REAL", "INTEGER", "TEXT"};
constexpr std::string_view kPostgresTypes[] = {"text COLLATE \"C\"", "bigint", "float8", "boolean", "jsonb"};
constexpr std::string_view kPostgresCasts[] = {"", "::numeric::bigint", "::float8", "::boolean", ""};

std::size_t number_of(FieldType type) {
  return static_cast<std::size_t>(type);
}

bool sorts(const Field& field) {
  return field.required && (field.type == FieldType::text || field.type == FieldType::integer);
}

}  // namespace

// A row of a list, with its sort keys as text.
struct Table::KeyedRow {
  Uuid id;
  std::int64_t version = 0;
  Time created_at{};
  Time updated_at{};
  std::string body;
  std::optional<std::string> key0;
  std::optional<std::string> key1;

  static consteval auto describe() {
    using namespace schema;
    return object<KeyedRow>("A document with its sort keys.",
                            {field<&KeyedRow::id>(), field<&KeyedRow::version>(),
                             field<&KeyedRow::created_at>(), field<&KeyedRow::updated_at>(),
                             field<&KeyedRow::body>(), field<&KeyedRow::key0>(), field<&KeyedRow::key1>()});
  }
};

const Field* Declaration::find(std::string_view field) const {
  const auto all = fields();
  auto found = std::ranges::find(all, field, &Field::name);
  return found == all.end() ? nullptr : &*found;
}

Table::Table(const Declaration& declaration, Dialect dialect)
    : declaration_(declaration),
      dialect_(dialect),
      owner_column_(declaration.scope == Scope::tenant ? "tenant" : "part") {
  const bool postgresql = dialect == Dialect::postgresql;
  const std::string_view t = declaration_.name;
  const std::string_view o = owner_column_;
  find_ =
      fmt::format("SELECT id, version, created_at, updated_at, {} AS body FROM {} WHERE {} = $1 AND id = $2",
                  postgresql ? "body::text" : "body", t, o);
  exists_ = fmt::format("SELECT count(*) FROM {} WHERE {} = $1 AND id = $2", t, o);
  // On PostgreSQL the fields' columns are generated. SQLite's readers do not trust a schema with functions in it, so
  // there they are written with the document.
  std::string columns;
  std::string values;
  std::string updates;
  for (const Field& field : declaration_.fields()) {
    if (postgresql) break;
    const std::string value = fmt::format("json_extract($4, '$.{}')", field.path);
    columns += fmt::format(", {}", field.name);
    values += ", " + value;
    updates += fmt::format(", {} = {}", field.name, value);
  }
  insert_ = fmt::format(
      "INSERT INTO {} ({}, id, version, created_at, updated_at, body{}) VALUES ($1, $2, 1, $3, $3, $4{}{})",
      t, o, columns, postgresql ? "::jsonb" : "", values);
  constexpr std::string_view kOfVersion = "(CAST($3 AS bigint) IS NULL OR version = $3)";
  replace_ = fmt::format(
      "UPDATE {} SET body = $4{}{}, version = version + 1, updated_at = $5 WHERE {} = $1 AND id = $2 AND {} "
      "RETURNING version",
      t, postgresql ? "::jsonb" : "", updates, o, kOfVersion);
  remove_ = fmt::format("DELETE FROM {} WHERE {} = $1 AND id = $2 AND {}", t, o, kOfVersion);
  for (const Field& field : declaration_.fields()) {
    if (postgresql || field.type != FieldType::text_list) continue;
    const std::string entries = entries_of(field);
    forget_entries_.push_back(fmt::format("DELETE FROM {} WHERE {} = $1 AND id = $2", entries, o));
    insert_entries_.push_back(
        fmt::format("INSERT INTO {} ({}, value, id) SELECT DISTINCT $1, value, $2 FROM json_each($3, '$.{}') "
                    "WHERE type = 'text'",
                    entries, o, field.path));
  }
}

// On SQLite: the table that finds documents by what a list of theirs holds.
std::string Table::entries_of(const Field& field) const {
  return fmt::format("{}_{}", declaration_.name, field.name);
}

Async<void> Table::index_lists(sql::Transaction& tx, const Uuid& of, const Uuid& id,
                               std::string_view body) const {
  for (const std::string& insert : insert_entries_) co_await ok(tx.run(insert, of, id, body));
}

Async<void> Table::forget_lists(sql::Transaction& tx, const Uuid& of, const Uuid& id) const {
  for (const std::string& forget : forget_entries_) co_await ok(tx.run(forget, of, id));
}

// Whose documents these are.
Result<Uuid> Table::owner(const sql::Reader& db) const {
  if (declaration_.scope == Scope::everyone) return Uuid{};
  if (!db.tenant()) return fail(kTenantRequired);
  return *db.tenant();
}

Result<void> Table::bound(sql::Where& where, const sql::Reader& db) const {
  Result<Uuid> of = owner(db);
  if (!of) return std::unexpected(std::move(of.error()));
  where.add(declaration_.scope == Scope::tenant ? kTenant : kPart, Compare::equal, *of);
  return where.check();
}

Async<StoredJson> Table::find(sql::Reader& db, const Uuid& id) const {
  Uuid of = co_await ok(owner(db));
  std::optional<StoredJson> found = co_await ok(db.maybe<StoredJson>(find_, of, id));
  if (!found) co_return fail(kDocumentNotFound);
  co_return std::move(*found);
}

Async<void> Table::insert(sql::Transaction& tx, const Uuid& id, std::string_view body, Time now) const {
  Uuid of = co_await ok(owner(tx));
  co_await ok(tx.run(insert_, of, id, now, body));
  co_await ok(index_lists(tx, of, id, body));
}

Async<std::int64_t> Table::replace(sql::Transaction& tx, const Uuid& id, std::string_view body,
                                   const std::optional<std::int64_t>& version, Time now) const {
  Uuid of = co_await ok(owner(tx));
  std::optional<std::int64_t> made =
      co_await ok(tx.maybe<std::int64_t>(replace_, of, id, version, body, now));
  if (!made) co_await ok(explain_miss(tx, of, id));
  co_await ok(forget_lists(tx, of, id));
  co_await ok(index_lists(tx, of, id, body));
  co_return *made;
}

Async<void> Table::remove(sql::Transaction& tx, const Uuid& id,
                          const std::optional<std::int64_t>& version) const {
  Uuid of = co_await ok(owner(tx));
  std::int64_t removed = co_await ok(tx.run(remove_, of, id, version));
  if (removed == 0) co_await ok(explain_miss(tx, of, id));
  co_await ok(forget_lists(tx, of, id));
}

// Always fails: a change met no row.
Async<void> Table::explain_miss(sql::Reader& db, const Uuid& of, const Uuid& id) const {
  std::int64_t there = co_await ok(db.value<std::int64_t>(exists_, of, id));
  if (there == 0) co_await fail(kDocumentNotFound);
  co_await fail(Category::precondition_failed, "version_mismatch", "The document has changed meanwhile.");
}

Result<std::vector<const Field*>> Table::sort_fields(const PageRequest& request) const {
  std::vector<const Field*> fields;
  for (const SortBy& sort : request.sort) {
    const Field* field = declaration_.find(sort.field);
    if (!field || !sorts(*field) || std::ranges::find(fields, field) != fields.end()) return fail(kSortField);
    fields.push_back(field);
  }
  if (fields.size() > kSortKeysMax || (request.after && request.after->size() != fields.size() + 1))
    return fail(kSortField);
  return fields;
}

Async<PageOf<StoredJson>> Table::list(sql::Reader& db, sql::Where& where, const PageRequest& request) const {
  std::vector<const Field*> fields = co_await ok(sort_fields(request));
  const sql::TemporaryConditions added(where);
  co_await ok(bound(where, db));
  std::vector<sql::OrderKey> keys;
  std::string text = "SELECT id, version, created_at, updated_at, ";
  text += dialect_ == Dialect::postgresql ? "body::text AS body" : "body";
  for (std::size_t i = 0; i < kSortKeysMax; ++i) {
    const std::string expression =
        i < fields.size() ? fmt::format("CAST({} AS text)", fields[i]->name) : "NULL";
    text += fmt::format(", {} AS key{}", expression, i);
    if (i < fields.size()) keys.push_back({fields[i]->name, request.sort[i].descending});
  }
  keys.push_back({"id"});
  if (request.after) {
    std::vector<std::string> values;
    for (const KeyValue& value : *request.after)
      values.push_back(std::visit([&](const auto& held) { return where.params().add(held); }, value));
    where.add_text(sql::after(keys, values));
  }
  const std::int64_t limit = std::clamp<std::int64_t>(request.limit, 1, PageRequest::kLimitMax);
  text += fmt::format(" FROM {}{} ORDER BY {} LIMIT {}", declaration_.name, where.text(), sql::order_by(keys),
                      where.params().add(limit + 1));
  std::vector<KeyedRow> rows = co_await ok(db.all<KeyedRow>(text, where.params()));

  PageOf<StoredJson> page;
  page.more = static_cast<std::int64_t>(rows.size()) > limit;
  if (page.more) rows.pop_back();
  if (!rows.empty()) {
    const KeyedRow& last = rows.back();
    const std::optional<std::string>* texts[] = {&last.key0, &last.key1};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const std::string key = texts[i]->value_or("");
      if (fields[i]->type == FieldType::integer)
        page.last.emplace_back(parse_int(key).value_or(0));
      else
        page.last.emplace_back(key);
    }
    page.last.emplace_back(last.id);
  }
  for (KeyedRow& row : rows)
    page.documents.push_back({row.id, row.version, row.created_at, row.updated_at, std::move(row.body)});
  co_return page;
}

Async<std::int64_t> Table::count(sql::Reader& db, sql::Where& where) const {
  const sql::TemporaryConditions added(where);
  co_await ok(bound(where, db));
  std::string text = fmt::format("SELECT count(*) FROM {}{}", declaration_.name, where.text());
  std::int64_t count = co_await ok(db.value<std::int64_t>(text, where.params()));
  co_return count;
}

std::string Table::contains(std::string_view field, const std::string& parameter) const {
  const Field* declared = declaration_.find(field);
  if (!declared || declared->type != FieldType::text_list) {
    log_error("a query uses contains() on a field that is not a declared text list",
              {{"collection", declaration_.name}, {"field", field}});
    return fmt::format("CAST({} AS text) IS NULL AND 1 = 0", parameter);
  }
  if (dialect_ == Dialect::postgresql) return fmt::format("{} ? {}", declared->name, parameter);
  return fmt::format("({0}, id) IN (SELECT {0}, id FROM {1} WHERE value = {2})", owner_column_,
                     entries_of(*declared), parameter);
}

// The column of a field.
std::string Table::column_of(const Field& field) const {
  const std::size_t type = number_of(field.type);
  std::string column;
  if (dialect_ == Dialect::postgresql) {
    std::string path(field.path);
    std::ranges::replace(path, '.', ',');
    column = fmt::format("{} {} GENERATED ALWAYS AS ((body {} '{{{}}}'){}) STORED", field.name,
                         kPostgresTypes[type], field.type == FieldType::text_list ? "#>" : "#>>", path,
                         kPostgresCasts[type]);
  } else {
    column = fmt::format("{} {}", field.name, kSqliteTypes[type]);
  }
  if (field.required) column += " NOT NULL";
  if (field.type == FieldType::text)
    column += fmt::format(" CHECK (length({}) <= {})", field.name, kIndexedTextMax);
  return column;
}

std::string Table::schema() const {
  const bool postgresql = dialect_ == Dialect::postgresql;
  const std::string_view t = declaration_.name;
  const std::string_view id = postgresql ? "uuid" : "BLOB";
  const std::string_view integer = postgresql ? "bigint" : "INTEGER";
  const std::string_view time = postgresql ? "timestamptz" : "INTEGER";
  std::string text = fmt::format(
      "CREATE TABLE {0} (\n  {1} {2} NOT NULL,\n  id {2} NOT NULL,\n  version {3} NOT NULL,\n"
      "  created_at {4} NOT NULL,\n  updated_at {4} NOT NULL,\n  body {5},\n",
      t, owner_column_, id, integer, time, postgresql ? "jsonb NOT NULL" : "TEXT NOT NULL");
  for (const Field& field : declaration_.fields()) text += "  " + column_of(field) + ",\n";
  text += fmt::format("  PRIMARY KEY ({}, id)\n);\n", owner_column_);
  for (const Field& field : declaration_.fields()) {
    if (field.type != FieldType::text_list)
      text += fmt::format("CREATE INDEX {0}_{1} ON {0} ({2}, {1}, id);\n", t, field.name, owner_column_);
    else if (postgresql)
      // Without the list of pending entries, which every query would have to read to its end.
      text += fmt::format("CREATE INDEX {0}_{1} ON {0} USING gin ({1}) WITH (fastupdate = off);\n", t,
                          field.name);
    else
      text += fmt::format(
          "CREATE TABLE {0} ({1} BLOB NOT NULL, value TEXT NOT NULL, id BLOB NOT NULL,\n"
          "  PRIMARY KEY (value, {1}, id)) WITHOUT ROWID;\nCREATE INDEX {0}_id ON {0} ({1}, id);\n",
          entries_of(field), owner_column_);
  }
  if (postgresql && declaration_.scope == Scope::tenant) text += sql::tenant_policy(t);
  return text;
}

std::string Table::schema_down() const {
  std::string text = fmt::format("DROP TABLE {};\n", declaration_.name);
  for (const Field& field : declaration_.fields())
    if (dialect_ == Dialect::sqlite && field.type == FieldType::text_list)
      text += fmt::format("DROP TABLE {};\n", entries_of(field));
  return text;
}

Result<void> check_document_size(std::string_view json) {
  if (json.size() > kDocumentSizeMax) return fail(kDocumentTooLarge);
  return {};
}

Result<void> check_document(std::string_view json) {
  if (Result<void> fits = check_document_size(json); !fits) return fits;
  // In JSON of our own writing a NUL is "\u0000", and a backslash before it would be two.
  for (std::size_t at = 0; (at = json.find('\\', at)) != std::string_view::npos; at += 2)
    if (json.substr(at).starts_with("\\u0000"))
      return fail(Category::invalid, "text_invalid", "A text holds the character U+0000.");
  return {};
}

std::unexpected<Error> misshapen(std::string_view collection, const Uuid& id, const Error& why) {
  std::string faults;
  for (const Fault& fault : why.faults()) faults += fault.pointer + " " + fault.code + "; ";
  log_error("a stored document does not fit its type",
            {{"collection", collection}, {"id", id.to_string()}, {"code", why.code()}, {"faults", faults}});
  return fail(Category::internal, "document_shape", "The server met an unexpected fault.");
}

}  // namespace bedplate::documents
