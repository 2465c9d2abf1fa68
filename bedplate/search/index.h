// SPDX-License-Identifier: Apache-2.0
// Index: a full-text index that an application declares, in its own database.
//
//   constexpr Declaration kNotes("notes_search", {{"title", Weight::highest}, {"body"}}, Language::english);
//
//   Index index(kNotes, database.dialect());
//   co_await ok(index.put(tx, document));                     // in the transaction that writes the note
//   Query query = co_await ok(parse_query("milk -blue", kNotes.language));
//   std::vector<Hit> hits = co_await ok(index.find(db, owner, query, page));            // best first
//   co_await ok(index.match(db, where, kId, owner, query));   // a condition of a list (operations/paging/list.h)
//
// Two tables, named after the declaration, made by the application's migration (schema() prints the text of
// it for each engine). `notes_search` holds the texts of each document once more, so that an index can be kept
// and rebuilt without asking its owner; with it go FTS5 on SQLite (`notes_search_words`) and a tsvector under a
// GIN index on PostgreSQL. One analyzer makes the words of both (analysis/analyzer.h), so both find the same; how
// they rank is their own: bm25() and ts_rank_cd().
//
// - A document belongs to a partition, mostly its owner or tenant. What is looked for is looked for in one
//   partition; another's words are not even read, also for beginnings of words ("a*").
// - put() and remove() are part of the caller's transaction: the index never knows more or less than the rows.
// - The first kDocumentWordsMax words of a document are indexed (terms.h), and documents of more than
//   kDocumentSizeMax bytes are refused: Category::too_large `document_too_large`. On PostgreSQL a phrase is looked
//   for in the first 255 places of each of its words.
// - When analysis::kAnalysisVersion or the language changes, the index is rebuilt. On SQLite a migration does it:
//     DROP TABLE notes_search_words;  CREATE VIRTUAL TABLE ... as schema() says;
//     INSERT INTO notes_search_words (rowid, title, body)
//       SELECT number, lower(hex(part)) || title, lower(hex(part)) || body FROM notes_search;
//   On PostgreSQL put() every document again.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/id.h"
#include "bedplate/describe/describe.h"
#include "bedplate/search/query.h"
#include "bedplate/sql/maintenance.h"
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

/// What an index is. Compile-time, so nothing from outside gets into the text of a statement.
struct Declaration {
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
  Index(const Declaration& declaration, sql::Dialect dialect);

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
  /// A subquery of the ids that match.
  std::string matching(sql::Params& params, const Uuid& partition, const Query& query) const;

  /// What the migration says; down: the same backwards.
  std::string schema() const;
  std::string schema_down() const;

 private:
  Async<void> put_sqlite(sql::Transaction& tx, const Document& document,
                         std::span<const std::string_view> texts) const;
  Async<void> put_postgresql(sql::Transaction& tx, const Document& document,
                             std::span<const std::string_view> texts) const;
  Result<std::vector<std::string>> read(const Document& document) const;
  std::string newest_matching(sql::Params& params, const Uuid& partition, const Query& query) const;
  Async<bool> is_frequent(sql::Reader& db, const Uuid& partition, const Query& query) const;
  std::string from_matching(sql::Params& params, const Uuid& partition, const Query& query) const;
  std::string columns(std::string_view before, std::string_view separator) const;
  std::string_view part() const {
    return declaration_.partition_by == PartitionBy::tenant ? "tenant" : "part";
  }

  const Declaration declaration_;
  const sql::Dialect dialect_;
  // Texts of statements, put together once.
  std::string put_;
  std::string index_;
  std::string unindex_;
  std::string remove_;
  std::string unindex_partition_;
  std::string remove_partition_;
  std::string score_;
};

}  // namespace bedplate::search
