// SPDX-License-Identifier: Apache-2.0
// Conditions, orders and pages of queries that are put together at run time, so that no value and no name from outside
// gets into the text.
//
//   inline constexpr Column kStatus("status");
//   inline constexpr Column kDue("due_at");
//   inline constexpr FilterRule kFilters[] = {
//       {"status", kStatus, Compare::equal}, {"due_before", kDue, Compare::less}};
//
//   Where where(db_dialect);
//   where.add(kOwner, Compare::equal, owner);
//   where.add(kFilters, input);                               // fields of a described input that are set
//   std::string text = "SELECT ... FROM tasks" + where.text() + " ORDER BY id LIMIT 20";
//   rows = co_await ok(db.all<Row>(text, where.params()));    // "... WHERE owner = $1 AND due_at < $2 ..."
//
// A Column is made at compile time, by the compiler from a literal: there is no way from a string that came in at
// run time to one. Values become parameters. So a statement's text consists of what stands in the program, "$n",
// and signs that this file writes; it has few forms, which drivers keep prepared.
//
// Window functions, recursion and whatever else a plain statement says better is written as one.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/id.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/params.h"

namespace bedplate::sql {

namespace detail {
// Never defined: the name is what the compiler says.
void a_column_is_letters_digits_and_underscores_or_an_expression_made_with_column_of();
constexpr bool is_column(std::string_view name) {
  bool start = true;
  for (char c : name) {
    const bool letter = c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && (start || ((c < '0' || c > '9') && c != '.'))) return false;
    start = c == '.';
  }
  return !start;
}
}  // namespace detail

/// A column that queries may look at, or an expression. Made at compile time only.
class Column {
 public:
  /// `name`, or `table.name`.
  consteval explicit Column(const char* name) : text_(name) {
    if (!detail::is_column(text_))
      detail::a_column_is_letters_digits_and_underscores_or_an_expression_made_with_column_of();
  }
  /// An SQL expression, in parentheses where it needs them.
  static consteval Column of(const char* expression) { return Column(expression, 0); }

  constexpr std::string_view text() const { return text_; }

 private:
  consteval Column(const char* expression, int) : text_(expression) {}
  std::string_view text_;
};

/// What a condition asks of a column. A column that is NULL meets none but is_null.
enum class Compare : std::uint8_t {
  equal,
  not_equal,
  less,
  at_most,
  greater,
  at_least,
  one_of,       ///< the value is a list; of an empty one nothing is
  is_null,      ///< the value is a bool: true asks for NULL, false for anything else
  starts_with,  ///< text, byte for byte, also on PostgreSQL under any collation
  has,  ///< the column is a JSON array of texts (TEXT on SQLite, jsonb on PostgreSQL), and the value is in it
};

/// A field of a described input, and what it asks of which column.
struct FilterRule {
  std::string_view field;
  Column column;
  Compare compare = Compare::equal;
};

/// Values of one list: more are Category::invalid `too_many_values`.
inline constexpr std::size_t kListValuesMax = 100;

/// A condition of a Where.
struct Condition {
  std::string text;
  std::string_view column = {};  ///< what it asks something of; empty for add_text()
  std::string_view field =
      {};  ///< of the input, where a FilterRule made it; empty for the program's own conditions
};

/// Rows whose `column` is in the answer of another query: see Where::among().
struct AmongSet {
  std::string_view column;
  std::string all;  ///< "SELECT id FROM ... WHERE ..."
  std::string
      newest_first;  ///< the same with " ORDER BY ..." at the end, which finds its first rows without the others
};

class Where {
 public:
  explicit Where(Dialect dialect) : dialect_(dialect) {}

  /// A condition; an empty optional adds none. `field`: that of the input which asks for it, where it is not one of the
  /// program's own (lists read along indexes, and those begin with the program's own conditions).
  template <class T>
  Where& add(Column column, Compare compare, const T& value, std::string_view field = {}) {
    add(column, compare, type_of<T>(), &value, field);
    return *this;
  }
  /// Those fields of `input` that a rule names and that are set: an optional with a value, a list with values,
  /// any other field always. A rule that names no field is a bug: nothing is found then, and it is logged.
  template <class Input>
  Where& add(std::span<const FilterRule> rules, const Input& input) {
    add(rules, type_of<Input>(), &input);
    return *this;
  }
  /// One that stands in the program; parameters are made with params().add().
  Where& add_text(std::string_view condition);
  /// "column IN (all)". Lists (operations/paging/list.h) take the first rows of `newest_first`, which asks the same
  /// and has an order. Full-text search makes both (search/index.h). Once in a Where.
  Where& among(Column column, std::string all, std::string newest_first);

