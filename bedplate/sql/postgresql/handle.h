// SPDX-License-Identifier: Apache-2.0
// Owners of libpq's objects. Private header of the driver.
#pragma once

#include <postgresql/libpq-fe.h>

#include <cstdint>
#include <memory>

namespace bedplate::sql {

struct ClosePostgresql {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using PostgresqlHandle = std::unique_ptr<PGconn, ClosePostgresql>;

struct ClearPostgresqlResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PostgresqlResult = std::unique_ptr<PGresult, ClearPostgresqlResult>;

/// Types of the server that the driver reads and writes in their binary form (pg_type.dat: they never
/// change).
namespace oid {
inline constexpr Oid kBool = 16, kBytea = 17, kChar = 18, kName = 19, kInt8 = 20, kInt2 = 21, kInt4 = 23,
                     kText = 25, kOid = 26, kJson = 114, kFloat4 = 700, kFloat8 = 701, kUnknown = 705,
                     kBpchar = 1042, kVarchar = 1043, kDate = 1082, kTimestamp = 1114, kTimestamptz = 1184,
                     kNumeric = 1700, kVoid = 2278, kUuid = 2950, kJsonb = 3802;
/// Types beyond are of the database's own: enums, citext, domains (which show as what they stand on).
inline constexpr Oid kFirstOwn = 16384;

/// Its binary form is its text.
inline bool is_text(Oid type) {
  return type == kText || type == kVarchar || type == kJson || type == kBpchar || type == kName ||
         type == kUnknown || type == kChar || type >= kFirstOwn;
}
}  // namespace oid

/// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
inline constexpr std::int64_t kPostgresqlEpochUs = 946'684'800'000'000;
inline constexpr std::int64_t kDayUs = 86'400'000'000;

}  // namespace bedplate::sql
