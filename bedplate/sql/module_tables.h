// SPDX-License-Identifier: Apache-2.0
// ModuleTables: the described tables and the named statements of one module, for `bedplate sql`, `migrate check` and
// `migrate new`.
//
//   ModuleTables notes{"notes", {&kNotes, &kTags}, {kNewest}};
//   print(statements_text(notes));
#pragma once

#include <string>
#include <vector>

#include "bedplate/sql/statement_text.h"
#include "bedplate/sql/table_info.h"

namespace bedplate::sql {

struct ModuleTables {
  std::string module;
  std::vector<const TableInfo*> tables;  ///< a table comes after those that it refers to
  std::vector<Text> statements = {};     ///< named ones, beside those of the tables
};

/// Every statement under its name: "-- notes.select\nSELECT ...;\n\n".
std::string statements_text(const ModuleTables& module);

}  // namespace bedplate::sql
