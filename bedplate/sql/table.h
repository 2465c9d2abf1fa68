// SPDX-License-Identifier: Apache-2.0
// Table: the rows of a described type in a table of the database. Its statements are constants that the compiler makes
// of the description; nothing else is made up: what reaches rows otherwise than by their key is written by hand.
//
//   constexpr sql::Table<Note> kNotes("notes", sql::owner, sql::key<&Note::id>, sql::version<&Note::version>);
//
//   Note note = co_await ok(kNotes.find_or(kNoteNotFound, db, user, id));   // or find(): an optional
//   co_await ok(kNotes.insert(tx, user, note));
//   co_await ok(kNotes.update(tx, user, note));    // if it is of note.version still; note.version is then the next one
//   co_await ok(kNotes.remove(tx, user, note));    // likewise
//   co_await ok(kNotes.remove_all(tx, user));      // every row whose key begins so
//
//   static_assert(kNotes.select().sql == "SELECT id, text, version FROM notes WHERE owner = $1 AND id = $2");
//
// `bedplate sql MODULE` prints all of them; they suit every engine. They are named "notes.select" and so on, for the
// slow log and the metrics (statement_text.h).
//
// Each field is a column of its wire name; structs, lists and maps are JSON (params.h). After the table's name come
// words, outer keys first:
//   owner                         the key begins with the column "owner", a UUID that is no field: given before the row
//   outer_key<TenantId>("tenant")     the same with another name
//   key<&Note::id>                a field of the key; several in their order
//   version<&Note::version>       counts changes: update() and remove() name it in their WHERE, and a row that is of
//                                 another version by now is sql::overtaken()
//   written_once<&Note::created_at>   an update leaves it as it is
//   given_by_database<&Row::seq>  read, never written
//   computed("title_key", f)      a column that is no field: f is a lambda of `const Note&`; each insert and update
//                                 writes what it returns
//   generated<Time>("due_or_never")   a column that is neither a field nor written: the database computes it
//   index("notes_by_time", "owner, created_at, id"), unique_index(...)
// The last two matter to migrations and their check (schema_check.h), and to no statement.
//
// Without a version, update() and remove() answer how many rows they changed: look at it. A name that SQL reserves
// ("order", "user", "group") does not do as the name of a field.
//
// A table is a constant of static storage, shared by all threads. The row that a call is given outlives the wait.
// Costs: some 5 ms of compile time a table, about 1.5 KB of constant data.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/describe/describe.h"
#include "bedplate/sql/session.h"
#include "bedplate/sql/table_info.h"

namespace bedplate::sql {

/// A statement of a table that writes; await it at once. Its answer is how many rows it changed.
class [[nodiscard]] TableCommand : public Statement {
 public:
  using Row = std::int64_t;
  TableCommand(Session& session, const Text& text, Required must_have, std::vector<Param> values)
      : Statement(text, {}, must_have), session_(session), values_(std::move(values)) {
    params = values_;
  }
  bool begin() { return session_.start(*this); }
  void withdraw() { session_.withdraw(*this); }
  std::int64_t take() { return rows_affected; }

