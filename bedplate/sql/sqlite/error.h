// SPDX-License-Identifier: Apache-2.0
// From SQLite's result codes to our errors. Private header of the driver.
#pragma once

#include <string_view>

#include "bedplate/base/result.h"

struct sqlite3;

namespace bedplate::sql {

/// The error for `code` (an extended result code of the call that just failed on `db`). Faults of the program
/// or the machine are logged with SQLite's words and the statement's text, which hold no parameter values.
/// `file` is the database's, where `db` has not come so far as to know it.
Error sqlite_error(sqlite3* db, int code, std::string_view sql, std::string_view file = {});

}  // namespace bedplate::sql
