// SPDX-License-Identifier: Apache-2.0
#include "extras/documents/schema_collection.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "bedplate/base/text.h"
#include "bedplate/describe/faults.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/json_schema/json_tree.h"

namespace bedplate::documents {
namespace {

using bedplate::detail::Decimal;
using bedplate::detail::JsonNode;
using JsonKind = JsonNode::Kind;

const Decimal kIntegerMin(std::to_string(std::numeric_limits<std::int64_t>::min()));
const Decimal kIntegerMax(std::to_string(std::numeric_limits<std::int64_t>::max()));
/// What both engines keep; PostgreSQL's numbers end somewhat later.
const Decimal kNumberMax("1e300");
const Decimal kNumberMin("-1e300");
constexpr std::int64_t kPlacesMax = 1000;

/// Null when it is not there, or null.
const JsonNode* find_value(const JsonNode& document, std::string_view path) {
  const JsonNode* at = &document;
  while (at != nullptr && !path.empty()) {
    const std::string_view name = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    at = at->find(name);
  }
  return at == nullptr || at->kind == JsonKind::null ? nullptr : at;
}

/// What is wrong with the value of a field, or nothing.
const char* mismatch(FieldType type, const JsonNode& value) {
  switch (type) {
    case FieldType::text:
      return value.kind == JsonKind::string ? nullptr : "must be a text";
    case FieldType::integer: {
      const bool fits = value.kind == JsonKind::number && value.number.is_whole() &&
                        value.number >= kIntegerMin && value.number <= kIntegerMax;
      return fits ? nullptr : "must be a whole number of 64 bits";
    }
    case FieldType::real:
      return value.kind == JsonKind::number ? nullptr : "must be a number";
    case FieldType::boolean:
      return value.kind == JsonKind::boolean ? nullptr : "must be true or false";
    case FieldType::text_list: {
      const bool fits =
          value.kind == JsonKind::array &&
          std::ranges::all_of(value.items, [](const JsonNode& n) { return n.kind == JsonKind::string; });
      return fits ? nullptr : "must be a list of texts";
    }
  }
  return nullptr;
}

bool numbers_can_be_stored(const JsonNode& node) {
  if (node.kind == JsonKind::number)
    return node.number <= kNumberMax && node.number >= kNumberMin && node.number.places() <= kPlacesMax;
  return std::ranges::all_of(node.items, numbers_can_be_stored) &&
         std::ranges::all_of(node.members, [](const auto& m) { return numbers_can_be_stored(m.value); });
}

struct SchemaRow {
  std::int64_t version = 0;
  Uuid id;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<SchemaRow>("Which schema is in force",
                             {field<&SchemaRow::version>(), field<&SchemaRow::id>()});
  }
};

std::string pointer_of(const Field& field) {
  std::string pointer = "/" + std::string(field.path);
  std::ranges::replace(pointer, '.', '/');
  return pointer;
}

Stored<Json> from_row(const StoredJson& row) {
  return {row.id, row.version, row.created_at, row.updated_at, Json::from_writer(row.body)};
}

/// The faults of both, the schema's first; of one place once.
Result<void> joined(Result<void> schema, Result<void> fields) {
  if (schema || schema.error().code() != "validation_failed")
    return schema ? std::move(fields) : std::move(schema);
  if (fields || fields.error().code() != "validation_failed") return schema;
  std::vector<Fault> all = schema.error().faults();
  for (const Fault& fault : fields.error().faults())
    if (std::ranges::find(all, fault.pointer, &Fault::pointer) == all.end()) all.push_back(fault);
  return std::unexpected(std::move(schema.error()).with_faults(std::move(all), schema.error().more_faults()));
}

}  // namespace

SchemaCollection::SchemaCollection(const Declaration& declaration, sql::Dialect dialect)
    : declaration_(declaration),
      dialect_(dialect),
      table_(declaration, dialect),
      schemas_(std::string(declaration.name) + "_schemas"),
      latest_(fmt::format("SELECT coalesce(max(version), 0) FROM {}", schemas_)),
      in_force_(fmt::format("SELECT version, id FROM {} ORDER BY version DESC LIMIT 1", schemas_)),
      text_of_(fmt::format("SELECT text FROM {} WHERE version = $1", schemas_)),
      insert_schema_(
          fmt::format("INSERT INTO {} (version, id, text, created_at) VALUES ($1, $2, $3, $4)", schemas_)) {}

Async<std::int64_t> SchemaCollection::declare(sql::Transaction& tx, std::string_view schema, Time now) const {
  co_await ok(JsonSchema::compile(schema));
  const std::int64_t latest = co_await ok(tx.value<std::int64_t>(latest_));
  const std::int64_t number = latest + 1;
  co_await ok(tx.run(insert_schema_, number, new_uuid(), schema, now));
  co_return number;
}

