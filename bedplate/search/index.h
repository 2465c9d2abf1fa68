// SPDX-License-Identifier: Apache-2.0
// Index: a full-text index that an application declares, in its own database.
//
//   constexpr Declaration kNotes("notes_search", {{"title", Weight::highest}, {"body"}}, Language::english,
//                                Source{"notes", "owner", "id"});
//   app.derived(derived(kNotes));                             // in main(): its tables, and how to make it anew
//
//   Index index(kNotes);
//   co_await ok(index.put(tx, document));                     // in the transaction that writes the note
//   Query query = co_await ok(parse_query("milk -blue", kNotes.language));
//   std::vector<Hit> hits = co_await ok(index.find(db, owner, query, page));            // best first
//   co_await ok(index.match(db, where, kId, owner, query));   // a condition of a list (operations/paging/list.h)
//
// Two tables, named after the declaration, made by a migration of their own, which derived() brings. `notes_search`
// holds the texts of each document once more, so that a document can be taken out; with it go FTS5 on SQLite
// (`notes_search_words`) and a tsvector under a GIN index on PostgreSQL. One analyzer makes the words of both
// (analysis/analyzer.h), so both find the same; how they rank is their own: bm25() and ts_rank_cd().
//
// - A document belongs to a partition, mostly its owner or tenant. What is looked for is looked for in one
//   partition; another's words are not even read, also for beginnings of words ("a*").
// - put() and remove() are part of the caller's transaction: the index never knows more or less than the rows.
// - The first kDocumentWordsMax words of a document are indexed (terms.h), and documents of more than
//   kDocumentSizeMax bytes are refused: Category::too_large `document_too_large`. On PostgreSQL a phrase is looked
//   for in the first 255 places of each of its words.
// - When analysis::kAnalysisVersion or the language changes, the index is made anew: Index::rebuild(). After a copy
//   between databases that is done without being asked for.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/id.h"
#include "bedplate/describe/describe.h"
#include "bedplate/search/query.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/derived_tables.h"
#include "bedplate/sql/query.h"
#include "bedplate/sql/session.h"

namespace bedplate::search {

inline constexpr std::size_t kFieldsMax = 8;
inline constexpr std::size_t kDocumentSizeMax = 1 << 20;

/// How much a word counts in a field: 10, 4, 2 and 1 to each other (1, 0.4, 0.2, 0.1 on PostgreSQL).
enum class Weight : std::uint8_t { highest, high, normal, low };

struct Field {
  std::string_view name;  ///< a column: lower case letters, digits, underscores
  Weight weight = Weight::normal;
};

/// The partition of an index that has only one.
inline constexpr Uuid kNoPartition{};

namespace detail {
// Never defined: the name is what the compiler says.
void an_index_name_has_lower_case_letters_digits_and_underscores();
void an_index_has_one_to_eight_fields();
constexpr bool is_name(std::string_view name) {
  if (name.empty() || name.size() > 40 || name[0] < 'a' || name[0] > 'z') return false;
  for (char c : name)
    if (c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9')) return false;
  return true;
}
}  // namespace detail

/// What partitions an index.
enum class PartitionBy : std::uint8_t {
  any,     ///< whatever the application says: the owner, mostly
  tenant,  ///< the call's tenant: the table is a tenants' table, guarded as sql/tenants.h says
};

/// Where the documents are: a table with a column of each indexed field's name. For Index::rebuild().
struct Source {
  std::string_view table;
  std::string_view partition;  ///< the column with the partition; empty: kNoPartition
  std::string_view id;         ///< the column with the document's id; its key is (partition, id)
};

/// What an index is. Compile-time, so nothing from outside gets into the text of a statement.
struct Declaration {
  /// One whose documents are a table's rows.
  consteval Declaration(std::string_view table, std::initializer_list<Field> fields, Language of,
                        const Source& from)
      : Declaration(table, fields, of) {
    for (std::string_view column : {from.table, from.id})
      if (!detail::is_name(column)) detail::an_index_name_has_lower_case_letters_digits_and_underscores();
    source = from;
  }
  consteval Declaration(std::string_view table, std::initializer_list<Field> fields, Language of,
                        PartitionBy by = PartitionBy::any)
      : name(table), language(of), partition_by(by) {
    if (!detail::is_name(table)) detail::an_index_name_has_lower_case_letters_digits_and_underscores();
    if (fields.size() == 0 || fields.size() > kFieldsMax) detail::an_index_has_one_to_eight_fields();
    for (const Field& field : fields) {
      if (!detail::is_name(field.name)) detail::an_index_name_has_lower_case_letters_digits_and_underscores();
      list[count++] = field;
    }
  }
  constexpr std::span<const Field> fields() const { return {list.data(), count}; }

