// SPDX-License-Identifier: Apache-2.0
// The server's errors as ours. Private header of the driver.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/sql/postgresql/handle.h"

namespace bedplate::sql {

/// What the driver itself does about a failed statement.
enum class PostgresqlFault : std::uint8_t {
  statement,      ///< nothing: it is the caller's error
  serialization,  ///< the transaction may be run again
  missing_plan,   ///< the connection has not got the statement: preparing it was skipped
  stale_plan,     ///< the tables that the statement names have changed: prepare and describe it again
  timeout,        ///< the server ended it, because of its time-out or because it was asked to
  recovery,       ///< a replica had to choose between the query and the primary's changes
  connection,     ///< the connection is over
};
PostgresqlFault postgresql_fault(const PGresult* result);

/// The server, or the transaction, takes no writes.
bool postgresql_is_read_only(const PGresult* result);

/// The caller's error. Logs what the caller must not see.
Error postgresql_error(const PGresult* result, std::string_view sql);

/// "There is no database now": with the time after which to ask again.
Error postgresql_unavailable(std::chrono::milliseconds wait = std::chrono::seconds(1));
/// The connection broke after COMMIT was sent and before it was answered.
Error postgresql_commit_unknown();
Error postgresql_timeout();
Error postgresql_result_too_large();
Error postgresql_closed();
Error postgresql_fault_of_ours();

}  // namespace bedplate::sql
