// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/table_info.h"

#include <utility>

namespace bedplate::sql {
namespace {

/// The values of one statement, in the order of its parameters.
class Values {
 public:
  Values(const void* row, std::span<Param> outer, std::size_t size) : row_(row) {
    values_.reserve(outer.size() + size);
    for (Param& key : outer) values_.push_back(std::move(key));
  }
  void add(const FieldInfo& field) { values_.push_back(Param::described(*field.type, field.in(row_))); }
  void add(const ExtraColumn& column) {
    if (column.compute) values_.push_back(column.compute(row_));
  }
  std::vector<Param> take() { return std::move(values_); }

 private:
  const void* row_;
  std::vector<Param> values_;
};

}  // namespace

std::vector<Param> TableInfo::insert_values(const void* row, std::span<Param> outer) const {
  Values values(row, outer, fields_.size() + extra_count_);
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if (!database_gives(i)) values.add(fields_[i]);
  for (const ExtraColumn& column : extra_columns()) values.add(column);
  return values.take();
}

std::vector<Param> TableInfo::update_values(const void* row, std::span<Param> outer) const {
  Values values(row, outer, fields_.size() + extra_count_);
  for (const std::uint8_t field : key_fields()) values.add(fields_[field]);
  if (version_ != kNoField) values.add(fields_[version_]);
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if (is_updated(i)) values.add(fields_[i]);
  for (const ExtraColumn& column : extra_columns()) values.add(column);
  return values.take();
}

std::vector<Param> TableInfo::remove_values(const void* row, std::span<Param> outer) const {
  Values values(row, outer, key_count_ + 1U);
  for (const std::uint8_t field : key_fields()) values.add(fields_[field]);
  if (version_ != kNoField) values.add(fields_[version_]);
  return values.take();
}

}  // namespace bedplate::sql