  std::string_view name;
  Language language;
  PartitionBy partition_by;
  Source source{};  ///< without a table: documents come from elsewhere, and rebuild() is refused
  std::array<Field, kFieldsMax> list{};
  std::size_t count = 0;
};

/// What is indexed: the texts of the fields, in their order. UTF-8.
struct Document {
  Document(const Uuid& in_partition, const Uuid& named, std::vector<std::string_view> fields)
      : partition(in_partition), id(named), texts(std::move(fields)) {}

  Uuid partition;
  Uuid id;  ///< unique in its partition
  std::vector<std::string_view> texts;
};

struct Hit {
  Uuid id;
  double score = 0;  ///< more is better; comparable within one query on one engine only

  static consteval auto describe() {
    using namespace schema;
    return object<Hit>("A document that was found.",
                       {field<&Hit::id>("The document."), field<&Hit::score>("How well it fits.")});
  }
};

/// Which of the hits, best first.
struct HitPage {
  static constexpr std::int64_t kOffsetMax = 1000;
  static constexpr std::int64_t kLimitMax = 100;

  HitPage() = default;
  /// Values outside the bounds are brought inside.
  HitPage(std::int64_t most, std::int64_t skip);

  std::int64_t limit = 20;
  std::int64_t offset = 0;
};

/// Immutable: shared by all threads.
class Index {
 public:
  explicit Index(const Declaration& declaration);

  /// Adds a document, or takes the place of the one there is.
  Async<void> put(sql::Transaction& tx, const Document& document) const;
  /// Nothing happens when there is none.
  Async<void> remove(sql::Transaction& tx, const Uuid& partition, const Uuid& id) const;
  Async<void> remove_partition(sql::Transaction& tx, const Uuid& partition) const;

  /// Best first; what fits equally well by id. `query` outlives the call.
  Async<std::vector<Hit>> find(sql::Reader& db, const Uuid& partition, const Query& query,
                               HitPage page = {}) const;
  Async<std::int64_t> count(sql::Reader& db, const Uuid& partition, const Query& query) const;
  /// Restricts a list with filters and an order of its own to the rows whose `id` matches: sql::Where::among(). A list
  /// takes those that were written last (on PostgreSQL: those with the greatest ids), operations/paging/list.h says how
  /// many, and its cost does not grow with the number of texts that match. On PostgreSQL that holds for words which at
  /// least half of the partition's newest texts have; of rarer words the index reads every match.
  Async<void> match(sql::Reader& db, sql::Where& where, sql::Column id, const Uuid& partition,
                    const Query& query) const;
  /// A subquery of the ids that match. `dialect` is that of the session that runs it: db.dialect().
  std::string matching(sql::Dialect dialect, sql::Params& params, const Uuid& partition,
                       const Query& query) const;

  /// Puts every row of the declared source anew, 200 in a transaction. What was indexed and is no row any more stays,
  /// so use it on an empty index or beside one that is current. Category::internal `search_source` without a source.
  Async<void> rebuild(sql::Database& database) const;

  /// The text of the migration that makes its tables; down: that takes them back.
  std::string schema(sql::Dialect dialect) const;
  std::string schema_down(sql::Dialect dialect) const;

 private:
  struct Row;
  /// Texts of statements, put together once.
  struct Texts {
    std::string put;
    std::string index;
    std::string unindex;
    std::string some_of_partition;
    std::string score;
  };
  Texts sqlite_texts() const;
  Texts postgresql_texts() const;
  Async<void> put_sqlite(sql::Transaction& tx, const Document& document,
                         std::span<const std::string_view> texts) const;
  Async<void> put_postgresql(sql::Transaction& tx, const Document& document,
                             std::span<const std::string_view> texts) const;
  Result<std::vector<std::string>> read(const Document& document) const;
  std::string newest_matching(sql::Params& params, const Uuid& partition, const Query& query) const;
  Async<bool> is_frequent(sql::Reader& db, const Uuid& partition, const Query& query) const;
  Async<std::optional<Row>> rebuild_some(sql::Transaction& tx, const Row& after) const;
  std::string from_matching(sql::Dialect dialect, sql::Params& params, const Uuid& partition,
                            const Query& query) const;
  std::string columns(std::string_view before, std::string_view separator) const;
  std::string_view part() const {
    return declaration_.partition_by == PartitionBy::tenant ? "tenant" : "part";
  }

  const Declaration declaration_;
  const Texts sqlite_;
  const Texts postgresql_;
  const std::string remove_;
  const std::string remove_partition_;
  const std::string select_source_;
};

/// The tables of an index: their migration, and Index::rebuild(). Hand it to Application::derived().
sql::DerivedTables derived(const Declaration& declaration);

}  // namespace bedplate::search