// Which it is is asked each time, for another replica may have declared another; the text only when it is new. The
// number alone would not tell: what a transaction that was rolled back had declared has the number of the next one.
Async<JsonSchema> SchemaCollection::current(sql::Reader& db) const {
  const std::optional<SchemaRow> row = co_await ok(db.maybe<SchemaRow>(in_force_));
  if (!row) co_await fail(Category::conflict, "schema_missing", "The collection has no schema yet.");
  {
    const std::lock_guard lock(mutex_);
    if (known_ && known_->id == row->id) co_return known_->schema;
  }
  const std::string text = co_await ok(db.value<std::string>(text_of_, row->version));
  JsonSchema schema = co_await ok(JsonSchema::compile(text));
  auto made = std::make_shared<const Version>(Version{row->id, schema});
  {
    const std::lock_guard lock(mutex_);
    known_ = std::move(made);
  }
  co_return schema;
}

Result<void> SchemaCollection::check_fields(std::string_view json) const {
  Result<JsonNode> document = bedplate::detail::parse_json_tree(json, JsonSchema::kDepthMax);
  if (!document) return std::unexpected(std::move(document.error()));
  Faults faults;
  Json ignored;  // what is read is the characters, which have rules that no schema states
  if (Result<void> read = read_json(json, type_of<Json>(), &ignored, faults); !read) return read;
  if (!numbers_can_be_stored(*document)) faults.add("", "too_large", "holds a number that cannot be stored");
  for (const Field& field : declaration_.fields()) {
    const JsonNode* value = find_value(*document, field.path);
    if (value == nullptr) {
      if (field.required) faults.add(pointer_of(field), "required", "is required");
      continue;
    }
    const char* wrong = mismatch(field.type, *value);
    if (wrong != nullptr) faults.add(pointer_of(field), "wrong_type", wrong);
    if (field.type == FieldType::text && count_code_points(value->string) > kIndexedTextMax)
      faults.add(pointer_of(field), "too_long",
                 fmt::format("must have at most {} characters", kIndexedTextMax));
  }
  if (!faults.empty()) return std::unexpected(std::move(faults).to_error());
  return {};
}

Async<void> SchemaCollection::check(sql::Reader& db, std::string_view json) const {
  co_await ok(check_document_size(json));
  const JsonSchema schema = co_await ok(current(db));
  co_await ok(joined(schema.check(json), check_fields(json)));
}

Async<Stored<Json>> SchemaCollection::find(sql::Reader& db, const Uuid& id) const {
  const StoredJson row = co_await ok(table_.find(db, id));
  co_return from_row(row);
}

Async<Stored<Json>> SchemaCollection::insert(sql::Transaction& tx, const Uuid& id, std::string_view json,
                                             Time now) const {
  co_await ok(check(tx, json));
  co_await ok(table_.insert(tx, id, json, now));
  co_return Stored<Json>{id, 1, now, now, Json::from_writer(std::string(trim(json)))};
}

Async<std::int64_t> SchemaCollection::replace(sql::Transaction& tx, const Uuid& id, std::string_view json,
                                              const std::optional<std::int64_t>& version, Time now) const {
  co_await ok(check(tx, json));
  const std::int64_t made = co_await ok(table_.replace(tx, id, json, version, now));
  co_return made;
}

Async<void> SchemaCollection::remove(sql::Transaction& tx, const Uuid& id,
                                     const std::optional<std::int64_t>& version) const {
  co_await ok(table_.remove(tx, id, version));
}

Async<PageOf<Stored<Json>>> SchemaCollection::list(sql::Reader& db, sql::Where& where,
                                                   const PageRequest& request) const {
  PageOf<StoredJson> rows = co_await ok(table_.list(db, where, request));
  PageOf<Stored<Json>> page;
  page.more = rows.more;
  page.last = std::move(rows.last);
  for (const StoredJson& row : rows.documents) page.documents.push_back(from_row(row));
  co_return page;
}

Async<std::int64_t> SchemaCollection::count(sql::Reader& db, sql::Where& where) const {
  const std::int64_t counted = co_await ok(table_.count(db, where));
  co_return counted;
}

Async<MisfitPage> SchemaCollection::misfits(sql::Reader& db, const JsonSchema& schema,
                                            const std::optional<std::vector<KeyValue>>& after) const {
  PageRequest request(PageRequest::kLimitMax);
  request.after = after;
  sql::Where all = where();
  PageOf<StoredJson> rows = co_await ok(table_.list(db, all, request));
  MisfitPage page;
  page.more = rows.more;
  page.last = std::move(rows.last);
  for (const StoredJson& row : rows.documents) {
    const Result<void> fits = joined(schema.check(row.body), check_fields(row.body));
    if (!fits) page.misfits.push_back({row.id, fits.error().faults()});
  }
  co_return page;
}

std::string SchemaCollection::schema() const {
  const bool postgresql = dialect_ == sql::Dialect::postgresql;
  return table_.schema() +
         fmt::format(
             "CREATE TABLE {} (\n  version {} PRIMARY KEY,\n  id {} NOT NULL,\n  text {} NOT NULL,\n  "
             "created_at {} NOT NULL\n);\n",
             schemas_, postgresql ? "bigint" : "INTEGER", postgresql ? "uuid" : "BLOB",
             postgresql ? "text" : "TEXT", postgresql ? "timestamptz" : "INTEGER");
}

std::string SchemaCollection::schema_down() const {
  return table_.schema_down() + fmt::format("DROP TABLE {};\n", schemas_);
}

}  // namespace bedplate::documents