 private:
  Session& session_;
  std::vector<Param> values_;
};
inline detail::QueryAwaiter<TableCommand> operator co_await(TableCommand && command) {
  return detail::QueryAwaiter<TableCommand>(command);
}
inline detail::OkQueryAwaiter<TableCommand> ok(TableCommand&& command) {
  return detail::OkQueryAwaiter<TableCommand>(command);
}

// ---- The words of a declaration

template <class Id>
constexpr OuterKey outer_key(std::string_view name) {
  return {name, &bedplate::detail::TypeTable<Id>::kInfo};
}
inline constexpr OuterKey owner = outer_key<Uuid>("owner");

namespace detail {
enum class FieldRole : std::uint8_t { key, version, once, given };

template <FieldRole Role, auto Member>
struct FieldWord {};
struct Computed {
  ExtraColumn column;
};
void a_projection_has_a_field_that_is_no_column_of_its_table();
template <class T>
struct ArgumentOf;
template <class F, class R, class Row>
struct ArgumentOf<R (F::*)(const Row&) const> {
  using Type = Row;
  using Value = R;
};
}  // namespace detail

template <auto Member>
inline constexpr detail::FieldWord<detail::FieldRole::key, Member> key{};
template <auto Member>
inline constexpr detail::FieldWord<detail::FieldRole::version, Member> version{};
template <auto Member>
inline constexpr detail::FieldWord<detail::FieldRole::once, Member> written_once{};
template <auto Member>
inline constexpr detail::FieldWord<detail::FieldRole::given, Member> given_by_database{};

template <class F>
constexpr ExtraColumn computed(std::string_view name, F) {
  static_assert(std::is_empty_v<F> && std::is_default_constructible_v<F>,
                "sql: computed() takes a lambda without captures, of one `const Row&`");
  using Call = detail::ArgumentOf<decltype(&F::operator())>;
  return {name, &bedplate::detail::TypeTable<std::remove_cvref_t<typename Call::Value>>::kInfo,
          [](const void* row) { return Param(F{}(*static_cast<const typename Call::Type*>(row))).owned(); }};
}
template <class Value>
constexpr ExtraColumn generated(std::string_view name) {
  return {name, &bedplate::detail::TypeTable<Value>::kInfo, nullptr};
}
constexpr IndexInfo index(std::string_view name, std::string_view columns) {
  return {name, columns, false};
}
constexpr IndexInfo unique_index(std::string_view name, std::string_view columns) {
  return {name, columns, true};
}

template <class Row>
class Table : public TableInfo {
 public:
  template <class... Words>
  constexpr explicit Table(std::string_view name, const Words&... words)
      : TableInfo(name, &bedplate::detail::TypeTable<Row>::kInfo, described()) {
    (apply(words), ...);
    write_texts(chars_, kCapacity);
  }

  /// The row of a key, all of it: outer keys, then fields. Await it as any Query.
  template <class... Keys>
  auto find(Reader& db, const Keys&... keys) const {
    return db.maybe<Row>(select(), keys...);
  }
  /// The same, or the error given.
  template <class... Keys>
  auto find_or(const ErrorCode& not_found, Reader& db, const Keys&... keys) const {
    return db.one_or<Row>(not_found, select(), keys...);
  }

  // What stands before the row are the outer keys.

  using TableInfo::insert;
  TableCommand insert(Transaction& tx, const Row& row) const { return run_insert(tx, row, {}); }
  TableCommand insert(Transaction& tx, Param outer, const Row& row) const {
    return run_insert(tx, row, {&outer, 1});
  }
  TableCommand insert(Transaction& tx, Param outer, Param inner, const Row& row) const {
    Param keys[] = {std::move(outer), std::move(inner)};
    return run_insert(tx, row, keys);
  }

  using TableInfo::update;
  TableCommand update(Transaction& tx, Row& row) const { return run_update(tx, row, {}); }
  TableCommand update(Transaction& tx, Param outer, Row& row) const {
    return run_update(tx, row, {&outer, 1});
  }
  TableCommand update(Transaction& tx, Param outer, Param inner, Row& row) const {
    Param keys[] = {std::move(outer), std::move(inner)};
    return run_update(tx, row, keys);
  }

  using TableInfo::remove;
  TableCommand remove(Transaction& tx, const Row& row) const { return run_remove(tx, row, {}); }
  TableCommand remove(Transaction& tx, Param outer, const Row& row) const {
    return run_remove(tx, row, {&outer, 1});
  }
  TableCommand remove(Transaction& tx, Param outer, Param inner, const Row& row) const {
    Param keys[] = {std::move(outer), std::move(inner)};
    return run_remove(tx, row, keys);
  }
  /// Every row whose key begins with these, whatever its version. With all keys: that row.
  template <class... Keys>
  auto remove_all(Transaction& tx, const Keys&... keys) const {
    return tx.run(Text(remove_by(sizeof...(Keys)), remove().name), keys...);
  }

 private:
  static constexpr std::span<const FieldInfo> described() {
    static_assert(bedplate::detail::DescribedObject<Row>,
                  "sql: the rows of a table are a described struct (describe/describe.h)");
    return {bedplate::detail::ObjectTable<Row>::kDescription.fields,
            bedplate::detail::ObjectTable<Row>::kDescription.count};
  }
  static constexpr std::size_t kCapacity = capacity_for(described());

