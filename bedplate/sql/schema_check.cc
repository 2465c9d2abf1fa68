// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/schema_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "bedplate/sql/migration_words.h"

namespace bedplate::sql {
namespace {

std::string_view word_of(SqlForm form) {
  switch (form) {
    case SqlForm::decimal:
      return "decimal";
    case SqlForm::date:
      return "date";
    case SqlForm::integer:
      return "integer";
    case SqlForm::blob:
      return "bytes";
    case SqlForm::text:
      break;
  }
  return "text";
}

std::string_view word_of(const TypeInfo& type) {
  switch (type.value_type().kind) {
    case Kind::boolean:
      return "bool";
    case Kind::integer:
      return "integer";
    case Kind::real:
      return "real";
    case Kind::uuid:
      return "uuid";
    case Kind::time:
      return "time";
    case Kind::string:
    case Kind::enumeration:
      return "text";
    case Kind::scalar:
      return word_of(type.value_type().scalar->sql);
    default:
      return "json";
  }
}

DescribedColumn column_of(std::string_view name, const TypeInfo& type) {
  return {.name = name,
          .type = &type,
          .word = word_of(type),
          .nullable = type.kind == bedplate::Kind::optional || type.kind == bedplate::Kind::patch};
}

/// What of other types than the word's own a column may be, in lower case.
struct Fitting {
  std::string_view word, sqlite, postgresql;
};
constexpr Fitting kFitting[] = {
    {"uuid", "blob", "uuid"},
    {"time", "integer int bigint", "timestamp with time zone"},
    {"json", "text", "jsonb|json|text"},
    {"text", "text", "text|character varying|character"},
    {"bytes", "blob", "bytea"},
    {"bool", "integer int boolean", "boolean|bigint|integer|smallint"},
    {"integer", "integer int bigint", "bigint|integer|smallint"},
    {"real", "real", "double precision|real"},
    {"decimal", "text", "numeric|text"},
    {"date", "text", "date|text"},
};

bool is_among(std::string_view list, std::string_view type, char separator) {
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(separator, at), list.size());
    if (list.substr(at, end - at) == type) return true;
    at = end + 1;
  }
  return false;
}

std::string words(std::string_view word, bool nullable, Dialect dialect) {
  const auto text = expand_migration_words(fmt::format("{{{}}}", word), dialect);
  std::string type = text ? *text : std::string(word);
  if (const std::size_t collation = type.find(" COLLATE"); collation != std::string::npos)
    type.resize(collation);
  return type + (nullable ? "" : " NOT NULL");
}

std::string words(const CatalogueColumn& column) {
  return column.type + (column.not_null ? " NOT NULL" : "") + (column.generated ? " GENERATED" : "");
}

std::string joined(std::span<const std::string> names) {
  return fmt::format("({})", fmt::join(names, ", "));
}

/// The findings of one table.
class Comparison {
 public:
  using What = SchemaFinding::Kind;
  Comparison(const TableInfo& described, const CatalogueTable& found, Dialect dialect)
      : described_(described), found_(found), dialect_(dialect) {}

  std::vector<SchemaFinding> run() {
    const std::vector<DescribedColumn> columns = columns_of(described_);
    for (const DescribedColumn& column : columns) compare_column(column);
    for (const CatalogueColumn& column : found_.columns)
      if (std::ranges::find(columns, column.name, &DescribedColumn::name) == columns.end())
        add(What::extra_column, column.name, "nothing", words(column));
    const std::vector<std::string> key = primary_key_of(described_);
    if (key != found_.primary_key)
      add(What::key, "", "PRIMARY KEY " + joined(key),
          found_.primary_key.empty() ? "no primary key" : "PRIMARY KEY " + joined(found_.primary_key));
    for (const IndexInfo& index : described_.indexes()) compare_index(index);
    return std::move(findings_);
  }

