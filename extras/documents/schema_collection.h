// SPDX-License-Identifier: Apache-2.0
// Collections whose shape is a JSON Schema, given while the program runs and changed while there are documents. Where
// the shape is known when the program is compiled, use Collection: it is checked by the compiler and reads faster.
//
//   constexpr Declaration kForms("forms", Scope::tenant, {{"kind", FieldType::text, required}});
//   SchemaCollection forms(kForms, database.dialect());               // migration: forms.schema()
//   std::int64_t version = co_await ok(forms.declare(tx, schema_text, now));      // 1, 2, ... (json_schema.h)
//   Stored<Json> made = co_await ok(forms.insert(tx, id, json, now));
//
// The versions of the schema are rows beside the documents (`forms_schemas`), the last one is in force: a document is
// checked against it in the transaction that writes it, so on every replica, from the commit of declare() on, nothing
// is written that does not fit. What is declared as a field must have its type too, whatever the schema says; every
// fault is reported at once.
//
// A new version touches no document that is there. They are read as they are, and must fit from their next replace()
// on. Which ones do not fit, misfits() says, before or after the schema is declared: whoever wants none declares it
// after there are none left, in a transaction that looks again.
//
// Without a schema nothing is written: Category::conflict `schema_missing`. Limits are those of collection.h.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/describe/json/json_value.h"
#include "bedplate/describe/json_schema/json_schema.h"
#include "extras/documents/collection.h"

namespace bedplate::documents {

struct Misfit {
  Uuid id;
  std::vector<Fault> faults;
};

struct MisfitPage {
  std::vector<Misfit> misfits;  ///< of the documents that were looked at
  std::vector<KeyValue> last;   ///< where this page ends, for the next one
  bool more = false;            ///< there are documents after these
};

/// Shared by all threads.
class SchemaCollection {
 public:
  SchemaCollection(const Declaration& declaration, sql::Dialect dialect);

  /// Puts a version in force; its number. Category::invalid `schema_invalid` says what cannot be used. Two at once:
  /// one of them is sql::kUniqueViolation.
  Async<std::int64_t> declare(sql::Transaction& tx, std::string_view schema, Time now) const;
  /// What is in force.
  Async<JsonSchema> current(sql::Reader& db) const;

  /// Category::not_found `document_not_found`.
  Async<Stored<Json>> find(sql::Reader& db, const Uuid& id) const;
  /// An id that is taken is sql::kUniqueViolation.
  Async<Stored<Json>> insert(sql::Transaction& tx, const Uuid& id, std::string_view json, Time now) const;
  /// As Collection::replace().
  Async<std::int64_t> replace(sql::Transaction& tx, const Uuid& id, std::string_view json,
                              const std::optional<std::int64_t>& version, Time now) const;
  Async<void> remove(sql::Transaction& tx, const Uuid& id, const std::optional<std::int64_t>& version) const;

  sql::Where where() const { return table_.where(); }
  std::string contains(std::string_view field, const std::string& parameter) const {
    return table_.contains(field, parameter);
  }
  Async<PageOf<Stored<Json>>> list(sql::Reader& db, sql::Where& where, const PageRequest& request) const;
  Async<std::int64_t> count(sql::Reader& db, sql::Where& where) const;

  /// Those of the next PageRequest::kLimitMax documents, by id, that this schema does not take. `after` is `last` of
  /// the page before.
  Async<MisfitPage> misfits(sql::Reader& db, const JsonSchema& schema,
                            const std::optional<std::vector<KeyValue>>& after) const;

  std::string schema() const;
  std::string schema_down() const;

 private:
  struct Version {
    Uuid id;
    JsonSchema schema;
  };

  Async<void> check(sql::Reader& db, std::string_view json) const;
  Result<void> check_fields(std::string_view json) const;

  const Declaration declaration_;
  const sql::Dialect dialect_;
  const Table table_;
  const std::string schemas_;
  const std::string latest_;
  const std::string in_force_;
  const std::string text_of_;
  const std::string insert_schema_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Version> known_;  // the version that was in force lately
};

}  // namespace bedplate::documents
