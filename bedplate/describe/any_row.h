// SPDX-License-Identifier: Apache-2.0
// AnyRow: a row whose columns are known only at run time, for code that copies or compares tables that it was not
// compiled with. Everybody else reads into a described struct, which checks the names.
//
//   std::vector<AnyRow> rows = co_await ok(db.all<AnyRow>(text));     // text: put together from the catalogue
//   rows[0].values[2]                                                 // the third column
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bedplate/describe/rows.h"
#include "bedplate/describe/type_table.h"

namespace bedplate {

/// What a column held, as a ColumnSource shows it: the same from every engine.
struct ColumnValue {
  ColumnKind kind = ColumnKind::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string bytes;  ///< of text and blobs

  bool operator==(const ColumnValue&) const = default;
};

struct AnyRow {
  std::vector<ColumnValue> values;  ///< in the order of the statement's columns

  bool operator==(const AnyRow&) const = default;
};

/// RowMap knows this table by its address; no other format has a form for it.
template <>
const TypeInfo detail::TypeTable<AnyRow>::kInfo;

}  // namespace bedplate
