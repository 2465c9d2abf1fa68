// SPDX-License-Identifier: Apache-2.0
// What can go wrong in a database, the same from every driver.
//
//   Result<std::int64_t> added = co_await tx.run(kInsertUser, user.id, user.email);
//   if (!added && sql::violates(added.error(), sql::kUniqueViolation, "users.email"))
//     co_return fail(Category::conflict, "email_taken", "There is an account with this address already.");
//
// An error's detail never holds values, names of tables or the engine's words: those go to the log. Which
// constraint it was stands in Error::subject(), for code: "users.email" or "orders.shop, orders.number" for
// columns, the constraint's name for a check. Empty where the engine does not say (SQLite's foreign keys).
#pragma once

#include <string_view>

#include "bedplate/base/result.h"

namespace bedplate::sql {

inline constexpr std::string_view kUniqueViolation = "unique_violation";            ///< conflict
inline constexpr std::string_view kForeignKeyViolation = "foreign_key_violation";   ///< conflict
inline constexpr std::string_view kCheckViolation = "check_violation";              ///< invalid
inline constexpr std::string_view kNotNullViolation = "not_null_violation";         ///< invalid
inline constexpr std::string_view kSerializationFailure = "serialization_failure";  ///< conflict; was retried
inline constexpr std::string_view kDatabaseBusy = "database_busy";      ///< unavailable: queue full or locked
inline constexpr std::string_view kDatabaseClosed = "database_closed";  ///< unavailable: shutting down
inline constexpr std::string_view kDatabaseUnavailable =
    "database_unavailable";  ///< unavailable: no server answers; nothing was stored
inline constexpr std::string_view kCommitUnknown =
    "commit_unknown";  ///< unavailable: the connection broke in COMMIT; it is stored, or not
inline constexpr std::string_view kStorageFull = "storage_full";       ///< unavailable: no space left
inline constexpr std::string_view kStorageError = "storage_error";     ///< unavailable: the disk failed
inline constexpr std::string_view kQueryTimeout = "query_timeout";     ///< timeout: ran longer than it may
inline constexpr std::string_view kValueTooLarge = "value_too_large";  ///< too_large
inline constexpr std::string_view kTextInvalid = "text_invalid";       ///< invalid: U+0000, or not UTF-8
inline constexpr std::string_view kTooManyRows = "too_many_rows";      ///< too_large
inline constexpr std::string_view kResultTooLarge =
    "result_too_large";                                            ///< too_large: its rows, in bytes; logged
inline constexpr std::string_view kRowNotFound = "row_not_found";  ///< not_found
inline constexpr std::string_view kReadOnly = "read_only";         ///< internal: a write through a Reader
inline constexpr std::string_view kTenantViolation =
    "tenant_violation";  ///< internal: a row that would belong to another tenant, or to none
inline constexpr std::string_view kTransactionFailed =
    "transaction_failed";  ///< internal: went on after a statement of it had failed
inline constexpr std::string_view kDatabaseDamaged =
    "database_damaged";  ///< internal: the file is damaged or is no database; logged
inline constexpr std::string_view kSqlError = "sql_error";  ///< internal: a bad statement; logged

/// What a transaction fails with that finds, by how many rows a write has changed, that a row which it has read is not
/// so any more: it is rolled back and runs again, from the beginning. Only Isolation::read_committed lets it come to
/// that. Where nothing is run again (SQLite) it is the answer: Category::conflict.
///
///   std::int64_t changed = co_await ok(tx.run("UPDATE notes SET text = $3, version = version + 1 "
///                                             "WHERE id = $1 AND version = $2", note.id, note.version, text));
///   if (changed == 0) co_await sql::overtaken();
///
/// For what the transaction has read itself: of an older reading it would find the same, again and again.
std::unexpected<Error> overtaken();

/// It is this violation, of this constraint (columns as "table.column", or the name of a check).
bool violates(const Error& error, std::string_view code, std::string_view subject);

}  // namespace bedplate::sql
