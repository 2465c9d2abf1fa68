// SPDX-License-Identifier: Apache-2.0 TableInfo: a described table with its row type forgotten, for what works on
// any: printing statements, comparing tables with a catalogue, writing migrations. Authors declare a Table<Row>:
// table.h.
//
//   std::span<const TableInfo* const> tables = ...;
//   for (const TableInfo* table : tables) print(table->name(), table->select().sql);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bedplate/describe/table.h"
#include "bedplate/sql/params.h"
#include "bedplate/sql/statement_text.h"

namespace bedplate::sql {

namespace detail {
// Never defined: the name is what the compiler says.
void a_table_or_column_name_has_lower_case_letters_digits_and_underscores();
void a_table_names_a_member_that_its_row_type_does_not_describe();
void a_table_needs_a_key();
void a_table_has_at_most_two_outer_keys_and_four_keys_in_all();
void a_table_has_at_most_eight_columns_beside_its_fields();
void a_table_has_at_most_eight_indexes();
void a_statement_of_a_table_is_longer_than_its_capacity();

constexpr bool is_identifier(std::string_view name) {
  if (name.empty() || name.size() > 50 || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name)
    if (c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9')) return false;
  return true;
}

/// Characters behind one another in a buffer of fixed size.
struct TextBuilder {
  char* chars;
  std::size_t capacity;
  std::size_t size = 0;

  constexpr void add(std::string_view text) {
    if (size + text.size() > capacity) a_statement_of_a_table_is_longer_than_its_capacity();
#if defined(__clang__)  // evaluates this at once, and a loop step by step
    __builtin_memcpy(chars + size, text.data(), text.size());
#else
    for (std::size_t i = 0; i < text.size(); ++i) chars[size + i] = text[i];
#endif
    size += text.size();
  }
  constexpr void add_parameter(std::size_t number) {
    const char digits[] = {'$', static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
    if (number < 10)
      add({digits + 0, 1}), add({digits + 2, 1});
    else
      add({digits, 3});
  }
  constexpr std::string_view since(std::size_t begin) const { return {chars + begin, size - begin}; }
};
}  // namespace detail

/// A column that leads the key and is no field of the row type: whose rows they are.
struct OuterKey {
  std::string_view name;
  const TypeInfo* type = nullptr;
};

/// A column that is neither a key nor a field.
struct ExtraColumn {
  std::string_view name;
  const TypeInfo* type = nullptr;
  Param (*compute)(const void* row) = nullptr;  ///< null: the database computes it
};

struct IndexInfo {
  std::string_view name;
  std::string_view columns;  ///< "owner, created_at, id"
  bool unique = false;
};

/// A table: constant data with static lifetime, readable from any thread. Parameters of its statements, in this order:
///   select, remove:  keys (remove: and the version)
///   insert:          outer keys, fields, computed columns
///   update:          keys, the version, fields that an update writes, computed columns
class TableInfo {
 public:
  static constexpr std::size_t kOuterKeysMax = 2;
  static constexpr std::size_t kKeysMax = 4;
  static constexpr std::size_t kExtrasMax = 8;
  static constexpr std::size_t kIndexesMax = 8;

  TableInfo(const TableInfo&) = delete;
  TableInfo& operator=(const TableInfo&) = delete;

  constexpr std::string_view name() const { return name_; }
  const TypeInfo& row() const { return *row_; }

  /// "SELECT id, title FROM notes WHERE owner = $1 AND id = $2", named "notes.select"; and so on. A table without
  /// fields beside its keys has no update: an empty text.
  constexpr Text select() const { return {select_.substr(0, select_cuts_[key_count_]), select_name_}; }
  constexpr Text insert() const { return {insert_, insert_name_}; }
  constexpr Text update() const { return {update_, update_name_}; }
  constexpr Text remove() const { return {remove_, remove_name_}; }
  /// Of "SELECT id, title".
  constexpr std::size_t select_columns_size() const { return columns_size_; }
  /// "SELECT id, title FROM notes": every row, for a WHERE or ORDER BY of the caller's.
  constexpr std::string_view select_all() const { return select_.substr(0, select_cuts_[0]); }
  /// The same with a condition on the first `keys` keys: "... FROM notes WHERE owner = $1".
  constexpr std::string_view select_by(std::size_t keys) const {
    return select_.substr(0, select_cuts_[keys]);
  }
  /// "DELETE FROM notes WHERE owner = $1", by the first `keys` keys and whatever the version.
  constexpr std::string_view remove_by(std::size_t keys) const {
    return remove_.substr(0, remove_cuts_[keys]);
  }

  constexpr std::span<const FieldInfo> fields() const { return fields_; }
  constexpr std::span<const OuterKey> outer_keys() const { return {outer_keys_, outer_count_}; }
  constexpr std::span<const ExtraColumn> extra_columns() const { return {extras_, extra_count_}; }
  constexpr std::span<const IndexInfo> indexes() const { return {indexes_, index_count_}; }
  /// The fields of the key, by their places in fields(), in key order.
  constexpr std::span<const std::uint8_t> key_fields() const {
    return {key_fields_, static_cast<std::size_t>(key_count_ - outer_count_)};
  }
  /// The place of the version in fields(), or kNoField.
  static constexpr std::uint8_t kNoField = 255;
  constexpr std::uint8_t version_field() const { return version_; }
  constexpr bool database_gives(std::size_t field) const { return (given_ >> field & 1) != 0; }
  constexpr bool written_once(std::size_t field) const { return (once_ >> field & 1) != 0; }

  // ---- For the words of a declaration.

  constexpr void add_outer_key(const OuterKey& key) {
    check_name(key.name);
    if (outer_count_ == kOuterKeysMax || key_count_ == kKeysMax)
      detail::a_table_has_at_most_two_outer_keys_and_four_keys_in_all();
    outer_keys_[outer_count_++] = key;
    ++key_count_;
  }
  constexpr void add_key(std::string_view member) {
    if (key_count_ == kKeysMax) detail::a_table_has_at_most_two_outer_keys_and_four_keys_in_all();
    key_fields_[key_count_++ - outer_count_] = index_of(member);
  }
  constexpr void set_version(std::string_view member) { version_ = index_of(member); }
  constexpr void add_given(std::string_view member) { given_ |= std::uint64_t{1} << index_of(member); }
  constexpr void add_once(std::string_view member) { once_ |= std::uint64_t{1} << index_of(member); }
  constexpr void add_extra(const ExtraColumn& column) {
    check_name(column.name);
    if (extra_count_ == kExtrasMax) detail::a_table_has_at_most_eight_columns_beside_its_fields();
    extras_[extra_count_++] = column;
  }
  constexpr void add_index(const IndexInfo& index) {
    check_name(index.name);
    if (index_count_ == kIndexesMax) detail::a_table_has_at_most_eight_indexes();
    indexes_[index_count_++] = index;
  }

 protected:
  constexpr TableInfo(std::string_view name, const TypeInfo* row, std::span<const FieldInfo> fields)
      : name_(name), row_(row), fields_(fields) {
    check_name(name);
  }
  ~TableInfo() = default;

  /// What all texts of a table with these fields need at most.
  static constexpr std::size_t capacity_for(std::span<const FieldInfo> fields) {
    std::size_t size = 1'100;  // the table's name 12 times, keys, 8 other columns of ordinary length
    for (const FieldInfo& field : fields) size += 3 * field.name().size() + 22;
    return size;
  }
  constexpr void write_texts(char* chars, std::size_t capacity) {
    if (key_count_ == 0) detail::a_table_needs_a_key();
    detail::TextBuilder out{chars, capacity};
    write_select(out);
    write_insert(out);
    write_update(out);
    write_remove(out);
  }
  /// The values of a statement on a row: outer keys first, as many as are given.
  std::vector<Param> insert_values(const void* row, std::span<Param> outer) const;
  std::vector<Param> update_values(const void* row, std::span<Param> outer) const;
  std::vector<Param> remove_values(const void* row, std::span<Param> outer) const;

 private:
  static constexpr void check_name(std::string_view name) {
    if (!detail::is_identifier(name))
      detail::a_table_or_column_name_has_lower_case_letters_digits_and_underscores();
  }
  constexpr std::uint8_t index_of(std::string_view member) const {
    for (std::size_t i = 0; i < fields_.size(); ++i)
      if (fields_[i].member == member) return static_cast<std::uint8_t>(i);
    detail::a_table_names_a_member_that_its_row_type_does_not_describe();
    return 0;
  }
  constexpr bool is_key(std::size_t field) const {
    for (std::size_t i = 0; i + outer_count_ < key_count_; ++i)
      if (key_fields_[i] == field) return true;
    return false;
  }
  constexpr bool is_updated(std::size_t field) const {
    return field != version_ && ((given_ | once_) >> field & 1) == 0 && !is_key(field);
  }
  constexpr std::string_view key_name(std::size_t key) const {
    return key < outer_count_ ? outer_keys_[key].name : fields_[key_fields_[key - outer_count_]].name();
  }
  constexpr std::string_view write_name(detail::TextBuilder& out, std::string_view verb) const {
    const std::size_t begin = out.size;
    out.add(name_);
    out.add(verb);
    return out.since(begin);
  }
  // " WHERE owner = $1 AND id = $2"; `cuts` gets how long the statement is with each number of keys.
  constexpr void write_keys(detail::TextBuilder& out, std::size_t begin, std::uint16_t* cuts) const {
    if (cuts) cuts[0] = static_cast<std::uint16_t>(out.size - begin);
    for (std::size_t key = 0; key < key_count_; ++key) {
      out.add(key == 0 ? " WHERE " : " AND ");
      out.add(key_name(key));
      out.add(" = ");
      out.add_parameter(key + 1);
      if (cuts) cuts[key + 1] = static_cast<std::uint16_t>(out.size - begin);
    }
  }
  constexpr void write_version(detail::TextBuilder& out) const {
    if (version_ == kNoField) return;
    out.add(" AND ");
    out.add(fields_[version_].name());
    out.add(" = ");
    out.add_parameter(key_count_ + 1);
  }
  constexpr void write_select(detail::TextBuilder& out) {
    select_name_ = write_name(out, ".select");
    const std::size_t begin = out.size;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      out.add(i == 0 ? "SELECT " : ", ");
      out.add(fields_[i].name());
    }
    columns_size_ = static_cast<std::uint16_t>(out.size - begin);
    out.add(" FROM ");
    out.add(name_);
    write_keys(out, begin, select_cuts_);
    select_ = out.since(begin);
  }
  constexpr void write_insert(detail::TextBuilder& out) {
    insert_name_ = write_name(out, ".insert");
    const std::size_t begin = out.size;
    std::size_t columns = 0;
    const auto add = [&](std::string_view name) {
      out.add(columns++ == 0 ? " (" : ", ");
      out.add(name);
    };
    out.add("INSERT INTO ");
    out.add(name_);
    for (std::size_t i = 0; i < outer_count_; ++i) add(outer_keys_[i].name);
    for (std::size_t i = 0; i < fields_.size(); ++i)
      if ((given_ >> i & 1) == 0) add(fields_[i].name());
    for (std::size_t i = 0; i < extra_count_; ++i)
      if (extras_[i].compute) add(extras_[i].name);
    for (std::size_t i = 1; i <= columns; ++i) {
      out.add(i == 1 ? ") VALUES (" : ", ");
      out.add_parameter(i);
    }
    out.add(")");
    insert_ = out.since(begin);
  }
  constexpr void write_update(detail::TextBuilder& out) {
    update_name_ = write_name(out, ".update");
    const std::size_t begin = out.size;
    std::size_t number = key_count_ + (version_ == kNoField ? 0 : 1);
    std::size_t columns = 0;
    const auto add = [&](std::string_view name) {
      out.add(columns++ == 0 ? " SET " : ", ");
      out.add(name);
      out.add(" = ");
    };
    out.add("UPDATE ");
    out.add(name_);
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (!is_updated(i)) continue;
      add(fields_[i].name());
      out.add_parameter(++number);
    }
    for (std::size_t i = 0; i < extra_count_; ++i) {
      if (!extras_[i].compute) continue;
      add(extras_[i].name);
      out.add_parameter(++number);
    }
    if (version_ != kNoField) {
      add(fields_[version_].name());
      out.add(fields_[version_].name());
      out.add(" + 1");
    }
    if (columns == 0) return;
    write_keys(out, begin, nullptr);
    write_version(out);
    update_ = out.since(begin);
  }
  constexpr void write_remove(detail::TextBuilder& out) {
    remove_name_ = write_name(out, ".remove");
    const std::size_t begin = out.size;
    out.add("DELETE FROM ");
    out.add(name_);
    write_keys(out, begin, remove_cuts_);
    write_version(out);
    remove_ = out.since(begin);
  }

  std::string_view name_;
  const TypeInfo* row_;
  std::span<const FieldInfo> fields_;
  OuterKey outer_keys_[kOuterKeysMax]{};
  std::uint8_t key_fields_[kKeysMax]{};
  std::uint8_t outer_count_ = 0;
  std::uint8_t key_count_ = 0;
  std::uint8_t extra_count_ = 0;
  std::uint8_t index_count_ = 0;
  std::uint8_t version_ = kNoField;
  std::uint64_t given_ = 0;  // bit i: field i is given by the database
  std::uint64_t once_ = 0;   // bit i: field i is written by the insert only
  ExtraColumn extras_[kExtrasMax]{};
  IndexInfo indexes_[kIndexesMax]{};
  std::uint16_t columns_size_ = 0;
  std::uint16_t select_cuts_[kKeysMax + 1]{};
  std::uint16_t remove_cuts_[kKeysMax + 1]{};
  std::string_view select_name_, insert_name_, update_name_, remove_name_;
  std::string_view select_, insert_, update_, remove_;
};

}  // namespace bedplate::sql
