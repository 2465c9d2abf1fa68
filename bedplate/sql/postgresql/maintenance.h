// SPDX-License-Identifier: Apache-2.0
// The maintenance connection on PostgreSQL. Private header of the driver.
#pragma once

#include <memory>

#include "bedplate/base/result.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/postgresql/postgresql.h"

namespace bedplate::sql {

Result<std::unique_ptr<Maintenance>> open_postgresql_maintenance(const PostgresqlOptions& options);

}  // namespace bedplate::sql