  /// " WHERE a = $1 AND b < $2", or nothing. With an error in it, it finds nothing.
  std::string text() const;
  /// The conditions alone: "a = $1 AND b < $2", or "1 = 1".
  std::string conditions() const;
  /// The same, one by one, without that of among().
  std::span<const Condition> list() const { return list_; }
  const std::optional<AmongSet>& among() const { return among_; }
  Dialect dialect() const { return dialect_; }
  Params& params() { return params_; }
  const Params& params() const { return params_; }
  /// What was wrong with a value that came from outside.
  const std::optional<Error>& error() const { return error_; }
  /// The same, to hand on.
  Result<void> check() const;

 private:
  friend class TemporaryConditions;
  void add(Column column, Compare compare, const TypeInfo& type, const void* value, std::string_view field);
  void add(std::span<const FilterRule> rules, const TypeInfo& type, const void* input);
  std::string list_condition(Column column, const TypeInfo& type, const void* list);
  std::string prefix_condition(Column column, const TypeInfo& type, const void* value);
  std::string has_condition(Column column, const TypeInfo& type, const void* value);

  Dialect dialect_;
  std::vector<Condition> list_;
  std::optional<AmongSet> among_;
  Params params_;
  std::optional<Error> error_;
};

/// What is added to a Where while this lives goes with it. For a read that is handed a Where and adds to it: on SQLite
/// it may be started again, and must find the conditions as they were.
class TemporaryConditions {
 public:
  explicit TemporaryConditions(Where& where)
      : where_(where), conditions_(where.list_.size()), params_size_(where.params_.size()) {}
  TemporaryConditions(const TemporaryConditions&) = delete;
  TemporaryConditions& operator=(const TemporaryConditions&) = delete;
  ~TemporaryConditions() {
    where_.list_.resize(conditions_);
    where_.params_.shrink(params_size_);
  }

 private:
  Where& where_;
  const std::size_t conditions_;
  const std::size_t params_size_;
};

/// One key of an order; the last one of an order is unique, or pages lose rows that are equal.
struct OrderKey {
  std::string_view expression;  ///< a Column's text; never NULL
  bool descending = false;
};

/// "a DESC, id".
std::string order_by(std::span<const OrderKey> keys);
/// The rows after the one with these values, which are names of parameters ("$3"), in that order: "(a, id) > ($1, $2)"
/// where all keys go the same way, which an index over them answers, else
/// "(a <= $1 AND (a < $1 OR (a = $1 AND id > $2)))". The same rows on every engine whose collation orders bytes
/// (SQLite's BINARY, PostgreSQL's "C").
std::string after(std::span<const OrderKey> keys, std::span<const std::string> values);

/// The rows up to the one with these values, and that one. All keys go the same way.
std::string up_to(std::span<const OrderKey> keys, std::span<const std::string> values);

/// The least text that is after every text with this prefix, by bytes; nothing when there is none.
std::optional<std::string> after_prefix(std::string_view prefix);

// ---- Audit columns and soft delete

/// Who did something, and when. Nobody: the system itself.
struct AuditStamp {
  AuditStamp(Time when, const std::optional<Uuid>& who) : at(when), by(who) {}

  Time at;
  std::optional<Uuid> by;
};

/// For tables with created_at, created_by, updated_at, updated_by, and version, each NOT NULL but the *_by:
///
///   "INSERT INTO notes (id, title, " + kAuditColumns + ") VALUES (" + id + ", " + title + ", " +
///       audit_values(params, stamp) + ")"
///   "UPDATE notes SET title = " + title + ", " + audit_update(params, stamp) + " WHERE id = " + id
inline constexpr std::string_view kAuditColumns = "created_at, created_by, updated_at, updated_by, version";
std::string audit_values(Params& params, const AuditStamp& stamp);
std::string audit_update(Params& params, const AuditStamp& stamp);

/// For tables with deleted_at and deleted_by beside those: a row that is gone for every query that says kNotDeleted,
/// until a clean-up of the application takes it away.
///
///   "UPDATE notes SET " + soft_delete(params, stamp) + " WHERE id = " + id + " AND " + kNotDeleted
inline constexpr std::string_view kNotDeleted = "deleted_at IS NULL";
std::string soft_delete(Params& params, const AuditStamp& stamp);
std::string soft_restore(Params& params, const AuditStamp& stamp);

}  // namespace bedplate::sql
