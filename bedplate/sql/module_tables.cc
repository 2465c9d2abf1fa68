// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/module_tables.h"

namespace bedplate::sql {

std::string statements_text(const ModuleTables& module) {
  std::string out;
  const auto add = [&out](const Text& statement) {
    if (statement.sql.empty()) return;
    out.append(out.empty() ? "-- " : "\n-- ").append(statement.name).append("\n");
    out.append(statement.sql).append(";\n");
  };
  for (const TableInfo* table : module.tables)
    for (const Text& statement : {table->select(), table->insert(), table->update(), table->remove()})
      add(statement);
  for (const Text& statement : module.statements) add(statement);
  return out;
}

}  // namespace bedplate::sql
