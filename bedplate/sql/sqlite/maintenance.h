// SPDX-License-Identifier: Apache-2.0
// Maintenance of a SQLite database. Private header of the driver.
#pragma once

#include <memory>

#include "bedplate/base/result.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/sqlite/sqlite.h"

namespace bedplate::sql {

Result<std::unique_ptr<Maintenance>> open_sqlite_maintenance(const SqliteOptions& options);

}  // namespace bedplate::sql