 private:
  void add(What kind, std::string_view column, std::string expected, std::string found) {
    findings_.push_back(
        {kind, std::string(described_.name()), std::string(column), std::move(expected), std::move(found)});
  }
  void compare_column(const DescribedColumn& column) {
    const CatalogueColumn* found = found_.find(column.name);
    const std::string expected = words(column.word, column.nullable, dialect_);
    if (!found) return add(What::missing_column, column.name, expected, "nothing");
    if (!type_fits(column.word, found->type, dialect_))
      return add(What::type, column.name, expected, words(*found));
    if (column.generated != found->generated)
      return add(What::generated, column.name, expected + (column.generated ? " GENERATED" : ""),
                 words(*found));
    if (!column.generated && column.nullable == found->not_null)
      return add(What::null, column.name, expected, words(*found));
    if (column.given && !found->has_default)
      add(What::generated, column.name, expected + " with a default", words(*found));
  }
  void compare_index(const IndexInfo& index) {
    const CatalogueIndex* found = found_.find_index(index.name);
    const std::string unique = index.unique ? "UNIQUE INDEX " : "INDEX ";
    std::string expected = fmt::format("{}({})", unique, index.columns);
    if (!found) return add(What::index, index.name, std::move(expected), "nothing");
    std::string there = (found->unique ? "UNIQUE INDEX " : "INDEX ") + joined(found->columns);
    // Of an expression the catalogue has no name; what was described is believed.
    const bool named = std::ranges::none_of(found->columns, &std::string::empty);
    if (named && there != expected) add(What::index, index.name, std::move(expected), std::move(there));
  }

  const TableInfo& described_;
  const CatalogueTable& found_;
  const Dialect dialect_;
  std::vector<SchemaFinding> findings_;
};

}  // namespace

std::vector<DescribedColumn> columns_of(const TableInfo& table) {
  std::vector<DescribedColumn> columns;
  for (const OuterKey& key : table.outer_keys()) columns.push_back(column_of(key.name, *key.type));
  for (std::size_t i = 0; i < table.fields().size(); ++i) {
    const FieldInfo& field = table.fields()[i];
    columns.push_back(column_of(field.name(), *field.type));
    columns.back().field = &field;
    columns.back().given = table.database_gives(i);
  }
  for (const ExtraColumn& extra : table.extra_columns()) {
    columns.push_back(column_of(extra.name, *extra.type));
    columns.back().generated = extra.compute == nullptr;
    columns.back().is_computed = extra.compute != nullptr;
  }
  return columns;
}

std::vector<std::string> primary_key_of(const TableInfo& table) {
  std::vector<std::string> names;
  for (const OuterKey& key : table.outer_keys()) names.emplace_back(key.name);
  for (const std::uint8_t field : table.key_fields()) names.emplace_back(table.fields()[field].name());
  return names;
}

bool type_fits(std::string_view word, std::string_view type, Dialect dialect) {
  std::string lower(type);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const auto* fitting = std::ranges::find(kFitting, word, &Fitting::word);
  if (fitting == std::end(kFitting)) return false;
  return dialect == Dialect::sqlite ? is_among(fitting->sqlite, lower, ' ')
                                    : is_among(fitting->postgresql, lower, '|');
}

std::string SchemaFinding::text() const {
  if (kind == Kind::no_table) return fmt::format("table {}: it does not exist", table);
  const std::string_view what = kind == Kind::index ? "index" : "column";
  if (column.empty()) return fmt::format("table {}: expected {}, found {}", table, expected, found);
  return fmt::format("table {}, {} {}: expected {}, found {}", table, what, column, expected, found);
}

std::vector<SchemaFinding> compare(const TableInfo& described, const CatalogueTable* found, Dialect dialect) {
  if (!found)
    return {{SchemaFinding::Kind::no_table, std::string(described.name()), "", "the table", "nothing"}};
  return Comparison(described, *found, dialect).run();
}

Async<std::vector<SchemaFinding>> check_tables(Reader& db, std::span<const TableInfo* const> tables) {
  std::vector<SchemaFinding> findings;
  for (const TableInfo* table : tables) {
    const std::optional<CatalogueTable> found = co_await ok(read_catalogue(db, table->name()));
    std::ranges::move(compare(*table, found ? &*found : nullptr, db.dialect()), std::back_inserter(findings));
  }
  co_return findings;
}

}  // namespace bedplate::sql