  template <detail::FieldRole Role, auto Member>
  constexpr void apply(const detail::FieldWord<Role, Member>&) {
    static_assert(std::derived_from<Row, bedplate::detail::class_of<Member>>,
                  "sql: this word of a table names a member of another struct than its rows");
    constexpr std::string_view kMember = bedplate::detail::MemberKey<Member>::kName;
    if constexpr (Role == detail::FieldRole::key) {
      add_key(kMember);
    } else if constexpr (Role == detail::FieldRole::version) {
      static_assert(std::same_as<bedplate::detail::field_type_of<Member>, std::int64_t>,
                    "sql: a version is a std::int64_t");
      set_version(kMember);
      next_version_ = [](Row& row) { ++(row.*Member); };
    } else if constexpr (Role == detail::FieldRole::once) {
      add_once(kMember);
    } else {
      add_given(kMember);
    }
  }
  constexpr void apply(const OuterKey& key) { add_outer_key(key); }
  constexpr void apply(const ExtraColumn& column) { add_extra(column); }
  constexpr void apply(const IndexInfo& index) { add_index(index); }

  Required required() const { return version_field() == kNoField ? Required::nothing : Required::one_change; }
  TableCommand run_insert(Transaction& tx, const Row& row, std::span<Param> outer) const {
    return TableCommand(tx.session(), insert(), Required::nothing, insert_values(&row, outer));
  }
  TableCommand run_update(Transaction& tx, Row& row, std::span<Param> outer) const {
    std::vector<Param> values = update_values(&row, outer);
    if (next_version_) next_version_(row);
    return TableCommand(tx.session(), update(), required(), std::move(values));
  }
  TableCommand run_remove(Transaction& tx, const Row& row, std::span<Param> outer) const {
    return TableCommand(tx.session(), remove(), required(), remove_values(&row, outer));
  }

  void (*next_version_)(Row&) = nullptr;
  char chars_[kCapacity]{};
};

/// What of a table a smaller described struct holds: its fields are columns of the table, named alike and of the same
/// types.
///
///   struct NoteTitle { NoteId id; std::string title; ... };                // described with same_as<&Note::title>
///   constexpr sql::Projection<NoteTitle> kTitles(kNotes);
///   std::optional<NoteTitle> title = co_await ok(kTitles.find(db, user, id));
///   constexpr sql::Composed kList("notes.titles", kTitles.select_by(1), " ORDER BY title LIMIT 100");
template <class Part>
class Projection {
 public:
  template <class Row>
  constexpr explicit Projection(const Table<Row>& table) : name_(table.select().name) {
    detail::TextBuilder out{chars_, kCapacity};
    for (std::size_t i = 0; i < described().size(); ++i) {
      const FieldInfo& field = described()[i];
      if (!is_column(table, field)) detail::a_projection_has_a_field_that_is_no_column_of_its_table();
      out.add(i == 0 ? "SELECT " : ", ");
      out.add(field.name());
    }
    // From " FROM" on as the table's own.
    const std::string_view whole = table.select().sql;
    const std::string_view from = whole.substr(table.select_columns_size());
    for (std::size_t keys = 0; keys <= TableInfo::kKeysMax; ++keys)
      cuts_[keys] = out.size + table.select_by(keys).size() - table.select_columns_size();
    out.add(from);
    size_ = out.size;
  }
  Projection(const Projection&) = delete;
  Projection& operator=(const Projection&) = delete;

  constexpr Text select() const { return {{chars_, size_}, name_}; }
  constexpr std::string_view select_all() const { return select_by(0); }
  constexpr std::string_view select_by(std::size_t keys) const { return {chars_, cuts_[keys]}; }

  template <class... Keys>
  auto find(Reader& db, const Keys&... keys) const {
    return db.maybe<Part>(select(), keys...);
  }
  template <class... Keys>
  auto find_or(const ErrorCode& not_found, Reader& db, const Keys&... keys) const {
    return db.one_or<Part>(not_found, select(), keys...);
  }

 private:
  static constexpr std::span<const FieldInfo> described() {
    return {bedplate::detail::ObjectTable<Part>::kDescription.fields,
            bedplate::detail::ObjectTable<Part>::kDescription.count};
  }
  static constexpr bool is_column(const TableInfo& table, const FieldInfo& field) {
    for (const FieldInfo& other : table.fields())
      if (other.name() == field.name()) return other.type == field.type;
    for (const OuterKey& other : table.outer_keys())
      if (other.name == field.name()) return other.type->kind == field.type->kind;
    return false;
  }
  static constexpr std::size_t capacity() {
    std::size_t size = 400;
    for (const FieldInfo& field : described()) size += field.name().size() + 2;
    return size;
  }
  static constexpr std::size_t kCapacity = capacity();

  std::string_view name_;
  std::size_t size_ = 0;
  std::size_t cuts_[TableInfo::kKeysMax + 1]{};
  char chars_[kCapacity]{};
};

}  // namespace bedplate::sql
