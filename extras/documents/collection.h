// SPDX-License-Identifier: Apache-2.0
// Collections of JSON documents, for data whose shape changes more often than a schema should.
//
//   struct Profile {
//     std::string color;
//     Size size;
//     std::vector<std::string> labels;
//     static consteval auto describe();
//   };
//
//   constexpr Declaration kProfiles("profiles", documents::Scope::tenant,
//                                   {{"color", FieldType::text, required}, {"width", FieldType::integer, "size.width"},
//                                    {"labels", FieldType::text_list}});
//
//   Collection<Profile> profiles(kProfiles, database.dialect());
//   Stored<Profile> made = co_await ok(profiles.insert(tx, id, profile, now));
//   co_await ok(profiles.replace(tx, id, changed, made.version, now));      // 412 when somebody else did meanwhile
//   Where where = profiles.where();
//   where.add(kColor, Compare::equal, color);                              // sql/query.h
//   PageOf<Stored<Profile>> page = co_await ok(profiles.list(db, where, request));
//
// A table of its own per collection, made by the application's migration (schema() prints the text for each engine).
// The document stands in one column, TEXT on SQLite and jsonb on PostgreSQL; each declared field is a column beside it,
// under an index: generated on PostgreSQL, written with the document on SQLite. So documents are queried as rows are,
// by declared fields only.
//
// - A field is declared later by a migration, without a document being touched: on PostgreSQL by adding the column, on
//   SQLite by adding it and `UPDATE profiles SET width = json_extract(body, '$.size.width')`.
// - What goes in is a described type: JSON from outside is read by its rules, every fault at once (insert_json). What
//   comes out may be older than the program: fields that it lacks keep their defaults, those that the program does not
//   know are passed over and, by a replace(), dropped. A document that no longer fits is Category::internal
//   `document_shape`, logged: a migration has been forgotten.
// - Every change counts the version; replace() and remove() may insist on one (Category::precondition_failed
//   `version_mismatch`).
// - Scope::tenant: rows carry the call's tenant and are guarded as sql/tenants.h says; a call without a tenant is
//   Category::forbidden `tenant_required`.
// - Bounded: kDocumentSizeMax bytes of JSON, kIndexedTextMax characters of an indexed text (Category::invalid
//   `check_violation`), kFieldsMax fields. U+0000 in a text is refused, for PostgreSQL has none: a fault of JSON from
//   outside (`invalid_character`), `text_invalid` of a body that was made here.
// - "Has this label" (contains()) has an index on both engines: GIN on PostgreSQL; on SQLite a table beside the
//   collection's, `profiles_labels`, which is kept in the transaction that writes the document. A list that is declared
//   later is filled there by its migration:
//   `INSERT INTO profiles_labels (tenant, value, id) SELECT DISTINCT tenant, l.value, p.id FROM profiles p,
//   json_each(body, '$.labels') l WHERE l.type = 'text'`.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/sql/query.h"
#include "bedplate/sql/session.h"

