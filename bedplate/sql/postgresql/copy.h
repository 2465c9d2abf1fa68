// SPDX-License-Identifier: Apache-2.0
// Many rows by COPY. Private header of the driver.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/postgresql/handle.h"

namespace bedplate::sql {

/// On a connection that blocks, in its open transaction; the connection outlives it.
Result<std::unique_ptr<BulkInsert>> start_postgresql_copy(PGconn* connection,
                                                          std::size_t value_size_max_bytes,
                                                          std::string_view table,
                                                          std::span<const std::string_view> columns);

}  // namespace bedplate::sql
