// SPDX-License-Identifier: Apache-2.0
// An answer of the server into the statement that asked for it. Private header of the driver.
#pragma once

#include "bedplate/sql/postgresql/handle.h"
#include "bedplate/sql/postgresql/postgresql.h"
#include "bedplate/sql/postgresql/statement.h"
#include "bedplate/sql/session.h"

namespace bedplate::sql {

/// Fills the statement's rows and counts, or sets its error.
void take_postgresql_rows(Statement& statement, PostgresqlStatement& prepared, const PGresult* result,
                          const PostgresqlOptions& options);

}  // namespace bedplate::sql