namespace bedplate::documents {

// What an operation over a collection may answer, and so declares.
inline constexpr ErrorCode kDocumentNotFound{Category::not_found, "document_not_found",
                                             "There is no such document."};
inline constexpr ErrorCode kDocumentTooLarge{Category::too_large, "document_too_large",
                                             "The document is too large to be stored."};
inline constexpr ErrorCode kTenantRequired{Category::forbidden, "tenant_required",
                                           "This is open to callers who act for a tenant."};
inline constexpr ErrorCode kSortField{Category::invalid, "sort_field", "Documents cannot be sorted so."};

inline constexpr std::size_t kFieldsMax = 16;
inline constexpr std::size_t kSortKeysMax = 2;
inline constexpr std::size_t kDocumentSizeMax = 1 << 20;
inline constexpr std::size_t kIndexedTextMax = 500;

enum class Scope : std::uint8_t {
  everyone,  ///< one collection for all
  tenant,    ///< each tenant has its own
};

enum class FieldType : std::uint8_t { text, integer, real, boolean, text_list };

/// The field is in every document. Pages are sorted by such fields.
struct Required {};
inline constexpr Required required;

namespace detail {
// Never defined: the name is what the compiler says.
void a_field_is_lower_case_letters_digits_and_underscores_and_a_path_is_such_names_with_dots();
void a_collection_has_at_most_16_fields();
constexpr bool is_path(std::string_view path, bool dots) {
  bool start = true;
  for (char c : path) {
    if (start ? (c < 'a' || c > 'z')
              : (c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') && !(dots && c == '.')))
      return false;
    start = c == '.';
  }
  return !start && path.size() <= 60;
}
}  // namespace detail

/// A field of the document that can be asked for: the name of its column, and where it is in the document.
struct Field {
  consteval Field() = default;
  consteval Field(std::string_view column, FieldType of, std::string_view at = {}, bool in_all = false)
      : name(column), path(at.empty() ? column : at), type(of), required(in_all) {
    if (!detail::is_path(name, false) || !detail::is_path(path, true))
      detail::a_field_is_lower_case_letters_digits_and_underscores_and_a_path_is_such_names_with_dots();
  }
  consteval Field(std::string_view column, FieldType of, Required) : Field(column, of, {}, true) {}
  consteval Field(std::string_view column, FieldType of, std::string_view at, Required)
      : Field(column, of, at, true) {}

  std::string_view name;
  std::string_view path;  ///< "size.width"
  FieldType type = FieldType::text;
  bool required = false;
};

struct Declaration {
  consteval Declaration(std::string_view table, Scope of, std::initializer_list<Field> fields)
      : name(table), scope(of) {
    if (!detail::is_path(table, false))
      detail::a_field_is_lower_case_letters_digits_and_underscores_and_a_path_is_such_names_with_dots();
    if (fields.size() > kFieldsMax) detail::a_collection_has_at_most_16_fields();
    for (const Field& field : fields) list[count++] = field;
  }
  constexpr std::span<const Field> fields() const { return {list.data(), count}; }
  const Field* find(std::string_view field) const;

  std::string_view name;
  Scope scope;
  std::array<Field, kFieldsMax> list{};
  std::size_t count = 0;
};

/// A document as it is stored.
struct StoredJson {
  Uuid id;
  std::int64_t version = 0;
  Time created_at{};
  Time updated_at{};
  std::string body;

  static consteval auto describe() {
    using namespace schema;
    return object<StoredJson>("A document.", {field<&StoredJson::id>(), field<&StoredJson::version>(),
                                              field<&StoredJson::created_at>(),
                                              field<&StoredJson::updated_at>(), field<&StoredJson::body>()});
  }
};

template <class T>
struct Stored {
  Uuid id;
  std::int64_t version = 0;
  Time created_at{};
  Time updated_at{};
  T body{};
};

/// The value of a sort key, or the id, where a page ended.
using KeyValue = std::variant<std::int64_t, std::string, Uuid>;

struct SortBy {
  std::string
      field;  ///< a declared one, text or integer, that is required; else Category::invalid `sort_field`
  bool descending = false;
};

struct PageRequest {
  static constexpr std::int64_t kLimitMax = 100;

  PageRequest() = default;
  explicit PageRequest(std::int64_t most) : limit(most) {}

  std::vector<SortBy> sort;                    ///< at most kSortKeysMax; then by id
  std::optional<std::vector<KeyValue>> after;  ///< `last` of the page before
  std::int64_t limit = 20;                     ///< 1 to kLimitMax
};

template <class Document>
struct PageOf {
  std::vector<Document> documents;
  bool more = false;           ///< there are documents after these
  std::vector<KeyValue> last;  ///< where this page ends, for the next one
};

/// What does not depend on the type of the documents. Use Collection.
class Table {
 public:
  Table(const Declaration& declaration, sql::Dialect dialect);

  Async<StoredJson> find(sql::Reader& db, const Uuid& id) const;
  Async<void> insert(sql::Transaction& tx, const Uuid& id, std::string_view body, Time now) const;
  /// The new version.
  Async<std::int64_t> replace(sql::Transaction& tx, const Uuid& id, std::string_view body,
                              const std::optional<std::int64_t>& version, Time now) const;
  Async<void> remove(sql::Transaction& tx, const Uuid& id, const std::optional<std::int64_t>& version) const;
  Async<PageOf<StoredJson>> list(sql::Reader& db, sql::Where& where, const PageRequest& request) const;
  Async<std::int64_t> count(sql::Reader& db, sql::Where& where) const;

  sql::Where where() const { return sql::Where(dialect_); }
  std::string contains(std::string_view field, const std::string& parameter) const;
  std::string schema() const;
  std::string schema_down() const;

 private:
  struct KeyedRow;

  std::string entries_of(const Field& field) const;
  Async<void> index_lists(sql::Transaction& tx, const Uuid& of, const Uuid& id, std::string_view body) const;
  Async<void> forget_lists(sql::Transaction& tx, const Uuid& of, const Uuid& id) const;
  Result<Uuid> owner(const sql::Reader& db) const;
  Result<void> bound(sql::Where& where, const sql::Reader& db) const;
  Result<std::vector<const Field*>> sort_fields(const PageRequest& request) const;
  Async<void> explain_miss(sql::Reader& db, const Uuid& owner, const Uuid& id) const;
  std::string column_of(const Field& field) const;

  const Declaration declaration_;
  const sql::Dialect dialect_;
  const std::string owner_column_;
  std::string find_;
  std::string exists_;
  std::string insert_;
  std::string replace_;
  std::string remove_;
  std::vector<std::string> forget_entries_;  // on SQLite, of each list
  std::vector<std::string> insert_entries_;
};

/// Category::too_large `document_too_large`.
Result<void> check_document_size(std::string_view json);
/// JSON of our own writing that can be stored: the last defence behind the rules of its type.
/// Category::too_large `document_too_large`, Category::invalid `text_invalid`.
Result<void> check_document(std::string_view json);
/// A document that does not fit its type any more; logged.
std::unexpected<Error> misshapen(std::string_view collection, const Uuid& id, const Error& why);

/// A collection of documents of one described type. Immutable: shared by all threads.
template <class T>
class Collection {
 public:
  Collection(const Declaration& declaration, sql::Dialect dialect)
      : name_(declaration.name), table_(declaration, dialect) {}

  /// Category::not_found `document_not_found`.
  Async<Stored<T>> find(sql::Reader& db, const Uuid& id) const {
    StoredJson stored = co_await ok(table_.find(db, id));
    Stored<T> document = co_await ok(read(stored));
    co_return document;
  }
  /// An id that is taken is sql::kUniqueViolation.
  Async<Stored<T>> insert(sql::Transaction& tx, const Uuid& id, const T& body, Time now) const {
    std::string json = co_await ok(write(body));
    co_await ok(table_.insert(tx, id, json, now));
    co_return Stored<T>{id, 1, now, now, body};
  }
  /// The same for JSON from outside, read by the rules of T.
  Async<Stored<T>> insert_json(sql::Transaction& tx, const Uuid& id, std::string_view json, Time now) const {
    T body = co_await ok(from_json<T>(json, outside()));
    Stored<T> document = co_await ok(insert(tx, id, body, now));
    co_return document;
  }
  /// Takes the place of what there is, if it has this version; without one, whatever it has. The new version.
  Async<std::int64_t> replace(sql::Transaction& tx, const Uuid& id, const T& body,
                              const std::optional<std::int64_t>& version, Time now) const {
    std::string json = co_await ok(write(body));
    std::int64_t now_at = co_await ok(table_.replace(tx, id, json, version, now));
    co_return now_at;
  }
  Async<void> remove(sql::Transaction& tx, const Uuid& id, const std::optional<std::int64_t>& version) const {
    co_await ok(table_.remove(tx, id, version));
  }

  /// For conditions on declared columns.
  sql::Where where() const { return table_.where(); }
  /// For Where::add_text(): a list holds the text of this parameter.
  std::string contains(std::string_view field, const std::string& parameter) const {
    return table_.contains(field, parameter);
  }
  Async<PageOf<Stored<T>>> list(sql::Reader& db, sql::Where& where, const PageRequest& request) const {
    PageOf<StoredJson> rows = co_await ok(table_.list(db, where, request));
    PageOf<Stored<T>> page;
    page.more = rows.more;
    page.last = std::move(rows.last);
    for (const StoredJson& row : rows.documents) {
      Result<Stored<T>> document = read(row);
      if (!document) co_return std::unexpected(std::move(document.error()));
      page.documents.push_back(std::move(*document));
    }
    co_return page;
  }
  Async<std::int64_t> count(sql::Reader& db, sql::Where& where) const {
    std::int64_t count = co_await ok(table_.count(db, where));
    co_return count;
  }

  std::string schema() const { return table_.schema(); }
  std::string schema_down() const { return table_.schema_down(); }

 private:
  static JsonLimits outside() {
    JsonLimits limits;
    limits.size_bytes_max = kDocumentSizeMax;
    return limits;
  }
  static Result<std::string> write(const T& body) {
    std::string json = to_json(body, View::stored);
    if (Result<void> fits = check_document(json); !fits) return std::unexpected(std::move(fits.error()));
    return json;
  }
  Result<Stored<T>> read(const StoredJson& row) const {
    JsonLimits limits;
    limits.view = View::stored;
    limits.ignore_unknown_fields = true;
    Result<T> body = from_json<T>(row.body, limits);
    if (!body) return misshapen(name_, row.id, body.error());
    return Stored<T>{row.id, row.version, row.created_at, row.updated_at, std::move(*body)};
  }

  std::string_view name_;
  Table table_;
};

}  // namespace bedplate::documents
